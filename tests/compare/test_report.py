"""From a store, or two, to a report in every form."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from arena.compare.facts import SideFacts
from arena.compare.formats import (
    fact_rows,
    mover_rows,
    outlook_rows,
    to_json,
    to_junit,
    to_markdown,
)
from arena.compare.question import Aim, Decision, Question
from arena.compare.report import BOARD, CORRECTED, DIRECT, CompareReport, compare
from arena.leaderboard.board import Policy
from arena.leaderboard.ranking import leaderboard
from arena.records import Evidence, Preference, Prompt, Winner
from arena.records.errors import GateError, InputError, NoEvidenceError, UnknownNameError
from arena.store import Store
from tests.boards import fill
from tests.compare.stores import answered_store, outcomes, prompts_of, verdicts, vote


@pytest.fixture
def voted(tmp_path: Path) -> Store:
    """new wins all of maths and half of writing."""
    store = answered_store(tmp_path / "arena.db", 60)
    vote(store, lambda k: [Winner.MODEL_B if k % 2 == 0 or k % 4 == 1 else Winner.MODEL_A])
    return store


def test_votes_on_the_same_prompts_decide(voted: Store) -> None:
    report = compare(voted, "old", "new")
    decides = report.decides
    assert (decides.kind, decides.route, report.decision) == (
        Evidence.HUMAN,
        DIRECT,
        Decision.SHIP,
    )
    assert decides.advantage.share == pytest.approx(0.75)
    assert decides.advantage.prompts == 60
    text = str(report.sentence)
    assert "new wins 75.0% (" in text
    assert "on 60 prompts, by people's votes" in text
    assert "not worse by more than 2 points with certainty > 0.999" in text
    assert text.endswith("Ship it.")
    assert "人类投票" in report.sentence.text("zh")
    assert compare(voted, "new", "old").decision is Decision.DO_NOT


def test_groups_are_told_apart_and_one_that_holds_all_is_left_out(voted: Store) -> None:
    groups = {(one.by, one.value): one for one in compare(voted, "old", "new").groups}
    assert set(groups) == {("category", "maths"), ("category", "writing")}
    assert groups["category", "maths"].advantage.share == 1.0
    assert groups["category", "writing"].advantage.share == pytest.approx(0.5)
    assert groups["category", "maths"].adjusted == pytest.approx(2 * groups["category", "maths"].p)
    assert groups["category", "writing"].adjusted > 0.9


def test_prompts_of_one_name_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    store = Store(tmp_path / "arena.db")
    asked = [Prompt("1", (f"Question {k}?",), "maths", "en") for k in range(3)]
    others = [Prompt(f"q{k}", (f"Another {k}?",), "maths", "en") for k in range(30)]
    fill(store, ("old", "new"), [*asked, *others], "so.")
    vote(store, lambda k: [Winner.MODEL_B if k < 4 else Winner.TIE])
    named = {one.key: one.name for one in compare(store, "old", "new").gained}
    assert [named[prompt.key] for prompt in asked] == [f"1 ({p.key[:8]})" for p in asked]
    assert "q0" in named.values()


def test_what_moved_most_is_named_both_ways(voted: Store) -> None:
    report = compare(voted, "old", "new")
    assert [one.share for one in report.gained] == [1.0] * 12
    assert [one.share for one in report.lost] == [0.0] * 12
    assert [row["moved"] for row in mover_rows(report)] == ["up"] * 5 + ["down"] * 5
    lost = {prompt.name for k, prompt in enumerate(prompts_of(60)) if k % 4 == 3}
    assert {one.name for one in report.lost} <= lost
    assert report.lost[0].text.startswith("Question ")
    assert [fact.seconds for fact in report.facts] == [0.5, 0.5]
    assert [fact.dollars for fact in report.facts] == [None, None]


def test_benchmarks_are_paired_by_item_in_points_of_accuracy(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 2)
    right = [1.0] * 50 + [0.0] * 50
    outcomes(store, {"old": right, "new": [1.0] * 60 + [0.0] * 40})
    report = compare(store, "old", "new", Question(Aim.SUPERIOR, 0.0))
    decides = report.decides
    assert decides.kind is Evidence.OBJECTIVE
    assert decides.advantage.points(decides.advantage.share) == pytest.approx(10.0)
    assert "new scores +10.0 points (" in str(report.sentence)
    assert "on 100 items, by benchmarks" in str(report.sentence)
    assert report.decision is Decision.SHIP
    assert decides.elo(0.95) == (None, None, None)


def test_models_that_never_met_are_compared_through_others(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 40, ("old", "new", "third"))
    vote(store, lambda k: [Winner.MODEL_A if k % 4 else Winner.MODEL_B], ("new", "third"))
    vote(store, lambda k: [Winner.MODEL_A if k % 4 == 0 else Winner.MODEL_B], ("old", "third"))
    report = compare(store, "old", "new")
    assert report.decides.route == BOARD
    assert report.decides.advantage.share == pytest.approx(0.9)  # odds of 3 twice
    assert report.decision is Decision.SHIP
    assert "mostly through other models" in str(report.sentence)
    assert report.gained == report.lost == ()
    assert {one.value for one in report.groups} == {"maths", "writing"}
    assert to_json(report)["findings"][0]["prompts"] is None


def test_votes_on_some_prompts_put_judges_right_on_all(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 120)
    vote(store, lambda k: [Winner.MODEL_B if k % 3 else Winner.MODEL_A] if k < 60 else [])
    verdicts(store, lambda k: Preference.B if k % 3 or k % 5 == 0 else Preference.A)
    report = compare(store, "old", "new")
    assert [one.kind for one in report.findings] == [
        Evidence.COMBINED,
        Evidence.HUMAN,
        Evidence.JUDGE,
    ]
    assert (report.decides.kind, report.decides.route) == (Evidence.COMBINED, CORRECTED)
    shares = [one.advantage.share for one in report.findings]
    assert shares[2] == pytest.approx(88 / 120)
    # The judge says of the prompts with votes what it says of all; the lean is taken out.
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    widths = [high - low for low, high in (f.advantage.interval(0.95) for f in report.findings)]
    assert widths[0] < widths[1]
    only = compare(store, "old", "new", evidence=Evidence.JUDGE)
    assert only.decides.kind is Evidence.JUDGE


def test_a_judge_that_follows_the_order_decides_nothing(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 60)
    verdicts(store, lambda k: Preference.A, "weak", ("old", "new"))
    db = store.verdicts
    assert db.count() == 120
    report = compare(store, "old", "new")
    assert report.decision is Decision.DO_NOT
    # Now one whose verdict is the first answer in both orders.
    other = answered_store(tmp_path / "other.db", 60)
    first_always(other)
    with pytest.raises(GateError, match="changes its verdict"):
        compare(other, "old", "new")
    # Let in, it finds the two exactly alike, as it would any two models: nothing to ship by.
    let_in = Policy(allow_weak_judges=True)
    report = compare(other, "old", "new", Question(margin=10), policy=let_in)
    assert report.decides.advantage.share == 0.5
    assert report.decides.advantage.certainty(0.4) > 0.99
    assert report.decision is Decision.CANNOT_TELL
    (blind,) = (note for note in report.notes if note.code == "compare.blind")
    assert "不能作为发布的理由" in blind.text("zh")


def first_always(store: Store) -> None:
    from arena.records import Judge, Verdict
    from tests.compare.stores import answers_of

    old, new = answers_of(store, "old"), answers_of(store, "new")
    store.judges.add([Judge("key", "weak", "{}")])
    store.verdicts.add(
        Verdict(f"{key} {n}", "weak", "key", key, x[key], y[key], Preference.A)
        for key in old
        for n, (x, y) in enumerate(((old, new), (new, old)))
    )


def test_two_stores_share_items_and_opponents(tmp_path: Path) -> None:
    before = answered_store(tmp_path / "before.db", 40, ("bot", "rival"))
    after = answered_store(tmp_path / "after.db", 40, ("bot", "rival"))
    for store, wins in ((before, 1), (after, 3)):
        vote(
            store,
            lambda k, wins=wins: [Winner.MODEL_A if k % 4 < wins else Winner.MODEL_B],
            ("bot", "rival"),
        )
        outcomes(store, {"bot": [float(k % 4 < wins) for k in range(80)], "rival": [0.5] * 80})
    report = compare(after, "bot", "bot", against=before)
    assert (report.a, report.b) == ("bot (before.db)", "bot")
    by_kind = {one.kind: one for one in report.findings}
    assert by_kind[Evidence.HUMAN].advantage.share == pytest.approx(0.9)
    items = by_kind[Evidence.OBJECTIVE]
    assert (items.route, items.advantage.prompts) == (DIRECT, 80)
    assert items.advantage.points(items.advantage.share) == pytest.approx(50.0)


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 4, ("old", "new", "third"))
    with pytest.raises(NoEvidenceError, match="benchmark compares old and new, not even"):
        compare(store, "old", "new")
    with pytest.raises(UnknownNameError, match=r"'newer'.*did you mean 'new'"):
        compare(store, "old", "newer")
    with pytest.raises(InputError, match="with itself"):
        compare(store, "old", "old")
    vote(store, lambda k: [Winner.TIE])
    for kind in (Evidence.JUDGE, Evidence.OBJECTIVE, Evidence.COMBINED):
        with pytest.raises(NoEvidenceError) as error:
            compare(store, "old", "new", evidence=kind)
        assert "new" in error.value.text("zh")


@pytest.fixture
def report(voted: Store) -> CompareReport:
    return compare(voted, "new", "old")


def test_json_says_all_and_holds_no_infinity(report: CompareReport) -> None:
    found = json.loads(json.dumps(to_json(report), allow_nan=False))
    assert (found["decision"], found["exit_code"]) == ("do-not-ship", 1)
    (finding,) = found["findings"]
    assert finding["share"] == pytest.approx(0.25)
    assert finding["points"] == pytest.approx(-25.0)
    assert finding["elo_low"] < finding["elo"] < finding["elo_high"] < 0
    assert [group["share"] for group in found["groups"]] == [0.0, 0.5]


def test_junit_fails_where_nothing_is_to_be_shipped(report: CompareReport, voted: Store) -> None:
    suite = Xml.fromstring(to_junit(report))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "do-not-ship"
    passed = Xml.fromstring(to_junit(compare(voted, "old", "new")))
    assert (passed.get("failures"), passed.find("testcase/failure")) == ("0", None)


def test_markdown_is_one_comment_in_which_names_break_nothing(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 8, ("a|b", "<new>"))
    vote(store, lambda k: [Winner.MODEL_B], ("a|b", "<new>"))
    text = to_markdown(compare(store, "a|b", "<new>"))
    assert text.startswith("### ✅ \\<new\\> against a\\|b\n")
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert "<new>" not in text


def test_what_is_not_known_is_a_dash(report: CompareReport) -> None:
    assert fact_rows(report)[0]["dollars per 1,000"] == "–"
    assert isinstance(report.facts[0], SideFacts)


def test_where_the_board_has_another_order_it_is_said_what_each_asks(tmp_path: Path) -> None:
    """Twenty prompts say new, and a hundred votes on one of them say old."""
    store = answered_store(tmp_path / "arena.db", 20)
    winners = [Winner.MODEL_A] * 8 + [Winner.MODEL_B] * 12
    vote(store, lambda k: [winners[k]] * (100 if k == 0 else 1), voters=100)
    report = compare(store, "old", "new")
    assert report.decides.advantage.share > 0.5
    board = {row.model: row.rating for row in leaderboard(store).rows}
    assert board["old"] > board["new"]
    (note,) = [note for note in report.notes if note.code == "compare.board.prompts"]
    assert "The board has old ahead of new" in str(note)
    assert "每个问题同样计入" in note.text("zh")
    for text in (to_markdown(report), to_junit(report), *to_json(report)["notes"]):
        assert "each prompt counting alike" in text
    assert compare(voted_evenly(tmp_path), "old", "new").notes == ()


def voted_evenly(folder: Path) -> Store:
    store = answered_store(folder / "even.db", 20)
    vote(store, lambda k: [Winner.MODEL_B if k % 4 else Winner.MODEL_A])
    return store


def test_where_it_cannot_be_told_it_says_how_many_prompts_it_takes(tmp_path: Path) -> None:
    store = answered_store(tmp_path / "arena.db", 30)
    vote(store, lambda k: [Winner.MODEL_B if k % 2 else Winner.MODEL_A])
    report = compare(store, "old", "new")
    assert report.decision is Decision.CANNOT_TELL
    rows = outlook_rows(report)
    assert [row["if the true difference is"] for row in rows] == [
        "+0 points",
        "+2 points",
        "+5 points",
    ]
    assert [one.prompts - one.more for one in report.needed] == [30] * 3
    more = [one.more for one in report.needed]
    assert more == sorted(more, reverse=True)
    assert "more than there are" in to_markdown(report)
    assert to_json(report)["needed"][0]["more"] == more[0]
    superior = compare(store, "old", "new", Question(Aim.SUPERIOR, 5.0))
    assert [one.difference for one in superior.needed] == [10.0, 20.0]


def test_what_is_decided_needs_no_more_prompts(voted: Store) -> None:
    assert outlook_rows(compare(voted, "old", "new")) == []
