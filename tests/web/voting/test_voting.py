"""Which pair is shown, what a vote may be, and who is told apart from whom."""

import random
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.records import Winner
from arena.records.errors import InputError
from arena.store import Store
from arena.web.pages.vote import VotePage
from arena.web.security.voters import Visitor, Voters, load_secret
from arena.web.services import Services, services
from arena.web.voting.battles import Ballot, NotShownError, VotedAlreadyError, start, vote
from arena.web.voting.pool import NothingToShowError, Pool

Visit = Callable[..., Visitor]


@pytest.fixture
def page(shared: Services) -> VotePage:
    return VotePage(shared)


def test_every_pair_is_drawn_as_often_as_its_propensity_says(answered: Store, pool: Pool) -> None:
    shown = [start(answered, pool, f"voter {k}").battle for k in range(900)]
    answers = {answer.key: answer for answer in answered.answers.where()}
    pairs = Counter(
        (frozenset(answers[key].model for key in (b.first, b.second)), b.prompt_key) for b in shown
    )
    propensity = {battle.propensity for battle in shown}
    assert len(pairs) == 9
    assert list(propensity) == pytest.approx([1 / 9])
    assert min(pairs.values()) > 50
    first = Counter(answers[battle.first].model for battle in shown)
    assert min(first.values()) > 230


def test_pairs_that_tell_more_come_up_more(answered: Store, pool: Pool) -> None:
    """After many votes on one pair the third model is what the votes should be about."""
    for voter in range(12):
        last = ""
        for _ in range(9):
            shown = start(answered, pool, f"voter {voter}", instead_of=last)
            last = shown.battle.key
            if {shown.first.model, shown.second.model} == {"long", "short"}:
                vote(answered, shown.battle.key, f"voter {voter}", Ballot(Winner.TIE))
    drawn = [start(answered, pool, f"new {k}").battle for k in range(300)]
    models = {answer.key: answer.model for answer in answered.answers.where()}
    known = [b for b in drawn if {models[b.first], models[b.second]} == {"long", "short"}]
    expected = sum(b.propensity * 3 for b in drawn if b in known) / max(1, len(known))
    assert len(known) < 60
    assert expected < 0.2


def test_a_voter_gets_no_pair_twice_and_is_told_when_all_is_seen(
    answered: Store, pool: Pool
) -> None:
    seen = set()
    for _ in range(9):
        shown = start(answered, pool, "somebody")
        vote(answered, shown.battle.key, "somebody", Ballot(Winner.TIE))
        seen.add(frozenset((shown.battle.first, shown.battle.second)))
    assert len(seen) == 9
    with pytest.raises(NothingToShowError) as nothing:
        start(answered, pool, "somebody")
    assert nothing.value.seen
    assert start(answered, pool, "somebody else")


def test_what_is_withheld_is_not_shown(answered: Store, pool: Pool) -> None:
    answered.withhold("model", "long", True)
    (hidden, *_) = [prompt.key for prompt in answered.prompts.where()]
    answered.withhold("prompt", hidden, True)
    shown = [start(answered, pool, f"voter {k}") for k in range(40)]
    assert {s.first.model for s in shown} == {"middle", "short"}
    assert hidden not in {s.prompt.key for s in shown}
    answered.withhold("model", "long", False)
    assert "long" in {start(answered, pool, f"new {k}").first.model for k in range(40)}


def test_the_page_says_what_votes_would_settle(answered: Store, pool: Pool) -> None:
    assert pool.standing().missing == 15
    dice = random.Random(1)
    for voter in range(4):
        for _ in range(8):
            shown = start(answered, pool, str(voter))
            better = len(" ".join(shown.first.turns)) > len(" ".join(shown.second.turns))
            right = better == (dice.random() < 0.8)
            winner = Winner.MODEL_A if right else Winner.MODEL_B
            vote(answered, shown.battle.key, str(voter), Ballot(winner))
    standing = pool.standing()
    assert standing.missing == 0
    assert standing.votes == 32
    assert standing.settling is None or standing.settling.rank in (1, 2)
    if (found := standing.prospect) is not None:
        assert (found.votes, found.rank in (1, 2)) == (100, True)
        assert 0.0 < found.settled <= found.open <= 2


def test_a_vote_keeps_what_was_shown(answered: Store, pool: Pool) -> None:
    shown = start(answered, pool, "somebody")
    ballot = Ballot(Winner.MODEL_B, "zh", 2.5, ("clear", "no such"), "  shorter  ")
    vote(answered, shown.battle.key, "somebody", ballot)
    columns = answered.evidence.votes()
    assert columns.model_a == [shown.first.model]
    assert columns.model_b == [shown.second.model]
    assert columns.winner == [Winner.MODEL_B]
    assert columns.propensity == [shown.battle.propensity]
    (remark,) = answered.remarks.where()
    assert remark.key == shown.battle.key
    assert remark.reasons == ("clear",)
    assert remark.comment == "shorter"


def test_a_battle_allows_one_vote_of_the_voter_who_saw_it(answered: Store, pool: Pool) -> None:
    key = start(answered, pool, "somebody").battle.key
    with pytest.raises(NotShownError):
        vote(answered, key, "somebody else", Ballot(Winner.TIE))
    with pytest.raises(NotShownError):
        vote(answered, "made up", "somebody", Ballot(Winner.TIE))
    vote(answered, key, "somebody", Ballot(Winner.TIE))
    with pytest.raises(VotedAlreadyError):
        vote(answered, key, "somebody", Ballot(Winner.MODEL_A))
    assert answered.evidence.votes().winner == [Winner.TIE]


def test_nothing_to_vote_on(store: Store, voters: Voters, visit: Visit) -> None:
    seen = VotePage(services(store, voters)).next_pair(visit())
    assert not seen.open
    assert "arena init --sample" in seen.prompt


def test_the_page_is_blind_until_the_vote(page: VotePage, visit: Visit, answered: Store) -> None:
    visitor = visit()
    view = page.next_pair(visitor)
    names = [model.name for model in answered.models()]
    assert not [name for name in names if name in str(view)]
    said = page.cast(visitor, view.token, Winner.MODEL_A)
    assert said.text.startswith("Your vote is counted.")
    assert sum(f"**{name}**" in said.text for name in names) == 2


def test_a_second_vote_and_a_forged_one_are_told_so(
    page: VotePage, visit: Visit, answered: Store, voters: Voters
) -> None:
    visitor, other = visit("zh"), visit("zh")
    token = page.next_pair(visitor).token
    assert "不计" in page.cast(other, token, Winner.TIE).text
    assert "不计" in page.cast(visitor, "no.such", Winner.TIE).text
    assert "不计" in page.cast(visitor, token[:-1], Winner.TIE).text
    (battle,) = answered.battles.where()
    assert "不计" in page.cast(visitor, battle.key, Winner.TIE).text
    forged = Voters("another secret of enough characters").token("battle", "x", battle.key)
    assert "不计" in page.cast(visitor, forged, Winner.TIE).text
    rated = voters.token("grade", str(visitor.voter), battle.key)
    assert "不计" in page.cast(visitor, rated, Winner.TIE).text
    assert answered.counts()["votes"] == 0
    page.cast(visitor, token, Winner.TIE)
    assert "计入" not in page.cast(visitor, token, Winner.TIE).text
    assert answered.counts()["votes"] == 1


def test_without_a_cookie_of_ours_there_is_a_sentence(page: VotePage, visit: Visit) -> None:
    nobody = visit(cookie=False)
    view = page.next_pair(nobody)
    assert not view.open
    assert "cookie" in view.prompt
    assert "cookie" in page.cast(nobody, "x.1", Winner.TIE).text


@pytest.mark.parametrize("cookie", [None, "", "nonsense", "IlwiZm9yZ2VkXCIi.AAAA"])
def test_only_cookies_of_ours_name_a_voter(voters: Voters, cookie: str | None) -> None:
    assert voters.identify(cookie) is None


def test_turns_are_told_apart(page: VotePage, visit: Visit) -> None:
    views = [page.next_pair(visit()) for _ in range(30)]
    two = [view for view in views if "北京" in view.prompt]
    assert two
    assert all(">Turn 2<" in view.first for view in two)
    assert all("**Turn" not in view.first for view in views if view not in two)


def test_a_voter_is_stored_as_a_keyed_hash(voters: Voters) -> None:
    cookie = voters.new_cookie()
    voter = voters.identify(cookie)
    assert voter == voters.identify(cookie)
    assert voter is not None
    assert voter not in cookie
    assert voter != voters.identify(voters.new_cookie())
    assert Voters("another secret of enough characters").identify(cookie) is None


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
