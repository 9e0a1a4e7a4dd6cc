"""A transformers model as a backend: batches of conversations, and shared prefixes for odds."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from arena.backends.base import (
    Backend,
    Intake,
    Message,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    TextOdds,
    TextRequest,
    cut_at,
)
from arena.backends.local import likelihood
from arena.backends.local.grouping import like_length, prefix_groups
from arena.backends.local.reading import BATCH_TOKENS, Row
from arena.backends.local.talk import Talk
from arena.backends.local.weights import Loaded, loaded
from arena.backends.local.writing import Begun
from arena.errors import BackendError
from arena.records import Model, Usage

BATCH_ROWS = 48


class LocalBackend(Backend):
    """Greedy or seeded sampling under the model's own chat template."""

    def __init__(self, model: Model, batch_rows: int = BATCH_ROWS) -> None:
        self._spec = model
        self._rows = batch_rows
        self._has_folded = False

    def start(self) -> None:
        """Load the weights."""
        self._loaded()

    @property
    def notes(self) -> tuple[str, ...]:
        """Says where a system text had to stand in a user's turn."""
        if not self._has_folded:
            return ()
        return (
            f"{self._spec.name}: the chat template has no place for a system text, so it stands "
            "before the first question.",
        )

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """Conversations of like length together, each batch yielded whole."""
        intake = intake or Intake()
        room = self._spec.decoding.max_tokens
        sizes = [self._size(request) + room for request in requests]
        alike = [(r.stop, r.verbatim, len(r.turns)) for r in requests]
        order = sorted(range(len(requests)), key=lambda i: (*alike[i], sizes[i], i))
        kinds = [kind[:2] for kind in alike]
        for batch in like_length(order, sizes, kinds, self._rows, BATCH_TOKENS):
            if todo := intake.admit(batch):
                yield self._hold([requests[i] for i in todo], todo)

    def stream(self, request: Request) -> Iterator[Reply]:
        """Token by token; closing the iterator stops the model."""
        from arena.backends.local.streaming import stream

        talk = Talk.of(request)
        talk.put_next()
        room = self._spec.decoding.max_tokens
        begun = Begun(self._begin(talk, room), request.seed)
        yield from stream(self._loaded(), begun, self._spec.decoding)

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """One forward pass a group of like beginnings; what they share is read once."""
        intake = intake or Intake()
        ids = [self._tried(Message("user", r.text), prefill=r.prefill) for r in requests]
        for group in self._odds_groups(ids):
            if todo := intake.admit(group):
                result: Result[Odds] = [
                    (i, found) for i in todo if isinstance(found := ids[i], BackendError)
                ]
                rows = {i: found for i in todo if not isinstance(found := ids[i], BackendError)}
                yield result + self._read(rows, requests)

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """Batches of texts of like contexts; a context that several texts follow is read once."""
        intake = intake or Intake()
        scored = [self._scored(request) for request in requests]
        failed = [i for i, found in enumerate(scored) if isinstance(found, BackendError)]
        if todo := intake.admit(failed):
            yield [(i, error) for i in todo if isinstance(error := scored[i], BackendError)]
        fit = {i: found for i, found in enumerate(scored) if not isinstance(found, BackendError)}
        positions = list(fit)
        for batch in likelihood.batches(list(fit.values()), self._rows, BATCH_TOKENS):
            if todo := intake.admit([positions[k] for k in batch]):
                started = time.perf_counter()
                found = likelihood.logprobs(self._loaded().reader, [fit[i] for i in todo])
                seconds = (time.perf_counter() - started) / len(todo)
                yield [
                    (i, _text_odds(fit[i], odds, seconds))
                    for i, odds in zip(todo, found, strict=True)
                ]

    def opens_thinking(self) -> bool:
        """As its chat template does with a user's turn."""
        return bool(self._loaded().chat.opening)

    def count_tokens(self, text: str) -> int:
        """As its tokenizer counts, without special tokens."""
        return len(self._loaded().tokenizer.encode(text, add_special_tokens=False))

    def window(self) -> int:
        """The model's own, or the shorter one that was set."""
        config = self._loaded().model.config.get_text_config()
        own = getattr(config, "max_position_embeddings", None)
        return min(filter(None, [self._spec.context_length, own]), default=2**31)

    def _loaded(self) -> Loaded:
        return loaded(self._spec.weights, self._spec.revision)

    def _hold(self, requests: list[Request], indices: list[int]) -> Result[Reply]:
        """All turns of a batch of conversations; a conversation that outgrows the window fails."""
        started = time.perf_counter()
        talks = [Talk.of(request) for request in requests]
        room = self._spec.decoding.max_tokens
        while asking := [talk for talk in talks if talk.put_next()]:
            begun: list[tuple[Talk, Begun]] = []
            for talk in asking:
                try:
                    seed = talk.request.seed + len(talk.finishes)
                    begun.append((talk, Begun(self._begin(talk, room), seed)))
                except BackendError as error:
                    talk.fail(error)
            rows = [row for _, row in begun]
            written = self._loaded().writer.write(rows, self._spec.decoding, requests[0].stop)
            for (talk, row), tokens in zip(begun, written, strict=True):
                if isinstance(tokens, BackendError):
                    talk.fail(tokens)
                else:
                    self._answer(talk, row, tokens)
        seconds = (time.perf_counter() - started) / len(requests)
        return [(i, talk.result(seconds)) for i, talk in zip(indices, talks, strict=True)]

    def _answer(self, talk: Talk, row: Begun, tokens: list[int]) -> None:
        here, request = self._loaded(), talk.request
        ended = bool(tokens) and tokens[-1] in here.writer.ends(request.stop)
        kept = tokens[:-1] if ended else tokens
        whole = here.chat.said(kept)
        if not (request.plain or talk.prefill):
            whole = here.chat.opening + whole
        text = cut_at(whole, request.stop)
        finish = "stop" if ended or text != whole else "length"
        said = text if request.verbatim else text.strip()
        talk.answered(said, finish, len(row.tokens), len(kept))

    def _read(
        self, rows: dict[int, tuple[int, ...]], requests: Sequence[OddsRequest]
    ) -> Result[Odds]:
        """The log-probabilities of the options of each request whose tokens are in `rows`."""
        if not rows:
            return []
        started = time.perf_counter()
        here = self._loaded()
        logits = here.reader.read([Row(tokens) for tokens in rows.values()])
        seconds = (time.perf_counter() - started) / len(rows)
        result: Result[Odds] = []
        for (i, tokens), found in zip(rows.items(), logits, strict=True):
            if isinstance(found, BackendError):
                result.append((i, found))
                continue
            logprobs = torch.log_softmax(found[-1].float(), -1).cpu()
            try:
                heads = [_first_tokens(here.tokenizer, option) for option in requests[i].options]
            except BackendError as error:
                result.append((i, error))
                continue
            values = tuple(float(torch.logsumexp(logprobs[ids], 0)) for ids in heads)
            result.append((i, Odds(values, Usage(len(tokens), 1, seconds))))
        return result

    def _odds_groups(self, ids: Sequence[tuple[int, ...] | BackendError]) -> Iterator[list[int]]:
        """Rows with like beginnings where those are read once, else of like length."""
        tokens = [() if isinstance(found, BackendError) else found for found in ids]
        if self._loaded().reader.shares:
            yield from prefix_groups(tokens, self._rows)
            return
        sizes = [len(row) for row in tokens]
        order = sorted(range(len(ids)), key=lambda i: (sizes[i], i))
        yield from like_length(order, sizes, [()] * len(ids), self._rows, BATCH_TOKENS)

    def _size(self, request: Request) -> int:
        """The tokens of a conversation's beginning; none where it cannot be written."""
        talk = Talk.of(request)
        talk.put_next()
        try:
            return len(self._encode(talk.messages, talk.prefill, plain=request.plain))
        except BackendError:
            return 0

    def _begin(self, talk: Talk, room: int) -> tuple[int, ...]:
        """A conversation as far as it has come; raises BackendError where it cannot go on."""
        ids = self._encode(talk.messages, talk.prefill, plain=talk.request.plain)
        return self._fitting(ids, room)

    def _tried(self, *messages: Message, prefill: str) -> tuple[int, ...] | BackendError:
        try:
            return self._fitting(self._encode(messages, prefill), 1)
        except BackendError as error:
            return error

    def _scored(self, request: TextRequest) -> likelihood.Scored | BackendError:
        here, system = self._loaded(), self._spec.decoding.system
        try:
            scored = likelihood.encode(here.chat, here.tokenizer, request, system, self.window())
            self._fitting(scored.read, 0)
        except BackendError as error:
            return error
        self._has_folded |= scored.folded
        return scored

    def _encode(
        self, messages: Sequence[Message], prefill: str = "", *, plain: bool = False
    ) -> tuple[int, ...]:
        """Token ids up to where the reply goes on; control tokens in the text are plain text."""
        chat = self._loaded().chat
        if plain:
            return (*chat.plain(messages[-1].content).ids, *chat.begun(prefill))
        written = chat.write(messages, self._spec.decoding.system, prefill)
        self._has_folded |= written.folded
        return written.ids

    def _fitting(self, ids: tuple[int, ...], room: int) -> tuple[int, ...]:
        """Tokens that the model can go on from; raises BackendError where it cannot."""
        if not ids:
            raise BackendError(f"an empty prompt: {self._spec.name} has nothing to go on from")
        if len(ids) + room > self.window():
            raise BackendError(
                f"{len(ids)} tokens and {room} for the reply do not fit the context of "
                f"{self._spec.name}, {self.window()} tokens"
            )
        known = self._loaded().known
        if max(ids) >= known:
            raise BackendError(
                f"the tokenizer of {self._spec.name} gives token {max(ids)}, and the model knows "
                f"only {known}: they do not belong together"
            )
        return ids


def _text_odds(
    scored: likelihood.Scored, found: tuple[float, bool] | BackendError, seconds: float
) -> TextOdds | BackendError:
    if isinstance(found, BackendError):
        return found
    usage = Usage(len(scored.context) + len(scored.text), 0, seconds)
    return TextOdds(*found, len(scored.text), scored.truncated, usage)


def _first_tokens(tokenizer: Any, option: str) -> list[int]:
    """The tokens that may begin `option`, with and without the space before it.

    Raises BackendError where the tokenizer has none.
    """
    others = {*tokenizer.encode(" ", add_special_tokens=False), tokenizer.unk_token_id}
    heads = set()
    for text in (option, f" {option}"):
        ids = tokenizer.encode(text, add_special_tokens=False)
        heads |= set([i for i in ids if i not in others][:1])
    if not heads:
        raise BackendError(f"the tokenizer has no token that begins the word {option!r}")
    return sorted(heads)
