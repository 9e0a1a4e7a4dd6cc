"""What was said of answers stands below them: by people and by judges, turn by turn."""

from pathlib import Path

import pytest

from arena.publish import publish
from arena.publish import said as module
from arena.publish.said import SIDES, Saying, Sayings
from arena.records import Answer, Judge, Preference, Prompt, Verdict, Vote, Winner
from arena.records.votes import Withdrawal
from arena.store import Store
from arena.store.archive import Archivable
from tests.boards import fill, make_board, make_row

PROMPT = Prompt("p", ("Q?", "And then?"), "maths", "en")


@pytest.fixture
def judged(store: Store) -> Store:
    fill(store, ("a", "b"), [PROMPT], "something")
    a, b = (answer.key for answer in answers(store))
    for battle, first, second, winner in (
        ("one", a, b, Winner.MODEL_A),
        ("two", b, a, Winner.MODEL_A),
        ("three", b, a, Winner.BOTH_BAD),
        ("taken back", a, b, Winner.TIE),
    ):
        store.votes.cast(Vote(battle, PROMPT.key, first, second, winner, f"voter {battle}"))
    store.withdrawals.take_back(Withdrawal("taken back", "voter taken back"), 1000)
    store.judges.add([Judge(f"{k}" * 32, "j", "{}") for k in (1, 2)])
    rows = (("1", a, b, Preference.TIE, 0), ("2", b, a, Preference.B, 1))
    rows += (("2", a, b, Preference.A, 1), ("2", a, b, Preference.UNPARSED, 2))
    store.verdicts.add(
        Verdict(f"v{k}", "j", card * 32, PROMPT.key, first, second, side, turn=turn)
        for k, (card, first, second, side, turn) in enumerate(rows)
    )
    return store


def answers(store: Store) -> list[Answer]:
    return sorted(store.answers.where(), key=lambda answer: answer.model)


def counts(**of: int) -> dict[str, int]:
    return dict.fromkeys(SIDES, 0) | of


def test_votes_that_stand_and_verdicts_of_the_present_card(judged: Store) -> None:
    found = Sayings(judged).of(PROMPT, answers(judged), 2)
    assert found.sayings == (
        Saying("a", "b", "", 0, counts(first=1, second=1, both_bad=1)),
        Saying("a", "b", "j", 1, counts(first=2)),
        Saying("a", "b", "j", 2, counts(unread=1)),
    )
    turned = Sayings(judged).of(PROMPT, answers(judged)[::-1], 1)
    assert turned.sayings[1] == Saying("b", "a", "j", 1, counts(second=2))


def test_archived_judges_and_other_answers_say_nothing(judged: Store) -> None:
    assert not Sayings(judged).of(PROMPT, answers(judged)[:1], 1).sayings
    assert not Sayings(judged).of(PROMPT, answers(judged), 0).sayings
    judged.archive.put(Archivable.JUDGE, "j")
    assert [one.judge for one in Sayings(judged).of(PROMPT, answers(judged), 2).sayings] == [""]


def test_what_is_left_out_is_counted(judged: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    found = Sayings(judged).of(PROMPT, answers(judged), 2)
    assert (len(found.sayings), found.left_out) == (1, 2)


def test_the_page_says_it_with_the_system_text(judged: Store, tmp_path: Path) -> None:
    publish(judged, tmp_path, make_board(make_row("a", 1), make_row("b", 2)), title="T")
    page = (tmp_path / "browse" / "1.html").read_text("utf-8")
    assert "<q>Be a.</q>" in page
    assert "<bdi>a</bdi> <b>2</b>, <bdi>b</bdi> <b>0</b>" in page
    assert "turn 1" in page
    assert "都不好" in page
    assert "voter one" not in page
