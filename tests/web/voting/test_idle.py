"""What answers live is freed when nobody has asked for a while, and not sooner."""

import threading
from collections.abc import Callable

import pytest

from arena import backends
from arena.backends.local.weights import loading as weights
from arena.config import AppSettings, parse_model
from arena.store import Store
from arena.web.pages.battle import BattlePage
from arena.web.security.voters import Visitor, Voters
from arena.web.services import services
from arena.web.voting.idle import Idle

Visit = Callable[..., Visitor]


def test_nothing_is_released_while_somebody_is_at_work() -> None:
    released = threading.Event()
    idle = Idle(0.05, released.set)
    with idle.in_use():
        with idle.in_use():
            pass
        assert not released.wait(0.2)
    assert released.wait(30)


def test_a_new_question_puts_the_release_off() -> None:
    released = threading.Event()
    idle, timers = Idle(3600, released.set), []
    for _ in range(3):
        with idle.in_use():
            pass
        timers.append(idle._timer)
    assert [timer is not None and timer.finished.is_set() for timer in timers] == [
        True,
        True,
        False,
    ]
    timers[-1].cancel()
    assert not released.is_set()


@pytest.mark.model
def test_a_live_battle_leaves_no_weights_behind(store: Store, voters: Voters, visit: Visit) -> None:
    model = parse_model("small=smollm2")
    shared = services(
        store,
        voters,
        models={"small": model, "other": parse_model("other=smollm2")},
        settings=AppSettings(idle_minutes=0.001, turns=1),
    )
    *_, last = BattlePage(shared).say(visit(), "", "Hi")
    assert last.open
    timer = shared.live._idle._timer
    assert timer is not None
    timer.join()
    assert weights._load.cache_info().currsize == 0
    backends.release()  # once more frees nothing and harms nothing
