"""The words that rows choose from."""

from enum import StrEnum


class BackendKind(StrEnum):
    """Where a model's text comes from."""

    LOCAL = "local"
    OPENAI = "openai"
    FAKE = "fake"
    IMPORTED = "imported"


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


class AllowCode(StrEnum):
    """How a model's code may be run: in a container, or without one."""

    CONTAINER = "container"
    UNSAFE = "unsafe"
