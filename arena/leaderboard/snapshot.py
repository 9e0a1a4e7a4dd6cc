"""All that the leaderboard page shows of some prompts, computed from the store at once."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from arena.benchmarks.needle import NeedleMap, needle_maps
from arena.benchmarks.scores import item_values
from arena.config import Config
from arena.leaderboard.board import Leaderboard, Policy, policy_of
from arena.leaderboard.by_category import ByCategory, by_category
from arena.leaderboard.evidence.counted_judges import chosen_judges, is_fit
from arena.leaderboard.evidence.counted_votes import graded
from arena.leaderboard.evidence.gathering import Gathered, gather
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.tallies import Tallies
from arena.leaderboard.overall import pooled, waiting
from arena.leaderboard.ranking import leaderboard, rank_comparisons
from arena.ratings import (
    STYLE_NAMES,
    Comparisons,
    bradley_terry,
    concat,
    unrated,
    without,
)
from arena.ratings.arrays import Floats
from arena.records import Evidence, Method, Model, Note
from arena.records.errors import ArenaError, GateError, InputError, NoEvidenceError
from arena.store import Store
from arena.store.versions import replaced

PARTS = 12
JUDGE, GRADED, PANEL = "judge:", "graded", "panel"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which prompts count, and how. by: `category`, `language` or empty for all.

    weak: judges that the gate objects to count, even where the policy does not let them in.
    apart: a view; its categories are then rated one by one, and nothing else is.
    """

    by: str = ""
    value: str = ""
    style: bool = False
    weak: bool = False
    apart: str = ""

    @property
    def group(self) -> Group | None:
        """As `gathering` has it."""
        return Group(self.by, self.value) if self.by else None


@dataclass(frozen=True, slots=True)
class Wins:
    """Win rates of the row's model over the column's, (m, m), the best model first.

    observed: NaN where a pair never met. predicted: of the ratings. rate: (m,) of each model
    over all whom it met.
    """

    models: tuple[str, ...]
    observed: Floats
    predicted: Floats
    played: Floats
    rate: Floats


@dataclass(frozen=True, slots=True)
class History:
    """Ratings by votes up to each of some times. ratings: by model, one entry a time."""

    times: tuple[str, ...]
    votes: tuple[int, ...]
    ratings: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was computed of some prompts.

    boards: by view. problems: by view, what is wrong with its judges. errors: by view, why it
    cannot be rated, in the error's own words. A view that is in none of them has no evidence.
    unheld: views with an error while style was held equal. lengths: mean characters of one turn.
    about: the models by name. replaced: models that another version took the place of, each with
    that one. grades: mean and number by model. policy: how it was ranked.
    grouped: the categories and languages whose prompts have votes, verdicts, scores or grades.
    """

    slice: Slice
    boards: Mapping[str, Leaderboard] = field(default_factory=dict)
    problems: Mapping[str, Note] = field(default_factory=dict)
    unheld: Sequence[str] = ()
    wins: Mapping[str, Wins] = field(default_factory=dict)
    history: History | None = None
    lengths: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, Model] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    judges: tuple[str, ...] = ()
    needles: tuple[NeedleMap, ...] = ()
    apart: ByCategory | None = None
    errors: Mapping[str, Note] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    grouped: tuple[Group, ...] = ()


def compute(store: Store, wanted: Slice, config: Config | None = None) -> Sheet:
    """Read the store and make a sheet; takes seconds where there are a million votes.

    config: says how to rank; see `board.policy_of`.
    """
    policy = replace(policy_of(store, config or Config()), in_use=store.in_use())
    make = _apart if wanted.apart else _sheet
    return make(store, wanted, policy)


def _gathered(store: Store, wanted: Slice, policy: Policy) -> Gathered:
    """The evidence that counts."""
    styles = STYLE_NAMES if wanted.style else ()
    found = gather(store, wanted.group, styles, policy.rules, policy.ways)
    return chosen_judges(found, policy.judges)


def _sheet(store: Store, wanted: Slice, policy: Policy) -> Sheet:
    gathered = _gathered(store, wanted, policy)
    plain = wanted == Slice(weak=wanted.weak)
    views = _by_view(store, wanted, policy, gathered)
    return Sheet(
        wanted,
        boards=views.boards,
        problems=views.problems,
        errors=views.errors,
        unheld=views.unheld,
        wins=views.wins,
        history=_history(store, policy.least) if plain else None,
        lengths=_lengths(store),
        about={model.name: model for model in store.models()},
        replaced=replaced(store),
        grades=_grades(store, wanted),
        judges=tuple(gathered.judges),
        needles=tuple(needle_maps(item_values(store.evidence.outcomes()))) if plain else (),
        policy=policy,
        grouped=_grouped(store),
    )


@dataclass(frozen=True, slots=True)
class _Views:
    """What a sheet has an entry of by view; see there."""

    boards: dict[str, Leaderboard] = field(default_factory=dict)
    problems: dict[str, Note] = field(default_factory=dict)
    errors: dict[str, Note] = field(default_factory=dict)
    wins: dict[str, Wins] = field(default_factory=dict)
    unheld: list[str] = field(default_factory=list)


def _by_view(store: Store, wanted: Slice, policy: Policy, gathered: Gathered) -> _Views:
    """Every view ranked, or why it is not."""
    weak, found = wanted.weak or policy.allow_weak_judges, _Views()
    policy = replace(policy, allow_weak_judges=weak, in_use=store.in_use())
    # Of many votes a fit takes the longest, and where they are alone it is the same.
    once = _has_votes_alone(gathered) and not wanted.style and policy.method == Method.AUTO
    for view, (part, how) in _views(gathered, wanted, policy).items():
        evidence = how.evidence
        try:
            if view == Evidence.HUMAN and once and Evidence.COMBINED in found.boards:
                board = replace(found.boards[Evidence.COMBINED], evidence=Evidence.HUMAN)
            else:
                board = leaderboard(store, how, group=wanted.group, gathered=part)
            found.boards[view] = board
        except GateError as error:
            found.problems[view] = error.reason
        except NoEvidenceError:
            continue
        except ArenaError as error:
            found.errors[view] = error.note
            if how.fit.style and _styled(part, evidence):
                found.unheld.append(view)
        else:
            compared = comparisons_of(part, how)
            if compared is not None:
                found.wins[view] = _wins(compared, found.boards[view])
    given = graded(store, wanted.group)
    if given is not None:
        try:
            board = rank_comparisons(given, policy)
            counts = {GRADED: sum(board.counts.values())}
            found.boards[GRADED] = replace(board, label="human-anchored", counts=counts)
            found.wins[GRADED] = _wins(given, found.boards[GRADED])
        except ArenaError as error:
            found.errors[GRADED] = error.note
    return found


def _has_votes_alone(gathered: Gathered) -> bool:
    """Whether votes are all that there is, so that all evidence together is theirs."""
    others = gathered.judges or gathered.reports or gathered.objective or gathered.benchmarks
    return gathered.human is not None and not others


def _grouped(store: Store) -> tuple[Group, ...]:
    """The groups of prompts that anybody has said something about."""
    found = store.evidence.judged_groups()
    return tuple(
        Group(by, value)
        for k, by in enumerate(("category", "language"))
        for value in sorted({pair[k] for pair in found} - {""})
    )


def _apart(store: Store, wanted: Slice, policy: Policy) -> Sheet:
    """The categories of one view: each costs a fit, so they are made when somebody asks."""
    weak = wanted.weak or policy.allow_weak_judges
    asked = replace(policy, allow_weak_judges=weak, in_use=store.in_use())
    compared, how = graded(store, wanted.group), policy
    if wanted.apart != GRADED:
        gathered = _gathered(store, wanted, policy)
        part, how = _views(gathered, wanted, asked).get(wanted.apart, (None, policy))
        compared = comparisons_of(part, how) if part is not None else None
    categories = {prompt.key: prompt.category for prompt in store.prompts.where()}
    found = by_category(compared, categories, replace(how, panel=None)) if compared else None
    return Sheet(wanted, apart=found, policy=policy)


def _views(gathered: Gathered, wanted: Slice, policy: Policy) -> dict[str, tuple[Gathered, Policy]]:
    """By view its evidence, and how that is ranked."""

    def view(kind: Evidence, part: Gathered, panel: str | None = None) -> tuple[Gathered, Policy]:
        style = _held(part, kind) if wanted.style else ()
        fit = replace(policy.fit, style=style)
        return part, replace(policy, evidence=kind, fit=fit, panel=panel or policy.panel)

    kinds = (Evidence.COMBINED, Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE)
    views = {str(kind): view(kind, gathered) for kind in kinds}
    if len(gathered.judges) > 1:
        views[PANEL] = view(Evidence.JUDGE, gathered, panel="majority")
    for judge, comparisons in gathered.judges.items():
        reports = {k: v for k, v in gathered.reports.items() if k == judge}
        part = replace(gathered, judges={judge: comparisons}, reports=reports)
        views[JUDGE + judge] = view(Evidence.JUDGE, part)
    return views


def _styled(part: Gathered, kind: Evidence) -> list[Comparisons]:
    """The comparisons of answers, which have a style; benchmarks have none."""
    if kind is Evidence.JUDGE:
        return list(part.judges.values())
    return [part.human] if kind is Evidence.HUMAN and part.human is not None else []


def _held(part: Gathered, kind: Evidence) -> tuple[str, ...]:
    """The counts to hold equal: those in which answers differ, or else all, which says so.

    All evidence together is rated without style, and refuses any.
    """
    if kind is Evidence.OBJECTIVE:
        return ()
    styled = _styled(part, kind)
    told = [name for name in STYLE_NAMES if any(c.style[name].any() for c in styled)]
    return tuple(told) or STYLE_NAMES


def comparisons_of(gathered: Gathered, policy: Policy) -> Comparisons | None:
    """The comparisons whose win rates go with a ranking."""
    evidence, weak = policy.evidence, policy.allow_weak_judges
    judges = {name: part for name, part in gathered.judges.items() if is_fit(gathered, name, weak)}
    votes = {} if gathered.human is None else {"votes": gathered.human}
    kinds = {
        Evidence.HUMAN: votes,
        Evidence.JUDGE: judges,
        Evidence.OBJECTIVE: pooled(gathered.objective),
    }
    if evidence is not Evidence.COMBINED:
        parts = kinds[evidence]
    elif waiting(kinds, policy, policy.least):
        parts = judges or kinds[Evidence.OBJECTIVE]
    else:
        parts = next(filter(None, kinds.values()), {})
    if parts is votes:
        return gathered.human
    found = [replace(part, style={}) for part in parts.values()]
    return concat(found) if found else None


def _wins(c: Comparisons, board: Leaderboard) -> Wins:
    rows = [row for row in board.rows if row.model in set(c.models)]
    place = [c.models.index(row.model) for row in rows]
    played = c.pair_counts.played[np.ix_(place, place)]
    points = c.pair_counts.points[np.ix_(place, place)]
    observed = np.divide(points, played, out=np.full_like(played, np.nan), where=played > 0)
    ratings = np.array([row.rating for row in rows])
    predicted = 1.0 / (1.0 + 10.0 ** ((ratings - ratings[:, None]) / 400.0))
    met = played.sum(axis=1)
    rate = np.divide(points.sum(axis=1), met, out=np.full_like(met, np.nan), where=met > 0)
    return Wins(tuple(row.model for row in rows), observed, predicted, played, rate)


def _history(store: Store, least: int) -> History | None:
    """Ratings by the first twelfth of the votes, the first two twelfths, and so on.

    least: comparisons that a model needs to be rated.
    """
    last = store.evidence.last_vote()
    if last < PARTS:
        return None
    ends = [last * (part + 1) // PARTS for part in range(PARTS)]
    tallies, after = Tallies(), 0
    votes: list[int] = []
    found: list[dict[str, float]] = []
    for end in ends:
        tallies.add(store.evidence.tallies(after, end))
        after = end
        votes.append(tallies.votes)
        found.append({})
        with suppress(InputError):
            c = tallies.comparisons()
            placed = without(c, unrated([c], least))
            assert placed is not None
            result = bradley_terry(placed, interval=None, prior="auto")
            found[-1] = dict(zip(result.models, result.ratings.tolist(), strict=True))
    ratings = {name: tuple(each.get(name) for each in found) for name in sorted(found[-1])}
    return History(tuple(store.evidence.vote_times(ends)), tuple(votes), ratings)


def _lengths(store: Store) -> dict[str, float]:
    found = store.evidence.answers()
    return dict(zip(found.model, found.mean_length, strict=True))


def _grades(store: Store, wanted: Slice) -> dict[str, tuple[float, int]]:
    grades = store.evidence.grades()
    values: dict[str, list[int]] = {}
    for i, model in enumerate(grades.model):
        if not wanted.by or getattr(grades, wanted.by)[i] == wanted.value:
            values.setdefault(model, []).append(grades.value[i])
    return {model: (sum(v) / len(v), len(v)) for model, v in values.items()}
