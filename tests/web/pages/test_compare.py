"""The page that compares two models: its handlers, and in a browser on a desktop and a phone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from arena.compare.question import Aim, Question
from arena.records import Preference, Winner
from arena.store import Store
from arena.web.background.comparisons import Pairing
from arena.web.pages.compare import ComparePage, address_of
from arena.web.security.voters import Visitor, Voters
from arena.web.services import services
from arena.web.views.words import WORDS
from arena.web.voting.battles import start
from arena.web.voting.pool import Pool
from tests.compare.stores import answered_store, outcomes, verdicts, vote
from tests.web.running import App
from tests.web.test_app import Visitor as BrowserVisitor

Visit = Callable[..., Visitor]
WANTED = Pairing("old", "new")


def filled(path: Path) -> Store:
    """`new` wins maths and is even in writing; a judge thinks it worse; `third` met nobody."""
    store = answered_store(path, 60, ("old", "new", "third"))
    vote(store, lambda k: [Winner.MODEL_B if k % 2 == 0 or k % 4 == 1 else Winner.MODEL_A])
    verdicts(store, lambda k: Preference.B if k % 2 == 0 or k % 4 == 1 else Preference.A)
    outcomes(store, {"old": [1.0, 0.0] * 20, "new": [1.0, 1.0] * 20})
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = filled(tmp_path / "arena.db")
    yield store
    store.close()


@pytest.fixture
def page(store: Store, voters: Voters) -> ComparePage:
    return ComparePage(services(store, voters))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_that_the_command_says_is_on_the_page(
    page: ComparePage, visit: Visit, language: str
) -> None:
    words, view = WORDS[language], page.show(visit(language), WANTED, 30.0)
    assert view.done
    said = {"en": "new wins 75.0% (", "zh": "的胜率为 75.0%（"}[language]
    assert said in view.text
    for name in ("compare_evidence", "compare_groups", "compare_facts", "moved_up", "moved_down"):
        assert words[name] in view.text
    for kind in ("human", "judge", "objective"):
        assert str(escape(words[kind])) in view.text
    assert {"en": "maths", "zh": "数学"}[language] in view.text
    assert words["told_better"] in view.text
    assert view.text.count('class="entry"') == 10
    assert "./browse?prompt=" in view.text
    assert words["prompts_more"] in view.text


def test_a_question_leads_to_its_decision(page: ComparePage, visit: Visit) -> None:
    words = WORDS["en"]
    for wanted, decision in (
        (WANTED, "decision_ship"),
        (Pairing("new", "old"), "decision_do_not"),
        (Pairing("old", "new", Question(Aim.SUPERIOR, 0.0)), "decision_ship"),
    ):
        assert f">{words[decision]}<" in page.show(visit(), wanted, 30.0).text


def test_what_says_nothing_is_said(page: ComparePage, visit: Visit) -> None:
    assert WORDS["en"]["same_model"] in page.show(visit(), Pairing("old", "old")).text
    assert WORDS["en"]["same_model"] in page.show(visit(), Pairing("", "")).text
    found = page.show(visit("zh"), Pairing("old", "third"), 30.0)
    assert "old 和 third" in found.text
    assert not found.text.count("<table")


def test_no_prompt_that_the_voter_has_open_or_that_is_hidden_is_named(
    store: Store, page: ComparePage, visit: Visit
) -> None:
    voter = visit()
    assert voter.voter
    shown = page.show(voter, WANTED, 30.0).text
    pool, battle = Pool(store), start(store, Pool(store), voter.voter)
    while battle.prompt.key not in shown:
        battle = start(store, pool, voter.voter, instead_of=battle.battle.key)
    assert battle.prompt.key in shown
    assert battle.prompt.key not in page.show(voter, WANTED, 30.0).text
    assert battle.prompt.key in page.show(visit(), WANTED, 30.0).text
    store.withhold("prompt", battle.prompt.key, True)
    assert battle.prompt.key not in page.show(visit(), WANTED, 30.0).text


def test_an_arena_that_shows_nobody_names_no_prompt(
    store: Store, voters: Voters, visit: Visit
) -> None:
    from arena.config import AppSettings, Browse

    page = ComparePage(services(store, voters, settings=AppSettings(browse=Browse.NOBODY)))
    found = page.show(visit(), WANTED, 30.0).text
    assert "new wins" in found
    assert "./browse?prompt=" not in found


def test_an_address_brings_the_same_comparison_again(page: ComparePage) -> None:
    for wanted in (
        WANTED,
        Pairing("new", "third", Question(margin=5.0)),
        Pairing("old", "new", Question(Aim.TWO_SIDED, 0.0)),
    ):
        query = dict(part.split("=") for part in address_of(wanted).split("&"))
        assert page.wanted(query) == wanted
    assert page.wanted({"old": "nobody", "new": "new", "margin": "7", "aim": "x"}) == Pairing(
        next(name for name in page.models() if name != "new"), "new"
    )
    assert {page.wanted({}).a, page.wanted({}).b} < {"old", "new", "third"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    db = tmp_path_factory.mktemp("compare") / "arena.db"
    filled(db).close()
    with App(db) as app:
        yield app


@pytest.mark.slow
@pytest.mark.parametrize(
    ("locale", "width", "scheme"), [("en-US", 1200, "light"), ("zh-CN", 390, "dark")]
)
def test_two_models_are_chosen_and_the_address_follows(
    browser: Any, app: App, locale: str, width: int, scheme: str
) -> None:
    visitor = BrowserVisitor(browser, app, "compare?old=old&new=new", locale, width, scheme)
    page, words = visitor.page, WORDS["zh" if locale == "zh-CN" else "en"]
    visitor.wait_for("#sentence")
    assert words["decision_ship"] in page.inner_text("#comparison")
    assert page.locator("#groups tbody tr").count() == 2
    visitor.choose("aim", words["aim_superior"])
    page.wait_for_selector("#margin", state="hidden")
    visitor.settle()
    assert "aim=superior" in page.url
    visitor.choose("new-model", "old")
    page.wait_for_function(
        "said => document.querySelector('#comparison').innerText.includes(said)",
        arg=words["same_model"],
    )
    visitor.choose("old-model", "new")
    visitor.wait_for("#sentence")
    visitor.settle()
    assert words["decision_do_not"] in page.inner_text("#comparison")
    assert "old=new&new=old" in page.url
    assert visitor.width() == width
    page.reload()
    visitor.wait_for("#sentence")
    assert words["decision_do_not"] in page.inner_text("#comparison")
    page.locator("#comparison a.entry").first.click()
    visitor.wait_for("#about h3")
    assert visitor.complaints == []
