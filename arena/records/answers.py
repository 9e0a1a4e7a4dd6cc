"""Prompts, models, and what models said."""

from dataclasses import asdict, dataclass, field, replace

from arena.records.keys import content_key
from arena.records.kinds import BackendKind

ABSENT = "absent"
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

    def until(self, turn: int) -> "Prompt":
        """The conversation up to a turn, counted from 1."""
        return replace(self, turns=self.turns[:turn], references=self.references[:turn])


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a model is asked to write.

    temperature: 0 is greedy, at most 2. top_p: in (0, 1]. max_tokens: for each turn.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    system: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """A candidate or a judge's model: a name, and how to reach it.

    price: US dollars for a million tokens read, and for a million written. timeout: seconds.
    organization: who made it, as the leaderboard shows.
    base: not trained to converse, so benchmarks put plain texts to it and reports keep it apart.
    first_name: what it was called when its first rows were stored, where it was renamed since;
    the keys of its rows are made of that, so that nothing is asked again.
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

    @property
    def name_in_keys(self) -> str:
        """The name that the keys of its rows are made of."""
        return self.first_name or self.name

    @property
    def key(self) -> str:
        """What its answers depend on: weights, revision and decoding."""
        return content_key(
            "model", self.backend, self.weights, self.revision, asdict(self.decoding)
        )


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
    as in `Model`, empty where it was not renamed.
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

    @property
    def is_absent(self) -> bool:
        """Whether its text is not here, so that nobody can look at it."""
        return ABSENT in self.finish

    @property
    def key(self) -> str:
        """Digest of the model, its settings, the prompt and the sample index."""
        name = self.first_name or self.model
        return answer_key(name, self.model_key, self.prompt_key, self.sample)


def answer_key(model: str, model_key: str, prompt_key: str, sample: int = 0) -> str:
    """The key that an answer will have, known before it is written."""
    return content_key("answer", model, model_key, prompt_key, sample)
