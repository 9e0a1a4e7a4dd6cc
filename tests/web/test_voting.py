"""Which pair is shown, what a vote may be, and who is told apart from whom."""

import random
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from arena.errors import InputError, StoreError
from arena.judging import judge, load_card
from arena.leaderboard import leaderboard
from arena.records import Evidence, Prompt, Winner
from arena.store import Store
from arena.web.battles import NothingToVoteOnError, start, vote
from arena.web.board_page import render, view
from arena.web.vote_page import VotePage
from arena.web.voters import Voters, load_secret

SECRET = "a secret of enough characters"


@pytest.fixture
def voters() -> Voters:
    return Voters(SECRET)


@pytest.fixture
def page(answered: Store, voters: Voters) -> VotePage:
    return VotePage(answered, voters, random.Random(1))


def test_every_pair_is_drawn_as_often_as_its_propensity_says(answered: Store) -> None:
    dice = random.Random(5)
    shown = [start(answered, "somebody", dice).battle for _ in range(900)]
    answers = {answer.key: answer for answer in answered.answers.where()}
    pairs = Counter(
        (frozenset(answers[key].model for key in (b.first, b.second)), b.prompt_key) for b in shown
    )
    propensity = {battle.propensity for battle in shown}
    assert len(pairs) == 9
    assert list(propensity) == pytest.approx([1 / 9])
    assert min(pairs.values()) > 60
    first = Counter(answers[battle.first].model for battle in shown)
    assert min(first.values()) > 250


def test_pairs_with_fewer_votes_come_up_more(answered: Store) -> None:
    dice = random.Random(2)
    voted = start(answered, "somebody", dice)
    vote(answered, voted.battle.key, "somebody", Winner.TIE, language="en", seconds=1.0)
    names = {voted.first.model, voted.second.model}
    battles = [start(answered, "somebody", dice) for _ in range(50)]
    again = {b.battle.propensity for b in battles if {b.first.model, b.second.model} == names}
    other = {b.battle.propensity for b in battles if {b.first.model, b.second.model} != names}
    assert list(again) == pytest.approx([0.2 / 3])
    assert list(other) == pytest.approx([0.4 / 3])


def test_a_vote_keeps_what_was_shown(answered: Store) -> None:
    shown = start(answered, "somebody", random.Random(3))
    vote(answered, shown.battle.key, "somebody", Winner.MODEL_B, language="zh", seconds=2.5)
    columns = answered.evidence.votes()
    assert columns.model_a == [shown.first.model]
    assert columns.model_b == [shown.second.model]
    assert columns.winner == [Winner.MODEL_B]
    assert columns.propensity == [shown.battle.propensity]


def test_a_battle_allows_one_vote_of_the_voter_who_saw_it(answered: Store) -> None:
    shown = start(answered, "somebody", random.Random(3))
    key = shown.battle.key
    with pytest.raises(InputError, match="not shown to you"):
        vote(answered, key, "somebody else", Winner.TIE, language="en", seconds=None)
    with pytest.raises(InputError, match="not shown to you"):
        vote(answered, "made up", "somebody", Winner.TIE, language="en", seconds=None)
    vote(answered, key, "somebody", Winner.TIE, language="en", seconds=None)
    with pytest.raises(StoreError):
        vote(answered, key, "somebody", Winner.MODEL_A, language="en", seconds=None)
    assert answered.evidence.votes().winner == [Winner.TIE]


def test_nothing_to_vote_on(store: Store, voters: Voters) -> None:
    with pytest.raises(NothingToVoteOnError):
        start(store, "somebody", random.Random(1))
    seen = VotePage(store, voters).next_pair(voters.new_cookie(), "en")
    assert not seen.open
    assert "arena init --sample" in seen.prompt


def test_the_page_is_blind_until_the_vote(page: VotePage, voters: Voters, answered: Store) -> None:
    cookie = voters.new_cookie()
    view = page.next_pair(cookie, "en")
    names = [model.name for model in answered.models()]
    assert not [name for name in names if name in str(view)]
    said = page.cast(cookie, "en", view.token, Winner.MODEL_A)
    assert said.startswith("Your vote is counted.")
    assert sum(f"`{name}`" in said for name in names) == 2


def test_a_second_vote_and_a_forged_one_are_told_so(
    page: VotePage, voters: Voters, answered: Store
) -> None:
    cookie = voters.new_cookie()
    token = page.next_pair(cookie, "zh").token
    assert "不计" in page.cast(voters.new_cookie(), "zh", token, Winner.TIE)
    assert "不计" in page.cast(cookie, "zh", "no.such", Winner.TIE)
    page.cast(cookie, "zh", token, Winner.TIE)
    assert "计入" not in page.cast(cookie, "zh", token, Winner.TIE)
    assert answered.counts()["votes"] == 1


@pytest.mark.parametrize("cookie", [None, "", "nonsense", "IlwiZm9yZ2VkXCIi.AAAA"])
def test_without_a_cookie_of_ours_there_is_a_sentence(page: VotePage, cookie: str | None) -> None:
    view = page.next_pair(cookie, "en")
    assert not view.open
    assert "cookie" in view.prompt
    assert "cookie" in page.cast(cookie, "en", "x.1", Winner.TIE)


def test_turns_are_told_apart(answered: Store, voters: Voters, prompts: list[Prompt]) -> None:
    page = VotePage(answered, voters, random.Random(0))
    cookie = voters.new_cookie()
    views = [page.next_pair(cookie, "en") for _ in range(30)]
    two = [view for view in views if "北京" in view.prompt]
    assert two
    assert all("**Turn 2**" in view.first for view in two)
    assert all("**Turn" not in view.first for view in views if view not in two)


def test_a_voter_is_stored_as_a_keyed_hash(voters: Voters) -> None:
    cookie = voters.new_cookie()
    voter = voters.identify(cookie)
    assert voter == voters.identify(cookie)
    assert voter is not None
    assert voter not in cookie
    assert voter != voters.identify(voters.new_cookie())
    assert Voters(SECRET + "!").identify(cookie) is None


def test_the_secret_is_made_once_and_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARENA_SECRET", raising=False)
    secret = load_secret(tmp_path / "arena.db")
    assert load_secret(tmp_path / "arena.db") == secret
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("short")
    with pytest.raises(InputError, match="too short"):
        load_secret(tmp_path / "arena.db")
    monkeypatch.setenv("ARENA_SECRET", "short")
    with pytest.raises(InputError, match="ARENA_SECRET has 5 characters"):
        load_secret(tmp_path / "arena.db")


def test_the_board_says_what_it_stands_on(answered: Store, voters: Voters) -> None:
    nothing = view(answered, Evidence.HUMAN, False, "en")
    assert "<table" not in nothing
    assert 'class="note"' in nothing
    dice = random.Random(4)
    for _ in range(12):
        shown = start(answered, "somebody", dice)
        wins = Winner.MODEL_A if shown.first.model == "long" else Winner.TIE
        vote(answered, shown.battle.key, "somebody", wins, language="en", seconds=None)
    page = view(answered, Evidence.HUMAN, False, "zh")
    assert "human-anchored" in page
    assert "12" in page
    assert page.index("long") < page.index("short")


def test_the_board_says_how_far_its_judges_can_be_trusted(
    answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    page = view(answered, Evidence.JUDGE, False, "en")
    table = page[page.index('<table class="judges">') :]
    assert "Changed by the order" in table
    assert "0.0% (0.0% to 29.9%, n = 9)" in table
    assert "no case" in table  # nobody voted


def test_a_name_cannot_write_html(answered: Store) -> None:
    shown = start(answered, "somebody", random.Random(4))
    vote(answered, shown.battle.key, "somebody", Winner.TIE, language="en", seconds=None)
    board = leaderboard(answered, evidence=Evidence.HUMAN)
    rows = [replace(row, model="<img src=x>") for row in board.rows]
    page = render(replace(board, rows=rows), "en")
    assert "<img" not in page
    assert "&lt;img" in page
