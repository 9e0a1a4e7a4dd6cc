"""A transformers model as a backend: batches of conversations, and shared prefixes for odds."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    as_json,
    cut_at,
    with_system,
)
from arena.backends.local.likelihood import Scored, batches, encode_pair, logprobs
from arena.backends.local.sampling import logits_processors
from arena.backends.local.weights import load, quiet_transformers
from arena.errors import BackendError
from arena.records import Model, Usage

BATCH_ROWS = 48
BATCH_TOKENS = 24_576
SHARED_PREFIX_MIN = 32


@dataclass
class _Talk:
    """One conversation of a batch, as far as it has come."""

    request: Request
    messages: list[Message] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    finishes: list[str] = field(default_factory=list)
    read: int = 0
    written: int = 0
    ended: bool = False
    error: BackendError | None = None

    def put_next(self) -> bool:
        """Put the next turn, or the follow-up after the last; False where there is none."""
        turns, follow_up, done = self.request.turns, self.request.follow_up, len(self.finishes)
        text = None
        if self.ended:
            return False
        if done < len(turns):
            text = turns[done]
        elif done == len(turns) and follow_up:
            text = follow_up(self.texts[-1], self.finishes[-1])
        self.ended = text is None
        if text is not None:
            self.messages.append(_user(text))
        return not self.ended

    def answered(self, text: str, finish: str, read: int, written: int) -> None:
        self.messages.append(Message("assistant", text))
        self.texts.append(text)
        self.finishes.append(finish)
        self.read += read
        self.written += written

    def fail(self, error: BackendError) -> None:
        """A follow-up that does not fit leaves the answers before it as they are."""
        self.ended = True
        if len(self.finishes) < len(self.request.turns):
            self.error = error

    def result(self, seconds: float) -> Reply | BackendError:
        if self.error:
            return self.error
        return Reply(
            tuple(self.texts), tuple(self.finishes), Usage(self.read, self.written, seconds)
        )


class LocalBackend(Backend):
    """Greedy or seeded sampling under the model's own chat template."""

    def __init__(self, model: Model, batch_rows: int = BATCH_ROWS) -> None:
        self._spec = model
        self._rows = batch_rows

    def start(self) -> None:
        """Load the weights."""
        load(self._spec.weights, self._spec.revision)

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """Conversations of like length together, each batch yielded whole."""
        intake = intake or Intake()
        sizes = [len(self._ids(_Talk(r, [*r.before, _user(r.turns[0])]))) for r in requests]
        alike = [(r.stop, r.verbatim, len(r.turns)) for r in requests]
        order = sorted(range(len(requests)), key=lambda i: (*alike[i], sizes[i], i))
        for batch in self._batches(order, sizes, alike):
            if todo := intake.admit(batch):
                yield self._hold([requests[i] for i in todo], todo)

    def stream(self, request: Request) -> Iterator[Reply]:
        """Token by token; closing the iterator stops the model."""
        from arena.backends.local.streaming import stream

        ids = self._ids(_Talk(request, [*request.before, _user(request.turns[0])]))
        room = self._spec.decoding.max_tokens
        if len(ids) + room > self.window():
            raise self._too_long(len(ids), room)
        tokenizer, model = load(self._spec.weights, self._spec.revision)
        stops = _stop_ids(tokenizer, model)
        yield from stream(tokenizer, model, ids, stops, self._spec.decoding, request.seed)

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """One forward pass a group of like beginnings; what they share is read once."""
        intake = intake or Intake()
        ids = [self._encode([_user(request.text)], request.prefill) for request in requests]
        for group in prefix_groups(ids, self._rows):
            todo = intake.admit(group)
            fitting = [i for i in todo if len(ids[i]) < self.window()]
            result: Result[Odds] = [
                (i, self._too_long(len(ids[i]), 1)) for i in todo if i not in fitting
            ]
            if fitting:
                result += self._read(fitting, [requests[i] for i in fitting], ids)
            if result:
                yield result

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """Batches of texts of like contexts; a context that several texts follow is read once."""
        intake = intake or Intake()
        tokenizer, model = load(self._spec.weights, self._spec.revision)
        scored = [self._scored(request) for request in requests]
        for batch in batches(scored, self._rows, BATCH_TOKENS):
            if todo := intake.admit(batch):
                started = time.perf_counter()
                found = logprobs(model, [scored[i] for i in todo], tokenizer.pad_token_id)
                seconds = (time.perf_counter() - started) / len(todo)
                yield [
                    (i, _text_odds(scored[i], *odds, seconds))
                    for i, odds in zip(todo, found, strict=True)
                ]

    def count_tokens(self, text: str) -> int:
        """As its tokenizer counts, without special tokens."""
        tokenizer, _ = load(self._spec.weights, self._spec.revision)
        return len(tokenizer.encode(text, add_special_tokens=False))

    def window(self) -> int:
        """The model's own, or the shorter one that was set."""
        _, model = load(self._spec.weights, self._spec.revision)
        own = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        return min(filter(None, [self._spec.context_length, own]), default=2**31)

    def _scored(self, request: TextRequest) -> Scored:
        tokenizer, _ = load(self._spec.weights, self._spec.revision)
        context = request.context
        if request.before:
            context = tokenizer.apply_chat_template(
                self._opened(request.before), tokenize=False, add_generation_prompt=True
            )
        return encode_pair(tokenizer, context, request.text, self.window())

    def _batches(
        self, order: Sequence[int], sizes: Sequence[int], alike: Sequence[tuple[Any, ...]]
    ) -> Iterator[list[int]]:
        room, longest = self._spec.decoding.max_tokens, 0
        batch: list[int] = []
        for i in order:
            longest = max(longest, sizes[i] + room)
            full = len(batch) == self._rows or longest * (len(batch) + 1) > BATCH_TOKENS
            if batch and (full or alike[i][:2] != alike[batch[0]][:2]):
                yield batch
                batch, longest = [], sizes[i] + room
            batch.append(i)
        if batch:
            yield batch

    def _hold(self, requests: list[Request], indices: list[int]) -> Result[Reply]:
        """All turns of a batch of conversations; a conversation that outgrows the window fails."""
        started = time.perf_counter()
        talks = [_Talk(request, list(request.before)) for request in requests]
        room = self._spec.decoding.max_tokens
        while asking := [talk for talk in talks if talk.put_next()]:
            ids = {id(talk): self._ids(talk) for talk in asking}
            for talk in asking:
                if len(ids[id(talk)]) + room > self.window():
                    talk.fail(self._too_long(len(ids[id(talk)]), room))
            fitting = [talk for talk in asking if not talk.ended]
            seeds = [talk.request.seed + len(talk.finishes) for talk in fitting]
            generated = self._generate([ids[id(talk)] for talk in fitting], seeds, requests[0])
            for talk, (text, finish, count) in zip(fitting, generated, strict=True):
                talk.answered(text, finish, len(ids[id(talk)]), count)
        seconds = (time.perf_counter() - started) / len(requests)
        return [(i, talk.result(seconds)) for i, talk in zip(indices, talks, strict=True)]

    def _generate(
        self, ids: list[list[int]], seeds: list[int], like: Request
    ) -> list[tuple[str, str, int]]:
        """Text, finish reason and token count for each row of token ids; all end `like` one."""
        if not ids:
            return []
        from transformers import GenerationConfig

        tokenizer, model = load(self._spec.weights, self._spec.revision)
        batch = tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(model.device)
        stops = _stop_ids(tokenizer, model)
        settings = GenerationConfig(
            max_new_tokens=self._spec.decoding.max_tokens,
            do_sample=False,
            eos_token_id=stops,
            pad_token_id=tokenizer.pad_token_id,
        )
        with torch.inference_mode(), quiet_transformers():
            output = model.generate(
                **batch,
                generation_config=settings,
                stop_strings=list(like.stop) or None,
                tokenizer=tokenizer if like.stop else None,
                logits_processor=logits_processors(self._spec.decoding, seeds),
            )
        ends = {*stops, tokenizer.pad_token_id}
        return [
            _text(row.tolist(), ends, tokenizer, like)
            for row in output[:, batch["input_ids"].shape[1] :]
        ]

    def _read(
        self, rows: list[int], requests: list[OddsRequest], ids: list[list[int]]
    ) -> Result[Odds]:
        """The log-probabilities of the options after each of `rows`."""
        started = time.perf_counter()
        tokenizer, model = load(self._spec.weights, self._spec.revision)
        logits = _next_logits(model, [ids[i] for i in rows], tokenizer.pad_token_id)
        logprobs = torch.log_softmax(logits.float(), -1)
        seconds = (time.perf_counter() - started) / len(rows)
        result: Result[Odds] = []
        for row, (i, request) in enumerate(zip(rows, requests, strict=True)):
            values = tuple(
                float(torch.logsumexp(logprobs[row, _first_tokens(tokenizer, option)], 0))
                for option in request.options
            )
            result.append((i, Odds(values, Usage(len(ids[i]), 1, seconds))))
        return result

    def _ids(self, talk: _Talk) -> list[int]:
        """A conversation as far as it has come."""
        is_last = len(talk.texts) + 1 == len(talk.request.turns)
        prefill = talk.request.prefill if is_last else ""
        return self._encode(talk.messages, prefill, plain=talk.request.plain)

    def _opened(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        """Messages with the model's own system text first."""
        return as_json(with_system(messages, self._spec.decoding.system))

    def _encode(
        self, messages: Sequence[Message], prefill: str = "", *, plain: bool = False
    ) -> list[int]:
        """Token ids up to where the reply goes on; control tokens in the text are plain text."""
        tokenizer, _ = load(self._spec.weights, self._spec.revision)
        if plain or tokenizer.chat_template is None:
            system = None if plain else self._spec.decoding.system
            text = "\n\n".join(m.content for m in with_system(messages, system))
            ids = tokenizer(text, split_special_tokens=True)["input_ids"]
        else:
            ids = tokenizer.apply_chat_template(
                self._opened(messages),
                add_generation_prompt=True,
                return_dict=False,
                sanitize_control_tokens=True,
            )
        begun = tokenizer.encode(prefill, add_special_tokens=False) if prefill else []
        return [*ids, *begun]

    def _too_long(self, prompt: int, reply: int) -> BackendError:
        return BackendError(
            f"{prompt} tokens and {reply} for the reply do not fit the context of "
            f"{self._spec.name}, {self.window()} tokens"
        )


def _user(text: str) -> Message:
    return Message("user", text)


def _text_odds(scored: Scored, logprob: float, greedy: bool, seconds: float) -> TextOdds:
    read = len(scored.context) + len(scored.text)
    usage = Usage(read, 0, seconds)
    return TextOdds(logprob, greedy, len(scored.text), scored.truncated, usage)


def _next_logits(model: Any, ids: list[list[int]], pad: int) -> torch.Tensor:
    """Logits after each row, (rows, vocabulary); a long common beginning is computed once."""
    shared = min((_common(ids[0], row) for row in ids[1:]), default=0)
    cache = None
    with torch.inference_mode():
        if len(ids) > 1 and shared >= SHARED_PREFIX_MIN:
            prefix = torch.tensor([ids[0][:shared]], device=model.device)
            cache = model(input_ids=prefix, use_cache=True, logits_to_keep=1).past_key_values
            cache.batch_repeat_interleave(len(ids))
        else:
            shared = 0
        rest = [row[shared:] for row in ids]
        width = max(map(len, rest))
        tokens = torch.tensor([[pad] * (width - len(row)) + row for row in rest])
        here = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rest])
        mask = torch.cat([torch.ones(len(ids), shared, dtype=torch.long), here], dim=1)
        positions = (shared + here.cumsum(1) - 1).clamp(min=0)
        output = model(
            input_ids=tokens.to(model.device),
            attention_mask=mask.to(model.device),
            position_ids=positions.to(model.device),
            past_key_values=cache,
            use_cache=cache is not None,
            logits_to_keep=1,
        )
    logits: torch.Tensor = output.logits[:, -1].cpu()
    return logits


def prefix_groups(ids: Sequence[list[int]], most: int) -> Iterator[list[int]]:
    """Split rows into groups of at most `most`, so that shared beginnings save most tokens.

    A group of n rows that share p tokens saves (n − 1)·p; in lexical order, a row joins the
    group before it unless that would save less.
    """
    group: list[int] = []
    shared = 0
    for i in sorted(range(len(ids)), key=lambda i: ids[i]):
        if group:
            common = _common(ids[group[0]], ids[i])
            # The first of a group shares with the last the least, since rows are sorted.
            if len(group) < most and len(group) * common >= (len(group) - 1) * shared:
                group.append(i)
                shared = common
                continue
            yield group
        group, shared = [i], 0
    if group:
        yield group


def _common(left: list[int], right: list[int]) -> int:
    """How many tokens both begin with, leaving at least one of its own to each."""
    most = min(len(left), len(right)) - 1
    return next((k for k in range(most) if left[k] != right[k]), most)


def _first_tokens(tokenizer: Any, option: str) -> list[int]:
    """The tokens that may begin `option`, with and without the space before it."""
    heads = {tokenizer.encode(text, add_special_tokens=False)[0] for text in (option, f" {option}")}
    blank = set(tokenizer.encode(" ", add_special_tokens=False))
    return sorted(heads - blank)


def _stop_ids(tokenizer: Any, model: Any) -> list[int]:
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({i for i in [*ids, tokenizer.eos_token_id] if i is not None})


def _text(row: list[int], ends: set[int], tokenizer: Any, request: Request) -> tuple[str, str, int]:
    end = next((k for k, token in enumerate(row) if token in ends), None)
    kept = row if end is None else row[:end]
    whole = tokenizer.decode(kept, skip_special_tokens=True)
    text = cut_at(whole, request.stop)
    finish = "length" if end is None and text == whole else "stop"
    return text if request.verbatim else text.strip(), finish, len(kept)
