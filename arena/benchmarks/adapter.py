"""The bridge from lm-eval's requests to this tool's backends and store."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Self

from lm_eval.api.model import LM
from lm_eval.api.samplers import ContextSampler

from arena.backends import Message, TextRequest
from arena.benchmarks.harness import Written
from arena.records import Decoding

# lm-eval's own default, where a task does not say how much may be written.
ROOM = 256


Write = Callable[[Sequence[Written], Decoding], list[str]]
Read = Callable[[Sequence[TextRequest]], list[tuple[float, bool]]]


class Conversation(str):
    """What lm-eval takes for a prompt made by a chat template: the messages, kept apart."""

    messages: tuple[Message, ...]
    goes_on: bool

    @classmethod
    def of(cls, history: Sequence[dict[str, str]], *, goes_on: bool) -> Self:
        """The messages of a history; `goes_on` where the last is the beginning of the reply."""
        text = cls(json.dumps(history, ensure_ascii=False))
        text.messages = tuple(Message(m["role"], m["content"]) for m in history)
        text.goes_on = goes_on
        return text


class ArenaLM(LM):
    """Asks through two functions; the candidate's decoding holds where a task names none."""

    def __init__(self, write: Write, read: Read, decoding: Decoding) -> None:
        super().__init__()
        self._write = write
        self._read = read
        self._decoding = decoding

    @property
    def tokenizer_name(self) -> str:
        """Of no use here: it names lm-eval's cache of requests, which is not used."""
        return ""

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The messages themselves: each backend has its own way of putting them."""
        return Conversation.of(chat_history, goes_on=not add_generation_prompt)

    def generate_until(self, requests: list[Any]) -> list[str]:
        """Replies in the order of the requests, cut before the first stop string."""
        groups: defaultdict[Decoding, list[int]] = defaultdict(list)
        for i, request in enumerate(requests):
            groups[self._decoding_of(request.args[1])].append(i)
        replies: dict[int, str] = {}
        for decoding, here in groups.items():
            asked = [_written(*requests[i].args[:2]) for i in here]
            replies |= zip(here, self._write(asked, decoding), strict=True)
        return [replies[i] for i in range(len(requests))]

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        """For each context and text its log-likelihood, and whether greedy decoding writes it."""
        return self._read([_text(*request.args[:2]) for request in requests])

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
        """For each text its log-likelihood from the start of a document."""
        return [value for value, _ in self._read([TextRequest(r.args[0]) for r in requests])]

    def _decoding_of(self, settings: dict[str, Any]) -> Decoding:
        """Room and temperature as the task names them, else as the candidate's."""
        own = self._decoding
        greedy = settings.get("do_sample") is False
        temperature = 0.0 if greedy else float(settings.get("temperature", own.temperature))
        room = settings.get("max_gen_toks") or settings.get("max_new_tokens") or ROOM
        top_p = float(settings.get("top_p", own.top_p))
        return Decoding(temperature, top_p, int(room), own.system, own.seed)


class OtherItems(ContextSampler):
    """Examples for an item: others, drawn by its name, so its rotations have the same ones."""

    def sample(
        self, n: int, eval_doc: dict[str, Any] | None = None, df: Any = None, **_: Any
    ) -> list[dict[str, Any]]:
        """`n` documents that are not `eval_doc`, in whatever rotation it comes."""
        name = eval_doc["id"] if eval_doc else ""
        drawn = random.Random(f"examples/{name}").sample(self.df, n + 1)
        return [doc for doc in drawn if doc["id"] != name][:n]


def _written(prompt: str, settings: dict[str, Any]) -> Written:
    until = settings.get("until") or []
    stop = tuple(filter(None, [until] if isinstance(until, str) else until))
    if not isinstance(prompt, Conversation):
        return Written(prompt, stop=stop)
    if prompt.goes_on:
        return Written(prompt, prompt.messages[:-1], stop, prompt.messages[-1].content)
    return Written(prompt, prompt.messages, stop)


def _text(context: str, text: str) -> TextRequest:
    if isinstance(context, Conversation):
        return TextRequest(text, before=context.messages)
    return TextRequest(text, context)
