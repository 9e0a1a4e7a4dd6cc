"""The words that rows choose from."""

from enum import StrEnum


class BackendKind(StrEnum):
    """Where a model's text comes from."""

    LOCAL = "local"
    VLLM = "vllm"
    OPENAI = "openai"
    FAKE = "fake"
    IMPORTED = "imported"


class Persona(StrEnum):
    """What a fake model plays: see `backends/fake.py`."""

    ECHO = "echo"
    FIRST = "first"
    LONGER = "longer"
    PLAIN = "plain"
    MUTE = "mute"
    READER = "reader"
    EDGES = "edges"


class ServerProgram(StrEnum):
    """A server that can be started for one model."""

    VLLM = "vllm"
    SGLANG = "sglang"
    LMDEPLOY = "lmdeploy"
    TRANSFORMERS = "transformers"


class Executor(StrEnum):
    """What runs models on other machines."""

    RAY = "ray"


class NoAnswer(StrEnum):
    """Why a reply is no answer: each is a state of its own, and counts for nobody by itself."""

    THINKING = "ended while thinking"
    EMPTY = "empty reply"
    REFUSAL = "refusal"
    FILTER = "content filter"


class Mode(StrEnum):
    """What a judge is asked: which of two answers is better, how good one is, or the order."""

    PAIRWISE = "pairwise"
    SCORE = "score"
    RANK = "rank"


class Reading(StrEnum):
    """How a judgement is read: the odds of the next token, written text, or a reward model."""

    LOGIT = "logit"
    REASONED = "reasoned"
    REWARD = "reward"


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


class GroupBy(StrEnum):
    """What rankings of parts are made by."""

    CATEGORY = "category"
    LANGUAGE = "language"
    DIMENSION = "dimension"
    BENCHMARK = "benchmark"


class Ties(StrEnum):
    """What a tie counts as: half a win for each side, or what a model of ties says."""

    HALF = "half"
    DAVIDSON = "davidson"
    RAO_KUPPER = "rao-kupper"


class Interval(StrEnum):
    """How intervals are made."""

    SANDWICH = "sandwich"
    BOOTSTRAP = "bootstrap"


class Cluster(StrEnum):
    """What comparisons may have in common, so that they are not independent of each other."""

    AUTO = "auto"
    PROMPT = "prompt"
    VOTER = "voter"
    BATTLE = "battle"
    SOURCE = "source"


class Method(StrEnum):
    """How evidence is combined; `auto` takes the best that the evidence allows."""

    AUTO = "auto"
    HIERARCHICAL = "hierarchical"
    STACKED = "stacked"
    PPI = "ppi"
    JOINT = "joint"
    HUMAN = "human"
    JUDGE_ONLY = "judge-only"


class PanelRule(StrEnum):
    """How a panel comes to one outcome: by the side that most judges take, or by the mean."""

    MAJORITY = "majority"
    MEAN = "mean"


class AllowCode(StrEnum):
    """How a model's code may be run: in a container, or without one."""

    CONTAINER = "container"
    UNSAFE = "unsafe"
