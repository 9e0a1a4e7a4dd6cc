"""Before a run: how many prompts are needed to see a difference, from what varied so far."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.stats import nct, t

from arena.compare.contest import Contest
from arena.compare.differences.advantage import PREFERENCE
from arena.compare.differences.paired import Paired, between
from arena.compare.question import Aim, Question
from arena.ratings.arrays import totals
from arena.ratings.intervals.sandwich import least_share
from arena.records import Evidence, Note, counted
from arena.records.errors import InputError

CHANCE = 0.8
TIMES = (1, 2, 4, 8)
# True differences in points that a plan is made for where none is named.
USUAL_DIFFERENCES = (0.0, 2.0, 5.0, 10.0, 20.0)
SHOWN = 3
MOST = 10_000_000
LEAST_PROMPTS = 10  # fewer say next to nothing of how much prompts differ


@dataclass(frozen=True, slots=True)
class Variation:
    """How much B's share of the win varies; variances, of shares in [0, 1].

    between: of the prompts. within: of judges, samples, orders and voters on one prompt; None where
    no prompt was judged twice, and `between` holds both. prompts: that it was learned from.
    pairs: of models that it was learned from. usual: comparisons a prompt had on average.
    """

    between: float
    within: float | None
    prompts: int
    pairs: int
    usual: float
    scale: float = PREFERENCE

    def deviation(self, times: float) -> float:
        """The standard deviation of a prompt's mean over so many comparisons."""
        return math.sqrt(self.between + (0.0 if self.within is None else self.within / times))


@dataclass(frozen=True, slots=True)
class Needed:
    """times: comparisons on each prompt. prompts: how many of them. comparisons: in all."""

    times: int
    prompts: int
    comparisons: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a true difference would take, at as many comparisons a prompt as there were so far.

    difference: points. prompts: in all. more: than there are.
    """

    difference: float
    prompts: int
    more: int


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """What it takes to be told the truth with a stated chance.

    difference: the true one that is planned for, in points. chance: of being told to ship then.
    detectable: the least difference in points that as many prompts as there are would show with
    this chance; None where there are none. prompts: how many both were compared on so far.
    """

    kind: Evidence
    question: Question
    difference: float
    chance: float
    variation: Variation
    needed: tuple[Needed, ...]
    detectable: float | None
    prompts: int = 0

    @property
    def sentences(self) -> tuple[Note, ...]:
        """The plan in plain words."""
        rows = tuple(
            Note.of("compare.power.needed", prompts=row.prompts, times=row.times)
            for row in self.needed
        )
        by, known = Note.of(f"by.{self.kind}"), self.variation
        said = [
            Note.of(
                "compare.power", chance=self.chance, difference=self.difference, by=by, needed=rows
            )
        ]
        spread = {"between": math.sqrt(known.between), "prompts": known.prompts}
        if known.within is None:
            said.append(Note.of("compare.power.varies.whole", **spread))
        else:
            said.append(Note.of("compare.power.varies", **spread, within=math.sqrt(known.within)))
        if self.detectable is not None:
            values = {"prompts": self.prompts, "points": self.detectable}
            said.append(Note.of("compare.power.detectable", **values))
        return tuple(said)


def variation(parts: Sequence[Paired]) -> Variation:
    """What varied, pooled over pairs of models, each by its degrees of freedom.

    The variance between prompts is that of their means without what chance within a prompt
    adds to it (one-way analysis of variance). Raises InputError for fewer than 10 prompts.
    """
    parts = [part for part in parts if len(part.names) >= 2]
    prompts = sum(len(part.names) for part in parts)
    if prompts < LEAST_PROMPTS:
        raise InputError(
            f"{counted(prompts, 'prompt was', 'prompts were')} compared so far, and "
            f"{LEAST_PROMPTS} or more are needed to know how much prompts differ; judge a few first"
        )
    squares, freedom, inner, inner_freedom, inverse = 0.0, 0, 0.0, 0, 0.0
    for part in parts:
        means = part.means
        squares += float(((means - means.mean()) ** 2).sum())
        freedom += len(means) - 1
        residual = part.share - means[part.prompt]
        inner += float(residual @ residual)
        inner_freedom += len(part) - len(means)
        inverse += float(totals(part.prompt, part.inner**2, len(means)).sum())
    whole = squares / freedom
    usual = sum(map(len, parts)) / prompts
    scale = parts[0].scale
    if not inner_freedom:
        return Variation(whole, None, prompts, len(parts), usual, scale)
    within = inner / inner_freedom
    rest = max(0.0, whole - within * inverse / prompts)
    return Variation(rest, within, prompts, len(parts), usual, scale)


def power(
    question: Question, difference: float, deviation: float, prompts: int, scale: float
) -> float:
    """The chance to be told to ship, of a noncentral t test.

    difference: the true one, points. deviation: of a prompt's share. prompts: at least 2.
    scale: as in `Advantage`.
    """
    distance = (difference - question.threshold) / (2.0 * scale)
    # As `paired.effective` has it, no variance is believed that is next to nothing.
    share = 0.5 + difference / (2.0 * scale)
    deviation = max(deviation, math.sqrt(share * (1.0 - share) * least_share(prompts)))
    critical = t.ppf(1.0 - question.error, prompts - 1)
    shift = distance * math.sqrt(prompts) / deviation
    # Far beyond the critical value SciPy's nct gives up, and the normal law is as good.
    if shift - critical > 20.0:
        return 1.0
    return float(nct.sf(critical, prompts - 1, shift))


def prompts_needed(
    question: Question,
    difference: float,
    deviation: float,
    chance: float,
    scale: float = PREFERENCE,
) -> int:
    """The fewest prompts that give the chance to be told to ship; other values as in `power`.

    Raises InputError where the true difference would not be one to ship at.
    """
    if not difference > question.threshold:
        raise InputError(
            f"a model {difference:+g} points away is none to ship where it must be above "
            f"{question.threshold:+g} points; give a larger --difference or another --margin"
        )
    if not 0.0 < chance < 1.0:
        raise InputError(f"--chance {chance:g}; allowed is between 0 and 1")
    low, high = 1, 4
    while power(question, difference, deviation, high, scale) < chance:
        low, high = high, 2 * high
        if high > MOST:
            raise InputError(f"more than {MOST:,} prompts would be needed for that difference")
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(question, difference, deviation, middle, scale) >= chance
        low, high = (low, middle) if enough else (middle, high)
    return high


def detectable(question: Question, found: Variation, prompts: int, chance: float) -> float | None:
    """The least true difference, in points, at which so many prompts lead to "ship"."""
    if prompts < 2:
        return None
    deviation, scale = found.deviation(found.usual), found.scale
    low, high = question.threshold, question.threshold + 2.0 * scale
    for _ in range(60):
        middle = (low + high) / 2.0
        enough = power(question, middle, deviation, prompts, scale) >= chance
        low, high = (low, middle) if enough else (middle, high)
    return high


def outlook(contest: Contest, question: Question, chance: float = CHANCE) -> tuple[Outlook, ...]:
    """What it takes to be told to ship, for a few true differences at which that is right.

    None where nothing tells how much prompts differ.
    """
    own = 0 if contest.direct is None else len(contest.direct.names)
    rows = []
    with suppress(InputError):
        found = variation(_learned_from(contest))
        for points in [d for d in USUAL_DIFFERENCES if d > question.threshold][:SHOWN]:
            spread = found.deviation(found.usual)
            n = prompts_needed(question, points, spread, chance, found.scale)
            rows.append(Outlook(points, n, max(0, n - own)))
    return tuple(rows)


def plan_power(
    contest: Contest,
    question: Question,
    difference: float | None = None,
    chance: float = CHANCE,
) -> PowerPlan:
    """What one kind of evidence would take, by the two models' own variation or all models'.

    difference: the true one, points; None is none for "not worse", and must be given for others.
    chance: to be told to ship, in (0, 1). Two models with fewer than 10 prompts in common are
    taken to vary as all pairs of the store do.
    """
    if difference is None:
        if question.aim is not Aim.NOT_WORSE:
            raise InputError("--power with --superior or --two-sided needs --difference POINTS")
        difference = 0.0
    own = contest.direct
    found = variation(_learned_from(contest))
    times = TIMES if found.within is not None else (max(1, round(found.usual)),)
    rows = []
    for many in times:
        n = prompts_needed(question, difference, found.deviation(many), chance, found.scale)
        rows.append(Needed(many, n, n * many))
    prompts = 0 if own is None else len(own.names)
    least = detectable(question, found, prompts, chance)
    kind = contest.kind
    return PowerPlan(kind, question, difference, chance, found, tuple(rows), least, prompts)


def _learned_from(contest: Contest) -> list[Paired]:
    """The two models with each other, or every pair that met where they have too few prompts.

    Benchmarks have their comparisons without ties, which tell nothing of how items differ.
    """
    own = contest.direct
    if own is not None and len(own.names) >= LEAST_PROMPTS:
        return [own]
    if contest.whole is None or contest.kind is Evidence.OBJECTIVE:
        return []
    c = contest.whole
    pair = np.minimum(c.i, c.j).astype(np.int64) * len(c.models) + np.maximum(c.i, c.j)
    order = np.argsort(pair, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(pair[order])) + 1)
    met = (c.select(rows).observed() for rows in parts)
    found = (between(one, *one.models) for one in met if len(one.models) == 2)
    return [part for part in found if part is not None]
