"""The page of one model: where it stands, its opponents, and the prompts it does best on."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from arena.config import parse_model
from arena.records import Decoding, Prompt, Vote, Winner
from arena.store import Store
from arena.web.background.model_record import WinRecord, record
from arena.web.pages.models import ModelsPage, _decoding, _facts
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.words import WORDS
from arena.web.voting.battles import start
from arena.web.voting.pool import Pool

Visit = Callable[..., Visitor]


@pytest.fixture
def voted(answered: Store, prompts: list[Prompt]) -> Store:
    """`long` wins on the first prompt and loses on the third; nobody compared `short` with it."""
    keys = {(a.prompt_key, a.model): a.key for a in answered.answers.where()}
    won = [(0, Winner.MODEL_A)] * 4 + [(0, Winner.TIE)] + [(2, Winner.MODEL_B)] * 3
    answered.votes.cast_all(
        Vote(
            f"b{k}", prompts[p].key, *(keys[prompts[p].key, m] for m in ("long", "middle")), w, "v"
        )
        for k, (p, w) in enumerate(won)
    )
    return answered


def test_a_record_counts_from_the_models_side(voted: Store, prompts: list[Prompt]) -> None:
    long, middle = (record(voted, name) for name in ("long", "middle"))
    assert long.people == WinRecord(4, 1, 3, 4.5)
    assert middle.people == WinRecord(3, 1, 4, 3.5)
    assert [(o.model, o.people) for o in long.opponents] == [("middle", long.people)]
    assert [(one.prompt.name, one.score) for one in long.best] == [("one", WinRecord(4, 1, 0, 4.5))]
    assert [one.prompt.name for one in long.worst] == ["three"]
    assert [one.prompt.name for one in middle.best] == ["three"]
    assert long.by_people
    voted.withhold("prompt", prompts[2].key, True)
    assert record(voted, "long").worst == ()
    assert record(voted, "short").opponents == ()
    assert record(voted, "nobody").people.share is None


def test_the_page_shows_it_and_nothing_of_what_is_still_to_be_judged(
    voted: Store, shared: Services, visit: Visit, pool: Pool
) -> None:
    page = ModelsPage(shared)
    model = replace(next(m for m in voted.models() if m.name == "long"), organization="<Org>")
    voted.describe([replace(model, price=(0.5, 1.5), context_length=8192)])
    for language, facts in (("en", "$0.5 / $1.5 per million"), ("zh", "$0.5 / $1.5 每百万")):
        shown = page.one(visit(language), "long", 30.0) or ""
        words = WORDS[language]
        assert facts in shown
        assert "&lt;Org&gt;" in shown
        assert "8,192" in shown
        assert "Name three colours" in shown
        assert "What is two and two?" in shown
        assert words["place_of"].format(rank=1, models=2) in shown
        assert "4 – 1 – 3" in shown
        assert "./compare?old=middle&amp;new=long" in shown
        assert words["no_such_model"].format(name="x") in (page.one(visit(language), "x") or "")
    voter = visit()
    assert voter.voter
    battle = start(voted, pool, voter.voter)
    shown = page.one(voter, "long", 30.0) or ""
    hidden = battle.prompt.turns[0]
    assert hidden not in shown
    unrated = page.one(visit(), "short", 30.0) or ""
    assert WORDS["en"]["nothing_said"] in unrated


def test_a_page_that_takes_a_while_says_what_is_being_done(
    voted: Store, shared: Services, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ModelsPage(shared)
    for language in ("en", "zh"):
        shown: list[str] = []
        answers = iter([None, "the record"])
        monkeypatch.setattr(page, "one", lambda *_, answers=answers: next(answers))
        shown = list(page.waiting(visit(language), "long"))
        assert WORDS[language]["computing_model"] in shown[0]
        assert shown[1:] == ["the record"]


def test_old_versions_are_marked_on_both_pages(
    voted: Store, shared: Services, visit: Visit
) -> None:
    (long,) = [model for model in voted.models() if model.name == "long"]
    voted.put_model(replace(long, name="long@2"))
    page = ModelsPage(shared)
    for language, said in (("en", "old version of long@2"), ("zh", "long@2 的旧版")):
        *_, shown = page.show(visit(language))
        assert shown.count(said) == 1
        assert said in (page.one(visit(language), "long", 30.0) or "")
        assert said not in (page.one(visit(language), "long@2", 30.0) or "")


def test_what_is_publicly_known_of_a_model_is_on_its_page() -> None:
    model = parse_model("m=openai:Qwen/Qwen3-8B@http://127.0.0.1:9/v1")
    said = dict(_facts(replace(model, price=(0.1, 0.4), license="mine"), WORDS["en"]))
    assert (said["Licence"], said["Released"]) == ("mine", "2025-04-29")
    assert said["Context"] == "32,768 tokens"
    assert said["Price"] == "$0.1 / $0.4 per million tokens read / written"
    assert "Cost" not in said


def test_how_a_model_writes_is_said_in_words() -> None:
    said = {
        "en": ("greedy, at most 60 tokens", "temperature 0.7, top-p 0.9, at most 1 token"),
        "zh": ("贪心解码，至多 60 词元", "温度 0.7，top-p 0.9，至多 1 词元"),
    }
    for language, (greedy, drawn) in said.items():
        words = WORDS[language]
        assert _decoding(Decoding(temperature=0.0, max_tokens=60), words) == greedy
        how = Decoding(temperature=0.7, top_p=0.9, max_tokens=1)
        assert _decoding(how, words) == drawn
