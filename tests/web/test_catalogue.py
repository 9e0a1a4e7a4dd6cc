"""What stands in Browse: live battles too, and of verdicts those that the ranking counts."""

import threading
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from itertools import count, permutations, product
from pathlib import Path

import pytest

from arena.config import AppSettings, Config, JudgeRun, parse_model
from arena.interchange.imports import import_battles
from arena.leaderboard.evidence.counted_judgements import count_verdicts
from arena.records import LIVE, Judge, Preference, Score, Verdict, Winner
from arena.store import Store
from arena.web.background.cache import LONG_ENOUGH, WHOLE, Cache
from arena.web.background.model_record import record
from arena.web.catalogue import Catalogue, Filter, catalogue
from arena.web.looking import Looking
from arena.web.pages.battle import BattlePage
from arena.web.pages.browse import BrowsePage
from arena.web.pages.judges import JudgesPage
from arena.web.pages.models import ModelsPage
from arena.web.pages.side_by_side import SideBySidePage
from arena.web.pages.vote import VotePage
from arena.web.security.voters import Visitor, Voters
from arena.web.services import Services, services
from arena.web.views.words import WORDS
from arena.web.voting.battles import Ballot, start, vote

Visit = Callable[..., Visitor]
WRITERS = ("quick", "slow")
serial = count()


@pytest.fixture
def shared(answered: Store, voters: Voters, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setattr("arena.web.voting.live.TICK", 0.01)
    models = {name: replace(parse_model("fake:echo"), name=name) for name in WRITERS}
    settings = AppSettings(votes_per_minute=1000, generations_per_hour=1000)
    return services(answered, voters, models=models, settings=settings)


def battle(shared: Services, visitor: Visitor, asked: str) -> str:
    """A live battle with its vote; what the vote told."""
    page = BattlePage(shared)
    *_, view = page.say(visitor, "", asked)
    return page.cast(visitor, view.token, Winner.MODEL_A).text


def writers(store: Store) -> list[str]:
    """Who answered in the one live battle; the stored fakes may do so too."""
    (live,) = store.prompts.where(source=LIVE)
    return sorted(answer.model for answer in store.answers.where(prompt_key=live.key))


def test_a_live_battle_is_browsed_and_marked_once_it_was_voted_on(
    shared: Services, visit: Visit
) -> None:
    visitor, page = visit(), BrowsePage(shared)
    battle(shared, visitor, "Which sea is the deepest of all?")
    (entry,) = [entry for entry in catalogue(shared.store).entries if entry.live]
    names = writers(shared.store)
    assert sorted(entry.models) == names
    assert (entry.votes, entry.answers, entry.category) == (1, 2, LIVE)
    for language, said in (("en", "live"), ("zh", "实时对战")):
        who = replace(visitor, language=language)
        text, _ = page.listing(who, Looking(wanted=Filter(category=LIVE)))
        assert text.count('class="entry"') == 1
        assert f'<span class="tag">{said}</span>' in text
        one = page.prompt(who, entry.key)
        assert one is not None
        assert WORDS[language]["asked_live"] in one.about
        assert sorted(name for name, _ in one.answers) == names
    by_writer, _ = page.listing(visitor, Looking(wanted=Filter(model=names[0])))
    assert "Which sea" in by_writer


def test_a_live_battle_is_no_stored_pair(shared: Services, visit: Visit) -> None:
    battle(shared, visit(), "Which sea is the deepest of all?")
    (live,) = shared.store.prompts.where(source=LIVE)
    visitor, page = visit(), VotePage(shared)
    while (view := page.next_pair(visitor)).open:
        page.cast(visitor, view.token, Winner.TIE)
    assert live.key not in {b.prompt_key for b in shared.store.battles.where(voter=visitor.voter)}
    assert SideBySidePage(shared).prompts(visitor, *WRITERS) == []


def test_a_live_battle_on_what_is_open_is_read_by_nobody_who_has_it_open(
    shared: Services, visit: Visit
) -> None:
    """Nor where a few words were added to what was asked."""
    visitor, other, page = visit(), visit(), BrowsePage(shared)
    shown = start(shared.store, shared.pool, str(visitor.voter))
    battle(shared, visitor, f"Please answer this: {shown.prompt.turns[0]}")
    (live,) = shared.store.prompts.where(source=LIVE)
    told, hidden = page.prompt(other, live.key), page.prompt(visitor, live.key)
    assert told is not None
    assert hidden is not None
    names = writers(shared.store)
    assert sorted(name for name, _ in told.answers) == names
    assert hidden.answers == ()
    assert not [name for name in names if name in hidden.about]
    wanted = Looking(wanted=Filter(model=names[0]))
    assert live.key in page.listing(other, wanted)[0]
    assert live.key not in page.listing(visitor, wanted)[0]
    vote(shared.store, shown.battle.key, str(visitor.voter), Ballot(Winner.TIE))
    after = page.prompt(visitor, live.key)
    assert after is not None
    assert len(after.answers) == 2


def judged(store: Store, judge: str, card: str, *said: Preference) -> None:
    """A verdict a prompt on `long` and `short`, by that card of a judge."""
    store.judges.add([Judge(card, judge, "{}")])
    pairs = zip(store.answers.where(model="long"), store.answers.where(model="short"), strict=True)
    store.verdicts.add(
        Verdict(f"v{next(serial)}", judge, card, a.prompt_key, a.key, b.key, verdict)
        for verdict, (a, b) in zip(said, pairs, strict=False)
    )


def test_verdicts_are_counted_as_the_ranking_counts_them(answered: Store) -> None:
    judged(answered, "j", "old", Preference.B, Preference.B, Preference.B)
    judged(answered, "j", "new", Preference.A, Preference.UNPARSED)
    judged(answered, "other", "card", Preference.TIE)
    known = catalogue(answered)
    assert sum(entry.verdicts for entry in known.entries) == 2
    assert known.cards == {"j": "new", "other": "card"}
    assert count_verdicts(answered, known.cards).counted == 2
    config = Config(judges=[JudgeRun(judge="j")])
    assert sum(entry.verdicts for entry in catalogue(answered, config=config).entries) == 1
    assert sum("other" in entry.judges for entry in catalogue(answered, config=config).entries) == 1


def test_verdicts_that_do_not_count_come_last_and_say_so(
    answered: Store, voters: Voters, visit: Visit
) -> None:
    judged(answered, "j", "old", Preference.B)
    judged(answered, "j", "new", Preference.A)
    judged(answered, "other", "card", Preference.TIE)
    (key,) = {verdict.prompt_key for verdict in answered.verdicts.where()}
    page = BrowsePage(services(answered, voters, config=Config(judges=[JudgeRun(judge="j")])))
    page.entries()
    view = page.prompt(visit(), key)
    assert view is not None
    verdicts = view.about.split("<h3>Verdicts</h3>")[1]
    assert verdicts.index("<b>long</b>") < verdicts.index("<b>short</b>")
    assert verdicts.count(WORDS["en"]["older_card"]) == 1
    assert verdicts.count(WORDS["en"]["judge_not_chosen"] + "</span>") == 1
    assert WORDS["en"]["turned"] not in verdicts  # two cards are no two orders


def blind_judge(store: Store) -> None:
    """A judge that takes the answer shown first, in both orders of every pair: too weak."""
    store.judges.add([Judge("card", "first", "{}")])
    for prompt in store.prompts.where():
        answers = [answer.key for answer in store.answers.where(prompt_key=prompt.key)]
        store.verdicts.add(
            Verdict(
                f"v{next(serial)}", "first", "card", prompt.key, a, b, Preference.A,
                p_first=0.7, p_second=0.2, p_tie=0.1,
            )
            for a, b in permutations(answers, 2)
        )  # fmt: skip
    answer = next(store.answers.where())
    store.scores.add([Score("s", "first", "card", answer.prompt_key, answer.key, 7.0)])


def test_what_a_judge_said_that_is_too_weak_to_rank_by_is_marked_everywhere(
    answered: Store, voters: Voters, visit: Visit
) -> None:
    blind_judge(answered)
    weak = catalogue(answered)
    assert weak.left_out == {"first": "judge_weak"}
    assert not [entry for entry in weak.entries if entry.verdicts or entry.turned]
    assert record(answered, "long").judges.n == 0
    let_in = Config(rank={"allow_weak_judges": True})
    counted = catalogue(answered, config=let_in)
    assert not counted.left_out
    assert all(entry.verdicts and entry.turned for entry in counted.entries)
    assert record(answered, "long", let_in).judges.n
    for config, language in product((None, let_in), ("en", "zh")):
        shared = services(answered, voters, config=config)
        known = shared.catalogue.get(WHOLE, LONG_ENOUGH)
        assert known is not None
        visitor, said = visit(language), WORDS[language]["judge_weak"]
        view = BrowsePage(shared).prompt(visitor, known.entries[0].key)
        assert view is not None
        verdicts = view.about.split("<h3>")[2]
        shown = VotePage(shared).next_pair(visitor)
        told = VotePage(shared).cast(visitor, shown.token, Winner.TIE).text
        cards = JudgesPage(shared).show(visitor, "", patience=LONG_ENOUGH).table
        marked = [said in text for text in (verdicts, told, cards)]
        assert marked == [config is None] * 3
        assert view.about.count(said) == (0 if config else 6 + 1)
        objection = known.objections["first"].text(language)
        told = WORDS[language]["too_weak"].format(why=objection)
        assert told in unescape(cards)
        assert told.count("first") == 1  # the reason names the judge


def test_the_odds_of_a_verdict_have_names(answered: Store, voters: Voters, visit: Visit) -> None:
    blind_judge(answered)
    page = BrowsePage(services(answered, voters))
    key = next(prompt.key for prompt in answered.prompts.where())
    for language, said in (
        ("en", "Probability: First 70% · Second 20% · Tie 10%"),
        ("zh", "概率：先 70% · 后 20% · 平局 10%"),
    ):
        view = page.prompt(visit(language), key)
        assert view is not None
        assert said in view.about


@pytest.mark.parametrize("other", [Preference.A, Preference.UNPARSED])
def test_an_order_that_was_not_read_is_no_other_verdict_and_says_why(
    answered: Store, voters: Voters, visit: Visit, other: Preference
) -> None:
    """The page of a prompt tells of the orders what the list tells of them."""
    prompt = next(answered.prompts.where())
    pair = [answer.key for answer in answered.answers.where(prompt_key=prompt.key)][:2]
    answered.judges.add([Judge("card", "j", "{}")])
    answered.verdicts.add(
        Verdict(
            f"v{next(serial)}", "j", "card", prompt.key, *sides, said,
            p_first=0.6, p_second=0.4, p_tie=0.0, mass=0.49,
        )
        for sides, said in ((pair, Preference.A), (pair[::-1], other))
    )  # fmt: skip
    config = Config(rank={"allow_weak_judges": True})
    (entry,) = (one for one in catalogue(answered, config=config).entries if one.verdicts)
    page = BrowsePage(services(answered, voters, config=config))
    for language in ("en", "zh"):
        view, words = page.prompt(visit(language), prompt.key), WORDS[language]
        assert view is not None
        assert view.about.count(words["turned"]) == 2 * entry.turned
        why = words["too_little"].format(share="49.0%", least="50%")
        assert view.about.count(why) == (other is Preference.UNPARSED)
    assert entry.turned == (other is Preference.A)


def test_votes_name_the_winner_as_verdicts_do(shared: Services, visit: Visit) -> None:
    visitor = visit()
    shown = start(shared.store, shared.pool, str(visitor.voter))
    vote(shared.store, shown.battle.key, str(visitor.voter), Ballot(Winner.MODEL_B))
    view = BrowsePage(shared).prompt(visitor, shown.prompt.key)
    assert view is not None
    votes = view.about.split("<h3>Votes</h3>")[1].split("<h3>")[0]
    assert f"<b>{shown.second.model}</b>" in votes
    assert "<b>B</b>" not in votes


def test_browse_says_what_is_being_put_together_and_not_that_nothing_fits(
    shared: Services, visit: Visit
) -> None:
    gate = threading.Event()

    def held(store: Store, _: str) -> Catalogue:
        gate.wait()
        return catalogue(store)

    page = BrowsePage(replace(shared, catalogue=Cache(shared.store, held, WHOLE)))
    for language in ("en", "zh"):
        text, pages = page.listing(visit(language), Looking(), patience=0.0)
        assert WORDS[language]["computing_catalogue"] in text
        assert WORDS[language]["no_entries"] not in text
        assert pages == 1
    gate.set()
    text, _ = page.listing(visit(), Looking(), LONG_ENOUGH)
    assert text.count('class="entry"') == 3


def test_where_nothing_can_be_read_browse_says_why(
    store: Store, voters: Voters, visit: Visit, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("prompt,model_a,model_b,winner,voter\n8,one,two,model_a,v\n")
    import_battles(store, bare)
    shared = services(store, voters)
    shared.catalogue.get(WHOLE, LONG_ENOUGH)
    for language, words in WORDS.items():
        text, _ = BrowsePage(shared).listing(visit(language), Looking())
        assert words["no_texts"] in text
        assert "./leaderboard" in text
        assert "(./leaderboard)" in VotePage(shared).next_pair(visit(language)).prompt
    (prompt,) = store.prompts.where()
    view = BrowsePage(shared).prompt(visit(), prompt.key)
    assert view is not None
    assert WORDS["en"]["because"] not in view.about  # nobody gave any


def test_what_an_import_had_no_text_of_says_so(
    store: Store, voters: Voters, visit: Visit, tmp_path: Path
) -> None:
    """In place of a question that nobody asked and of boxes that are empty."""
    bare, answers = tmp_path / "bare.csv", tmp_path / "answers.csv"
    bare.write_text("prompt,model_a,model_b,winner,voter\n8,one,two,model_a,v\n")
    answers.write_text(
        "prompt,model_a,model_b,winner,voter,answer_a,answer_b\n9,one,two,tie,v,Yes.,No.\n"
    )
    for path in (bare, answers):
        import_battles(store, path)
    shared = services(store, voters)
    known = shared.catalogue.get(WHOLE, LONG_ENOUGH)
    assert known is not None
    assert [entry.absent for entry in known.entries] == [True]  # of the other nothing can be read
    page, keys = BrowsePage(shared), [prompt.key for prompt in store.prompts.where()]
    for language, prompt, said in (
        (
            "en",
            "The import had no text of this prompt; its id there is",
            "had no text of 2 answers",
        ),
        ("zh", "导入的文件中没有这个问题的文本；它在其中的编号是", "没有 2 个回答的文本"),
    ):
        visitor = visit(language)
        assert page.listing(visitor, Looking())[0].count(WORDS[language]["no_text"]) == 1
        first, second = (page.prompt(visitor, key) for key in keys)
        assert first is not None
        assert second is not None
        assert f"{prompt} 8" in first.prompt
        assert f"{prompt} 9" in second.prompt
        assert "csv" not in first.prompt + second.prompt
        assert (len(first.answers), len(second.answers)) == (0, 2)
        assert said in first.about
        assert said not in second.about
        assert "<b>one</b>" in first.about  # the votes still name whom they are about
        of_model = ModelsPage(shared).one(visitor, "one", LONG_ENOUGH) or ""
        assert WORDS[language]["no_text"] in of_model
        asked = VotePage(shared).next_pair(visitor).prompt
        assert f"{prompt} 9" in asked
