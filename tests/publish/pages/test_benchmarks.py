"""The page of benchmarks: what is in the store is on it."""

from dataclasses import replace
from pathlib import Path

import pytest

from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.ranking import leaderboard
from arena.publish import publish
from arena.publish.pages import benchmarks
from arena.publish.pages.benchmarks import benchmarks_view
from arena.publish.pages.render import BENCHMARKS
from arena.records import BackendKind, Check, Model, Outcome
from arena.store import Store
from tests.boards import full_board, make_board, make_row

SETS = (("sums", "maths"), ("facts", "knowledge"), ("logic", "reasoning"))
NAMES = ("ann", "ben", "cid", "dora")


@pytest.fixture
def measured(store: Store) -> Store:
    """Four models, one of them a base model, on three benchmarks of 20 items."""
    for k, name in enumerate(NAMES):
        model = Model(name, BackendKind.FAKE, "echo", base=name == "dora", revision=name)
        store.put_model(model)
        store.outcomes.add(
            Outcome(name, model.key, b, "1", f"i{i}", "acc", float(i % 20 < 6 + 3 * k), dimension=d)
            for b, d in SETS
            for i in range(20)
        )
    return store


def test_chat_and_base_models_have_tables_of_their_own(measured: Store) -> None:
    view = benchmarks_view(measured, leaderboard(measured))
    chat, base = view.tables
    assert (set(chat.models), base.models) == ({"ann", "ben", "cid"}, ("dora",))
    assert {line.name for line in chat.benchmarks} == {name for name, _ in SETS}
    assert chat.benchmarks[0].scores["ann"].mean == pytest.approx(0.3)
    assert len(chat.spokes) == 3
    first = chat.shapes[0].corners.split()[0]
    assert first == f"0.0,{-100 * (6 + 3 * NAMES.index(chat.shapes[0].model)) / 20}"


def test_needles_prompts_and_warnings_are_on_the_page(measured: Store, tmp_path: Path) -> None:
    ann = next(model for model in measured.models() if model.name == "ann")
    measured.outcomes.add(
        Outcome("ann", ann.key, "needle", "1", f"zh 1024 tokens {depth}% 1x #0", "acc",
                float(depth != 50), variant="made filler")
        for depth in (0, 50, 100)
    )  # fmt: skip
    measured.outcomes.add(
        Outcome("ann", ann.key, "mine", "1", f"i{i}", "acc", float(i < right), variant=variant)
        for variant, right in (("zero-shot", 4), ("cot", 8))
        for i in range(10)
    )
    measured.checks.put([Check("ann", "facts", "than reworded", 0.2, 0.1, 0.3, 20)])
    view = benchmarks_view(measured, leaderboard(measured))
    (found,) = view.needles
    assert found.values == ((1.0,), (0.0,), (1.0,))
    (report,) = view.prompts
    assert report.spread.range == pytest.approx(0.4)
    page = (
        publish(measured, tmp_path / "site", leaderboard(measured), title="T")
        .with_name(BENCHMARKS)
        .read_text()
    )
    assert "it may have seen them" in page
    assert "--share: 100%" in page
    assert "zero-shot" in page


def test_no_points_have_no_sign_of_a_loss(store: Store, tmp_path: Path) -> None:
    rows = [make_row(name, k + 1, 1000 - 0.1 * k) for k, name in enumerate(NAMES)]
    board = replace(
        make_board(*rows),
        parts={"human": tuple(rows), "objective": tuple(rows)},
        weights=(("human", 0.5), ("objective", 0.5)),
        overall=tuple(rows),
        benchmarks=tuple(BenchmarkScore("facts", "acc", name, 0.5, 0.1, 20) for name in NAMES),
    )
    page = publish(store, tmp_path / "site", board, title="T").with_name(BENCHMARKS).read_text()
    assert "<b>+0</b>" in page
    assert "<b>-0</b>" not in page


def test_unread_replies_are_told_in_both_languages(store: Store, tmp_path: Path) -> None:
    score = BenchmarkScore("facts", "acc", "ann", 0.5, 0.1, 20, low=0.3, high=0.7, unread=3)
    board = replace(make_board(make_row("ann", 1)), benchmarks=(score,))
    page = publish(store, tmp_path / "site", board, title="T").with_name(BENCHMARKS).read_text()
    assert '3 <span class="en" lang="en">unread</span>' in page
    assert "个无法读出</span>" in page


def test_preference_stands_beside_benchmarks(store: Store, tmp_path: Path) -> None:
    rows = [make_row(name, k + 1, 1090.0 - 60 * k) for k, name in enumerate(NAMES)]
    other = [make_row(name, k + 1, 1150.0 - 100 * k) for k, name in enumerate(NAMES)]
    board = replace(
        make_board(*rows),
        parts={"human": tuple(rows), "objective": tuple(other)},
        weights=(("human", 0.6), ("objective", 0.4)),
        overall=tuple(rows),
        benchmarks=tuple(BenchmarkScore("facts", "acc", name, 0.5, 0.1, 20) for name in NAMES),
    )
    scatter = benchmarks_view(store, board).scatter
    assert scatter is not None
    assert scatter.found.correlation == pytest.approx(1.0)
    assert scatter.ends is not None
    left, low, right, high = scatter.ends
    assert left < right
    assert low > high  # the line rises, and places are counted from the top
    site = publish(store, tmp_path / "site", board, title="T")
    assert "People’s votes</span>" in site.with_name(BENCHMARKS).read_text()
    assert "60%" in site.read_text()
    header = (tmp_path / "site" / "leaderboard.csv").read_text().splitlines()[0]
    assert "overall,overall_ci_low,overall_ci_high" in header


def test_without_outcomes_no_page_leads_there(store: Store, tmp_path: Path) -> None:
    bare = replace(full_board(), benchmarks=())
    page = publish(store, tmp_path / "site", bare, title="T")
    assert "No benchmark has been run" in page.with_name(BENCHMARKS).read_text()
    assert "benchmarks.html" not in page.read_text()


def test_many_benchmarks_make_a_light_page(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the interval of each; the file has them. A benchmark is found by its name."""
    monkeypatch.setattr(benchmarks, "MOST_CELLS", 50)
    rows = [make_row(name, k + 1) for k, name in enumerate(NAMES)]
    for count in (12, 13):
        scores = tuple(
            BenchmarkScore(f"set-{k}", "acc", name, 0.5, 0.1, 20, low=0.3, high=0.7)
            for k in range(count)
            for name in NAMES
        )
        board = replace(make_board(*rows), benchmarks=scores)
        site = publish(store, tmp_path / str(count), board, title="T")
        page = site.with_name(BENCHMARKS).read_text()
        assert ("30.0" in page) is (count == 12)
        assert ("Find a benchmark" in page) is (count == 13)
    table = (tmp_path / "13" / "data" / "benchmarks.csv").read_text()
    assert "set-12,,,acc,ann,0.5,0.1,0.3,0.7,20" in table
