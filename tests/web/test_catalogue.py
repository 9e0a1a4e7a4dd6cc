"""What stands in Browse: live battles too, and of verdicts those that the ranking counts."""

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from arena.files.config import AppSettings, Config, JudgeRun, parse_model
from arena.leaderboard.evidence.counted_judgements import count_verdicts
from arena.records import LIVE, Judge, Preference, Verdict, Winner
from arena.store import Store
from arena.web.background.cache import LONG_ENOUGH, WHOLE, Cache
from arena.web.catalogue import Catalogue, Filter, catalogue
from arena.web.pages.battle import BattlePage
from arena.web.pages.browse import BrowsePage
from arena.web.pages.side_by_side import SideBySidePage
from arena.web.pages.vote import VotePage
from arena.web.security.voters import Visitor, Voters
from arena.web.services import Services, services
from arena.web.views.looking import Looking
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
    assert verdicts.count(WORDS["en"]["judge_left_out"] + "</span>") == 2
    assert "↔" not in verdicts  # two cards are no two orders


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
