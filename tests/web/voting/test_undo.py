"""What is taken back counts nowhere; what is reported reaches whoever runs the arena."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

import arena
from arena.leaderboard.evidence.counted_votes import counted_votes, graded
from arena.ratings import Prospect, Settling
from arena.records import Complaint, Winner, Withdrawal
from arena.records.errors import InputError
from arena.store import Store
from arena.store.columns import TallyColumns
from arena.web.background.audits import audit, render
from arena.web.catalogue import catalogue, detail
from arena.web.files import exported, rows_file
from arena.web.looking import looking_at
from arena.web.pages.admin import EXPORTS, AdminPage
from arena.web.pages.rate import GRADE, RatePage
from arena.web.pages.vote import BATTLE, VotePage, standing_text
from arena.web.security.voters import Visitor
from arena.web.services import Services, read_guidelines
from arena.web.views.words import WORDS
from arena.web.voting.battles import Ballot, start, vote
from arena.web.voting.hiding import admin_pass, hide
from arena.web.voting.pool import Pool, Standing
from arena.web.voting.reporting import report
from arena.web.voting.undo import take_back

Visit = Callable[..., Visitor]


# Each path by which votes and grades reach somebody.
def tallied(found: TallyColumns) -> list[tuple[Any, ...]]:
    return [*zip(found.model_a, found.model_b, found.winner, found.votes.tolist(), strict=True)]


READERS: dict[str, Callable[[Store], Any]] = {
    "counts": lambda store: store.counts()["votes"],
    "count": lambda store: (store.votes.count(), store.grades.count()),
    "where": lambda store: [*store.votes.where(), *store.grades.where()],
    "columns": lambda store: store.evidence.votes(),
    "tallies": lambda store: tallied(store.evidence.tallies()),
    "pairs": lambda store: store.evidence.pairs().votes,
    "grades": lambda store: store.evidence.grades(),
    "counted": lambda store: list(counted_votes(store)[0].voter),
    "graded": graded,
    "entries": lambda store: [entry.votes for entry in catalogue(store).entries],
    "detail": lambda store: [
        (found.votes, found.grades)
        for prompt in store.prompts.where()
        if (found := detail(store, prompt.key))
    ],
    "export": lambda store: [
        rows_file(record, exported(store, name))
        for name, record in EXPORTS.items()
        if name in ("votes", "grades", "remarks")
    ],
    "audited": lambda store: (audit(store).votes, audit(store).voters),
    "standing": lambda store: Pool(store, rest=0.0).standing(),
}


def test_what_is_taken_back_counts_nowhere(answered: Store, shared: Services, visit: Visit) -> None:
    before = {name: read(answered) for name, read in READERS.items()}
    version, visitor = answered.version(), visit()
    votes, ratings, shown_to = VotePage(shared), RatePage(shared), set()
    for winner in Winner:
        view = votes.next_pair(visitor)
        assert votes.cast(visitor, view.token, winner, ("clear",), "so").counted
        assert take_back(shared, visitor, BATTLE, view.token).counted
        shown_to.add(view.token)
    for value in (1, 5):
        showing = ratings.next_answer(visitor)
        assert ratings.cast(visitor, showing.token, value).counted
        assert take_back(shared, visitor, GRADE, showing.token).counted
        assert "not counted" in ratings.cast(visitor, showing.token, value).text
    assert {name: read(answered) for name, read in READERS.items()} == before
    assert answered.version() != version
    assert "not counted" in votes.cast(visitor, view.token, Winner.TIE).text
    assert len(shown_to) == len(Winner)  # none of them comes again
    assert not list(answered.votes.broken())
    assert not list(answered.withdrawals.broken())


def test_what_stands_is_counted_as_if_nothing_else_had_been_said(answered: Store) -> None:
    pool = Pool(answered, rest=0.0)
    for k in range(3):
        shown = start(answered, pool, f"voter {k}")
        vote(answered, shown.battle.key, f"voter {k}", Ballot(Winner.MODEL_A))
        assert pool.standing().votes == 1 + (k > 1)
        if k == 1:
            continue
        assert take(answered, shown.battle.key, f"voter {k}") == (k == 0)
    assert answered.evidence.votes().voter == ["voter 1", "voter 2"]


def take(store: Store, key: str, voter: str) -> bool:
    """Whether it is taken back; voter 2 tries it when the time is over."""
    return store.withdrawals.take_back(Withdrawal(key, voter), 0 if voter == "voter 2" else 60)


def test_only_ones_own_vote_is_taken_back_once_and_in_time(
    answered: Store, shared: Services, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other, page = visit(), visit(), VotePage(shared)
    view = page.next_pair(mine)
    late = WORDS["en"]["undo_late"]
    assert take_back(shared, mine, BATTLE, view.token).text == late  # nothing is cast yet
    page.cast(mine, view.token, Winner.TIE)
    assert take_back(shared, other, BATTLE, view.token).text == late
    assert take_back(shared, visit(cookie=False), BATTLE, view.token).text != late
    assert answered.votes.count() == 1
    with monkeypatch.context() as slow:
        slow.setattr("arena.web.voting.undo.UNDO_SECONDS", -1)
        assert take_back(shared, mine, BATTLE, view.token).text == late
    assert take_back(shared, mine, BATTLE, view.token).counted
    again = take_back(shared, mine, BATTLE, view.token)
    assert (again.text, again.counted) == (WORDS["en"]["undone"], False)
    assert answered.votes.count() == 0


def test_an_edit_of_a_withdrawal_shows(answered: Store) -> None:
    pool = Pool(answered, rest=0.0)
    for _ in range(3):
        shown = start(answered, pool, "somebody")
        vote(answered, shown.battle.key, "somebody", Ballot(Winner.TIE))
        take(answered, shown.battle.key, "somebody")
    answered.close()
    with sqlite3.connect(answered.path) as conn:
        conn.execute("DROP TRIGGER withdrawals_no_delete")
        conn.execute("DELETE FROM withdrawals WHERE id = 2")
    found = audit(answered)
    assert found.broken_withdrawals == (3,)
    assert "Withdrawals 3 do not fit" in render(found, WORDS["en"], 0.0)


def test_whoever_counts_reads_what_stands() -> None:
    """A new query of the tables themselves must say here why it may see what was taken back."""
    chained = {"store/votes.py", "store/withdrawals.py", "store/chain.py"}
    chained |= {"store/schema/steps.py", "store/schema/numbered.py"}
    seen_once = "SELECT first, second FROM votes WHERE voter|SELECT answer FROM grades WHERE voter"
    root = Path(arena.__file__).parent
    found = {}
    for path in root.rglob("*.py"):
        where = path.relative_to(root).as_posix()
        text = re.sub(seen_once, "", path.read_text(encoding="utf-8"))
        reads = re.findall(r"(?:FROM|JOIN) (?:votes|vote_rows|grades)\b", text)
        if where not in chained and reads:
            found[where] = len(reads)
    # shown.py: what was judged is not open again. queries.py: the ids of the latest vote and its
    # time, what was cast and taken back since, and what is to be searched for leaks. kept.py: its
    # readers leave out what was taken back. bulk.py: how many votes there are already.
    assert found == {
        "store/shown.py": 2,
        "store/queries.py": 6,
        "store/large/kept.py": 3,
        "store/large/bulk.py": 1,
        "store/whole/tables.py": 1,
    }


@pytest.mark.parametrize(
    ("side", "reason", "said", "rows"),
    [
        ("a", "broken", "reported", 1),
        ("b", "harmful", "reported", 1),
        (None, "broken", "report_what", 0),
        ("c", "broken", "report_what", 0),
        ("a", None, "report_what", 0),
        ("a", "no such", "report_what", 0),
    ],
)
def test_an_answer_of_a_pair_is_reported_once(
    shared: Services, visit: Visit, side: str | None, reason: str | None, said: str, rows: int
) -> None:
    visitor = visit()
    token = VotePage(shared).next_pair(visitor).token
    words = WORDS["en"]
    assert report(shared, visitor, BATTLE, token, side, reason, " odd ").text == words[said]
    assert shared.store.reports.count() == rows
    if rows:
        again = report(shared, visitor, BATTLE, token, side, reason)
        assert again.text == words["reported_already"]
        (row,) = shared.store.reports.where()
        (battle,) = shared.store.battles.where()
        assert row.answer == (battle.first if side == "a" else battle.second)
        assert (row.reason, row.comment) == (Complaint(str(reason)), "odd")
        other = report(shared, visit(), BATTLE, token, side, reason)
        assert other.text == words["report_what"]


def test_a_single_answer_is_reported(shared: Services, visit: Visit) -> None:
    visitor = visit()
    token = RatePage(shared).next_answer(visitor).token
    assert report(shared, visitor, GRADE, token, None, "other").counted
    (row,) = shared.store.reports.where()
    (showing,) = shared.store.showings.where()
    assert (row.answer, row.prompt_key) == (showing.answer, showing.prompt_key)


def test_a_voter_is_told_own_votes_and_ratings(shared: Services, visit: Visit) -> None:
    mine, other = visit(), visit()
    votes, ratings = VotePage(shared), RatePage(shared)
    shared.pool._rest = 0.0
    for visitor in (mine, other):
        votes.cast(visitor, votes.next_pair(visitor).token, Winner.TIE)
        ratings.cast(visitor, ratings.next_answer(visitor).token, 3)
    assert "Votes so far: 2, 1 of them yours." in votes.next_pair(mine).progress
    assert "Ratings so far: 2, 1 of them yours." in ratings.next_answer(mine).progress


def test_guidelines_are_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_text("Read *both*.\n", encoding="utf-8")
    assert read_guidelines("rules.md", tmp_path) == "Read *both*."
    assert read_guidelines("Read both.\nThen vote.md", tmp_path) == "Read both.\nThen vote.md"
    assert read_guidelines("", tmp_path) == ""
    with pytest.raises(InputError, match=r"guidelines names 'no\.md'"):
        read_guidelines("no.md", tmp_path)


def test_a_prompt_is_hidden_by_whoever_has_a_pass(shared: Services, visit: Visit) -> None:
    (key, *_) = (prompt.key for prompt in shared.store.prompts.where())
    visitor, words, given = visit(), WORDS["en"], admin_pass(shared)
    assert hide(shared, visitor, given, "no such", True) == words["no_prompt"]
    assert hide(shared, visitor, given, key, True) == words["now_hidden"]
    assert shared.store.withheld("prompt") == {key}
    others = replace(shared, password="another password"), replace(shared, password="")
    for bad in ("", "x", given[:-1], shared.voters.token("admin", "", "admin")):
        assert hide(shared, visitor, bad, key, False) == words["admin_over"]
    for other in others:
        assert hide(other, visitor, given, key, False) == words["admin_over"]
    assert hide(shared, visitor, given, key, False) == words["now_shown"]


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ({}, ""),
        ({"prompt": "key", "utm": "x"}, ""),
        ({"search": "a b", "only": "turned,odd", "page": "3"}, "search=a+b&only=turned&page=3"),
        ({"page": "-1", "what": "odd"}, ""),
        ({"page": "9" * 40, "model": "x&y"}, "model=x%26y"),
        ({"what": "outcomes", "benchmark": "mmlu"}, "what=outcomes&benchmark=mmlu"),
    ],
)
def test_what_is_looked_at_is_in_the_address(query: dict[str, str], address: str) -> None:
    looking = looking_at(query)
    assert looking.address() == address
    assert looking_at(dict(parse_qsl(address))) == looking


def test_reports_reach_the_admin(shared: Services, visit: Visit) -> None:
    visitor, admin = visit(), AdminPage(shared)
    assert "Nobody has reported" in admin.reports(visitor)
    token = VotePage(shared).next_pair(visitor).token
    report(shared, visitor, BATTLE, token, "a", "harmful", "<b>odd</b>")
    (row,) = shared.store.reports.where()
    assert "Reports of answers: 1" in admin.state(visitor)
    said = admin.reports(visitor)
    assert "&lt;b&gt;odd" in said
    assert f"browse?prompt={row.prompt_key}" in said
    assert shared.store.answers.get([row.answer])[row.answer].model in said


def test_the_next_step_is_told_only_where_the_votes_tell_it() -> None:
    """Of two models that are nearly even nobody knows how many thousand votes would part them."""
    for language, words in WORDS.items():
        told = standing_text(Standing(9_000, 20, 0, Settling(1, 200)), 3, words)
        assert words["settle"].format(votes=200, rank=1, next=2) in told
        far = standing_text(Standing(9_000, 20, 0, Settling(1, 48_832)), 3, words)
        assert "48,832" not in far
        assert words["settle_unclear"] in far
        assert words["settled"] in standing_text(Standing(9_000, 20, 0, None), 3, words)
        next_votes = Prospect(100, 5, 0.46, 4, 0.2)
        whole = standing_text(Standing(9_000, 20, 0, Settling(1, 200), next_votes), 3, words)
        said = words["next_votes"].format(
            votes=100, settled="0.5", open=5, rank=4, next=5, chance="20%"
        )
        assert said in whole
        assert words["settle"].format(votes=200, rank=1, next=2) not in whole  # one forecast
        none = Prospect(100, 5, 0.04, 4, 0.01)
        hardly = standing_text(Standing(9_000, 20, 0, Settling(1, 200), none), 3, words)
        assert words["next_votes_none"].format(votes=100, open=5) in hardly
        one = standing_text(Standing(9, 9, 1, None), 3, words)
        assert {"en": "about 1 more vote.", "zh": "再有约 1 票"}[language] in one


def test_what_was_taken_back_is_no_more_among_ones_own(shared: Services, visit: Visit) -> None:
    votes, visitor = VotePage(shared), visit()
    view = votes.next_pair(visitor)
    votes.cast(visitor, view.token, Winner.TIE)
    assert "1, 1 of them yours" in votes.progress(visitor, anew=True)
    take_back(shared, visitor, BATTLE, view.token)
    assert "0, 0 of them yours" in votes.progress(visitor, anew=True)
