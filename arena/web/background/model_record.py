"""What is known of one model: its record against the others, and the prompts it does best on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from arena.config import Config
from arena.leaderboard.board import policy_of
from arena.leaderboard.evidence.counted_judges import chosen_judges, fit_judges
from arena.leaderboard.evidence.gathering import gather
from arena.ratings import Comparisons, concat
from arena.records import Prompt
from arena.store import Store
from arena.web.background.cache import Cache
from arena.web.catalogue import line_of

# More than a page shows: some may be hidden from a visitor who has yet to judge them.
MOST_PROMPTS = 12


@dataclass(frozen=True, slots=True)
class WinRecord:
    """Comparisons from one model's side. points: its wins, and half of its ties."""

    won: int = 0
    tied: int = 0
    lost: int = 0
    points: float = 0.0

    @property
    def n(self) -> int:
        """How many comparisons there were."""
        return self.won + self.tied + self.lost

    @property
    def share(self) -> float | None:
        """The share of the points, in [0, 1]; None where there was no comparison."""
        return self.points / self.n if self.n else None


NOBODY = WinRecord()


@dataclass(frozen=True, slots=True)
class Opponent:
    """Another model, with what people's votes and judges' verdicts say of the two."""

    model: str
    people: WinRecord
    judges: WinRecord


@dataclass(frozen=True, slots=True)
class OnPrompt:
    """A prompt, with the comparisons that a model took part in on it."""

    prompt: Prompt
    score: WinRecord

    @property
    def line(self) -> str:
        """The prompt on one line."""
        return line_of(self.prompt)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model's comparisons. opponents: those it met most often first.

    best, worst: prompts on which it got most and fewest points for how often it was compared
    there. by_people: whether those are by votes, not by judges.
    """

    model: str
    people: WinRecord = NOBODY
    judges: WinRecord = NOBODY
    opponents: tuple[Opponent, ...] = ()
    best: tuple[OnPrompt, ...] = ()
    worst: tuple[OnPrompt, ...] = ()
    by_people: bool = False

    @property
    def everybody(self) -> Opponent:
        """All other models together."""
        return Opponent("", self.people, self.judges)


class Records(Cache[str, ModelRecord]):
    """Threads may share it. config: says which votes and judges count."""

    def __init__(self, store: Store, config: Config | None = None) -> None:
        super().__init__(store, partial(record, config=config), "")


def record(store: Store, model: str, config: Config | None = None) -> ModelRecord:
    """Read a store; a model of which nothing is known has an empty record."""
    policy = policy_of(store, config or Config())
    gathered = chosen_judges(gather(store, rules=policy.rules), policy.judges)
    fit = fit_judges(gathered, policy.allow_weak_judges)
    verdicts = [gathered.judges[judge] for judge in fit]
    people = _Side.of(gathered.human, model)
    judges = _Side.of(concat(verdicts) if verdicts else None, model)
    by_people = people.whole.n > 0
    prompts = list(_on_prompts(store, people if by_people else judges))
    best = [one for one in prompts if one.score.points > one.score.n / 2]
    worst = [one for one in reversed(prompts) if one.score.points < one.score.n / 2]
    return ModelRecord(
        model,
        people.whole,
        judges.whole,
        tuple(_opponents(people, judges)),
        tuple(best[:MOST_PROMPTS]),
        tuple(worst[:MOST_PROMPTS]),
        by_people,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """Comparisons from one model's side: all, by the other model, and by prompt."""

    whole: WinRecord
    by_model: dict[str, WinRecord]
    by_prompt: dict[str, WinRecord]

    @classmethod
    def of(cls, c: Comparisons | None, model: str) -> "_Side":
        """From comparisons of any models; those of others are passed over."""
        if c is None or model not in c.models:
            return cls(NOBODY, {}, {})
        own = c.models.index(model)
        is_first = c.i == own
        rows = np.flatnonzero(is_first | (c.j == own))
        share = np.where(is_first, c.outcome, 1.0 - c.outcome)[rows]
        other = np.where(is_first, c.j, c.i)[rows]
        by_prompt = {}
        if c.prompt is not None:
            by_prompt = _scores(share, c.prompt.codes[rows], [str(k) for k in c.prompt.labels])
        whole = _scores(share, np.zeros(len(share), dtype=np.int64), [model])
        return cls(whole.get(model, NOBODY), _scores(share, other, c.models), by_prompt)


def _scores(share: np.ndarray, codes: np.ndarray, names: Sequence[str]) -> dict[str, WinRecord]:
    """The score of each name; share: (n,) in [0, 1], codes: (n,) places in `names`."""
    size = len(names)
    won, lost, every = (
        np.bincount(codes[rows], minlength=size) for rows in (share > 0.5, share < 0.5, slice(None))
    )
    points = np.bincount(codes, share, minlength=size)
    return {
        names[int(k)]: WinRecord(
            int(won[k]), int(every[k] - won[k] - lost[k]), int(lost[k]), float(points[k])
        )
        for k in np.flatnonzero(every)
    }


def _opponents(people: _Side, judges: _Side) -> list[Opponent]:
    names = {*people.by_model, *judges.by_model}
    found = [
        Opponent(name, people.by_model.get(name, NOBODY), judges.by_model.get(name, NOBODY))
        for name in names
    ]
    return sorted(found, key=lambda one: (-one.people.n, -one.judges.n, one.model))


def _on_prompts(store: Store, side: _Side) -> Iterator[OnPrompt]:
    """The prompts that are not hidden, the best first.

    By the share of points with one comparison won and one lost added, so that a single
    comparison is no extreme.
    """
    scores, hidden = side.by_prompt, store.withheld("prompt")
    prompts = store.prompts.get(scores)
    order = sorted(scores, key=lambda key: (-(scores[key].points + 1) / (scores[key].n + 2), key))
    for key in order:
        if key in prompts and key not in hidden:
            yield OnPrompt(prompts[key], scores[key])
