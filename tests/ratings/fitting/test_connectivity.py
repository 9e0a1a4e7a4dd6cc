"""Which models a ranking can place, against a slow and plain way to say it."""

import itertools
import random
from collections import defaultdict

import numpy as np
import pytest

from arena.ratings import Comparisons, bradley_terry, unrated, without
from arena.records.errors import TooFewError

Edges = dict[tuple[str, str], int]


def graph(seed: int) -> Edges:
    """A few models of which some never meet, and how often the others did."""
    dice = random.Random(seed)
    names = "abcdefgh"[: dice.randint(3, 8)]
    pairs = list(itertools.combinations(names, 2))
    return {pair: dice.randint(1, 7) for pair in pairs if dice.random() < 0.45}


def of(edges: Edges) -> Comparisons:
    rows = [(a, b) for (a, b), count in edges.items() for _ in range(count)]
    a, b = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=[0.5] * len(rows))


def linked(edges: Edges, among: set[str]) -> list[set[str]]:
    """The groups of models that comparisons link, by walking from each."""
    neighbours = defaultdict(set)
    for a, b in edges:
        if {a, b} <= among:
            neighbours[a].add(b)
            neighbours[b].add(a)
    groups, left = [], set(among)
    while left:
        found, waiting = set(), [min(left)]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += neighbours[one]
        groups.append(found)
        left -= found
    return groups


def placed_slowly(edges: Edges, least: int) -> set[str]:
    """The largest set that is linked and whose members each have enough comparisons in it."""
    kept = {name for pair in edges for name in pair}
    while kept:
        groups = linked(edges, kept)

        def size(group: set[str]) -> tuple[int, int]:
            return len(group), sum(n for pair, n in edges.items() if {*pair} <= group)

        kept = max(groups, key=size)
        counts = {
            name: sum(n for pair, n in edges.items() if name in pair and {*pair} <= kept)
            for name in kept
        }
        few = {name for name, count in counts.items() if count < least}
        if not few:
            return kept
        kept -= few
    return kept


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("least", [1, 5, 9])
def test_the_placed_models_are_those_of_the_plain_way(seed: int, least: int) -> None:
    edges = graph(seed)
    if not edges:
        return
    everybody = {name for pair in edges for name in pair}
    expected = placed_slowly(edges, least)
    c = of(edges)
    if not expected:
        with pytest.raises(TooFewError):
            unrated([c], least)
        return
    found = unrated([c], least)
    assert everybody - {one.model for one in found} == expected
    assert [one.model for one in found] == sorted(everybody - expected)
    for one in found:
        played = sum(n for pair, n in edges.items() if one.model in pair)
        assert one.comparisons == played
        assert one.lacks >= 1
    placed = without(c, found)
    assert placed is not None
    assert set(placed.models) == expected
    assert np.isfinite(bradley_terry(placed, prior="auto").ratings).all()


@pytest.mark.parametrize("seed", range(10))
def test_new_names_and_the_order_of_rows_change_nothing(seed: int) -> None:
    edges = graph(seed)
    c = of(edges)
    names = {name: f"x{9 - k}" for k, name in enumerate(c.models)}
    rows = np.random.default_rng(seed).permutation(len(c))
    for least in (1, 4):
        try:
            there = {(names[one.model], one.lacks, one.apart) for one in unrated([c], least)}
        except TooFewError:
            with pytest.raises(TooFewError):
                unrated([c.relabel(names)], least)
            continue
        sizes = sorted(map(len, linked(edges, set(c.models))), reverse=True)
        if len(sizes) > 1 and sizes[0] == sizes[1]:
            continue  # of equal parts the more compared is taken, and else the first by name
        here = {
            (one.model, one.lacks, one.apart)
            for one in unrated([c.relabel(names).select(rows)], least)
        }
        assert here == there


def test_sources_are_one_graph() -> None:
    """Judges link what votes do not."""
    votes, verdicts = of({("a", "b"): 5, ("c", "d"): 5}), of({("b", "c"): 5})
    assert [one.model for one in unrated([votes], 5)] == ["c", "d"]
    assert unrated([votes, verdicts], 5) == ()
    assert [one.model for one in unrated([votes, verdicts], 5, others=["e"])] == ["e"]


def test_a_model_without_comparisons_lacks_all_of_them() -> None:
    (one,) = unrated([of({("a", "b"): 6})], 5, others=["new"])
    assert (one.model, one.comparisons, one.lacks, one.apart) == ("new", 0, 5, True)
