"""The judge's report card: how far it can be trusted, each figure with its interval and its n.

Every measure is made of pairs that a judge has compared, in one order or in both, and of what
people said of the same pairs.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np

from arena.judging.report_card.measures import Measure, codes, measure, share_of
from arena.judging.report_card.orders import LEADING, majority
from arena.ratings.agreement import cohen_kappa, krippendorff_alpha
from arena.ratings.arrays import Floats, Ints
from arena.ratings.intervals.estimates import resampled
from arena.records import Preference

MATCHED = 0.10
BINS = 10
MIRROR: dict[object, object] = {"A": "B", "B": "A"}
_SIDES = {"A": 1.0, "B": 0.0, "tie": 0.5}


@dataclass(frozen=True, slots=True)
class AuditPair:
    """One pair of answers, a and b, with all that was said of it.

    item: its prompt, by which intervals are clustered. forward: the verdict with a shown
    first; backward: with b shown first, in the words of what was shown; None where that
    order was not asked. preference: for a, in [0, 1], where odds were read. people: each
    person's `A`, `B` or `tie`. length: characters of a and b, markup: their headers, lists
    and bold, both None where there is no text. models, families: of a and b. alone: each answer
    was judged alone, and which one is called a is of no meaning.
    """

    item: str
    forward: Preference | None
    backward: Preference | None
    people: tuple[str, ...] = ()
    preference: float | None = None
    length: tuple[int, int] | None = None
    markup: tuple[int, int] | None = None
    models: tuple[str, str] = ("", "")
    families: tuple[str | None, str | None] = (None, None)
    alone: bool = False

    @property
    def readings(self) -> list[Preference]:
        """Both verdicts in the words of a and b."""
        mirrored = {Preference.A: Preference.B, Preference.B: Preference.A}
        found = [self.forward] if self.forward else []
        return found + ([mirrored.get(self.backward, self.backward)] if self.backward else [])

    @property
    def verdict(self) -> str | None:
        """`A`, `B` or `tie`; orders that disagree are a tie. None where one is unparsed."""
        said = set(self.readings)
        if Preference.UNPARSED in said or not said:
            return None
        return str(said.pop()) if len(said) == 1 else "tie"

    @property
    def majority(self) -> str | None:
        """What most people said; a tie where no label has most. None where nobody voted."""
        return majority(self.people) if self.people else None

    @property
    def side(self) -> str | None:
        """`A` or `B`: by the odds where they are known, else by the verdict; None for neither."""
        if self.verdict is None or self.preference is None:
            return self.verdict if self.verdict in ("A", "B") else None
        return None if self.preference == 0.5 else "A" if self.preference > 0.5 else "B"


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known of a judge.

    agreement: share of pairs with people's votes whose verdict is the majority's, of A, B
        and tie; what was unparsed disagrees.
    decided_agreement: the same where both prefer one answer, the judge by its odds if known.
    kappa: Cohen's, of the same pairs, with unparsed as a label that people never give;
        kappa_parsed: without those pairs. It does not depend on which answer is called A.
    human_agreement: share of pairs of people who say the same of one pair: the ceiling.
    human_alpha: Krippendorff's α among people.
    longest_agreement: how often the rule "the longer answer wins" is right where people
        prefer one: what a judge must beat.
    flip_rate: pairs whose verdict changes with the order. first_slot_rate: verdicts for the
        answer shown first, of those for either. A judge that sees each answer alone has neither.
    tie_rate, unparsed_rate: of all readings.
    length_preference: chance that the longer answer wins, averaged over pairs where people
        prefer the longer and pairs where they prefer the shorter, so that it is 0.5 for a
        judge whose errors go both ways alike, however often people prefer the longer.
    length_matched_agreement: decided agreement where lengths differ by at most a tenth.
    markdown_preference: as length_preference, for the answer with more markup.
    self_preference: how much oftener its own answers win with the judge than with people, on
        the same pairs, in [-1, 1]. family_preference: of other models of its family.
    brier: mean squared error of the judge's probability against the majority; ece: expected
        calibration error in ten bins.
    """

    agreement: Measure
    decided_agreement: Measure
    kappa: Measure
    kappa_parsed: Measure
    human_agreement: Measure
    human_alpha: Measure
    longest_agreement: Measure
    flip_rate: Measure
    first_slot_rate: Measure
    tie_rate: Measure
    unparsed_rate: Measure
    length_preference: Measure
    length_matched_agreement: Measure
    markdown_preference: Measure
    self_preference: Measure
    family_preference: Measure
    brier: Measure
    ece: Measure

    def items(self) -> list[tuple[str, Measure]]:
        """Each measure with its name, in reading order."""
        names = dict.fromkeys((*LEADING, *(field.name for field in fields(self))))
        return [(name, getattr(self, name)) for name in names]


def audit(
    pairs: Sequence[AuditPair], *, own: Collection[str] = (), family: str | None = None
) -> Audit:
    """Measure a judge on pairs.

    own: the candidates that are the judge's own model, under whatever decoding. family: its own.
    """
    voted = [pair for pair in pairs if pair.majority is not None]
    parsed = [pair for pair in voted if pair.verdict is not None]
    told = [(p, said) for p in pairs for said in (p.forward, p.backward) if said]
    shown = [(p.item, said) for p, said in told]
    both = [p for p in pairs if len(p.readings) == 2 and Preference.UNPARSED not in p.readings]
    in_slots = [(p.item, v) for p, v in told if v in (Preference.A, Preference.B) and not p.alone]
    clear = [pair for pair in parsed if pair.side and pair.majority != "tie"]
    matched = [pair for pair in clear if _matched(pair)]
    return Audit(
        agreement=_share(voted, lambda pair: pair.verdict == pair.majority),
        decided_agreement=_share(clear, lambda pair: pair.side == pair.majority),
        kappa=_kappa(voted),
        kappa_parsed=_kappa(parsed),
        human_agreement=_mean([p for p in voted if len(p.people) > 1], _together),
        human_alpha=_alpha(voted),
        longest_agreement=_share(
            [pair for pair in voted if pair.majority != "tie" and _sign(pair.length)],
            lambda pair: (pair.majority == "A") == (_sign(pair.length) > 0),
        ),
        flip_rate=_share(both, lambda pair: len(set(pair.readings)) > 1),
        first_slot_rate=_rate(in_slots, Preference.A),
        tie_rate=_rate(shown, Preference.TIE),
        unparsed_rate=_rate(shown, Preference.UNPARSED),
        length_preference=_leaning(parsed, lambda pair: _sign(pair.length)),
        length_matched_agreement=_share(matched, lambda pair: pair.side == pair.majority),
        markdown_preference=_leaning(parsed, lambda pair: _sign(pair.markup)),
        self_preference=_favour(parsed, lambda k, pair: pair.models[k] in own),
        family_preference=_favour(
            parsed,
            lambda k, pair: (
                bool(family) and pair.families[k] == family and pair.models[k] not in own
            ),
        ),
        brier=_brier(voted),
        ece=_ece(voted),
    )


def _share(pairs: Sequence[AuditPair], hit: Callable[[AuditPair], bool]) -> Measure:
    return share_of([hit(pair) for pair in pairs], [pair.item for pair in pairs])


def _rate(said: Sequence[tuple[str, Preference]], what: Preference) -> Measure:
    """How often that was said, of verdicts by their prompts."""
    return share_of([verdict == what for _, verdict in said], [item for item, _ in said])


def _mean(pairs: Sequence[AuditPair], value: Callable[[AuditPair], float]) -> Measure:
    """A mean over pairs, its interval from a bootstrap over items."""
    values = np.array([value(pair) for pair in pairs])
    return _bootstrap(pairs, lambda rows: float(rows @ values / rows.sum()))


def _bootstrap(pairs: Sequence[AuditPair], statistic: Callable[[Floats], float]) -> Measure:
    return measure(resampled(statistic, _groups(pairs))) if pairs else Measure()


def _groups(pairs: Iterable[AuditPair]) -> Ints:
    return codes(pair.item for pair in pairs)


def _kappa(voted: Sequence[AuditPair]) -> Measure:
    if not voted:
        return Measure()
    verdicts = [pair.verdict or Preference.UNPARSED for pair in voted]
    majorities = [str(pair.majority) for pair in voted]
    return measure(cohen_kappa(verdicts, majorities, _groups(voted), mirror=MIRROR))


def _together(pair: AuditPair) -> float:
    """The share of two of its people who said the same."""
    duos = list(combinations(pair.people, 2))
    return sum(a == b for a, b in duos) / len(duos)


def _alpha(voted: Sequence[AuditPair]) -> Measure:
    several = [pair for pair in voted if len(pair.people) > 1]
    if not several:
        return Measure()
    items = [i for i, pair in enumerate(several) for _ in pair.people]
    labels = [label for pair in several for label in pair.people]
    return measure(krippendorff_alpha(items, labels, _groups(several), mirror=MIRROR))


def _sign(sizes: tuple[int, int] | None) -> int:
    """1 where a has more, -1 where b has, 0 where they are alike or not known."""
    return 0 if sizes is None else (sizes[0] > sizes[1]) - (sizes[0] < sizes[1])


def _matched(pair: AuditPair) -> bool:
    if pair.length is None:
        return False
    return abs(pair.length[0] - pair.length[1]) <= MATCHED * max(pair.length)


def _leaning(parsed: Sequence[AuditPair], more: Callable[[AuditPair], int]) -> Measure:
    """How the judge leans to the answer that has more of something, at equal preference."""
    kept = [pair for pair in parsed if more(pair) and pair.majority != "tie"]
    wins = np.array([_win(pair.verdict, more(pair)) for pair in kept])
    right = np.array([_win(pair.majority, more(pair)) for pair in kept])

    def balanced(rows: Floats) -> float:
        sides = [rows * (right == side) for side in (1.0, 0.0)]
        if not all(side.any() for side in sides):
            return float("nan")
        return float(np.mean([side @ wins / side.sum() for side in sides]))

    return _bootstrap(kept, balanced)


def _win(label: str | None, side: int) -> float:
    """What a label gives the answer on a side: 1 is a, -1 is b."""
    value = _SIDES[str(label)]
    return value if side > 0 else 1.0 - value


def _favour(parsed: Sequence[AuditPair], own: Callable[[int, AuditPair], bool]) -> Measure:
    """How much oftener the judge lets one side win than people do, where only one is its own."""
    kept = [(pair, own(0, pair)) for pair in parsed if own(0, pair) != own(1, pair)]
    gains = {
        id(pair): _win(pair.verdict, 1 if first else -1) - _win(pair.majority, 1 if first else -1)
        for pair, first in kept
    }
    return _mean([pair for pair, _ in kept], lambda pair: gains[id(pair)])


def _brier(voted: Sequence[AuditPair]) -> Measure:
    known = [pair for pair in voted if pair.preference is not None]
    return _mean(known, lambda pair: ((pair.preference or 0.0) - _SIDES[str(pair.majority)]) ** 2)


def _ece(voted: Sequence[AuditPair]) -> Measure:
    known = [pair for pair in voted if pair.preference is not None and pair.majority != "tie"]
    said = np.array([pair.preference for pair in known], dtype=float)
    right = np.array([_SIDES[str(pair.majority)] for pair in known])
    # Each pair counts for a and for b, so that it does not matter which is called a.
    for_a, for_b = (np.minimum((p * BINS).astype(int), BINS - 1) for p in (said, 1.0 - said))

    def error(rows: Floats) -> float:
        off = rows * (said - right)
        gaps = np.bincount(for_a, off, BINS) - np.bincount(for_b, off, BINS)
        return float(np.abs(gaps).sum() / (2.0 * rows.sum()))

    return _bootstrap(known, error)
