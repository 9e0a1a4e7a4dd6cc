"""Two models answer live: what is shown when, and what may be voted on."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest
from aiohttp import web

from arena.backends import Reply
from arena.config import AppSettings, parse_model
from arena.records import Decoding, Model, Winner
from arena.store import Store
from arena.web.pages.battle import BattlePage
from arena.web.pages.models import ModelsPage
from arena.web.pages.side_by_side import SideBySidePage
from arena.web.security.voters import Visitor, Voters
from arena.web.services import Services, services
from arena.web.views.words import WORDS
from arena.web.voting.controls import BattleView, updates
from arena.web.voting.live import Glimpse, Live, TurnRefusedError, together
from tests.servers import Fault, Served, fault, piece, serve

Visit = Callable[..., Visitor]
ASKED = "Name the seas that lie around Italy."


@pytest.fixture
def live_models() -> dict[str, Model]:
    base = parse_model("fake:echo")
    return {
        name: replace(base, name=name, decoding=Decoding(max_tokens=tokens))
        for name, tokens in (("quick", 9), ("slow", 3))
    }


@pytest.fixture
def shared(store: Store, voters: Voters, live_models: dict[str, Model]) -> Services:
    settings = AppSettings(prompt_characters=200, turns=2)
    return services(store, voters, models=live_models, settings=settings)


@pytest.fixture
def page(shared: Services) -> BattlePage:
    shared.live.states()
    return BattlePage(shared)


def again(view: BattleView) -> BattleView:
    """A battle as it looks when the page is opened anew."""
    return replace(view, status=f"{WORDS['en']['battle_again']} {view.status}".rstrip())


def reply(text: str, finish: str = "") -> Reply:
    return Reply((text,), (finish,))


def thinks(text: str) -> Reply:
    return Reply(("",), ("",), thinking=(text,))


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (reply("abcdef"), reply("ab"), Glimpse("ab", "ab")),
        (reply("abcdef", "stop"), reply("ab"), Glimpse("ab", "ab")),
        (reply("ab", "stop"), reply("abcdef"), Glimpse("ab", "abcdef")),
        (reply("ab", "stop"), reply("abcdef", "length"), Glimpse("ab", "abcdef", True)),
        (reply("abc"), reply(""), Glimpse("", "")),
        (thinks("twelve chars"), thinks("four"), Glimpse("", "", thinking=12)),
        (thinks("twelve chars"), reply("abc"), Glimpse("", "", thinking=12)),
        (thinks("twelve chars"), reply("abc", "stop"), Glimpse("", "", thinking=12)),
        (replace(reply("ab"), thinking=("done",)), reply("abc"), Glimpse("ab", "ab")),
    ],
)
def test_neither_side_runs_ahead(first: Reply, second: Reply, shown: Glimpse) -> None:
    assert together(first, second) == shown
    mirrored = together(second, first)
    assert (mirrored.first, mirrored.second) == (shown.second, shown.first)
    assert mirrored.thinking == shown.thinking


def test_a_battle_from_prompt_to_vote(
    page: BattlePage, shared: Services, store: Store, visit: Visit
) -> None:
    visitor = visit()
    views = list(page.say(visitor, "", ASKED))
    assert all(view.writing and not view.open for view in views[:-1])
    last = views[-1]
    assert last.open
    assert ASKED in last.prompt
    assert not [name for name in ("quick", "slow") if name in str(views)]
    assert store.counts()["answers"] == 0
    *_, second = page.say(visitor, last.token, "And around Spain?")
    assert "Turn 2" in second.first
    said = page.cast(visitor, second.token, Winner.MODEL_B, ("clear",), "shorter")
    assert "**quick**" in said.text
    assert "**slow**" in said.text
    (vote,) = store.votes.where()
    assert vote.winner is Winner.MODEL_B
    assert vote.propensity == 1.0
    (prompt,) = store.prompts.where(key=vote.prompt_key)
    assert prompt.turns == (ASKED, "And around Spain?")
    answers = store.answers.get([vote.first, vote.second])
    assert {len(a.turns) for a in answers.values()} == {2}
    assert store.talks.count() == 0
    assert shared.pool.models() == []


def test_what_is_typed_for_the_next_turn_stays_when_the_answers_end(
    page: BattlePage, visit: Visit
) -> None:
    """The field is emptied when the turn begins, and never again."""
    begun, *_, last = page.say(visit(), "", ASKED)
    assert (begun.draft, last.draft) == ("", None)
    assert updates(begun, str)[6] == ""
    assert updates(last, str)[6] == gr.skip()
    _, *others = page.again(visit(), last.token)
    assert not [view for view in others if view.draft is not None]


def test_no_vote_before_the_answers_have_ended(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    views = page.say(visitor, "", ASKED)
    token = next(views).token
    next(views)
    said = page.cast(visitor, token, Winner.MODEL_A)
    assert not said.done
    assert "not ended" in said.text
    *_, last = views
    page.cast(visitor, last.token, Winner.MODEL_A)
    assert "already" in page.cast(visitor, last.token, Winner.MODEL_B).text
    assert [vote.winner for vote in store.votes.where()] == [Winner.MODEL_A]


def test_a_live_battle_is_its_voters_alone(page: BattlePage, store: Store, visit: Visit) -> None:
    mine, other = visit(), visit()
    *_, last = page.say(mine, "", ASKED)
    assert "not shown to you" in page.cast(other, last.token, Winner.TIE).text
    (talk,) = store.talks.where()
    assert "not shown to you" in page.cast(mine, talk.key, Winner.TIE).text
    assert store.counts()["votes"] == 0


def left_in_the_middle(page: BattlePage, visitor: Visitor, token: str, text: str) -> None:
    """As when a page is closed, or its connection breaks."""
    views = page.say(visitor, token, text)
    next(views)
    next(views)
    views.close()  # type: ignore[attr-defined]


def test_a_turn_that_is_given_up_leaves_the_battle_as_it_was(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    *_, last = page.say(visitor, "", ASKED)
    (before,) = store.talks.where()
    left_in_the_middle(page, visitor, last.token, "And one more?")
    assert page.cast(visitor, last.token, Winner.TIE).counted
    (battle,) = store.battles.where()
    assert store.prompts.get([battle.prompt_key])[battle.prompt_key].turns == before.turns


def test_a_turn_that_is_left_is_a_draft_however_late_one_comes_back(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    left_in_the_middle(page, visitor, "", ASKED)  # it has ended when the page is opened again
    (back,) = page.resume(visitor)
    assert (back.draft, back.open) == (ASKED, False)
    left_in_the_middle(page, visitor, back.token, ASKED)
    *_, said = page.say(visitor, back.token, "Another question?")  # on the page that is still open
    assert ASKED not in said.prompt
    assert said.open
    assert len([*store.talks.where()]) == 1  # nothing stays of a question that nobody answered
    assert page.cast(visitor, said.token, Winner.TIE).counted
    assert [*store.talks.where()] == []


def test_whoever_stops_gets_the_text_back_and_the_battle_as_it_was(
    store: Store, voters: Voters, visit: Visit
) -> None:
    models = {name: replace(parse_model("fake:echo@0.6"), name=name) for name in "ab"}
    page, visitor = BattlePage(services(store, voters, models=models)), visit()
    *_, first = page.say(visitor, "", ASKED)
    (before,) = store.talks.where()
    views = page.say(visitor, first.token, "Seven swift swans swam silently southwards.")
    _, writing = next(views), next(views)
    assert writing.writing
    page.stop(visit(), writing.token)  # somebody else's wish is none
    page.stop(visitor, writing.token)
    *_, last = views
    assert ((last.draft or "").split()[0], last.status) == ("Seven", WORDS["en"]["stopped"])
    assert replace(last, draft=None, status=first.status) == replace(first, token=last.token)
    assert [*store.talks.where()] == [before]
    assert page.cast(visitor, last.token, Winner.TIE).counted


def test_a_battle_comes_back_as_it_is_between_two_turns(
    page: BattlePage, shared: Services, visit: Visit
) -> None:
    visitor = visit()
    assert list(page.resume(visitor)) == []
    assert list(page.resume(visit(cookie=False))) == []
    *_, said = page.say(visitor, "", ASKED)
    (back,) = page.resume(visitor)
    assert replace(back, token=said.token) == again(said)
    assert list(page.resume(visit())) == []  # nobody else's
    *_, went_on = page.say(visitor, back.token, "And around Spain?")
    assert went_on.full
    (back,) = page.resume(visitor)
    assert replace(back, token=went_on.token) == again(went_on)
    assert page.cast(visitor, back.token, Winner.TIE).counted
    assert list(page.resume(visitor)) == []


def test_whoever_comes_back_while_both_write_waits_for_them(
    store: Store, voters: Voters, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.web.pages.battle.LOOK", 0.01)
    models = {name: replace(parse_model("fake:echo@0.3"), name=name) for name in "ab"}
    page, visitor = BattlePage(services(store, voters, models=models)), visit()
    *_, first = page.say(visitor, "", ASKED)
    views = page.say(visitor, first.token, "Seven swift swans.")
    next(views)
    next(views)
    back = page.resume(visitor)
    waiting = next(back)
    assert waiting.writing
    assert waiting.status.startswith(WORDS["en"]["battle_again"])
    assert "Seven swift swans" in waiting.prompt
    *_, said = views
    (then,) = back
    assert replace(then, token=said.token) == again(said)
    # A page that is left in the middle gives its turn up: it comes back as a draft.
    views = page.say(visitor, then.token, "And eight geese?")
    next(views)
    next(views)
    back = page.resume(visitor)
    assert next(back).writing
    views.close()  # type: ignore[attr-defined]
    (then,) = back
    assert replace(then, token=said.token, draft=None) == again(said)
    assert then.draft == "And eight geese?"


def test_a_first_question_that_nobody_answered_is_no_battle_under_way(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    list(page.say(visitor, "", ASKED))
    (talk,) = store.talks.where()
    nothing: dict[str, Any] = dict.fromkeys(
        ("first", "second", "first_finish", "second_finish"), ()
    )
    store.talks.put([replace(talk, **nothing)])  # as it is while both models are loaded
    (back,) = page.resume(visitor)
    assert (back.draft, back.open, back.prompt) == (ASKED, False, "")
    assert back.status == WORDS["en"]["battle_draft"]


def test_a_version_that_another_took_the_place_of_answers_no_more(store: Store) -> None:
    old = parse_model("quick=fake:first")
    new = replace(old, name="quick@2", decoding=Decoding(max_tokens=9))
    store.put_model(old)
    store.put_model(new)

    def names(configured: Model) -> set[str]:
        live = Live(store, {configured.name: configured}, AppSettings())
        return {model.name for model in live.candidates()}

    assert names(new) == {"quick@2"}
    assert names(old) == {"quick"}


def test_a_turn_that_died_with_the_app_comes_back_as_a_draft(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    *_, said = page.say(visitor, "", ASKED)
    (talk,) = store.talks.where()
    store.talks.put([replace(talk, turns=(*talk.turns, "And Spain?"))])
    (back,) = page.resume(visitor)
    assert replace(back, token=said.token, draft=None) == again(said)
    assert back.draft == "And Spain?"
    assert [*store.talks.where()] == [talk]
    assert page.cast(visitor, back.token, Winner.TIE).counted


def test_two_named_models_are_stopped_by_whoever_asked_them(
    store: Store, voters: Voters, visit: Visit
) -> None:
    models = {name: replace(parse_model("fake:echo@0.6"), name=name) for name in "ab"}
    page, visitor = SideBySidePage(services(store, voters, models=models)), visit()
    page.stop(visitor)  # nothing is written yet
    page.models()
    views = page.ask(visitor, "a", "b", "Seven swift swans swam silently southwards.")
    _, writing = next(views), next(views)
    assert writing.writing
    page.stop(visit())
    page.stop(visit(cookie=False))
    assert next(views).writing
    page.stop(visitor)
    *_, last = views
    assert (last.status, last.writing) == (WORDS["en"]["side_stopped"], False)
    assert last.first
    *_, again = page.ask(visitor, "a", "b", "Once more.")
    assert (again.status, again.writing) == ("", False)


def test_a_turn_is_asked_anew_and_the_last_answers_count(
    store: Store, voters: Voters, visit: Visit
) -> None:
    base = parse_model("fake:echo")
    models = {n: replace(base, name=n, decoding=Decoding(temperature=1.0)) for n in "ab"}
    page = BattlePage(services(store, voters, models=models))
    visitor, said = visit(), set()
    *_, view = page.say(visitor, "", ASKED)
    for _ in range(3):
        said.add((view.first, view.second))
        *_, view = page.again(visitor, view.token)
        assert view.open
        assert view.prompt.count(ASKED) == 2  # formatted, and as it was written
    assert len(said) == 3
    (talk,) = store.talks.where()
    assert (talk.turns, talk.attempts, len(talk.first)) == ((ASKED,), 3, 1)
    assert page.cast(visitor, view.token, Winner.TIE).counted
    (vote,) = store.votes.where()
    assert store.answers.get([vote.first])[vote.first].turns == talk.first
    *_, over = page.again(visitor, view.token)
    assert over.over
    assert over.status == WORDS["en"]["blocked_turn"]


def test_a_refusal_loses_neither_the_text_nor_the_battle(
    page: BattlePage, shared: Services, visit: Visit
) -> None:
    visitor = visit()
    *_, first = page.say(visitor, "", ASKED)
    for text, word in (("x" * 201, "prompt_too_long"), (" ", "empty_prompt")):
        (refused,) = page.say(visitor, first.token, text)
        assert refused.status == WORDS["en"][word].format(length=201, most=200)
        assert (refused.draft, refused.open, refused.first) == (text, True, first.first)
    while shared.allowances.generate(visitor):
        pass
    (refused,) = page.say(visitor, first.token, "More?")
    assert (refused.draft, refused.first) == ("More?", first.first)
    assert page.cast(visitor, refused.token, Winner.TIE).counted


def test_a_vote_in_one_tab_ends_the_battle_in_the_other(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    *_, last = page.say(visitor, "", ASKED)
    other = page.say(visitor, last.token, "And one more?")
    next(other)
    assert page.cast(visitor, last.token, Winner.TIE).done
    *_, refused = other
    assert not refused.open
    assert store.talks.count() == 0
    assert "already" in page.cast(visitor, last.token, Winner.MODEL_B).text
    assert (store.votes.count(), store.prompts.count(), store.answers.count()) == (1, 1, 2)


def test_two_tabs_take_one_turn(page: BattlePage, store: Store, visit: Visit) -> None:
    visitor = visit()
    *_, last = page.say(visitor, "", ASKED)
    one, other = (page.say(visitor, last.token, text) for text in ("First?", "Second?"))
    next(one)
    next(other)
    *_, taken = one
    *_, refused = other
    assert taken.open
    assert not refused.writing
    (talk,) = store.talks.where()
    assert talk.turns == (ASKED, "First?")


def test_a_model_paused_in_mid_battle_ends_with_its_vote(
    page: BattlePage, store: Store, visit: Visit
) -> None:
    visitor = visit()
    views = page.say(visitor, "", ASKED)
    next(views)
    store.withhold("model", "quick", True)
    *_, last = views
    assert page.cast(visitor, last.token, Winner.TIE).done
    assert store.votes.count() == 1


@pytest.mark.parametrize(
    ("text", "said"), [("  ", "Type a prompt"), ("x" * 201, "201 characters; at most 200")]
)
def test_prompts_that_are_not_taken(
    page: BattlePage, store: Store, visit: Visit, text: str, said: str
) -> None:
    (view,) = page.say(visit(), "", text)
    assert said in view.status
    assert store.talks.count() == 0


def test_a_battle_has_so_many_turns(page: BattlePage, visit: Visit) -> None:
    visitor = visit()
    token = ""
    for text in (ASKED, "And now?"):
        *_, view = page.say(visitor, token, text)
        token = view.token
    *_, view = page.say(visitor, token, "And then?")
    assert "at most 2 turns" in view.status
    assert view.open


def test_a_model_that_fails_costs_the_turn_alone(
    page: BattlePage, store: Store, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arena.backends.fake import FakeBackend
    from arena.records.errors import BackendError

    def fail(self: FakeBackend, request: Any) -> Iterator[Reply]:
        raise BackendError("http://secret.example refused")
        yield

    monkeypatch.setattr(FakeBackend, "stream", fail)
    *_, view = page.say(visit(), "", ASKED)
    assert "did not answer" in view.status
    assert "secret.example" not in str(view)
    assert not view.open


def test_a_pair_whose_first_turn_fails_makes_way_for_another(
    store: Store, voters: Voters, live_models: dict[str, Model], visit: Visit
) -> None:
    """Else a model that never answers is asked again and again."""
    models = {"mute": replace(parse_model("fake:edges"), name="mute"), **live_models}
    shared = services(store, voters, models=models)
    page, visitor, token = BattlePage(shared), visit(), ""
    for sides in (("mute", "quick"), ("quick", "slow")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shared.live._dice, "choice", lambda pairs, sides=sides: sides)
            *_, view = page.say(visitor, token, ASKED)
        token = view.token
        if "mute" in sides:
            assert (view.token, view.draft) == ("", ASKED)
            assert "drawn anew" in view.status
            assert store.talks.count() == 0
    assert view.open


def test_without_live_models_the_page_says_so(
    store: Store, voters: Voters, live_models: dict[str, Model], visit: Visit
) -> None:
    one = {"quick": live_models["quick"]}
    page = BattlePage(services(store, voters, models=one))
    assert not page.possible()
    (view,) = page.say(visit(), "", ASKED)
    assert "No model can answer live" in view.status


def test_a_paused_model_takes_no_part(shared: Services, store: Store) -> None:
    store.withhold("model", "quick", True)
    with pytest.raises(TurnRefusedError):
        shared.live.begin("somebody")


def test_side_by_side_names_both_and_keeps_nothing(
    shared: Services, store: Store, visit: Visit
) -> None:
    page = SideBySidePage(shared)
    assert page.models() == ["quick", "slow"]
    *_, view = page.ask(visit(), "quick", "slow", ASKED)
    assert view.first
    assert view.second
    assert view.status == ""
    assert store.counts()["answers"] == 0
    (same,) = page.ask(visit(), "quick", "quick", ASKED)
    assert "different" in same.status
    (unknown,) = page.ask(visit(), "quick", "<b>nobody</b>", ASKED)
    assert "cannot answer live" in unknown.status


async def well(*texts: str) -> AsyncIterator[Any]:
    for text in texts:
        yield piece(text)
    yield piece(None, "stop")


async def badly(*data: Any) -> AsyncIterator[Any]:
    yield piece("half an ")
    for one in data:
        yield one


async def without_end() -> AsyncIterator[Any]:
    while True:
        yield piece("and ")
        await asyncio.sleep(0.01)


def hosted(store: Store, voters: Voters, served: Served, timeout: float = 30.0) -> BattlePage:
    """A battle between two models of one server."""
    base = replace(parse_model(f"openai:m@{served.url}"), timeout=timeout)
    models = {name: replace(base, name=name, weights=name) for name in ("amber", "birch")}
    return BattlePage(services(store, voters, models=models))


def test_a_servers_answers_grow_together(store: Store, voters: Voters, visit: Visit) -> None:
    seen = threading.Event()

    async def slowly() -> AsyncIterator[Any]:
        yield piece("One ")
        assert await asyncio.to_thread(seen.wait, 60)
        yield piece("two")
        yield piece(None, "stop")

    with serve(lambda _: slowly(), models=("amber", "birch")) as served:
        page = hosted(store, voters, served)
        visitor = visit()
        views = page.say(visitor, "", ASKED)
        assert next(views).status == WORDS["en"]["asking_models"]
        next(views)
        growing = next(views)
        assert "One " in growing.first
        assert growing.first == growing.second
        assert "not ended" in page.cast(visitor, growing.token, Winner.TIE).text
        seen.set()
        *_, last = views
        assert "One two" in last.first
        assert last.first == last.second
        assert "**birch**" in page.cast(visitor, last.token, Winner.MODEL_A).text
    assert store.votes.count() == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"reasoning_content": "A secret thought."}, "Said."),
        ({"reasoning": "A secret thought."}, "Said."),
        ({"content": "<think>A secret thought."}, "</think>Said."),
        ({"content": [{"type": "thinking", "thinking": "A secret thought."}]}, "Said."),
    ],
)
def test_while_a_model_thinks_both_sides_say_the_same_and_nothing_of_it(
    store: Store, voters: Voters, visit: Visit, first: dict[str, Any], then: str
) -> None:
    seen = threading.Event()

    async def thoughtful() -> AsyncIterator[Any]:
        yield json.dumps({"choices": [{"delta": first, "finish_reason": None}]})
        assert await asyncio.to_thread(seen.wait, 60)
        yield piece(then)
        yield piece(None, "stop")

    def answer(body: dict[str, Any]) -> AsyncIterator[Any]:
        return thoughtful() if body["model"] == "birch" else well("Plain.")

    with serve(answer, models=("amber", "birch")) as served:
        page = hosted(store, voters, served)
        visitor, views = visit(), []
        for view in page.say(visitor, "", ASKED):
            views.append(view)
            if "17" in view.status:
                assert view.status == "Thinking … (17 characters so far)"
                assert (view.first, view.second) == ("", "")
                seen.set()
        assert seen.is_set()
        assert {"Said." in views[-1].first, "Said." in views[-1].second} == {True, False}
        assert "secret" not in str(views)


@pytest.mark.parametrize(
    "ends",
    [
        lambda: badly(Fault.DROP),
        badly,
        lambda: badly("[DONE]"),
        lambda: badly("{]"),
        lambda: badly('{"error": {"message": "birch is out of memory"}}'),
        lambda: fault(500, "birch has failed"),
        lambda: fault(401, "birch has no key"),
        lambda: Fault.DROP,
    ],
)
def test_what_a_server_does_not_end_is_not_voted_on(
    store: Store, voters: Voters, visit: Visit, ends: Callable[[], Any]
) -> None:
    def script(body: dict[str, Any]) -> Any:
        return ends() if body["model"] == "birch" else well("A whole ", "answer")

    with serve(script, models=("amber", "birch")) as served:
        page = hosted(store, voters, served)
        visitor = visit()
        *views, last = page.say(visitor, "", ASKED)
        assert "One of the models did not answer" in last.status
        assert not any(view.open for view in [*views, last])
        assert "birch" not in str([*views, last])
        assert not page.cast(visitor, views[-1].token, Winner.MODEL_A).counted
        assert store.talks.count() == 0
        # The next try is another battle.
        ends = lambda: well("Now ", "it works")  # noqa: E731
        *_, last = page.say(visitor, last.token, ASKED)
        assert page.cast(visitor, last.token, Winner.MODEL_A).done
    assert store.votes.count() == 1


def test_an_answer_without_end_ends_the_turn(store: Store, voters: Voters, visit: Visit) -> None:
    with serve(lambda _: without_end(), models=("amber", "birch")) as served:
        page = hosted(store, voters, served, timeout=1.0)
        visitor = visit()
        *_, last = page.say(visitor, "", ASKED)
        assert "One of the models did not answer" in last.status
        assert not page.cast(visitor, last.token, Winner.MODEL_A).counted
    assert store.votes.count() == 0


def test_abandoned_battles_go_when_nobody_can_vote_on_them(shared: Services) -> None:
    old, late, new = (shared.live.begin(name) for name in ("a", "b", "c"))
    with shared.store.talks._connections.transaction() as db:
        for talk, days in ((old, 3), (late, 1)):
            db.conn.execute(
                "UPDATE talks SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)"
                " WHERE key = ?",
                (f"-{days} days", talk.key),
            )
    begun = shared.live.begin("d")
    left = {talk.key for talk in shared.store.talks.where()}
    assert left == {late.key, new.key, begun.key}


def test_pages_are_there_before_slow_servers_have_said_whether_they_answer(
    store: Store, voters: Voters, visit: Visit
) -> None:
    asked: list[str] = []

    def listing() -> web.Response:
        asked.append("models")
        return web.json_response({"data": [{"id": "amber"}, {"id": "birch"}]})

    with serve(lambda _: well("Yes."), listing=listing) as served:
        for path in ("battle", "models", "side_by_side"):
            shared = hosted(store, voters, served)._services
            battle, models, side = BattlePage(shared), ModelsPage(shared), SideBySidePage(shared)
            asked.clear()
            if path == "battle":
                opening: Iterator[Any] = battle.opening()
                assert next(opening) is None
            elif path == "models":
                opening = models.show(visit())
                at_once = next(opening)
                assert at_once.count(WORDS["en"]["asking"]) == 2
                assert WORDS["en"]["asking_models"] in at_once
            else:
                opening = (side.models() for _ in range(1))
                assert side.models(ask=False) == []
            assert asked == []
            last = next(opening)
            assert len(asked) == 2
            assert WORDS["en"]["asking"] not in str(last)
            assert list(battle.opening()) == [True]  # nobody is asked twice in a minute
            assert side.models(ask=False) == ["amber", "birch"]
            assert len(list(models.show(visit()))) == 1
            assert len(list(models.show(visit(), again=True))) == 2
            assert len(asked) == 4
