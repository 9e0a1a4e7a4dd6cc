"""Tokens that a model writes, such that no row's depend on the rows beside it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import torch

from arena.backends.local.attempts import in_halves
from arena.backends.local.quiet import quiet_transformers
from arena.backends.local.reading import Reader, distance
from arena.backends.local.sampling import logits_processors
from arena.records import Decoding
from arena.records.errors import BackendError

PROBE_STEPS = 3
TELL_EVERY = 8  # tokens

Tell = Callable[[float], None]
NO_CLOSERS: Mapping[int, int] = MappingProxyType({})


class StopTexts:
    """Ends a row once one of some texts is in what it has written, as its tokenizer decodes it.

    transformers' own looks tokens up by their spelling, which not every tokenizer bears.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str], start: int) -> None:
        self._tokenizer = tokenizer
        self._stops = [stop for stop in stops if stop]
        self._start = start
        # A token adds a letter or more, but for some that are part of one.
        self._tail = 8 + 4 * max(map(len, self._stops), default=0)

    def __call__(self, tokens: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """tokens: (rows, length), the prompt's included. Whether each row has ended."""
        tails = tokens[:, max(self._start, tokens.shape[1] - self._tail) :].tolist()
        texts = self._tokenizer.batch_decode(tails, skip_special_tokens=True)
        ended = [any(stop in text for stop in self._stops) for text in texts]
        return torch.tensor(ended, device=tokens.device)


class Teller:
    """Tells while a batch is written how many of its rows that is worth, and ends none.

    A row that has not ended is worth its share of the room for it.
    """

    def __init__(self, tell: Tell, start: int, room: int, ends: Sequence[int]) -> None:
        self._tell = tell
        self._start = start
        self._room = room
        self._ends = torch.tensor(ends)

    def __call__(self, tokens: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """tokens: (rows, length), the prompt's included. Whether each row has ended: none has."""
        written = tokens.shape[1] - self._start
        if written % TELL_EVERY == 0:
            said = tokens[:, self._start :]
            ended = int(torch.isin(said, self._ends.to(said.device)).any(1).sum())
            self._tell(ended + (len(said) - ended) * written / self._room)
        return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)


def _tell_after(tell: Tell, before: int, rows: float) -> None:
    tell(before + rows)


class Mix(Enum):
    """Rows of any length in one batch, of one length, or each alone."""

    ANY = "any"
    EVEN = "even"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Begun:
    """The tokens that a text goes on from, at least one, and the seed of its sampling."""

    tokens: tuple[int, ...]
    seed: int = 0


class Writer:
    """Writes with a loaded model."""

    def __init__(self, tokenizer: Any, model: Any, reader: Reader, ordinary: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._reader = reader
        self._ordinary = ordinary

    @cached_property
    def stops(self) -> list[int]:
        """The tokens that end a reply; a tokenizer may have none."""
        configured = self._model.generation_config.eos_token_id
        ids = configured if isinstance(configured, list) else [configured]
        return sorted({i for i in [*ids, self._tokenizer.eos_token_id] if i is not None})

    def ends(self, stop: Sequence[str]) -> list[int]:
        """`stops`, and the special tokens that are among some texts."""
        return sorted({*self.stops, *(self._added[text] for text in stop if text in self._added)})

    @cached_property
    def _added(self) -> dict[str, int]:
        return {str(token): i for i, token in self._tokenizer.added_tokens_decoder.items()}

    @property
    def filler(self) -> int:
        """What stands after the end of a row that is shorter than others."""
        pad = self._tokenizer.pad_token_id
        return int(pad) if pad is not None else [*self.stops, 0][0]

    @cached_property
    def mix(self) -> "Mix":
        """Which rows may be in one batch: tried once, when it matters.

        Padding before a row's beginning changes the state of some recurrent layers, and some
        models go on from one row's state in all others.
        """
        if not self._reader.together or not self._ordinary:
            return Mix.NONE
        rows = [Begun(tuple(self._ordinary[at : at + n])) for at, n in ((0, 5), (3, 5), (6, 12))]
        try:
            alone = self._scores(rows[:1])
            ways = ((Mix.ANY, rows[2]), (Mix.EVEN, rows[1]))
            for mix, beside in ways if self._reader.tells else ways[1:]:
                apart = distance(alone, self._scores([rows[0], beside]))
                if apart <= self._reader.tolerance:
                    return mix
            return Mix.NONE
        except Exception:  # a model's own code: what cannot be done is not done
            return Mix.NONE

    def write(
        self,
        rows: Sequence[Begun],
        decoding: Decoding,
        stop: Sequence[str] = (),
        tell: Tell = lambda _: None,
        closers: Mapping[int, int] = NO_CLOSERS,
    ) -> list[list[int] | BackendError]:
        """What each row goes on with, up to one of its `ends` and with it, or why nothing.

        tell: is told meanwhile how many rows what is written is worth. closers: as in
        `sampling.ThinkingBudget`.
        """
        found: dict[int, list[int] | BackendError] = {}
        for group in self._groups(rows, decoding.room):
            compute = partial(
                self._generate,
                decoding=decoding,
                stop=stop,
                tell=partial(_tell_after, tell, len(found)),
                closers=closers,
            )
            found |= zip(group, in_halves([rows[i] for i in group], compute), strict=True)
        return [found[i] for i in range(len(rows))]

    def settings(self, room: int, stop: Sequence[str] = ()) -> Any:
        """How transformers is to generate; our own steps make the choice of each token."""
        from transformers import GenerationConfig

        return GenerationConfig(
            max_new_tokens=room,
            do_sample=False,
            eos_token_id=self.ends(stop) or None,
            pad_token_id=self.filler,
        )

    def _groups(self, rows: Sequence[Begun], room: int) -> Iterable[list[int]]:
        """Rows that may be in one batch."""
        reach, groups = self._reader.reach, defaultdict[Any, list[int]](list)
        mix = self.mix if len(rows) > 1 else Mix.NONE
        for i, row in enumerate(rows):
            length = len(row.tokens)
            is_far = reach is not None and length > reach
            crosses = reach is not None and length <= reach < length + room
            if mix is Mix.NONE or crosses:
                groups[i, "alone"].append(i)
            else:
                groups[is_far, length if mix is Mix.EVEN else 0].append(i)
        return groups.values()

    def _generate(
        self,
        rows: Sequence[Begun],
        decoding: Decoding,
        stop: Sequence[str],
        tell: Tell,
        closers: Mapping[int, int],
    ) -> list[list[int]]:
        width, room = max(len(row.tokens) for row in rows), decoding.room
        seeds = [row.seed for row in rows]
        criteria: list[Any] = [Teller(tell, width, room, self.ends(stop))]
        criteria += [StopTexts(self._tokenizer, stop, width)] if stop else []
        with torch.inference_mode(), quiet_transformers():
            output = self._model.generate(
                **self._batch(rows),
                generation_config=self.settings(room, stop),
                stopping_criteria=criteria,
                logits_processor=logits_processors(decoding, seeds, closers, width),
            )
        return [self._ended(row, stop) for row in output[:, width:].tolist()]

    def _ended(self, row: list[int], stop: Sequence[str]) -> list[int]:
        """A row without what fills it up after its end."""
        ends = self.ends(stop)
        end = next((k for k, token in enumerate(row) if token in ends), None)
        if end is not None:
            return row[: end + 1]
        while stop and row and row[-1] == self.filler:
            row = row[:-1]
        return row

    def _batch(self, rows: Sequence[Begun]) -> dict[str, torch.Tensor]:
        """Left-padded with a token that the row has: a penalty on repetition sees no other."""
        width = max(len(row.tokens) for row in rows)
        gaps = [width - len(row.tokens) for row in rows]
        tokens = [
            [row.tokens[0]] * gap + [*row.tokens] for row, gap in zip(rows, gaps, strict=True)
        ]
        seen = [[0] * gap + [1] * (width - gap) for gap in gaps]
        batch = {"input_ids": tokens, "attention_mask": seen}
        return {name: torch.tensor(v, device=self._model.device) for name, v in batch.items()}

    def _scores(self, rows: Sequence[Begun]) -> list[torch.Tensor]:
        """The scores of the first row's next tokens."""
        with torch.inference_mode(), quiet_transformers():
            output = self._model.generate(
                **self._batch(rows),
                generation_config=self.settings(PROBE_STEPS),
                output_scores=True,
                return_dict_in_generate=True,
            )
        return [scores[0] for scores in output.scores]
