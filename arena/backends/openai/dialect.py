"""What a server takes of a request, learned from what it refuses, and each thing said once.

Nothing that changes what a model says is left out on the quiet: a setting goes only where it
has the protocol's default value, or where it decides nothing but whether a run repeats itself.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from arena.backends.openai.messages import BUDGETS, CHOSEN, DEFAULTS, LENGTH, STREAMED
from arena.records import Model
from arena.records.errors import BackendError, UnavailableError

# Fields without which a request still means the same, and what is lost with each.
_SPARED = {
    "seed": "so another run may give other texts",
    "stop": "so replies are cut here",
    "response_format": "so judges are asked for their form in words alone",
    **dict.fromkeys(STREAMED, "so the time to the first token is not known"),
}
_REFUSING = re.compile(
    r"supported|n't support|not support|unrecogni|unknown|unexpected|extra|forbidden|permitted"
    r"|allowed|deprecated|only the default|invalid param|invalid arg|not implemented|unavailable"
    r"|cannot both|only one of",
    re.IGNORECASE,
)
REFUSES_SYSTEM = re.compile(
    r"system.{0,12}(?:role|prompt|message|instruction)|developer instruction|roles must alternate"
    r"|only.{0,40}user.{0,20}assistant.{0,20}roles",
    re.IGNORECASE,
)


_ODDS = ("logprobs", "top_logprobs")
_BOUND = re.compile(
    r"(?:max(?:imum)?(?: allowed)?|at most|less than or equal to|<=|0 and|0, )\D{0,12}?([1-9]\d?)\b"
)
T = TypeVar("T")


class SettingRefusedError(BackendError):
    """The server refuses a request. said: the body of its answer, parsed where it is JSON."""

    def __init__(self, message: str, said: object = None) -> None:
        super().__init__(message)
        self.said = said


class Dialect:
    """How one server wants its requests.

    notes: what is done otherwise than asked, and why. continues: whether the server goes on from
    a begun reply; forces: whether it tells how likely a word is that it is forced to; None until
    that was tried.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._left_out: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._folds_system = False
        self._most_logprobs: int | None = None
        self.continues: bool | None = None
        self.forces: bool | None = None
        self.notes: list[str] = []

    def speak(self, body: dict[str, Any]) -> dict[str, Any]:
        """A request as this server takes it, as far as that is known."""
        spoken = {
            self._renamed.get(name, name): value
            for name, value in body.items()
            if name not in self._left_out
        }
        if not spoken.keys() >= STREAMED.keys():
            spoken = {name: value for name, value in spoken.items() if name not in STREAMED}
        if self._most_logprobs and "top_logprobs" in spoken:
            spoken["top_logprobs"] = min(spoken["top_logprobs"], self._most_logprobs)
        if self._folds_system and "messages" in spoken:
            spoken["messages"] = folded(spoken["messages"])
        return spoken

    def adjustments(self, body: dict[str, Any]) -> dict[str, str]:
        """What of a request is sent otherwise: its fields, each with what stands in its place.

        That is the name of another field, another value, or nothing.
        """
        spoken = self.speak(body)
        found = {name: self._renamed.get(name, "") for name in body if name not in spoken}
        if spoken.get("top_logprobs") != body.get("top_logprobs"):
            found["top_logprobs"] = str(spoken.get("top_logprobs", ""))
        if spoken.get("messages") != body.get("messages"):
            found["system"] = "user"
        return {name: instead for name, instead in found.items() if name not in STREAMED}

    def give_up_streaming(self, why: str) -> None:
        """Ask for whole replies from now on."""
        if "stream" not in self._left_out:
            self._left_out.add("stream")
            so = _SPARED["stream"]
            self.notes.append(f"{self._model.name}: {why}, so replies are asked for whole, {so}.")

    async def put(self, body: dict[str, Any], ask: Callable[[dict[str, Any]], Awaitable[T]]) -> T:
        """Ask, and where the server refuses what it need not be asked for, without that."""
        while True:
            sent = self.speak(body)
            try:
                return await ask(sent)
            except SettingRefusedError as error:
                self.learn(sent, error.said or str(error), str(error))
                if self.speak(body) == sent:
                    raise

    def learn(self, sent: dict[str, Any], said: object, shown: str = "") -> None:
        """Take in a refusal: the body of the server's error, parsed where it is JSON.

        shown: what of it may be shown. Raises UnavailableError where the server does not take a
        setting that matters.
        """
        text = str(said)
        if REFUSES_SYSTEM.search(text) and any(
            m["role"] == "system" for m in sent.get("messages", ())
        ):
            self._folds_system = True
            self._note("a system text", "so it stands before the first question")
            return
        refused = [name for name in _named(said, sent) if _REFUSING.search(text)]
        spared = [n for n in refused if n in _SPARED or sent[n] == DEFAULTS.get(n)]
        for name in spared:
            self._leave_out(name, _SPARED.get(name, "and it had its default value"))
        if budgets := [name for name in refused if name in BUDGETS]:
            self._left_out |= {*budgets}
            if not self._left_out.issuperset(BUDGETS):
                return  # it has another name for the same
        lengths = [name for name in refused if name in LENGTH]
        for name in lengths:
            self._renamed[name] = LENGTH[1 - LENGTH.index(name)]
        if "top_logprobs" in sent and (most := _most_logprobs(text)):
            if most < (self._most_logprobs or sent["top_logprobs"]):
                self._most_logprobs = most
                self._note(f"more than {most} `top_logprobs`", "so fewer words' odds are read")
        elif not spared and not lengths:
            self._refuse(refused, sent, shown.removeprefix(f"{self._model.name}: "))

    def _leave_out(self, name: str, so: str) -> None:
        self._left_out.add(name)
        self._note(f"`{name}`", so)

    def _refuse(self, refused: list[str], sent: dict[str, Any], shown: str) -> None:
        """Raise UnavailableError for the first of these settings that the user chose."""
        wanted, extra = self._model.decoding, json.loads(self._model.decoding.extra_body or "{}")
        for name in refused:
            if name in DEFAULTS:
                said = f"{name}: {sent[name]:g}; set `{name}: {DEFAULTS[name]:g}`, which is its"
                way = f"{said} default, and it is left out"
            elif name in BUDGETS:
                way = f"a budget for thinking; set `thinking: on` in place of {sent[name]}"
            elif name == "chat_template_kwargs" and wanted.thinking is not None:
                way = "a switch of thinking; take `thinking` out of the model's entry, or try "
                way += "`reasoning_effort`"
            elif name in CHOSEN or name in extra:
                way = f"{name}; take `{name}` out of the model's entry"
                way += "'s extra_body" if name in extra else ""
            elif name in _ODDS and "messages" in sent:
                way = f"{name}; use a judge card with `reading: reasoned`"
            else:
                continue
            raise UnavailableError(
                f"{self._model.name}: the server does not take {way} ({shown or 'no reason given'})"
            )

    def _note(self, what: str, so: str) -> None:
        sentence = f"{self._model.name}: the server does not take {what}, {so}."
        if sentence not in self.notes:
            self.notes.append(sentence)


def _most_logprobs(text: str) -> int | None:
    """The most alternatives to a word that a server gives, where its refusal says so."""
    found = _BOUND.search(text) if "logprobs" in text else None
    return int(found[1]) if found else None


def folded(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Messages whose system text stands before the first turn of the user."""
    if not messages or messages[0]["role"] != "system":
        return messages
    system, *rest = messages
    for place, message in enumerate(rest):
        if message["role"] == "user":
            text = f"{system['content']}\n\n{message['content']}"
            return [*rest[:place], message | {"content": text}, *rest[place + 1 :]]
    return [{"role": "user", "content": system["content"]}, *rest]


def _named(said: object, sent: dict[str, Any]) -> list[str]:
    """The fields of a request that an error names: where it points at them, else in its text."""
    pointed = {name for name in _pointed(said) if name in sent}
    if pointed:
        return sorted(pointed)
    text = str(said)
    return [n for n in sent if n != "model" and re.search(rf"(?<!\w){re.escape(n)}(?!\w)", text)]


def _pointed(said: object) -> Iterator[str]:
    """What `param` (OpenAI) and the ends of `loc` (pydantic, on FastAPI servers) say."""
    match said:
        case {**fields}:
            for name, value in fields.items():
                if name == "param" and isinstance(value, str):
                    yield value
                elif name == "loc" and isinstance(value, list) and value:
                    yield str(value[-1])
                else:
                    yield from _pointed(value)
        case [*items]:
            for item in items:
                yield from _pointed(item)
