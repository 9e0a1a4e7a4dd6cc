"""Each kind of evidence as columns of equal length, one entry a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from arena.files.tabular import Column

if TYPE_CHECKING:  # numpy comes with the first votes that are read
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VoteColumns:
    """People's votes; every column has one entry a vote, in the order of voting."""

    model_a: list[str]
    model_b: list[str]
    winner: list[str]
    prompt: list[str]
    voter: list[str]
    propensity: list[float | None]
    category: list[str]
    language: list[str]
    answer_a: list[str]
    answer_b: list[str]
    seconds: list[float | None]


@dataclass(frozen=True, eq=False, slots=True)
class CodedVotes:
    """People's votes as columns of codes, one entry a vote, in the order of voting.

    ids: (n,) of the votes, ascending. category, language: of the prompt. answer_a, answer_b: (n,)
    numbers of answers in this database, see `EvidenceColumns.answer_keys`. propensity, seconds:
    (n,) NaN where it is not known, None where it is of no vote.
    """

    ids: "NDArray[Any]"
    model_a: Column
    model_b: Column
    winner: Column
    prompt: Column
    voter: Column
    category: Column
    language: Column
    answer_a: "NDArray[Any]"
    answer_b: "NDArray[Any]"
    propensity: "NDArray[Any] | None"
    seconds: "NDArray[Any] | None"

    def __len__(self) -> int:
        return len(self.voter)

    def take(self, rows: "NDArray[Any] | slice") -> Self:
        """The votes at these positions, or those of a mask or a slice."""

        def taken(column: Any) -> Any:
            if isinstance(column, Column):
                return Column(column.codes[rows], column.labels)
            return None if column is None else column[rows]

        return type(self)(**{f.name: taken(getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class VerdictColumns:
    """Judges' verdicts, both orders of a pair in one entry.

    Answer A is the one shown first in `forward`; `backward` is the other order's verdict in
    its own words (its A is answer B here), or None where only one order was judged. p_*:
    probability of the first slot, the second slot; None in reasoned reading. *_slight: 1
    where one is better by a little only, on a five-step scale. Of several attempts at one
    reading the latest is here.
    """

    judge: list[str]
    judge_key: list[str]
    model_a: list[str]
    model_b: list[str]
    answer_a: list[str]
    answer_b: list[str]
    prompt: list[str]
    category: list[str]
    language: list[str]
    forward: list[str]
    forward_p_first: list[float | None]
    forward_p_second: list[float | None]
    forward_slight: list[int]
    backward: list[str | None]
    backward_p_first: list[float | None]
    backward_p_second: list[float | None]
    backward_slight: list[int | None]


@dataclass(frozen=True, slots=True)
class RankingColumns:
    """Judges' orders of several answers; `ranks` is empty where the judge's text held none."""

    judge: list[str]
    judge_key: list[str]
    prompt: list[str]
    category: list[str]
    language: list[str]
    answers: list[list[str]]
    models: list[list[str]]
    ranks: list[list[int]]


@dataclass(frozen=True, slots=True)
class ScoreColumns:
    """Judges' scores; `value` is None where the judge's text held none.

    tie: two scores that differ by no more than this tie, as the judge's card says. is_reward: 1
    where the judge is a reward model, whose scale is its own.
    """

    judge: list[str]
    judge_key: list[str]
    model: list[str]
    answer: list[str]
    prompt: list[str]
    category: list[str]
    language: list[str]
    value: list[float | None]
    turn: list[int]
    sample: list[int]
    tie: list[float]
    is_reward: list[int]


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """Benchmarks' results, of each item the latest; `value` is in [0, 1].

    What a judge marked stands where the rule found no answer. Other columns as in `Outcome`.
    """

    benchmark: list[str]
    version: list[str]
    variant: list[str]
    dimension: list[str]
    metric: list[str]
    item: list[str]
    model: list[str]
    value: list[float]
    marker: list[str]


@dataclass(frozen=True, slots=True)
class PairColumns:
    """Pairs of models that answered the same prompts. prompts: how many; votes: so far."""

    model_a: list[str]
    model_b: list[str]
    prompts: list[int]
    votes: list[int]


@dataclass(frozen=True, slots=True)
class AnswerColumns:
    """How many answers each model gave, and the mean characters of one turn of them."""

    model: list[str]
    answers: list[int]
    mean_length: list[float]


@dataclass(frozen=True, eq=False, slots=True)
class TallyColumns:
    """How often each pair of models, as shown, got each vote; votes: (n,)."""

    model_a: Column
    model_b: Column
    winner: Column
    votes: "NDArray[Any]"

    @classmethod
    def of(
        cls,
        model_a: Iterable[str],
        model_b: Iterable[str],
        winner: Iterable[str],
        votes: Sequence[int],
    ) -> Self:
        """The same from values."""
        import numpy as np

        a, b, won = map(Column.of, (model_a, model_b, winner))
        return cls(a, b, won, np.array(votes, np.int64))


@dataclass(frozen=True, slots=True)
class VotesUntil:
    """A moment, by the ids of the latest vote and the latest withdrawal; 0 where there is none."""

    vote: int = 0
    withdrawal: int = 0


@dataclass(frozen=True, slots=True)
class GradeColumns:
    """People's grades of single answers, of each person and answer the latest."""

    model: list[str]
    answer: list[str]
    prompt: list[str]
    category: list[str]
    language: list[str]
    voter: list[str]
    value: list[int]
