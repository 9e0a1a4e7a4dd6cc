"""The order in which rows are read, and that what is read by it is what each row alone says."""

import random
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arena.backends.local.tree import PASS, Pass, PassLimits, TreeRow, computed, plan
from arena.backends.local.weights import loading as weights
from tests.backends.local import tiny

WIDE = PassLimits(48, 24_576, 10**9)
TOKENS = st.lists(st.sampled_from((5, 6)), min_size=1, max_size=90).map(tuple)
ROWS = st.lists(st.builds(lambda t, k: TreeRow(t, min(k, len(t))), TOKENS, st.integers(1, 9)))


@given(
    ROWS,
    st.integers(1, 5),
    st.integers(1, 200),
    st.integers(1, 9),
    st.integers(1, 9000),
    st.booleans(),
)
def test_every_row_is_read_once_after_what_it_begins_with(
    rows: list[TreeRow], most: int, tokens: int, logits: int, pairs: int, share: bool
) -> None:
    passes = plan(rows, PassLimits(most, tokens, logits, pairs), share=share)
    assert sorted(i for one in passes for i in one.rows) == list(range(len(rows)))
    for one in passes:
        here = [rows[i] for i in one.rows]
        start = one.depths[-1] if one.depths else 0
        assert all(a < b for a, b in pairwise((0, *one.depths)))
        assert len({row.tokens[:start] for row in here}) == 1
        assert all(start <= len(row.tokens) - row.keep for row in here)
        if len(here) > 1:
            assert len(here) <= most
            assert len(here) * max(len(row.tokens) - start for row in here) <= tokens
            assert sum(row.keep for row in here) <= logits
            longest = max(len(row.tokens) for row in here)
            assert len(here) * (longest - start) * longest <= pairs
    assert share or not any(one.depths for one in passes)


def test_a_long_row_is_read_last_and_alone() -> None:
    """Fifty-five short texts and one of 8,000 tokens, as canaries are."""
    rows = [TreeRow((1,) * 60 + (k,) * n) for k, n in enumerate([8000, *range(40, 95)], start=2)]
    for share in (True, False):
        passes = plan(rows, PassLimits(48, 24_576, 10**9, 60_000_000), share=share)
        assert passes[-1].rows == (0,)
        assert len(passes[0].rows) > 4


@given(ROWS)
def test_sharing_costs_at_most_a_pass_a_row_more_than_none(rows: list[TreeRow]) -> None:
    def cost(passes: list[Pass]) -> int:
        nodes = {rows[one.rows[0]].tokens[:depth] for one in passes for depth in one.depths}
        return computed(rows, passes) + PASS * (len(passes) + len(nodes))

    shared, plain = (cost(plan(rows, WIDE, share=share)) for share in (True, False))
    assert shared <= plain + PASS * len(rows)


def judged(prompts: int, answers: int, seed: int = 3) -> tuple[list[TreeRow], int]:
    """Prompts of a judge on all ordered pairs, shuffled, and the tokens of their whole tree."""
    dice = random.Random(seed)

    def text(low: int, high: int) -> tuple[int, ...]:
        return tuple(dice.randrange(1000) for _ in range(dice.randint(low, high)))

    instructions, rows = text(300, 300), []
    least = len(instructions)
    for _ in range(prompts):
        question, said = text(20, 90), [text(40, 300) for _ in range(answers)]
        pairs = [(a, b) for a in said for b in said if a is not b]
        rows += [TreeRow(instructions + question + a + b) for a, b in pairs]
        least += len(question) + answers * sum(map(len, said))
    dice.shuffle(rows)
    return rows, least


@pytest.mark.parametrize(("prompts", "answers"), [(1, 2), (3, 4), (4, 6), (2, 12)])
def test_a_judges_prompts_cost_hardly_more_than_their_tree(prompts: int, answers: int) -> None:
    rows, least = judged(prompts, answers)
    assert least <= computed(rows, plan(rows, WIDE, share=True)) <= least / 0.95


def test_the_depths_are_those_where_prompts_part() -> None:
    rows = [
        TreeRow((*[0] * 100, *[q] * 50, *[a] * 60, *range(b, b + 20)))
        for q in (1, 2)
        for a in (3, 4)
        for b in (500, 600, 700)
    ]
    passes = plan(rows, WIDE, share=True)
    assert [one.depths for one in passes] == [(100, 150, 210)] * 4
    assert [len(one.rows) for one in passes] == [3] * 4


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "gpt_oss", "mistral"])
def test_what_a_deep_tree_says_each_row_says_alone(kind: str) -> None:
    """Three levels, longer than the window of the layers that have one."""
    torch.manual_seed(1)
    reader = weights.ready(tiny.tokenizer(), tiny.model(kind)).reader
    dice = random.Random(1)
    parts = [[tuple(dice.choices(range(3, 80), k=n)) for n in (40, 45)] for _ in range(3)]
    rows = [
        TreeRow((*a, *b, *c, *range(10, 10 + n)), min(n, 2))
        for a in parts[0]
        for b in parts[1]
        for c in parts[2]
        for n in (1, 2, 30)
    ]
    reading = reader.reading(rows)
    assert {len(one.depths) for one in reading.passes} == {3}
    for row, found in zip(rows, reader.read(rows), strict=True):
        assert torch.allclose(found, reader.logits([row])[0], atol=1e-4)
