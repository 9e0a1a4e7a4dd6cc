"""Which votes count, as a ranking is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoteRules:
    """Which votes count, and how much.

    keep_leaked: those on battles in which an answer says who wrote it, too. without: voters
    who are left out. cap: the largest share that one voter may have of any model's votes. lose:
    whether a prompt that a model has no answer to is lost, for judges, to all that have one.
    """

    keep_leaked: bool = False
    without: frozenset[str] = frozenset()
    cap: float | None = None
    lose: bool = False


ALL = VoteRules()
