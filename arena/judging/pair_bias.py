"""How a judge treats each pair of models: does the order of the answers sway it, does length?"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import expm1, log

from arena.judging.audit import AuditPair, Measure, mean_of
from arena.judging.report import Share
from arena.records import Preference


@dataclass(frozen=True, slots=True)
class PairBias:
    """A judge on two models, whose names are in order.

    flips: of the pairs read in both orders, those whose verdict changes with the order.
    longer: by what share of its length the preferred answer is longer than the other: 0.5 for
    half as long again, below 0 where it is shorter; the geometric mean over pairs in which the
    judge prefers one, with its normal interval on the scale of logarithms.
    """

    models: tuple[str, str]
    flips: Share
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


def _flips(pairs: Iterable[AuditPair]) -> Share:
    both = [p.readings for p in pairs if len(p.readings) == 2]
    read = [said for said in both if Preference.UNPARSED not in said]
    return Share(sum(len(set(said)) > 1 for said in read), len(read))


def _longer(pairs: Iterable[AuditPair]) -> Measure:
    ratios = []
    for pair in pairs:
        if pair.side is None or pair.length is None or not all(pair.length):
            continue
        a, b = pair.length
        ratios.append(log(a / b) if pair.side == "A" else log(b / a))
    found = mean_of(ratios)
    return Measure(_share(found.value), _share(found.low), _share(found.high), found.n)


def _share(ratio: float | None) -> float | None:
    return None if ratio is None else expm1(ratio)
