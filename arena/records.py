"""The rows that stages read and write, as frozen dataclasses.

A row's `key` is a digest of all that it depends on and of nothing else, so that the same
work is found again and other work is not mistaken for it. Time-outs, addresses and names
of keys are how a model is reached, not what it says, and enter no key.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from hashlib import blake2b

KEY_BYTES = 16
REPAIRED = "\n\f\n"
ABSENT = "absent"


def content_key(*parts: object) -> str:
    """Digest of JSON-able parts: 32 hexadecimal digits of BLAKE2b-128."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()


def seed_of(key: str) -> int:
    """A row's own seed, so that its text does not depend on what else is in the run."""
    return int(key[:12], 16)


class BackendKind(StrEnum):
    """Where a model's text comes from."""

    LOCAL = "local"
    OPENAI = "openai"
    FAKE = "fake"
    IMPORTED = "imported"


class Mode(StrEnum):
    """What a judge is asked: which of two answers is better, how good one is, or the order."""

    PAIRWISE = "pairwise"
    SCORE = "score"
    RANK = "rank"


class Reading(StrEnum):
    """How a judgement is read: from the odds of the next token, or from written text."""

    LOGIT = "logit"
    REASONED = "reasoned"


class Preference(StrEnum):
    """A judge's verdict on an ordered pair; `unparsed` is no preference at all."""

    A = "A"
    B = "B"
    TIE = "tie"
    UNPARSED = "unparsed"


class Winner(StrEnum):
    """A person's vote on an ordered pair, in the words of public battle files."""

    MODEL_A = "model_a"
    MODEL_B = "model_b"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class Evidence(StrEnum):
    """What a ranking stands on."""

    HUMAN = "human"
    JUDGE = "judge"
    OBJECTIVE = "objective"
    COMBINED = "combined"


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
    base: not trained to converse, so benchmarks put plain texts to it and reports keep it apart.
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
    """

    model: str
    model_key: str
    prompt_key: str
    turns: tuple[str, ...]
    finish: tuple[str, ...]
    usage: Usage = field(default_factory=Usage)
    sample: int = 0

    @property
    def is_absent(self) -> bool:
        """Whether its text is not here, so that nobody can look at it."""
        return ABSENT in self.finish

    @property
    def key(self) -> str:
        """Digest of the model, its settings, the prompt and the sample index."""
        return answer_key(self.model, self.model_key, self.prompt_key, self.sample)


def answer_key(model: str, model_key: str, prompt_key: str, sample: int = 0) -> str:
    """The key that an answer will have, known before it is written."""
    return content_key("answer", model, model_key, prompt_key, sample)


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge as its verdicts met it: the card's content as JSON, under its digest."""

    key: str
    name: str
    card: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of an ordered pair of answers.

    p_first, p_second, p_tie: probabilities of the three verdicts, summing to 1, and mass:
    the share of the next-token distribution that they hold; logit reading only. text: what
    the judge wrote, and after `REPAIRED` what it wrote when it was asked to mend its form.
    slight: better by a little, on a five-step scale. request: digest of what was asked. turn: the
    last turn that was shown, from 1; 0 is the whole conversation. sample: which of several
    readings of the same pair, from 0.
    """

    key: str
    judge: str
    judge_key: str
    prompt_key: str
    first: str
    second: str
    preference: Preference
    p_first: float | None = None
    p_second: float | None = None
    p_tie: float | None = None
    mass: float | None = None
    text: str = ""
    reason: str = ""
    truncated: bool = False
    slight: bool = False
    request: str = ""
    turn: int = 0
    sample: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Score:
    """What a judge said of one answer: a number on the card's scale, or None (unparsed).

    parts: the score by criterion, where the card has several. Other fields as in `Verdict`.
    """

    key: str
    judge: str
    judge_key: str
    prompt_key: str
    answer: str
    value: float | None
    mass: float | None = None
    text: str = ""
    reason: str = ""
    truncated: bool = False
    parts: tuple[tuple[str, float], ...] = ()
    request: str = ""
    turn: int = 0
    sample: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a judge said of several answers to one prompt at once.

    answers: keys in the order shown. ranks: their places from 1, equal ones tie; empty is
    unparsed. Other fields as in `Verdict`.
    """

    key: str
    judge: str
    judge_key: str
    prompt_key: str
    answers: tuple[str, ...]
    ranks: tuple[int, ...]
    text: str = ""
    reason: str = ""
    truncated: bool = False
    request: str = ""
    turn: int = 0
    sample: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a judge said of a pair that is there to test the judge, and ranks no model.

    suite: which test. item: which pair of it. swapped: whether the pair's second answer was
    shown first. Other fields as in `Verdict`; the verdict is in the words of what was shown.
    """

    key: str
    judge: str
    judge_key: str
    suite: str
    item: str
    swapped: bool
    preference: Preference
    p_first: float | None = None
    p_second: float | None = None
    p_tie: float | None = None
    mass: float | None = None
    text: str = ""
    reason: str = ""
    truncated: bool = False
    slight: bool = False
    request: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Battle:
    """An ordered pair of answers as it was shown to one person, who may vote on it once.

    propensity: the probability in (0, 1] with which these two answers were drawn.
    """

    key: str
    prompt_key: str
    first: str
    second: str
    voter: str
    propensity: float


@dataclass(frozen=True, slots=True)
class Vote:
    """What a person said of an ordered pair of answers, once per battle.

    propensity: the probability in (0, 1] with which this pair was drawn, if it is known.
    seconds: from showing the pair to the vote.
    """

    battle: str
    prompt_key: str
    first: str
    second: str
    winner: Winner
    voter: str
    language: str = ""
    propensity: float | None = None
    seconds: float | None = None
    app_version: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """That an audit of the votes thinks little of a voter; it changes no vote.

    audit: which one, see `arena.integrity`. votes: of this voter by then. kinds: why. honest:
    probability that the voter is. q: share of honest ones among this voter and those who look
    worse.
    """

    audit: str
    voter: str
    votes: int
    kinds: tuple[str, ...]
    honest: float
    q: float

    @property
    def key(self) -> str:
        """Digest of the audit and the voter."""
        return content_key("flag", self.audit, self.voter)


@dataclass(frozen=True, slots=True)
class Leak:
    """The words with which an answer says who wrote it, empty where it does not.

    key: the answer's. rules: those that were looked for, see `arena.identity`.
    """

    key: str
    rules: str
    words: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Why somebody voted so, where they said it. key: of the battle; reasons: see `REASONS`."""

    key: str
    reasons: tuple[str, ...] = ()
    comment: str = ""


REASONS = ("correct", "clear", "complete", "instructions", "style", "safe")


@dataclass(frozen=True, slots=True)
class Showing:
    """One answer as it was shown to one person, who may grade it once."""

    key: str
    prompt_key: str
    answer: str
    voter: str


@dataclass(frozen=True, slots=True)
class Grade:
    """How satisfied a person is with one answer, from 1 to 5, once for a showing.

    parts: the same by criterion, where it was given. Other fields as in `Vote`.
    """

    key: str
    prompt_key: str
    answer: str
    voter: str
    value: int
    parts: tuple[tuple[str, int], ...] = ()
    language: str = ""
    seconds: float | None = None
    app_version: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A live battle as far as it has come; gone once it is voted on.

    turns: what the person asked. first, second: what the models said, one text a turn; fewer
    than turns while they are answering. Other fields as in `Battle` and `Answer`.
    """

    key: str
    voter: str
    first_model: str
    second_model: str
    propensity: float
    turns: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    second: tuple[str, ...] = ()
    first_finish: tuple[str, ...] = ()
    second_finish: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether both have answered all that was asked."""
        return 0 < len(self.turns) == len(self.first) == len(self.second)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote to one request of a benchmark."""

    key: str
    model: str
    model_key: str
    text: str
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a model found a text of a benchmark; as `backends.TextOdds`."""

    key: str
    model: str
    model_key: str
    logprob: float
    greedy: bool
    tokens: int
    truncated: bool = False
    usage: Usage = field(default_factory=Usage)


RULE, NOBODY = "rule", "nobody"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A benchmark's result of one model on one item; value is in [0, 1].

    variant: how it was asked, in a few words; empty is as the task has it. dimension: the
    capability that it shows, empty where that is not known. text: what the model wrote, or
    the log-likelihoods it gave. marker: who marked it: RULE, a judge by name, or NOBODY, where
    no answer could be found in the text and the value is 0. request: digest of all that the
    item asked of the model, and of the answer that was wanted.
    """

    model: str
    model_key: str
    benchmark: str
    version: str
    item: str
    metric: str
    value: float
    text: str = ""
    variant: str = ""
    dimension: str = ""
    marker: str = RULE
    request: str = ""

    @property
    def key(self) -> str:
        """Digest of the model, the item, how it was asked, and which judge marked it if one did."""
        return content_key(
            "outcome",
            self.model,
            self.model_key,
            self.benchmark,
            self.version,
            self.variant,
            self.item,
            self.metric,
            self.request,
            "" if self.marker in (RULE, NOBODY) else self.marker,
        )


@dataclass(frozen=True, slots=True)
class Marking:
    """What a judge said of a reply in which no answer was found: right, wrong, or None."""

    key: str
    judge: str
    judge_key: str
    right: float | None
    text: str = ""
    reason: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Check:
    """A warning about a benchmark and a model, such as a sign that it was trained on the set.

    measure: what was measured. value with its interval; n: of how many items.
    """

    model: str
    benchmark: str
    measure: str
    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def key(self) -> str:
        """A measure is kept once for each model and benchmark, the latest."""
        return content_key("check", self.model, self.benchmark, self.measure)


@dataclass(frozen=True, slots=True)
class Batch:
    """Work that a server was given to do in its own time; gone once it is collected.

    key: the server's name for it. owner: of the leases on its rows. tasks: JSON, enough to
    make the rows.
    """

    key: str
    judge: str
    mode: Mode
    owner: str
    tasks: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that was tried and not done; the next run tries it again."""

    stage: str
    subject: str
    kind: str
    message: str
