"""The whole comparison of two models: what each kind of evidence says, and what follows."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from arena.compare.contest import Contest, Contests, contests
from arena.compare.differences.advantage import EVEN, Advantage, BoardAdvantage, elo_of
from arena.compare.differences.board_fit import through_board
from arena.compare.differences.corrected import LEAST_SHARED, corrected
from arena.compare.differences.multiplicity import Adjustment, adjusted
from arena.compare.differences.paired import advantage
from arena.compare.facts import MovedPrompt, SideFacts, facts_of_both, movers
from arena.compare.power import Outlook, outlook
from arena.compare.question import Aim, Decision, Question
from arena.leaderboard.board import Policy
from arena.leaderboard.ranking import ranking
from arena.records import Evidence, Note
from arena.records.errors import ArenaError, InputError, NoEvidenceError, RatingError
from arena.store import Store

MOVERS = 12  # more than a page shows: some may be hidden from a visitor who has yet to judge them
DIRECT, BOARD, CORRECTED = "direct", "board", "corrected"


@dataclass(frozen=True, slots=True)
class KindFinding:
    """What one kind of evidence says.

    route: `direct` is by prompts on which both were compared with each other, `board` through
    what both were compared with, `corrected` by judges whom votes put right.
    sources: comparisons by whom.
    """

    kind: Evidence
    route: str
    advantage: Advantage
    decision: Decision
    sources: Mapping[str, int]

    def elo(self, confidence: float) -> tuple[float | None, float | None, float | None]:
        """The difference in Elo points with its interval; None where it is infinite.

        Of benchmarks none is given: their ratings leave out the items that both got alike.
        """
        found = self.advantage
        if isinstance(found, BoardAdvantage):
            return found.difference, *found.elo_interval(confidence)
        if self.kind is Evidence.OBJECTIVE:
            return None, None, None
        low, high = found.interval(confidence)
        return elo_of(found.share), elo_of(low), elo_of(high)


@dataclass(frozen=True, slots=True)
class GroupFinding:
    """The prompts of one category or language. p, adjusted: two-sided, of no difference."""

    by: str
    value: str
    advantage: Advantage
    p: float
    adjusted: float


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Model b against model a.

    decides: the finding that the decision stands on; findings: all there are. groups: by category,
    language or benchmark, of the deciding kind, the p-values adjusted by `control`. gained, lost:
    prompts on which b did best and worst against a. facts: cost, speed and length of both.
    needed: the prompts that a few true differences would take; by votes where these put judges
    right, which take fewer.
    """

    a: str
    b: str
    question: Question
    decides: KindFinding
    findings: tuple[KindFinding, ...]
    groups: tuple[GroupFinding, ...] = ()
    control: Adjustment = Adjustment.HOLM
    gained: tuple[MovedPrompt, ...] = ()
    lost: tuple[MovedPrompt, ...] = ()
    facts: tuple[SideFacts, ...] = ()
    needed: tuple[Outlook, ...] = ()
    notes: tuple[Note, ...] = field(default=())

    @property
    def decision(self) -> Decision:
        """What follows for a release."""
        return self.decides.decision

    @property
    def sentence(self) -> Note:
        """The result in plain words."""
        return sentence(self.a, self.b, self.question, self.decides)


def compare(
    store: Store,
    a: str,
    b: str,
    question: Question | None = None,
    *,
    policy: Policy | None = None,
    evidence: Evidence | None = None,
    against: Store | None = None,
    control: Adjustment = Adjustment.HOLM,
) -> CompareReport:
    """Compare model b with model a by all that is stored.

    question: what must be shown; None is not worse by more than 2 points, with certainty 0.95.
    policy: which votes and judges count; None is the default one.
    evidence: the kind that decides. None is the policy's; where that is all together, votes put
        right judges if 20 prompts have both, else the first of votes, judges and benchmarks that
        has as many prompts as a rating needs comparisons.
    against: another store that holds a; None is the same store.
    control: how the p-values of groups are adjusted for their number.

    Raises NoEvidenceError where nothing compares the two, UnknownNameError for a model that is
    not there, and GateError where only judges do that are too weak.
    """
    question, policy = question or Question(), policy or Policy()
    found = contests(store, a, b, policy, against)
    notes = list(found.notes)
    findings = _findings(found, question, policy.least, notes)
    wanted = evidence or (None if policy.evidence is Evidence.COMBINED else policy.evidence)
    decides = _deciding(findings, found, wanted, policy.least)
    if against is None:
        notes += _against_board(store, policy, a, b, decides)
    contest = found.kinds.get(decides.kind) or found.kinds[Evidence.JUDGE]
    planned = found.kinds.get(decides.kind) or found.kinds[Evidence.HUMAN]
    direct = contest.direct if decides.route != BOARD else None
    gained, lost = movers(direct, _stores(store, against), MOVERS) if direct else ((), ())
    return CompareReport(
        a=found.a,
        b=found.b,
        question=question,
        decides=decides,
        findings=tuple(findings),
        groups=_by_group(contest, found, decides.route, control),
        control=control,
        gained=gained,
        lost=lost,
        facts=facts_of_both(store, a, b, against),
        needed=outlook(planned, question),
        notes=tuple(dict.fromkeys(notes)),
    )


def _against_board(
    store: Store, policy: Policy, a: str, b: str, decides: KindFinding
) -> list[Note]:
    """Why the board has the two the other way round, where it has; see `docs/compare.md`."""
    try:
        board = ranking(store, policy)
    except ArenaError:  # no board, no other order
        return []
    ratings = {row.model: row.rating for row in board.rows}
    lead = ratings.get(b, 0.0) - ratings.get(a, 0.0)
    if not {a, b} <= ratings.keys() or lead * (decides.advantage.share - EVEN) >= 0.0:
        return []
    ahead, behind = (b, a) if lead > 0.0 else (a, b)
    if decides.route == DIRECT:
        return [Note.of("compare.board.prompts", ahead=ahead, behind=behind)]
    by = Note.of(f"by.{decides.kind}")
    label = board.label
    return [Note.of("compare.board.kinds", ahead=ahead, behind=behind, by=by, label=label)]


def _stores(store: Store, against: Store | None) -> list[Store]:
    return [store] if against is None else [store, against]


def _findings(
    found: Contests, question: Question, least: int, notes: list[Note]
) -> list[KindFinding]:
    """What each kind says, the combined one first where there is one."""
    findings = []
    people, judges = (
        found.kinds[kind].direct if kind in found.kinds else None
        for kind in (Evidence.HUMAN, Evidence.JUDGE)
    )
    if people is not None and judges is not None and (both := corrected(people, judges)):
        sources = {
            **found.kinds[Evidence.HUMAN].sources,
            **found.kinds[Evidence.JUDGE].sources,
        }
        decision = question.decide(both)
        findings.append(KindFinding(Evidence.COMBINED, CORRECTED, both, decision, sources))
    for kind, contest in found.kinds.items():
        said = _by_route(contest, found.a, found.b, least)
        if said is not None:
            route, one, note = said
            notes += [note] if note else []
            decision = question.decide(one)
            if decision is Decision.SHIP and kind is Evidence.JUDGE and _blind(found, question):
                decision = Decision.CANNOT_TELL
                notes.append(Note.of("compare.blind"))
            findings.append(KindFinding(kind, route, one, decision, contest.sources))
    return findings


def _blind(found: Contests, question: Question) -> bool:
    """Whether "no difference" may mean that the judge sees none between any two answers."""
    return found.weak and question.aim is Aim.NOT_WORSE


def _by_route(
    contest: Contest, a: str, b: str, least: int
) -> tuple[str, Advantage, Note | None] | None:
    """By the comparisons of the two with each other, or else through the others'."""
    direct = contest.direct
    if direct is not None and len(direct.names) >= max(2, least):
        return DIRECT, advantage(direct), None
    if contest.whole is not None:
        with suppress(InputError, RatingError):
            one, note = through_board(contest.whole, a, b)
            return BOARD, one, note
    if direct is not None and len(direct.names) >= 2:
        return DIRECT, advantage(direct), None
    return None


def _deciding(
    findings: Sequence[KindFinding], found: Contests, wanted: Evidence | None, least: int
) -> KindFinding:
    by_kind = {one.kind: one for one in findings}
    if wanted is not None:
        if wanted not in by_kind:
            raise NoEvidenceError(_nothing(found, wanted))
        return by_kind[wanted]
    for one in findings:
        if one.route != BOARD and one.advantage.prompts >= least:
            return one
    if not findings:
        raise NoEvidenceError(_nothing(found, None))
    return findings[0]


def _nothing(found: Contests, wanted: Evidence | None) -> Note:
    if wanted is Evidence.COMBINED:
        return Note.of("compare.nothing.combined", a=found.a, b=found.b, least=LEAST_SHARED)
    code = f"compare.nothing.{wanted or 'any'}"
    return Note.of(code, a=found.a, b=found.b)


def _by_group(
    contest: Contest, found: Contests, route: str, control: Adjustment
) -> tuple[GroupFinding, ...]:
    """Each category, language and benchmark that has two prompts or more, and is not all."""
    names = _names(contest, route)
    members: dict[tuple[str, str], set[str]] = {}
    for name in names:
        for place in found.groups.get(name, ()):
            members.setdefault(place, set()).add(name)
    parts: list[tuple[tuple[str, str], Advantage]] = []
    for place, inside in sorted(members.items()):
        if len(inside) < 2 or len(inside) == len(names):
            continue
        with suppress(InputError, RatingError):
            parts.append((place, _part(contest, found, route, inside)))
    p_values = [one.p_value for _, one in parts]
    return tuple(
        GroupFinding(by, value, one, p, corrected_p)
        for ((by, value), one), p, corrected_p in zip(
            parts, p_values, adjusted(p_values, control), strict=True
        )
    )


def _names(contest: Contest, route: str) -> set[str]:
    if route != BOARD and contest.direct is not None:
        return set(contest.direct.names)
    prompt = contest.whole.prompt if contest.whole is not None else None
    return set(map(str, prompt.labels)) if prompt is not None else set()


def _part(contest: Contest, found: Contests, route: str, names: set[str]) -> Advantage:
    if route == CORRECTED:
        return _corrected_part(found, names)
    if route == DIRECT and contest.direct is not None:
        part = contest.direct.among(names)
        assert part is not None
        return advantage(part)
    assert contest.whole is not None
    assert contest.whole.prompt is not None
    is_in = np.array([str(label) in names for label in contest.whole.prompt.labels])
    rows = is_in[contest.whole.prompt.codes]
    return through_board(contest.whole.select(rows).observed(), found.a, found.b)[0]


def _corrected_part(found: Contests, names: set[str]) -> Advantage:
    """As the whole; raises InputError where people and judges share too few of the prompts."""
    people, judges = (
        None if (direct := found.kinds[kind].direct) is None else direct.among(names)
        for kind in (Evidence.HUMAN, Evidence.JUDGE)
    )
    both = None if people is None or judges is None else corrected(people, judges)
    if both is None:
        raise InputError(_nothing(found, Evidence.COMBINED))
    return both


def sentence(a: str, b: str, question: Question, finding: KindFinding) -> Note:
    """A finding in plain words: how often b wins, whether it is better, how sure the aim is."""
    found = finding.advantage
    low, high = found.interval(question.confidence)
    names = {"a": a, "b": b, "prompts": found.prompts, "by": Note.of(f"by.{finding.kind}")}
    if finding.kind is Evidence.OBJECTIVE and finding.route == DIRECT:
        ends = found.points_interval(question.confidence)
        gap = found.points(found.share)
        said = Note.of("compare.scores", **names, points=gap, low=ends[0], high=ends[1])
    else:
        code = "compare.wins.board" if finding.route == BOARD else "compare.wins"
        said = Note.of(code, **names, share=found.share, low=low, high=high)
    better = "better" if low > 0.5 else "worse" if high < 0.5 else "even"
    return Note.of(
        "compare.sentence",
        said=said,
        finding=Note.of(f"compare.finding.{better}", a=a, b=b),
        aim=_aim(b, question, found),
        decision=Note.of(f"compare.decision.{finding.decision}"),
    )


def _aim(b: str, question: Question, found: Advantage) -> Note:
    if question.aim is Aim.TWO_SIDED:
        return Note.of("compare.aim.two-sided", p=said_probability(found.p_value))
    certainty = said_probability(found.certainty(question.limit(found.scale)))
    values = {"b": b, "margin": question.margin, "certainty": certainty}
    if question.margin == 0.0:
        return Note.of("compare.aim.better", b=b, certainty=certainty)
    return Note.of(f"compare.aim.{question.aim}", **values)


def said_probability(value: float) -> str:
    """A probability with three decimals, or beyond them."""
    if value > 0.9995:
        return "> 0.999"
    return "< 0.001" if value < 0.0005 else f"{value:.3f}"
