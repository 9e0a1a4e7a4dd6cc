"""What benchmarks asked, and what came of it."""

from dataclasses import dataclass, field

from arena.records.answers import Usage
from arena.records.keys import content_key


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote to one request of a benchmark; finish: as `Answer.finish`, or empty."""

    key: str
    model: str
    model_key: str
    text: str
    finish: str = ""
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


RULE, NOBODY, UNSAFE = "rule", "nobody", "rule, unsafe"
NO_JUDGE = frozenset({RULE, NOBODY, UNSAFE})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A benchmark's result of one model on one item; value is in [0, 1].

    variant: how it was asked, in a few words; empty is as the task has it. dimension: the
    capability that it shows, empty where that is not known. text: what the model wrote, or
    the log-likelihoods it gave. marker: who marked it: RULE, a judge by name, NOBODY, where no
    answer could be found in the text and the value is 0, or UNSAFE, a rule that ran the model's
    code without a container. request: digest of all that the item asked of the model, and of the
    answer that was wanted. reason: why NOBODY marked it. ours: in [0, 1], what our own rule gives
    where another tool marked the text and counts.
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
    reason: str = ""
    ours: float | None = None

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
            "" if self.marker in NO_JUDGE else self.marker,
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
    finish: str = ""
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
