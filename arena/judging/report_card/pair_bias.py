"""How a judge treats each pair of models: does the order of the answers sway it, does length?"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import expm1, log

from arena.judging.report_card.audit import AuditPair
from arena.judging.report_card.measures import Measure, mean_of, share_of
from arena.records import Preference


@dataclass(frozen=True, slots=True)
class PairBias:
    """A judge on two models, whose names are in order.

    flips: of the pairs read in both orders, those whose verdict changes with the order.
    longer: by what share of its length the preferred answer is longer than the other: 0.5 for
    half as long again, below 0 where it is shorter; the geometric mean over pairs in which the
    judge prefers one, with its interval on the scale of logarithms, clustered by prompt.
    """

    models: tuple[str, str]
    flips: Measure
    longer: Measure


def pair_biases(pairs: Iterable[AuditPair]) -> list[PairBias]:
    """The judge's pairs by the two models that answered, in the order of their names."""
    together: defaultdict[tuple[str, str], list[AuditPair]] = defaultdict(list)
    for pair in pairs:
        low, high = sorted(pair.models)
        together[low, high].append(pair)
    return [
        PairBias(models, _flips(here), _longer(here)) for models, here in sorted(together.items())
    ]


def _flips(pairs: Iterable[AuditPair]) -> Measure:
    both = [p for p in pairs if len(p.readings) == 2 and Preference.UNPARSED not in p.readings]
    return share_of([len(set(p.readings)) > 1 for p in both], [p.item for p in both])


def _longer(pairs: Iterable[AuditPair]) -> Measure:
    ratios, items = [], []
    for pair in pairs:
        if pair.side is None or pair.length is None or not all(pair.length):
            continue
        a, b = pair.length
        ratios.append(log(a / b) if pair.side == "A" else log(b / a))
        items.append(pair.item)
    found = mean_of(ratios, items)
    value, low, high = map(_longer_by, (found.value, found.low, found.high))
    return Measure(value, low, high, found.n)


def _longer_by(ratio: float | None) -> float | None:
    """A share of the length, of a logarithm of a ratio."""
    return None if ratio is None else expm1(ratio)
