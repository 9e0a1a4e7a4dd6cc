"""The audit on the admin page: beside the app, in a process that gives way to votes."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from arena.config import Config
from arena.records import Vote, Winner
from arena.records.errors import InputError
from arena.store import Store
from arena.web.background import cache
from arena.web.background.audits import AuditOfVotes, Audits, audit, render
from arena.web.background.cache import LONG_ENOUGH, WHOLE
from arena.web.views.words import WORDS

pytestmark = pytest.mark.slow


@pytest.fixture
def voted(answered: Store) -> Store:
    """Twelve people who see no side before the other, and one who always takes the left."""
    keys = {(a.model, a.prompt_key): a.key for a in answered.answers.where()}
    prompts = sorted({prompt for _, prompt in keys})
    votes = []
    for n in range(13 * 24):
        voter, k = divmod(n, 24)
        pair = [keys[model, prompts[k % len(prompts)]] for model in ("long", "short")]
        turned = (voter + k // 2) % 2 == 1
        honest = Winner.MODEL_B if turned else Winner.MODEL_A
        won = Winner.MODEL_A if voter == 12 else honest
        first, second = pair[::-1] if turned else pair
        name = "left" if voter == 12 else f"v{voter}"
        votes.append(Vote(f"{n}", prompts[k % len(prompts)], first, second, won, name))
    answered.votes.cast_all(votes)
    return answered


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every store counts as a large one."""
    monkeypatch.setattr(cache, "LARGE", 0)


@pytest.fixture
def gate(voted: Store) -> Iterator[Path]:
    """A named pipe beside the store; who reads it waits until somebody has written."""
    pipe = voted.home / "gate"
    os.mkfifo(pipe)
    yield pipe
    pipe.unlink()


def held(store: Store, key: str) -> AuditOfVotes:
    """An audit that begins when the gate opens; `leaked` tells the process's priority."""
    (store.home / "gate").read_text()
    return replace(audit(store, key), leaked=os.nice(0))


def doomed(store: Store, key: str) -> AuditOfVotes:
    """One that the system kills, for its memory perhaps, as long as the gate is there."""
    if (store.home / "gate").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return audit(store, key)


def one_more(store: Store, name: str) -> None:
    last = next(store.votes.where())
    store.votes.cast(replace(last, battle=name, voter="late"))


def test_a_small_audit_is_there_at_once(voted: Store) -> None:
    audits = Audits(voted)
    page = audits.page("en", LONG_ENOUGH)
    assert "The chain of 312 votes is whole." in page
    assert "Voters who do not look honest: 1 of 13." in page
    assert "<td>left</td><td>24</td>" in page
    assert WORDS["en"]["auditing"] not in page
    assert [flag.voter for flag in voted.flags.where()] == ["left"]
    assert "13 位投票人中有 1 位看起来不诚实" in audits.page("zh", LONG_ENOUGH)
    audits.close()


def test_its_ranks_are_those_of_the_configuration(voted: Store) -> None:
    """Models with fewer comparisons than it asks for have no rank to gain or lose."""
    assert audit(voted).ranks
    config = Config.model_validate({"rank": {"min_comparisons": 10_000}})
    assert audit(voted, config=config).ranks == ()


@pytest.mark.usefixtures("large")
def test_people_vote_while_it_runs_and_the_last_one_is_shown(voted: Store, gate: Path) -> None:
    audits = Audits(voted, held)
    assert audits.page("en", 0.0) == f'<p class="note">{WORDS["en"]["auditing"]}</p>'
    one_more(voted, "while the first runs")
    gate.write_text("go")
    made = audits.made(WHOLE, LONG_ENOUGH)
    assert made is not None
    first = made.value
    assert first.leaked >= cache.NICE
    voted_then = voted.votes.count()
    audits._keep(WHOLE, replace(made, made=0.0))  # long ago: it no longer rests
    one_more(voted, "after it")
    page = audits.page("en", 0.0)
    assert WORDS["en"]["auditing"] in page
    assert "As of 1970-01-01 00:00:00 UTC" in page
    assert f"The chain of {first.votes} votes is whole." in page
    one_more(voted, "while the second runs")
    assert voted.votes.count() == voted_then + 2
    gate.write_text("go")
    second = audits.get(WHOLE, LONG_ENOUGH)
    assert second is not None
    assert second.votes == voted_then + 2
    audits.close()


@pytest.mark.usefixtures("large")
def test_a_process_that_was_killed_is_begun_again(voted: Store, gate: Path) -> None:
    audits = Audits(voted, doomed)
    with pytest.raises(BrokenExecutor):
        audits.get(WHOLE, LONG_ENOUGH)
    os.rename(gate, gate.with_name("open"))
    found = audits.get(WHOLE, LONG_ENOUGH)
    assert found is not None
    assert found.suspects == 1
    os.rename(gate.with_name("open"), gate)
    audits.close()


def test_a_store_without_votes_and_one_that_was_edited(answered: Store) -> None:
    assert "The chain of 0 votes is whole." in Audits(answered).page("en", LONG_ENOUGH)
    failed = AuditOfVotes(9, reason=InputError("<b> is missing").note)
    assert "did not work: &lt;b&gt; is missing" in render(failed, WORDS["en"], 0.0)
    edited = AuditOfVotes(9, broken=(4, 7))
    assert "Votes 4, 7 do not fit the chain" in render(edited, WORDS["en"], 0.0)
