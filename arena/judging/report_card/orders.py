"""A judge's report card, from its verdicts in both orders and the people's votes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, log

from arena.judging.report_card.measures import Measure, share_of
from arena.records import Note, Preference, Verdict, Winner
from arena.store.columns import VerdictColumns, VoteColumns

FLIP_LIMIT = 0.35
# A judge that agrees with people in so many pairs is of use. Where that is not yet ruled out,
# there are too few votes to say that a judge is of none.
OF_USE = 0.6
# What of a report card is looked at first, wherever it is shown.
LEADING = ("decided_agreement", "flip_rate", "first_slot_rate", "unparsed_rate")
_LABELS = {Winner.MODEL_A: "A", Winner.MODEL_B: "B"}
_Odds = tuple[float | None, float | None]
_FOR_A = {Preference.A: 1.0, Preference.B: 0.0, Preference.TIE: 0.5}
_FOR_B = {Preference.A: 0.0, Preference.B: 1.0, Preference.TIE: 0.5}


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What is known of a judge.

    flips: pairs whose two orders say different things. first_slot: verdicts for the answer
    shown first, of those for either. unparsed: of all readings. agreement: with the
    people's majority on the same pairs, where both prefer one answer. All are shares, with
    intervals clustered by prompt. group: the prompts that it is about, None for all. alone: it
    saw each answer alone, so that there was no order to follow, nor a first slot.
    """

    judge: str
    pairs: int
    one_order: int
    flips: Measure
    first_slot: Measure
    unparsed: Measure
    agreement: Measure
    group: Note | None = None
    alone: bool = False

    def without_orders(self) -> "JudgeReport":
        """The same of a judge that saw each answer alone."""
        return replace(self, one_order=0, flips=Measure(), first_slot=Measure(), alone=True)

    def leading(self) -> list[tuple[str, Measure]]:
        """The figures to look at first, by name as in an `Audit`; see LEADING."""
        found = (self.agreement, self.flips, self.first_slot, self.unparsed)
        return list(zip(LEADING, found, strict=True))

    def _say(self, code: str, **values: object) -> Note:
        """A note on this judge, which names the prompts where it holds for some only."""
        said = Note.of(code, judge=self.judge, **values)
        return Note.of("in_group", group=self.group, said=said) if self.group else said

    @property
    def objection(self) -> Note | None:
        """Why this judge must not make a ranking; None if nothing speaks so.

        It is the intervals that speak: what few pairs say is a `doubt` at most.
        """
        if self.flips.low is not None and self.flips.low > FLIP_LIMIT:
            return self._say("judge.flips", share=self.flips.note, limit=FLIP_LIMIT)
        low, high = self.agreement.low, self.agreement.high
        if low is not None and high is not None and low <= 0.5 and high < OF_USE:
            return self._say("judge.chance", share=self.agreement.note)
        return None

    @property
    def doubt(self) -> Note | None:
        """What is not known yet of a judge without an objection."""
        if self.objection is not None:
            return None
        low, flips = self.agreement.low, self.flips.value
        if low is not None and low <= 0.5:
            return self._say("judge.agreement_unknown", share=self.agreement.note)
        if flips is not None and flips > FLIP_LIMIT:
            return self._say("judge.order_unknown", share=self.flips.note)
        return None


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Both orders of one pair as one observation.

    preference: for answer A, in [0, 1]. decision: the same by the verdicts alone, without their
    odds; a half where the two orders name different answers.
    """

    index: int
    preference: float
    decision: float
    flipped: bool | None


def read_pairs(verdicts: VerdictColumns, rows: Iterable[int]) -> list[JudgedPair]:
    """The pairs among `rows` of which every order that was asked was parsed.

    Soft where the odds are known (see `preference_of`), else the mean of the two verdicts.
    """
    pairs = []
    for i in rows:
        forward, backward = Preference(verdicts.forward[i]), verdicts.backward[i]
        if forward not in _FOR_A or (backward is not None and Preference(backward) not in _FOR_B):
            continue
        hard = [_step(_FOR_A[forward], verdicts.forward_slight[i])]
        if backward is not None:
            hard.append(_step(_FOR_B[Preference(backward)], verdicts.backward_slight[i]))
        soft = _soft(verdicts, i, backward)
        decision = sum(hard) / len(hard)
        sides = {(side > 0.5) - (side < 0.5) for side in hard}
        flipped = len(sides) > 1 if len(hard) > 1 else None
        pairs.append(JudgedPair(i, decision if soft is None else soft, decision, flipped))
    return pairs


def is_hard(forward: Verdict | None, backward: Verdict | None, below: float) -> bool:
    """Whether a pair's orders disagree, or its preference is within `below` of even.

    What is not stored or not parsed is not hard: it has yet to be asked, or mended.
    """
    if forward is None or forward.preference not in _FOR_A:
        return False
    sides = [_FOR_A[forward.preference]]
    if backward is not None:
        if backward.preference not in _FOR_B:
            return False
        sides.append(_FOR_B[backward.preference])
    soft = preference_of(
        (forward.p_first, forward.p_second),
        (backward.p_first, backward.p_second) if backward else None,
    )
    preference = sum(sides) / len(sides) if soft is None else soft
    return len(set(sides)) > 1 or abs(preference - 0.5) < below


def _step(preference: float, slight: int | None) -> float:
    """A verdict as a share of a win; of five steps, a little better is half-way to a tie."""
    return (preference + 0.5) / 2 if slight else preference


def _soft(verdicts: VerdictColumns, i: int, backward: str | None) -> float | None:
    return preference_of(
        (verdicts.forward_p_first[i], verdicts.forward_p_second[i]),
        (verdicts.backward_p_first[i], verdicts.backward_p_second[i]) if backward else None,
    )


def preference_of(forward: _Odds | None, backward: _Odds | None) -> float | None:
    """The preference for A, in [0, 1], from the odds of the first and second slot.

    backward: of the order with B first. With z₁, z₂ the log-odds of the first slot it is the
    logistic function of (z₁ − z₂)/2, which cancels what a judge has for the first slot. None
    where an order that was asked has no odds.
    """
    orders = [order for order in (forward, backward) if order is not None]
    found = [_log_odds(*order) for order in orders]
    known = [z for z in found if z is not None]
    if not known or len(known) < len(found):
        return None
    z = known[0] if forward is not None else -known[0]
    return _logistic((known[0] - known[1]) / 2 if len(known) == 2 else z)


def _log_odds(p: float | None, q: float | None) -> float | None:
    return log(p / q) if p and q else None


def _logistic(z: float) -> float:
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def report(
    judge: str,
    verdicts: VerdictColumns,
    rows: list[int],
    votes: VoteColumns,
    group: Note | None = None,
) -> JudgeReport:
    """The report card over `rows`, all of one judge. group: as in `JudgeReport`."""
    pairs = read_pairs(verdicts, rows)
    both = [pair for pair in pairs if pair.flipped is not None]
    said = [(verdicts.prompt[i], verdicts.forward[i]) for i in rows]
    said += [(verdicts.prompt[i], v) for i in rows if (v := verdicts.backward[i]) is not None]
    decided = [(item, v) for item, v in said if v in (Preference.A, Preference.B)]
    return JudgeReport(
        judge,
        pairs=len(rows),
        one_order=sum(verdicts.backward[i] is None for i in rows),
        flips=share_of(
            [bool(pair.flipped) for pair in both], [verdicts.prompt[pair.index] for pair in both]
        ),
        first_slot=share_of([v == Preference.A for _, v in decided], [item for item, _ in decided]),
        unparsed=share_of([v == Preference.UNPARSED for _, v in said], [item for item, _ in said]),
        agreement=_agreement(verdicts, pairs, votes),
        group=group,
    )


def _agreement(
    verdicts: VerdictColumns, pairs: Iterable[JudgedPair], votes: VoteColumns
) -> Measure:
    people = labels_by_pair(votes)
    agreed, items = [], []
    for pair in pairs:
        labels = people.get((verdicts.answer_a[pair.index], verdicts.answer_b[pair.index]))
        said = majority(labels) if labels else "tie"
        if said != "tie" and pair.preference != 0.5:
            agreed.append((said == "A") == (pair.preference > 0.5))
            items.append(verdicts.prompt[pair.index])
    return share_of(agreed, items)


def labels_by_pair(votes: VoteColumns) -> dict[tuple[str, str], list[str]]:
    """Each person's `A`, `B` or `tie` on two answers, under both orders of their keys."""
    mirrored = {"A": "B", "B": "A", "tie": "tie"}
    people: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for a, b, winner in zip(votes.answer_a, votes.answer_b, votes.winner, strict=True):
        label = _LABELS.get(Winner(winner), "tie")
        people[a, b].append(label)
        people[b, a].append(mirrored[label])
    return people


def majority(labels: Sequence[str]) -> str:
    """The most frequent label; a tie where no single one is."""
    (first, most), *others = Counter(labels).most_common(2)
    return "tie" if others and others[0][1] == most else first
