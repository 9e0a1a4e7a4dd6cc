"""Conversations as a model's own chat template writes them, or as plain text where it has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jinja2 import TemplateError

from arena.backends.base import Message, as_json, whole_characters, with_system
from arena.backends.local.attempts import first_line
from arena.backends.thinking import is_mark, left_open, opened_by
from arena.records.errors import BackendError

# What a template can raise: by itself, or because messages are not as it expects them.
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_SYSTEM, _USER = Message("system", "omega"), Message("user", "alpha")


@dataclass(frozen=True, slots=True)
class ChatText:
    """A conversation's text and tokens; folded: whether its system text is in a user's turn."""

    text: str
    ids: tuple[int, ...]
    folded: bool = False


class Chat:
    """How one tokenizer writes conversations.

    Some templates refuse a system text or leave it out, some want two roles in turn, some
    want a text in parts. What a template does is tried on two words, once.
    """

    def __init__(self, tokenizer: Any, settings: Mapping[str, Any] | None = None) -> None:
        """settings: what the template is given beside the messages."""
        self._tokenizer = tokenizer
        self._settings = dict(settings or {})

    def write(
        self,
        messages: Sequence[Message],
        system: str | None = None,
        prefill: str = "",
        *,
        ended: bool = False,
    ) -> ChatText:
        """A conversation up to where the reply goes on after `prefill`.

        ended: it ends with the model's own answer, and no reply is to come. Control tokens
        within the messages are plain text. Raises BackendError where the template cannot write
        the conversation.
        """
        messages = with_system(messages, system)
        if not self.has_template:
            written = self.plain("\n\n".join(m.content for m in messages))
        elif self.folds(messages):
            written = replace(self._written(_folded(messages), ended), folded=True)
        else:
            written = self._written(messages, ended)
        ids = (*written.ids, *self.begun(prefill))
        return replace(written, text=written.text + prefill, ids=ids)

    def begun(self, prefill: str) -> tuple[int, ...]:
        """The tokens of how a reply begins."""
        return tuple(self._tokenizer.encode(prefill, add_special_tokens=False) if prefill else ())

    def said(self, tokens: Sequence[int]) -> str:
        """The text of what the model wrote: of special tokens only the marks of thinking.

        One that ends within a character ends before it.
        """
        marks = self._marks
        kept = [i for i in tokens if i in marks or i not in self._special]
        has_marks = any(i in marks for i in kept)
        text = str(self._tokenizer.decode(kept, skip_special_tokens=not has_marks))
        return whole_characters(text)

    @cached_property
    def _special(self) -> frozenset[int]:
        return frozenset(self._tokenizer.all_special_ids)

    @cached_property
    def _marks(self) -> frozenset[int]:
        names = self._tokenizer.convert_ids_to_tokens(sorted(self._special))
        pairs = zip(sorted(self._special), names, strict=True)
        return frozenset(i for i, name in pairs if is_mark(str(name)))

    @cached_property
    def opening(self) -> str:
        """The mark with which the template itself opens the model's thinking, if it does."""
        if not self.has_template:
            return ""
        try:
            text = self._apply([_USER], self._in_parts)
        except _FAULTS:
            return ""
        return left_open(str(text).rpartition(_USER.content)[2])

    @cached_property
    def closers(self) -> dict[int, int]:
        """Tokens that open thinking, each with the one that closes it."""
        known = {str(token): i for i, token in self._tokenizer.added_tokens_decoder.items()}
        return {
            known[opening]: i
            for token, i in known.items()
            if is_mark(token) and (opening := opened_by(token)) in known
        }

    def heeds(self, settings: Mapping[str, Any]) -> bool:
        """Whether any of these settings changes what the template writes."""
        try:
            texts = {str(Chat(self._tokenizer, s)._apply([_USER], False)) for s in ({}, settings)}
        except _FAULTS:
            return True  # it looks at them at least
        return len(texts) > 1

    def plain(self, text: str) -> ChatText:
        """A text as it stands, after what the tokenizer puts before a document."""
        ids = self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return ChatText(text, (*self.lead, *ids))

    @cached_property
    def lead(self) -> tuple[int, ...]:
        """The special tokens that the tokenizer puts before a document; none at its end."""
        bare = self._tokenizer.encode("alpha", add_special_tokens=False)
        whole = self._tokenizer.encode("alpha")
        if not bare:
            return tuple(i for i in whole[:1] if i == self._tokenizer.bos_token_id)
        starts = [k for k in range(len(whole)) if whole[k : k + len(bare)] == bare]
        return tuple(whole[: starts[0]]) if starts else ()

    def folds(self, messages: Sequence[Message]) -> bool:
        """Whether there is a system text, and the template has no place for it."""
        asked = any(message.role == "system" for message in messages)
        return asked and self.has_template and not self._takes_system

    @cached_property
    def _takes_system(self) -> bool:
        return bool(self._shows([_SYSTEM, _USER], self._in_parts))

    @cached_property
    def _in_parts(self) -> bool:
        """Whether a message's text has to come as a list of parts, as with pictures."""
        return not self._shows([_USER], False) and bool(self._shows([_USER], True))

    @cached_property
    def _is_deaf(self) -> bool:
        """Whether the template leaves out what the user says."""
        return self._shows([_USER], self._in_parts) is False

    @property
    def has_template(self) -> bool:
        """Whether there is a template; base models have none."""
        return bool(self._tokenizer.chat_template)

    def _shows(self, messages: Sequence[Message], in_parts: bool) -> bool | None:
        """Whether all the texts are in what the template makes of them; None where it fails."""
        try:
            text = self._apply(messages, in_parts)
        except _FAULTS:
            return None
        return all(message.content in text for message in messages)

    def _written(self, messages: Sequence[Message], ended: bool) -> ChatText:
        """As the template writes the messages, those of one role in a row as one if it must be."""
        if self._is_deaf:
            raise BackendError("the model's chat template leaves out what the user says")
        try:
            return self._once(messages, ended)
        except _FAULTS as error:
            reason = first_line(error)
        if (joined := _joined(messages)) != list(messages):
            try:
                return self._once(joined, ended)
            except _FAULTS as error:
                reason = first_line(error)
        raise BackendError(f"the model's chat template cannot write this conversation: {reason}")

    def _once(self, messages: Sequence[Message], ended: bool) -> ChatText:
        text = self._apply(messages, self._in_parts, ended=ended)
        ids = list(self._apply(messages, self._in_parts, tokenize=True, ended=ended))
        first = self._tokenizer.bos_token_id
        while first is not None and ids[:2] == [first, first]:
            del ids[0]
        return ChatText(text, tuple(ids))

    def _apply(
        self,
        messages: Sequence[Message],
        in_parts: bool,
        tokenize: bool = False,
        ended: bool = False,
    ) -> Any:
        said: list[dict[str, Any]] = [dict(message) for message in as_json(messages)]
        if in_parts:
            said = [m | {"content": [{"type": "text", "text": m["content"]}]} for m in said]
        return self._tokenizer.apply_chat_template(
            said,
            add_generation_prompt=not ended,
            return_dict=False,
            tokenize=tokenize,
            sanitize_control_tokens=tokenize,
            **self._settings,
        )


def _folded(messages: Sequence[Message]) -> list[Message]:
    """Each system text before the user's turn that follows it."""
    folded: list[Message] = []
    held: list[str] = []
    for message in messages:
        if message.role == "system":
            held.append(message.content)
        elif message.role == "user":
            folded.append(Message("user", "\n\n".join([*held, message.content])))
            held = []
        else:
            folded.append(message)
    return [*folded, *([Message("user", "\n\n".join(held))] if held else [])]


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Messages of one role in a row as one message."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            message = replace(message, content=f"{joined[-1].content}\n\n{message.content}")
            joined.pop()
        joined.append(message)
    return joined
