"""The bridge from lm-eval's requests to this tool's backends and store."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from lm_eval.api.model import LM

from arena.backends import Message, TextRequest
from arena.backends.base import cut_at
from arena.backends.thinking import UNFINISHED, split
from arena.benchmarks.harness.requests import GenerationRequest, ModelRequests, ReplyText
from arena.records import Completion, Decoding

# lm-eval's own default, where a task does not say how much may be written.
ROOM = 256
# What a reply is given that a task has cut off before its answer, unless its max_tokens is less.
ROOM_TO_ANSWER = 512
# What a model that thinks first is given, unless its own max_tokens is more.
ROOM_TO_THINK = 4096


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
    """Asks a model; the candidate's decoding holds where a task names none.

    unread: whether the task finds no answer to a document in a reply.
    """

    def __init__(
        self,
        asker: ModelRequests,
        decoding: Decoding,
        unread: Callable[[dict[str, Any], str], bool],
    ) -> None:
        super().__init__()
        self._asker = asker
        self._decoding = decoding
        self._unread = unread

    @property
    def tokenizer_name(self) -> str:
        """Of no use here: it names lm-eval's cache of requests, which is not used."""
        return ""

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The messages themselves: each backend has its own way of putting them."""
        return Conversation.of(chat_history, goes_on=not add_generation_prompt)

    def generate_until(self, requests: list[Any]) -> list[ReplyText]:
        """Replies in the order of the requests, cut before the first stop string.

        Many tasks leave room for a few words, or stop at the first empty line. A reply that this
        cut off before its answer is asked for again with room: with some, and with much where the
        model thinks before it answers.
        """
        groups: defaultdict[Decoding, list[int]] = defaultdict(list)
        for i, request in enumerate(requests):
            groups[self._decoding_of(request.args[1])].append(i)
        replies: dict[int, ReplyText] = {}
        for decoding, here in groups.items():
            said = self._answered([requests[i] for i in here], decoding)
            replies |= dict(zip(here, said, strict=True))
        return [replies[i] for i in range(len(requests))]

    def _answered(self, requests: Sequence[Any], decoding: Decoding) -> list[ReplyText]:
        """The replies to requests of like decoding, the short ones asked for again."""
        asked = [_written(*request.args[:2]) for request in requests]
        written = self._asker.write(asked, decoding)
        said = [_said(done, decoding) for done in written]
        short = self._short(requests, asked, dict(enumerate(written)))
        thinks = bool(short) and (any(map(_has_thought, written)) or self._asker.opens_thinking())
        for room in (ROOM_TO_THINK,) if thinks else (ROOM_TO_ANSWER, ROOM_TO_THINK):
            if not short or (room == ROOM_TO_THINK and not thinks):
                break
            ample = self._ample(decoding, room)
            free = {k: replace(asked[k], stop=()) for k in short}
            more = self._asker.try_to_write(list(free.values()), ample, again=True)
            again = dict(zip(free, more, strict=True))
            for k, done in again.items():
                if done is None:
                    why = said[k].why or "the reply ends before its answer"
                    said[k] = ReplyText.of(said[k], f"{why}; asking again with room failed")
                else:
                    said[k] = self._stopped(requests[k], _said(done, ample), asked[k].stop)
            found = {k: done for k, done in again.items() if done is not None}
            thinks = thinks or any(map(_has_thought, found.values()))
            short = self._short(requests, free, found)
        return said

    def _short(
        self,
        requests: Sequence[Any],
        asked: Sequence[GenerationRequest] | Mapping[int, GenerationRequest],
        written: Mapping[int, Completion],
    ) -> list[int]:
        """Which replies were cut off before their answers by what was asked."""
        return [k for k, done in written.items() if self._is_short(requests[k], asked[k], done)]

    def _ample(self, decoding: Decoding, room: int) -> Decoding:
        """The same with room, of at most half of the model's window where that is known."""
        own = self._decoding.max_tokens
        room = max(room, own) if room == ROOM_TO_THINK else min(room, own)
        window = self._asker.window()
        fits = room if window is None else min(room, window // 2)
        return replace(decoding, max_tokens=max(fits, decoding.max_tokens))

    def _is_short(self, request: Any, asked: GenerationRequest, done: Completion) -> bool:
        """Whether what a task allows has cut a reply off before its answer."""
        if done.finish == "stop" and not asked.stop:
            return False
        said = split(done.text)
        thinks = bool(said.thinking) or said.unfinished
        if thinks and (not said.answer.strip() or done.finish == "length"):
            return True
        return (thinks or bool(asked.messages)) and self._unread(request.doc, said.answer)

    def _stopped(self, request: Any, said: ReplyText, stops: Sequence[str]) -> ReplyText:
        """What was said up to a stop, where that does not cut its answer off."""
        cut = ReplyText.of(cut_at(said, stops), said.why)
        is_worse = self._unread(request.doc, cut) and not self._unread(request.doc, said)
        return said if is_worse else cut

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        """For each context and text its log-likelihood, and whether greedy decoding writes it."""
        return self._asker.read([_text(*request.args[:2]) for request in requests])

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
        """For each text its log-likelihood from the start of a document."""
        return [value for value, _ in self._asker.read([TextRequest(r.args[0]) for r in requests])]

    def _decoding_of(self, settings: dict[str, Any]) -> Decoding:
        """Room and temperature as the task names them, else as the candidate's."""
        own = self._decoding
        greedy = settings.get("do_sample") is False
        temperature = 0.0 if greedy else float(settings.get("temperature", own.temperature))
        room = settings.get("max_gen_toks") or settings.get("max_new_tokens") or ROOM
        top_p = float(settings.get("top_p", own.top_p))
        return replace(own, temperature=temperature, top_p=top_p, max_tokens=int(room))


def _has_thought(done: Completion) -> bool:
    """Whether a reply shows that the model thought, or ends without a word that was shown."""
    found = split(done.text)
    hidden = done.finish == "length" and not done.text.strip()
    return bool(found.thinking) or found.unfinished or hidden


def _said(done: Completion, decoding: Decoding) -> ReplyText:
    """What was said after thinking, and why it may hold no answer."""
    said = split(done.text)
    why, room = "", f"max_tokens was {decoding.max_tokens}"
    if said.unfinished:
        why = f"{UNFINISHED}; {room}"
    elif done.finish == "length":
        why = (
            f"the reply was cut off; {room}"
            if said.answer.strip()
            else f"the reply is empty though its tokens were used up; {room}"
        )
    return ReplyText.of(said.answer, why)


def _written(prompt: str, settings: dict[str, Any]) -> GenerationRequest:
    until = settings.get("until") or []
    stop = tuple(filter(None, [until] if isinstance(until, str) else until))
    if not isinstance(prompt, Conversation):
        return GenerationRequest(prompt, stop=stop)
    if prompt.goes_on:
        return GenerationRequest(prompt, prompt.messages[:-1], stop, prompt.messages[-1].content)
    return GenerationRequest(prompt, prompt.messages, stop)


def _text(context: str, text: str) -> TextRequest:
    if isinstance(context, Conversation):
        return TextRequest(text, before=context.messages)
    return TextRequest(text, context)
