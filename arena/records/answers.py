"""Prompts, models, and what models said."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.records.keys import content_key
from arena.records.kinds import BackendKind, NoAnswer

ABSENT = "absent"
# The category of prompts for which a file of battles gives none.
IMPORTED = "imported"
# The source, and the category, of prompts that were asked in a live battle.
LIVE = "live"


@dataclass(frozen=True, slots=True)
class Prompt:
    """An open-ended question of one or more user turns; `references` has one per turn."""

    name: str
    turns: tuple[str, ...]
    category: str = "general"
    language: str = "en"
    references: tuple[str, ...] = ()
    source: str = ""

    @property
    def key(self) -> str:
        """What an answer depends on: the turns alone."""
        return content_key("prompt", self.turns)

    @property
    def is_absent(self) -> bool:
        """Whether its text is not here: a file told of it by its id, which stands for it."""
        if len(self.turns) > 1:
            return False
        if self.category == IMPORTED:
            return self.turns[0] == self.name or self.turns[0].endswith(f": {self.name}")
        return self.turns[0] == f"{Path(self.source).name}: {self.name}"

    def until(self, turn: int) -> "Prompt":
        """The conversation up to a turn, counted from 1."""
        return replace(self, turns=self.turns[:turn], references=self.references[:turn])


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a model is asked to write.

    temperature: 0 is greedy, at most 2. top_p: in (0, 1]. max_tokens: for each turn. The
    settings after the seed are None or empty where they were not chosen, and then enter no key:
    top_k: at least 1. min_p: in [0, 1]. repetition_penalty: above 0, 1 changes nothing. stop:
    texts before which a reply ends. reasoning_effort: a word that the model knows. thinking:
    on or off. thinking_budget: tokens of thinking at most. max_thinking_tokens: room for
    thinking beside max_tokens. chat_template_kwargs, extra_body: JSON objects, as texts.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    system: str | None = None
    seed: int = 0
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    reasoning_effort: str | None = None
    thinking: bool | None = None
    thinking_budget: int | None = None
    max_thinking_tokens: int | None = None
    chat_template_kwargs: str = ""
    extra_body: str = ""

    @property
    def room(self) -> int:
        """The tokens that a reply may have in all, those of thinking included."""
        return self.max_tokens + (self.max_thinking_tokens or self.thinking_budget or 0)

    @property
    def chosen(self) -> dict[str, object]:
        """What an answer depends on, by name: five settings always, the others where chosen."""
        found = asdict(self)
        return {
            name: value
            for name, value in found.items()
            if name in ALWAYS_IN_KEYS or value not in (None, (), "")
        }

    @property
    def template_settings(self) -> dict[str, Any]:
        """What a chat template is given beside the messages.

        Templates call the switch of thinking by two names: `enable_thinking` (Qwen, GLM) and
        `thinking` (DeepSeek, Granite). What the user wrote comes before both.
        """
        found: dict[str, Any] = {}
        if self.thinking is not None:
            found |= {"enable_thinking": self.thinking, "thinking": self.thinking}
        if self.thinking_budget is not None:
            found["thinking_budget"] = self.thinking_budget
        own: dict[str, Any] = json.loads(self.chat_template_kwargs or "{}")
        return found | own


# Keys are as old as these; what came later is in a key only where it was chosen.
ALWAYS_IN_KEYS = ("temperature", "top_p", "max_tokens", "system", "seed")


@dataclass(frozen=True, slots=True)
class Model:
    """A candidate or a judge's model: a name, and how to reach it.

    price: US dollars for a million tokens read, and for a million written. timeout: seconds.
    organization: who made it, as the leaderboard shows. released: a day, a month or a year.
    base: not trained to converse, so benchmarks put plain texts to it and reports keep it apart.
    first_name: what it was called when its first rows were stored, where it was renamed since;
    the keys of its rows are made of that, so that nothing is asked again. extra_headers: of
    each request, by name, with the variables of the environment that hold their values.
    tokenizer: of a model on a server, as weights are named. gpus: graphics cards of one machine
    that it takes together on a cluster or in vLLM. adapter: LoRA on top of the weights, a folder
    or a hub's ORG/NAME, where @REVISION may follow.
    """

    name: str
    backend: BackendKind
    weights: str
    revision: str | None = None
    decoding: Decoding = field(default_factory=Decoding)
    context_length: int | None = None
    family: str | None = None
    license: str | None = None
    base: bool = False
    base_url: str | None = None
    api_key_env: str | None = None
    timeout: float = 120.0
    price: tuple[float, float] | None = None
    organization: str | None = None
    first_name: str | None = None
    released: str | None = None
    extra_headers: tuple[tuple[str, str], ...] = ()
    tokenizer: str | None = None
    gpus: int = 1
    adapter: str | None = None

    @property
    def name_in_keys(self) -> str:
        """The name that the keys of its rows are made of."""
        return self.first_name or self.name

    @property
    def key(self) -> str:
        """What its answers depend on: weights, revision, decoding, and an adapter if it has one."""
        parts = (self.backend, self.weights, self.revision, self.decoding.chosen)
        return content_key("model", *parts, *([self.adapter] if self.adapter else []))

    @property
    def asked_as(self) -> str:
        """The name by which a server is asked for it: that of the adapter if it has one."""
        return self.adapter or self.weights


@dataclass(frozen=True, slots=True)
class Usage:
    """What one reply took: tokens read, tokens written, wall-clock seconds."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to a prompt, one text per turn.

    finish: `stop`, `length`, or ABSENT where a file told of an answer without its text.
    thinking: what it thought before each turn, empty where it did not think aloud. first_name:
    as in `Model`, empty where it was not renamed. thinking_tokens: how many of the tokens
    written are of thinking; None where that is not known. room: the tokens that it had, where it
    was given more than its model's settings give. first_token: seconds until the first token of
    the first turn; None where it was not measured. adjustments: what the server did not take of
    the request, each with what was sent in its place, empty where it was left out.
    """

    model: str
    model_key: str
    prompt_key: str
    turns: tuple[str, ...]
    finish: tuple[str, ...]
    usage: Usage = field(default_factory=Usage)
    sample: int = 0
    thinking: tuple[str, ...] = ()
    first_name: str = ""
    thinking_tokens: int | None = None
    room: int | None = None
    first_token: float | None = None
    adjustments: tuple[tuple[str, str], ...] = ()

    @property
    def is_absent(self) -> bool:
        """Whether its text is not here, so that nobody can look at it."""
        return ABSENT in self.finish

    @property
    def key(self) -> str:
        """Digest of the model, its settings, the prompt and the sample index."""
        name = self.first_name or self.model
        return answer_key(name, self.model_key, self.prompt_key, self.sample)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A reply that is no answer. It stands while no answer of the key `subject` is stored.

    turns, finish, thinking: as in `Answer`. room: the tokens that the reply could have.
    """

    subject: str
    model: str
    model_key: str
    prompt_key: str
    sample: int
    state: NoAnswer
    turns: tuple[str, ...]
    finish: tuple[str, ...]
    thinking: tuple[str, ...]
    room: int
    usage: Usage = field(default_factory=Usage)

    @property
    def key(self) -> str:
        """Digest of what was asked, of the room for it, and of how it ended."""
        return content_key("unanswered", self.subject, self.room, self.state)


def answer_key(model: str, model_key: str, prompt_key: str, sample: int = 0) -> str:
    """The key that an answer will have, known before it is written."""
    return content_key("answer", model, model_key, prompt_key, sample)
