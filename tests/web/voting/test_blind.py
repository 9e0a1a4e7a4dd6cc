"""Who has something open to judge learns nothing of who wrote it; and one voter is one voter."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from arena.config import AppSettings, Browse, parse_model
from arena.records import Decoding, Model, Prompt, Vote, Winner
from arena.records.errors import InputError, SecondVoteError
from arena.store import Store
from arena.web.catalogue import Filter
from arena.web.looking import Looking
from arena.web.pages.battle import BattlePage
from arena.web.pages.browse import BrowsePage
from arena.web.pages.rate import RatePage
from arena.web.pages.side_by_side import SideBySidePage
from arena.web.pages.vote import VotePage
from arena.web.security.voters import Visitor, Voters
from arena.web.services import Services, services
from arena.web.voting.battles import Ballot, VotedAlreadyError, start, vote
from arena.web.voting.blind import Open, essence
from arena.web.voting.casting import ReplacedError
from arena.web.voting.grades import show
from arena.web.voting.live import MOST_OPEN
from arena.web.voting.pool import Pool

Visit = Callable[..., Visitor]
NAMES = ("long", "middle", "short")
WRITERS = ("quick", "slow")
VOTE = Ballot(Winner.TIE)


def site(store: Store, voters: Voters, browse: str = "after_vote") -> Services:
    base = parse_model("fake:echo")
    models: dict[str, Model] = {
        name: replace(base, name=name, decoding=Decoding(max_tokens=k))
        for k, name in enumerate(WRITERS, start=3)
    }
    settings = AppSettings(browse=Browse(browse), votes_per_minute=1000, generations_per_hour=1000)
    return services(store, voters, models=models, settings=settings)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.web.voting.live.TICK", 0.01)


@pytest.fixture
def shared(answered: Store, voters: Voters) -> Services:
    return site(answered, voters)


def everywhere(shared: Services, visitor: Visitor, prompt: Prompt) -> str:
    """All that the pages would say to a visitor who looks for a prompt's answers."""
    browse, sides = BrowsePage(shared), SideBySidePage(shared)
    answers = [answer.key for answer in shared.store.answers.where(prompt_key=prompt.key)]
    said: list[object] = [browse.prompt(visitor, prompt.key)]
    said += [browse.prompt(visitor, prompt.key, [key]) for key in answers]
    for first in NAMES:
        for second in NAMES:
            said.append(sides.stored(visitor, first, second, prompt.key))
            said += [key for _, key in sides.prompts(visitor, first, second) if key == prompt.key]
    wanted = [Filter(model=name) for name in NAMES]
    wanted += [Filter(judge="j"), Filter(only=("split",)), Filter(only=("turned",))]
    for one in wanted:
        said += [prompt.key in browse.listing(visitor, Looking(wanted=one))[0] and "listed"]
    return str([part for part in said if part])


def shows_names(shared: Services, visitor: Visitor, prompt: Prompt) -> bool:
    """Whether the pages name who answered: each of them everybody, or none of them anybody."""
    said = everywhere(shared, visitor, prompt)
    named = [name for name in NAMES if f"'{name}'" in said]
    assert named in ([], list(NAMES))
    assert bool(named) == ("'listed'" in said)
    return bool(named)


# One voter, one pair, one vote.


def test_whoever_comes_again_sees_the_same_pair(shared: Services, visit: Visit) -> None:
    page, visitor = VotePage(shared), visit()
    views = [page.next_pair(visitor) for _ in range(150)]
    assert len({(view.prompt, view.first, view.second) for view in views}) == 1
    assert len(list(shared.store.battles.where())) == 1
    said = [page.cast(visitor, view.token, Winner.MODEL_A).text for view in views[:3]]
    assert [text.startswith("Your vote is counted.") for text in said] == [True, False, False]
    assert "your first vote counts" in said[1]
    assert shared.store.votes.count() == 1
    assert page.next_pair(visitor).prompt != views[0].prompt


def at_once(work: Callable[[], Any], times: int = 8) -> list[Any]:
    """The same work in threads that begin together."""
    gate, found = threading.Barrier(times), list[Any]()

    def one() -> None:
        gate.wait()
        found.append(work())

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_requests_at_once_open_one_pair_and_count_one_vote(shared: Services, visit: Visit) -> None:
    page, rate, visitor = VotePage(shared), RatePage(shared), visit()
    views = at_once(lambda: page.next_pair(visitor))
    assert len({view.first for view in views}) == 1
    assert shared.store.battles.count() == 1
    tokens = iter([view.token for view in views])
    said = at_once(lambda: page.cast(visitor, next(tokens), Winner.TIE).text)
    assert sum(text.startswith("Your vote is counted.") for text in said) == 1
    assert shared.store.votes.count() == 1
    assert len({view.answer for view in at_once(lambda: rate.next_answer(visitor))}) == 1
    assert shared.store.showings.count() == 1


def test_who_skips_gets_another_and_that_one_never_again(shared: Services, visit: Visit) -> None:
    page, visitor = VotePage(shared), visit()
    first = page.next_pair(visitor)
    views = [first]
    for _ in range(8):
        views.append(page.next_pair(visitor, views[-1].token))
    assert len({frozenset((b.first, b.second)) for b in shared.store.battles.where()}) == 9
    assert page.next_pair(visitor, views[-1].token).first == views[-1].first  # there is no other
    for skipped in views[:-1]:
        refused = page.cast(visitor, skipped.token, Winner.TIE)
        assert "something else was shown since" in refused.text
        assert refused.done
    # A token that is not of the open pair skips nothing.
    for token in (first.token, "no.such", page.next_pair(visit()).token):
        assert page.next_pair(visitor, token).first == views[-1].first
    assert page.cast(visitor, views[-1].token, Winner.TIE).text.startswith("Your vote is counted.")
    assert not page.next_pair(visitor).open


def test_an_answer_is_rated_once_and_skipped_for_good(shared: Services, visit: Visit) -> None:
    page, visitor = RatePage(shared), visit()
    first = page.next_answer(visitor)
    assert page.next_answer(visitor).answer == first.answer
    second = page.next_answer(visitor, first.token)
    assert "something else was shown since" in page.cast(visitor, first.token, 5).text
    assert "counted" in page.cast(visitor, second.token, 5).text
    assert "first rating counts" in page.cast(visitor, second.token, 1).text
    while (view := page.next_answer(visitor)).open:
        page.cast(visitor, view.token, 3)
    assert [g.value for g in shared.store.grades.where()] == [5, *[3] * 7]


def test_what_was_shown_yesterday_is_open_no_more(
    shared: Services, answered: Store, visit: Visit
) -> None:
    page, visitor = VotePage(shared), visit()
    view = page.next_pair(visitor)
    with answered._connections.transaction() as db:
        db.execute("UPDATE battles SET created_at = '2026-01-01T00:00:00.000Z'")
    (old,) = answered.battles.where()
    with pytest.raises(ReplacedError):
        vote(answered, old.key, str(visitor.voter), VOTE)
    assert "not counted" in page.cast(visitor, view.token, Winner.TIE).text
    page.next_pair(visitor)
    *_, new = answered.battles.where()
    assert {new.first, new.second} != {old.first, old.second}


def test_many_pairs_that_an_earlier_version_opened_give_one_vote(
    answered: Store, pool: Pool
) -> None:
    shown = start(answered, pool, "somebody").battle
    twins = [replace(shown, key=f"twin {k}") for k in range(20)]
    twins[1::2] = [replace(b, first=b.second, second=b.first) for b in twins[1::2]]
    answered.battles.add(twins)
    found = []
    for battle in (shown, *twins, *reversed(twins)):
        with suppress(ReplacedError, VotedAlreadyError):
            found.append(vote(answered, battle.key, "somebody", VOTE).battle.key)
    assert found == ["twin 19"]
    assert answered.votes.count() == 1


def test_the_store_takes_one_vote_of_a_voter_on_two_answers(answered: Store, pool: Pool) -> None:
    battle = start(answered, pool, "v").battle

    def ballot(name: str, first: str, second: str, voter: str = "v") -> Vote:
        return Vote(name, battle.prompt_key, first, second, Winner.TIE, voter)

    a, b = battle.first, battle.second
    answered.votes.cast(ballot("1", a, b), once_a_pair=True)
    for first, second in ((a, b), (b, a)):
        with pytest.raises(SecondVoteError, match="voted on these two answers already"):
            answered.votes.cast(ballot("2", first, second), once_a_pair=True)
    answered.votes.cast(ballot("3", b, a, "another"), once_a_pair=True)
    assert answered.votes.count() == 2
    assert not list(answered.votes.broken())


def test_a_pair_that_may_not_be_shown_any_more_makes_way(answered: Store, pool: Pool) -> None:
    for _ in range(3):
        shown = start(answered, pool, "somebody")
        answered.withhold("prompt", shown.prompt.key, True)
        if answered.withheld("prompt") == {p.key for p in answered.prompts.where()}:
            break
        assert start(answered, pool, "somebody").prompt.key != shown.prompt.key
    with pytest.raises(InputError):
        start(answered, pool, "somebody")


def test_a_live_vote_leaves_the_stored_pair_open(shared: Services, visit: Visit) -> None:
    page, battle, visitor = VotePage(shared), BattlePage(shared), visit()
    view = page.next_pair(visitor)
    *_, talk = battle.say(visitor, "", "Name three rivers of Spain.")
    assert "counted" in battle.cast(visitor, talk.token, Winner.TIE).text
    assert page.next_pair(visitor).first == view.first
    assert "counted" in page.cast(visitor, view.token, Winner.TIE).text


def test_a_voter_has_a_few_live_battles_open(shared: Services, visit: Visit) -> None:
    page, visitor = BattlePage(shared), visit()
    talks = [list(page.say(visitor, "", f"Question {k}?"))[-1] for k in range(MOST_OPEN + 2)]
    assert shared.store.talks.count() == MOST_OPEN
    assert "not counted" in page.cast(visitor, talks[0].token, Winner.TIE).text
    page.give_up(visitor, talks[-1].token)
    page.give_up(visit(), talks[-2].token)  # another's
    assert shared.store.talks.count() == MOST_OPEN - 1
    assert "counted" in page.cast(visitor, talks[-2].token, Winner.TIE).text


# Blind means blind.


def open_pair(shared: Services, visitor: Visitor) -> tuple[Prompt, Callable[[], str]]:
    shown = start(shared.store, shared.pool, str(visitor.voter))
    token = shared.voters.token("battle", str(visitor.voter), shown.battle.key)
    return shown.prompt, lambda: VotePage(shared).cast(visitor, token, Winner.TIE).text


def open_answer(shared: Services, visitor: Visitor) -> tuple[Prompt, Callable[[], str]]:
    shown = show(shared.store, shared.pool, str(visitor.voter))
    token = shared.voters.token("grade", str(visitor.voter), shown.showing.key)
    return shown.prompt, lambda: RatePage(shared).cast(visitor, token, 4).text


def open_talk(shared: Services, visitor: Visitor) -> tuple[Prompt, Callable[[], str]]:
    """A live battle on a stored prompt, whose named answers would tell the writers."""
    prompt = next(p for p in shared.store.prompts.where() if len(p.turns) == 1)
    *_, view = BattlePage(shared).say(visitor, "", f" {prompt.turns[0].upper()} ")
    return prompt, lambda: BattlePage(shared).cast(visitor, view.token, Winner.TIE).text


OPENING = pytest.mark.parametrize("opened", [open_pair, open_answer, open_talk])


@OPENING
def test_names_are_hidden_while_it_is_open_and_from_nobody_else(
    shared: Services, visit: Visit, opened: Any
) -> None:
    visitor, other = visit(), visit()
    prompt, judge = opened(shared, visitor)
    for who, named in ((visitor, False), (other, True), (visit(cookie=False), True)):
        assert shows_names(shared, who, prompt) is named
    rest = [p for p in shared.store.prompts.where() if p.key != prompt.key and p.source != "live"]
    assert all(shows_names(shared, visitor, p) for p in rest)
    assert "counted" in judge()
    assert shows_names(shared, visitor, prompt)


@OPENING
def test_named_models_do_not_answer_what_is_open(
    shared: Services, visit: Visit, opened: Any
) -> None:
    visitor, other = visit(), visit()
    prompt, judge = opened(shared, visitor)
    page, asked = SideBySidePage(shared), prompt.turns[0]
    for text in (asked, f"  {asked.upper()}!! ", f"Please answer: {asked}", asked[:-2]):
        *_, view = page.ask(visitor, *WRITERS, text)
        assert "open" in view.status
        assert not view.first
        assert list(page.ask(other, *WRITERS, text))[-1].first
    assert list(page.ask(visitor, *WRITERS, "Something else altogether?"))[-1].first
    judge()
    assert list(page.ask(visitor, *WRITERS, asked))[-1].first


def test_the_pair_that_comes_next_is_open_before_it_is_seen(shared: Services, visit: Visit) -> None:
    page, visitor = VotePage(shared), visit()
    view = page.next_pair(visitor)
    (first,) = shared.store.battles.where()
    assert "counted" in page.cast(visitor, view.token, Winner.TIE).text
    page.next_pair(visitor)  # what the page fetches together with the answer to the vote
    *_, coming = shared.store.battles.where()
    prompts = {p.key: p for p in shared.store.prompts.where()}
    assert shows_names(shared, visitor, prompts[first.prompt_key])
    assert not shows_names(shared, visitor, prompts[coming.prompt_key])


def test_the_list_has_what_is_open_and_no_filter_tells_of_it(
    shared: Services, visit: Visit
) -> None:
    visitor = visit()
    prompt, _ = open_pair(shared, visitor)
    page = BrowsePage(shared)
    assert prompt.key in page.listing(visitor, Looking(wanted=Filter()))[0]
    assert prompt.key in page.listing(visitor, Looking(wanted=Filter(category=prompt.category)))[0]
    assert prompt.key not in page.listing(visitor, Looking(wanted=Filter(model="long")))[0]
    assert prompt.key in page.listing(visit(), Looking(wanted=Filter(model="long")))[0]
    detail = page.prompt(visitor, prompt.key)
    assert detail is not None
    assert "Once that is done" in detail.about
    chinese = BrowsePage(shared).prompt(replace(visitor, language="zh"), prompt.key)
    assert chinese is not None
    assert "没有完成" in chinese.about


def test_prompts_of_the_same_words_are_one(shared: Services, visit: Visit) -> None:
    """The same question in two sets, once with another follow-up."""
    visitor = visit()
    prompt, _ = open_pair(shared, visitor)
    twin = Prompt("twin", (prompt.turns[0].title() + " ", "And then?"))
    shared.store.prompts.add([twin])
    assert shared.blind.why_not(visitor, twin) == "still_open"
    follow_up = Prompt("follow-up", ("Else?", *prompt.turns))
    assert shared.blind.why_not(visitor, follow_up) is None
    assert shared.blind.why_not(visitor, Prompt("other", ("Else?",))) is None


def test_always_and_nobody(answered: Store, voters: Voters, visit: Visit) -> None:
    visitor = visit()
    always, nobody = site(answered, voters, "always"), site(answered, voters, "nobody")
    prompt, _ = open_pair(always, visitor)
    assert shows_names(always, visitor, prompt)
    assert not any(shows_names(nobody, visit(cookie=c), prompt) for c in (True, False))
    assert "nobody is shown" in BrowsePage(nobody).listing(visit(), Looking(wanted=Filter()))[0]
    assert SideBySidePage(nobody).prompts(visit(), "long", "short") == []
    assert list(SideBySidePage(nobody).ask(visit(), *WRITERS, "Ask?"))[-1].first
    said = open_pair(nobody, visitor)[1]()
    assert "counted" in said
    assert "./browse" not in said


@pytest.mark.parametrize("order", [(open_pair, open_answer), (open_talk, open_pair)])
def test_a_name_waits_while_more_of_its_prompt_is_open(
    shared: Services, visit: Visit, order: Any
) -> None:
    """Where there is one prompt, what it is judged in one way would tell of the other."""
    visitor = visit()
    only = next(p.key for p in shared.store.prompts.where() if len(p.turns) == 1)
    for prompt in list(shared.store.prompts.where()):
        shared.store.withhold("prompt", prompt.key, prompt.key != only)
    judges = [opened(shared, visitor)[1] for opened in order]
    said = [judge() for judge in judges]
    assert all("counted" in text for text in said)
    assert not any(name in said[0] for name in (*NAMES, *WRITERS))
    assert "names wait" in said[0]
    assert any(f"**{name}**" in said[1] for name in NAMES)


def test_a_live_battle_tells_no_writer_of_what_is_open(shared: Services, visit: Visit) -> None:
    """Nor where a few words were added to the open prompt."""
    visitor, page = visit(), BattlePage(shared)
    prompt, judge = open_pair(shared, visitor)
    *_, view = page.say(visitor, "", f"{prompt.turns[0]} Please be brief.")
    said = page.cast(visitor, view.token, Winner.TIE).text
    assert not any(name in said for name in WRITERS)
    said = judge()
    assert sum(f"**{name}**" in said for name in NAMES) == 2


def test_what_was_looked_up_comes_last(shared: Services, visit: Visit) -> None:
    visitor = visit()
    known, *others = [p.key for p in shared.store.prompts.where()]
    BrowsePage(shared).prompt(visitor, known)
    drawn, page, rate = [], VotePage(shared), RatePage(shared)
    while (view := page.next_pair(visitor)).open:
        *_, battle = shared.store.battles.where()
        drawn.append(battle.prompt_key)
        page.cast(visitor, view.token, Winner.TIE)
    assert len(drawn) == 9
    assert {drawn[0], drawn[1]} == set(others)
    other = visit()
    BrowsePage(shared).prompt(other, known)
    rate.next_answer(other)
    *_, showing = shared.store.showings.where()
    assert showing.prompt_key != known


def test_a_pair_and_an_answer_are_of_different_prompts(shared: Services, visit: Visit) -> None:
    for _ in range(12):
        visitor = visit()
        RatePage(shared).next_answer(visitor)
        VotePage(shared).next_pair(visitor)
        (single,) = shared.store.showings.where(voter=str(visitor.voter))
        (pair,) = shared.store.battles.where(voter=str(visitor.voter))
        assert single.prompt_key != pair.prompt_key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is ２+２?", "what is 2 + 2", True),
        ("???", " ? ? ?", True),
        ("北京 在哪里？", "北京在哪里", True),
        ("a", "b", False),
    ],
)
def test_what_two_texts_ask(one: str, other: str, same: bool) -> None:
    assert (essence(one) == essence(other)) is same
    asked = Open(asked=frozenset([essence(one)]))
    assert asked.echoes(other) is same


def test_a_short_prompt_stops_no_other(visit: Visit) -> None:
    asked = Open(asked=frozenset([essence("Hi")]))
    assert asked.echoes("hi!")
    assert not asked.echoes("Which philosophers wrote of history?")
