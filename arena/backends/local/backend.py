"""A transformers model as a backend: batches of conversations, and trees of rows for odds."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch

from arena.backends.base import (
    RATHER,
    UNLIKELY,
    Backend,
    Intake,
    Message,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    RewardRequest,
    Rewards,
    TextOdds,
    TextRequest,
    cut_at,
)
from arena.backends.local import likelihood
from arena.backends.local.chat import Chat
from arena.backends.local.grouping import like_length
from arena.backends.local.reading import BATCH_ROWS, BATCH_TOKENS
from arena.backends.local.talk import Turns, worth
from arena.backends.local.tree import Tokens, TreeRow
from arena.backends.local.weights.loading import (
    Loaded,
    LoadedReward,
    is_loaded,
    loaded,
    reward_model_of,
    writer_of,
)
from arena.backends.local.writing import Begun, Writing, streamed
from arena.backends.thinking import split
from arena.records import Model, Usage
from arena.records.errors import BackendError

WAVE = 4  # times the rows that are written together
# A request's position, its logits or why there are none, and the seconds it took.
Logits = tuple[int, torch.Tensor | BackendError, float]


class LocalBackend(Backend):
    """Greedy or seeded sampling under the model's own chat template."""

    def __init__(self, model: Model, batch_rows: int = BATCH_ROWS) -> None:
        self._spec = model
        self._rows = batch_rows
        self._has_folded = False
        how = model.decoding
        effort = {"reasoning_effort": how.reasoning_effort} if how.reasoning_effort else {}
        self._settings = effort | how.template_settings

    @property
    def starting(self) -> str:
        """Loading weights takes long; those that are loaded already are had at once."""
        spec = self._spec
        if is_loaded(spec.weights, spec.revision, spec.adapter):
            return ""
        return f"loading {' with '.join(filter(None, (spec.weights, spec.adapter)))}"

    def start(self) -> None:
        """Load the weights."""
        self._here()

    @property
    def notes(self) -> tuple[str, ...]:
        """Says where a system text had to stand, and which settings have no effect."""
        return tuple(f"{self._spec.name}: {note}" for note in self._noted())

    def _noted(self) -> Iterator[str]:
        how = self._spec.decoding
        if self._has_folded:
            yield (
                "the chat template has no place for a system text, so it stands before the first "
                "question."
            )
        given = self._settings
        if not given or self.starting:
            return
        if not self._here().chat.heeds(given):
            yield f"the chat template knows none of {', '.join(given)}, so they change nothing."
        if how.thinking_budget is not None and not self._chat.closers:
            yield (
                "the tokenizer has no tokens that open and close thinking, so its budget is not "
                "held to."
            )

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """Conversations of like length in waves, each yielded whole.

        Which rows are written together depends on their wave alone, so that a run which is
        taken up again after the last whole wave ends in the same texts.
        """
        intake = intake or Intake()
        room = self._spec.decoding.room
        sizes = [self._size(request) + room for request in requests]
        alike = [(r.stop, r.verbatim, len(r.turns)) for r in requests]
        order = sorted(range(len(requests)), key=lambda i: (*alike[i], sizes[i], i))
        kinds = [kind[:2] for kind in alike]
        for wave in like_length(order, sizes, kinds, WAVE * self._rows, WAVE * BATCH_TOKENS):
            if todo := intake.admit(wave):
                yield self._hold([requests[i] for i in todo], todo, intake.tell)

    def stream(self, request: Request) -> Iterator[Reply]:
        """Token by token; closing the iterator stops the model."""
        talk = Turns.of(request)
        talk.put_next()
        begun = Begun(self._begin(talk, self._spec.decoding.room), request.seed)
        how = self._writing(request)
        yield from streamed(self._loaded().writer, self._chat, begun, how)

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """One pass for requests of like beginnings; what any of them share is read once."""
        intake = intake or Intake()
        ids = [self._tried(Message("user", r.text), prefill=r.prefill) for r in requests]
        yield from refused(ids, intake)
        rows = {i: TreeRow(found) for i, found in enumerate(ids) if isinstance(found, tuple)}
        for read in self._read(rows, intake):
            yield [
                (i, self._odds(requests[i], logits, Usage(len(rows[i].tokens), 1, seconds)))
                for i, logits, seconds in read
            ]

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """One pass for texts of like contexts; what any of them share is read once."""
        intake = intake or Intake()
        scored = [self._scored(request) for request in requests]
        yield from refused(scored, intake)
        fit = {i: found for i, found in enumerate(scored) if isinstance(found, likelihood.Scored)}
        rows = {i: TreeRow(s.read, max(1, len(s.text))) for i, s in fit.items()}
        for read in self._read(rows, intake):
            yield [(i, _text_odds(fit[i], logits, seconds)) for i, logits, seconds in read]

    def rewards(
        self, requests: Sequence[RewardRequest], intake: Intake | None = None
    ) -> Iterator[Result[Rewards]]:
        """One pass for conversations of like length; the same conversation has one number."""
        intake = intake or Intake()
        rewarder = reward_model_of(self._spec.weights, self._here()).rewarder
        rows = [self._rated(request) for request in requests]
        yield from refused(rows, intake)
        fit = {i: found for i, found in enumerate(rows) if isinstance(found, tuple)}
        sizes = [max(map(len, fit[i])) if i in fit else 0 for i in range(len(rows))]
        order = sorted(fit, key=lambda i: (sizes[i], i))
        known: dict[Tokens, float | BackendError] = {}
        for batch in like_length(order, sizes, [0] * len(rows), self._rows, rewarder.most):
            if not (todo := intake.admit(batch)):
                continue
            started = time.perf_counter()
            new = list(dict.fromkeys(row for i in todo for row in fit[i] if row not in known))
            known |= zip(new, rewarder.read(new), strict=True)
            seconds = (time.perf_counter() - started) / len(todo)
            yield [(i, _rewards(fit[i], known, seconds)) for i in todo]

    def opens_thinking(self) -> bool:
        """As its chat template does with a user's turn."""
        return bool(self._chat.opening)

    def count_tokens(self, text: str) -> int:
        """As its tokenizer counts, without special tokens."""
        return len(self._here().tokenizer.encode(text, add_special_tokens=False))

    def window(self) -> int:
        """The model's own, or the shorter one that was set."""
        config = self._here().model.config.get_text_config()
        own = getattr(config, "max_position_embeddings", None)
        return min(filter(None, [self._spec.context_length, own]), default=2**31)

    def _here(self) -> Loaded | LoadedReward:
        return loaded(self._spec.weights, self._spec.revision, self._spec.adapter)

    def _loaded(self) -> Loaded:
        return writer_of(self._spec.weights, self._here())

    @cached_property
    def _chat(self) -> Chat:
        """The chat template with the model's own settings of it."""
        here = self._here()
        return Chat(here.tokenizer, self._settings) if self._settings else here.chat

    def _stops(self, request: Request) -> tuple[str, ...]:
        return (*self._spec.decoding.stop, *request.stop)

    def _hold(
        self, requests: list[Request], indices: list[int], tell: Callable[[float, int], None]
    ) -> Result[Reply]:
        """Conversations held at once, each turn put as soon as the one before it is answered.

        One that outgrows the window fails. tell: is told, while they are written, how many of
        them that is worth, and how many of them are asked once more.
        """
        started = time.perf_counter()
        talks = [Turns.of(request) for request in requests]
        asked: dict[int, Begun] = {}

        def put(k: int) -> Begun | None:
            found = self._put_next(talks[k])
            if found is not None:
                asked[k] = found
            return found

        def then(place: int, tokens: list[int] | BackendError) -> Begun | None:
            k = places[place]
            if isinstance(tokens, BackendError):
                talks[k].fail(tokens)
            else:
                self._answer(talks[k], asked[k], tokens)
            return put(k)

        places = [k for k in range(len(talks)) if put(k) is not None]
        writer = self._loaded().writer
        writer.write(
            [asked[k] for k in places],
            self._writing(requests[0]),
            then,
            lambda rows: tell(*worth(talks, rows)),
        )
        seconds = (time.perf_counter() - started) / len(requests)
        return [(i, talk.result(seconds)) for i, talk in zip(indices, talks, strict=True)]

    def _writing(self, request: Request) -> Writing:
        return Writing(self._spec.decoding, self._rows, self._stops(request), self._chat.closers)

    def _put_next(self, talk: Turns) -> Begun | None:
        """What the reply to a conversation's next turn goes on from, if there is one."""
        if not talk.put_next():
            return None
        seed = talk.request.seed + len(talk.finishes)
        try:
            return Begun(self._begin(talk, self._spec.decoding.room), seed)
        except BackendError as error:
            talk.fail(error)
            return None

    def _answer(self, talk: Turns, row: Begun, tokens: list[int]) -> None:
        here, chat, request = self._loaded(), self._chat, talk.request
        stops = self._stops(request)
        ended = bool(tokens) and tokens[-1] in here.writer.ends(stops)
        kept = tokens[:-1] if ended else tokens
        whole = chat.said(kept)
        if not (request.plain or talk.prefill):
            whole = chat.opening + whole
        text = cut_at(whole, stops)
        finish = "stop" if ended or text != whole else "length"
        said = text if request.verbatim else text.strip()
        thinking = split(said).thinking
        thought = min(len(kept), self.count_tokens(thinking)) if thinking else 0
        talk.answered(said, finish, len(row.tokens), len(kept), thought)

    def _read(self, rows: Mapping[int, TreeRow], intake: Intake) -> Iterator[list[Logits]]:
        """Pass by pass the logits of rows that may be read; rows of the same tokens are one."""
        if not rows:
            return
        owners: dict[tuple[int, ...], list[int]] = {}
        for i, row in rows.items():
            owners.setdefault(row.tokens, []).append(i)
        positions = list(owners.values())
        unique = [TreeRow(t, max(rows[i].keep for i in here)) for t, here in owners.items()]
        reading = self._loaded().reader.reading(unique, self._rows)
        for one in reading.passes:
            todo = set(intake.admit([i for k in one.rows for i in positions[k]]))
            if not todo:
                continue
            wanted = [k for k in one.rows if not todo.isdisjoint(positions[k])]
            started = time.perf_counter()
            found = reading.read(one, wanted)
            seconds = (time.perf_counter() - started) / len(todo)
            yield [(i, logits, seconds) for k, logits in found for i in positions[k] if i in todo]

    def _odds(
        self, request: OddsRequest, logits: torch.Tensor | BackendError, usage: Usage
    ) -> Odds | BackendError:
        """The log-probabilities of a request's options."""
        if isinstance(logits, BackendError):
            return logits
        logprobs = torch.log_softmax(logits[-1].float(), -1).cpu()
        try:
            heads = [first_tokens(self._loaded().tokenizer, option) for option in request.options]
        except BackendError as error:
            return error
        found = Odds(tuple(float(torch.logsumexp(logprobs[ids], 0)) for ids in heads), usage)
        if found.mass >= UNLIKELY:
            return found
        values, tokens = logprobs.exp().topk(min(RATHER, len(logprobs)))
        words = map(self._loaded().tokenizer.decode, tokens.tolist())
        return replace(found, rather=tuple(zip(words, values.tolist(), strict=True)))

    def _size(self, request: Request) -> int:
        """The tokens of a conversation's beginning; none where it cannot be written."""
        talk = Turns.of(request)
        talk.put_next()
        try:
            return len(self._encode(talk.messages, talk.prefill, plain=request.plain))
        except BackendError:
            return 0

    def _begin(self, talk: Turns, room: int) -> tuple[int, ...]:
        """A conversation as far as it has come; raises BackendError where it cannot go on."""
        ids = self._encode(talk.messages, talk.prefill, plain=talk.request.plain)
        return self._fitting(ids, room)

    def _tried(self, *messages: Message, prefill: str) -> tuple[int, ...] | BackendError:
        try:
            return self._fitting(self._encode(messages, prefill), 1)
        except BackendError as error:
            return error

    def _rated(self, request: RewardRequest) -> tuple[Tokens, ...] | BackendError:
        """The tokens of each conversation, with the answer that ends it."""
        system = self._spec.decoding.system
        try:
            written = [self._chat.write(c, system, ended=True) for c in request.conversations]
            rows = tuple(self._fitting(one.ids, 0) for one in written)
        except BackendError as error:
            return error
        self._has_folded |= any(one.folded for one in written)
        return rows

    def _scored(self, request: TextRequest) -> likelihood.Scored | BackendError:
        here, system = self._loaded(), self._spec.decoding.system
        try:
            scored = likelihood.encode(self._chat, here.tokenizer, request, system, self.window())
            self._fitting(scored.read, 0)
        except BackendError as error:
            return error
        self._has_folded |= scored.folded
        return scored

    def _encode(
        self, messages: Sequence[Message], prefill: str = "", *, plain: bool = False
    ) -> tuple[int, ...]:
        """Token ids up to where the reply goes on; control tokens in the text are plain text."""
        chat = self._chat
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
        known = self._here().known
        if max(ids) >= known:
            raise BackendError(
                f"the tokenizer of {self._spec.name} gives token {max(ids)}, and the model knows "
                f"only {known}: they do not belong together"
            )
        return ids


def refused(found: Sequence[Any], intake: Intake) -> Iterator[Result[Any]]:
    """What could not even be asked, as one result."""
    errors = {i: error for i, error in enumerate(found) if isinstance(error, BackendError)}
    if todo := intake.admit(list(errors)):
        yield [(i, errors[i]) for i in todo]


def _rewards(
    rows: Sequence[Tokens], known: Mapping[Tokens, float | BackendError], seconds: float
) -> Rewards | BackendError:
    """The numbers of a request's conversations, or why one of them has none."""
    values = []
    for value in (known[row] for row in rows):
        if isinstance(value, BackendError):
            return value
        values.append(value)
    return Rewards(tuple(values), Usage(sum(map(len, rows)), 0, seconds))


def _text_odds(
    scored: likelihood.Scored, logits: torch.Tensor | BackendError, seconds: float
) -> TextOdds | BackendError:
    if isinstance(logits, BackendError):
        return logits
    usage = Usage(len(scored.context) + len(scored.text), 0, seconds)
    found = likelihood.of(logits, scored.text)
    return TextOdds(*found, len(scored.text), scored.truncated, usage)


def first_tokens(tokenizer: Any, option: str) -> list[int]:
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
