"""Tokens that a model writes, such that no row's depend on the rows beside it."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from arena.backends.local.memory import rows_that_fit
from arena.backends.local.quiet import quiet_transformers
from arena.backends.local.reading import Reader, tokens_of_a_pass
from arena.backends.local.writing.rows import Begun, Draft, Ends
from arena.backends.local.writing.run import ALONE, Rules, WritingRun
from arena.backends.local.writing.sampling import Chooser
from arena.backends.local.writing.trial import Able, Mix, tried
from arena.records import Decoding
from arena.records.errors import BackendError


@dataclass(frozen=True)
class Writing:
    """How texts are written.

    rows: at most so many together. stop: texts that end one. closers: as in `sampling.Chooser`.
    """

    decoding: Decoding
    rows: int = 1
    stop: Sequence[str] = ()
    closers: Mapping[int, int] = field(default_factory=dict)


TRIAL = Writing(Decoding())
# Given the place of a beginning and what it goes on with, up to one of its ends and with it, or
# why nothing: another beginning to be written in that place, or None.
Then = Callable[[int, list[int] | BackendError], Begun | None]


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
        """What may stand after the end of a text."""
        pad = self._tokenizer.pad_token_id
        return int(pad) if pad is not None else [*self.stops, 0][0]

    @cached_property
    def able(self) -> Able:
        """Which rows may be written together: tried once, when it matters."""
        return tried(self._model, self.settings(TRIAL), self._reader, self._ordinary)

    def write(
        self,
        begun: Sequence[Begun],
        how: Writing,
        then: Then,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Write what each beginning goes on with, and what `then` asks for after it.

        tell: is told meanwhile how many texts what is written of those under way is worth.
        """
        lanes: dict[Hashable, deque[Draft]] = defaultdict(deque)
        settings, room = self.settings(how), how.decoding.room
        has_steps = any(self._steps(row, settings) for row in begun[:1])

        def put(place: int, begun: Begun) -> None:
            row = Draft(begun, place, self._steps(begun, settings) if has_steps else None)
            lanes[self._lane(row, room)].append(row)

        def finish(row: Draft, error: BackendError | None) -> None:
            if (more := then(row.place, error or row.written)) is not None:
                put(row.place, more)

        for place in sorted(range(len(begun)), key=lambda i: len(begun[i].tokens)):
            put(place, begun[place])
        able = self.able if len(begun) > 1 else ALONE
        run = WritingRun(
            self._model, self._rules(how, settings, able=able, finish=finish, tell=tell)
        )
        while lanes:
            lane, waiting = next(iter(lanes.items()))
            longest = max(len(row.tokens) for row in waiting) + room
            run.write(waiting, self.most(how.rows, longest) if len(begun) > 1 else 1)
            del lanes[lane]

    def stream(self, begun: Begun, how: Writing) -> Iterator[int]:
        """The tokens one by one; the model rests while nobody asks. Raises BackendError."""
        settings = self.settings(how)
        yield from WritingRun(self._model, self._rules(how, settings)).stream(
            Draft(begun, steps=self._steps(begun, settings))
        )

    def _rules(self, how: Writing, settings: Any, **more: Any) -> Rules:
        return Rules(
            settings,
            Chooser(how.decoding, how.closers),
            Ends(self._tokenizer, self.ends(how.stop), how.decoding.room, how.stop),
            tokens_of_a_pass(self._model.device),
            **more,
        )

    def settings(self, how: Writing) -> Any:
        """How transformers is to prepare what we write."""
        from transformers import GenerationConfig

        return GenerationConfig(
            max_new_tokens=how.decoding.room,
            do_sample=False,
            eos_token_id=self.ends(how.stop) or None,
            pad_token_id=self.filler,
            repetition_penalty=how.decoding.repetition_penalty,
        )

    def _steps(self, begun: Begun, settings: Any) -> Any:
        """What the model's own settings make of a text's scores: logits processors, if any."""
        batch = torch.tensor([begun.tokens], device=self._model.device)
        with quiet_transformers():
            return self._model.generate(
                batch,
                attention_mask=torch.ones_like(batch),
                generation_config=settings,
                custom_generate=lambda *_, logits_processor, **__: logits_processor,
            )

    def _lane(self, row: Draft, room: int) -> Hashable:
        """What rows must have in common to be written together."""
        reach, length = self._reader.reach, len(row.tokens)
        crosses = reach is not None and length <= reach < length + room
        return ("alone", row.place) if crosses else reach is not None and length > reach

    def most(self, rows: int, tokens: int) -> int:
        """How many rows of so many tokens may be written together, of so many."""
        if self.able.mix is Mix.NONE and not self.able.joins:
            return 1
        return min(rows, rows_that_fit(self._model.device, self.able.bytes_of_row(tokens)))
