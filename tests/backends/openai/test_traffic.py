"""How many calls are in flight, how fast they start, and what faults do to both."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from arena.backends import Budget, Intake, Limits, Request, open_backend
from arena.backends.openai.traffic import FIRST, MOST, Lanes, back_off
from arena.config import parse_model
from arena.records import Decoding
from tests.servers import Fault, fault, serve

pytestmark = pytest.mark.slow


def model(url: str, **settings: Any) -> Any:
    return replace(parse_model(f"openai:m@{url}"), **settings)


def asked(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


def on_a_loop(check: Callable[[Lanes, list[float]], None], fixed: int | None = None) -> None:
    """Run `check` with lanes on a clock of its own: its one entry is the time."""

    async def body() -> None:
        clock = [0.0]
        check(Lanes(fixed, lambda: clock[0]), clock)

    asyncio.run(body())


def rounds(lanes: Lanes, clock: list[float], slots: int, count: int) -> None:
    """Answer full rounds as a server with so many slots of a second each would."""
    for _ in range(count):
        started, calls = clock[0], max(8, lanes.open)
        clock[0] += max(1.0, lanes.open / slots)
        for _ in range(calls):
            lanes.answered(started)


def test_the_calls_in_flight_double_until_latency_shows_that_it_is_enough() -> None:
    def check(lanes: Lanes, clock: list[float]) -> None:
        rounds(lanes, clock, slots=64, count=12)
        assert 64 < lanes.open <= 128
        settled = lanes.open
        rounds(lanes, clock, slots=64, count=12)
        assert lanes.open == settled

    on_a_loop(check)


def test_a_server_that_bears_anything_gets_the_most() -> None:
    def check(lanes: Lanes, clock: list[float]) -> None:
        rounds(lanes, clock, slots=10_000, count=8)
        assert lanes.open == MOST

    on_a_loop(check)


def test_a_refusal_halves_once_for_all_in_flight_and_is_grown_back() -> None:
    def check(lanes: Lanes, clock: list[float]) -> None:
        clock[0] = 1.0
        for _ in range(FIRST):
            lanes.refused(started=0.5)
        assert lanes.open == FIRST // 2
        rounds(lanes, clock, slots=10_000, count=3)
        assert FIRST // 2 < lanes.open < FIRST
        rounds(lanes, clock, slots=10_000, count=60)
        assert lanes.open == MOST

    on_a_loop(check)


def test_a_fixed_number_stays() -> None:
    def check(lanes: Lanes, clock: list[float]) -> None:
        rounds(lanes, clock, slots=1000, count=5)
        lanes.refused(started=clock[0])
        assert lanes.open == 3

    on_a_loop(check, fixed=3)


def test_waits_double_with_jitter_and_have_an_end() -> None:
    assert [0.25 * 2**n <= back_off(n) <= 0.5 * 2**n for n in range(5)] == [True] * 5
    assert back_off(50) <= 60


def test_no_more_calls_are_in_flight_than_were_asked_for() -> None:
    with serve(lambda body: "x", latency=0.01) as served:
        backend = open_backend(model(served.url), Limits(concurrency=5))
        assert len([r for part in backend.converse([Request(("q",))] * 60) for r in part]) == 60
    assert served.most == 5


def test_a_rate_limit_pauses_all_calls_as_long_as_the_server_said() -> None:
    refusals = [fault(429, headers={"retry-after-ms": "300"})]
    with serve(lambda body: refusals.pop() if refusals else "x") as served:
        backend = open_backend(model(served.url), Limits(concurrency=1))
        replies = [r for part in backend.converse([Request(("q",))] * 3) for _, r in part]
    refused, *others = sorted(replies, key=lambda reply: reply.retried, reverse=True)
    assert (refused.retried, len(served.calls)) == (("rate limit",), 4)
    assert [reply.retried for reply in others] == [(), ()]
    assert refused.usage.seconds >= 0.3
    assert served.times[1] - served.times[0] >= 0.3


def test_requests_a_minute_are_spread_evenly() -> None:
    with serve(lambda body: "x") as served:
        backend = open_backend(model(served.url), Limits(requests_per_minute=1200))
        assert len([r for part in backend.converse([Request(("q",))] * 11) for r in part]) == 11
    assert served.times[-1] - served.times[0] >= 9 * 60 / 1200  # the first may be late on its way


def test_a_budget_is_never_passed_and_what_it_has_no_room_for_is_left() -> None:
    spent = Budget(max_tokens=70)
    intake = Intake()
    with serve(lambda body: "x") as served:  # each call takes 7 tokens there
        backend = open_backend(
            model(served.url, decoding=Decoding(max_tokens=10)), Limits(budget=spent)
        )
        found = [r for part in backend.converse([Request(("q",))] * 50, intake) for r in part]
    assert spent.tokens == 7 * len(found) == 7 * len(served.calls)
    assert 70 - 27 - 7 < spent.tokens <= 70  # 27: the worst that one call can take
    assert "budget of 70 tokens" in intake.closed


def test_money_is_counted_by_the_models_price() -> None:
    spent = Budget(max_cost=1.0)
    with serve(lambda body: "x") as served:
        backend = open_backend(model(served.url, price=(10_000.0, 20_000.0)), Limits(budget=spent))
        list(backend.converse([Request(("q",))]))
        assert served.calls == []  # 512 tokens could be written, which is ten dollars
        spent.max_cost = 100.0
        list(backend.converse([Request(("q",))]))
    assert spent.cost == pytest.approx(5 * 0.01 + 2 * 0.02)


def test_a_closed_intake_lets_what_is_in_flight_end() -> None:
    intake = Intake()

    def script(body: dict[str, Any]) -> str:
        intake.close("enough")
        return "x"

    with serve(script, latency=0.05) as served:
        backend = open_backend(model(served.url), Limits(concurrency=4))
        found = [r for part in backend.converse([Request(("q",))] * 40, intake) for r in part]
    assert len(found) == len(served.calls) == 4


def test_two_thousand_calls_of_which_a_fifth_fail_are_each_answered_and_paid_once() -> None:
    """Every fault that a server has; what was answered whole is never asked for again."""
    dice, tried = random.Random(3), Counter[str]()
    kinds = [Fault.DROP, Fault.CUT, Fault.HANG, 429, 500]

    def script(body: dict[str, Any]) -> Any:
        tried[asked(body)] += 1
        if dice.random() >= 0.2 or tried[asked(body)] > 4:
            return f"answer to {asked(body)}"
        kind = dice.choice(kinds)
        if isinstance(kind, Fault):
            return kind
        return fault(kind, headers={"retry-after-ms": "20"})

    requests = [Request((f"question {i}",)) for i in range(2000)]
    with serve(script, latency=0.002) as served:
        backend = open_backend(model(served.url, timeout=4.0), Limits(concurrency=100))
        found = dict(r for part in backend.converse(requests) for r in part)
    assert {i: reply.turns for i, reply in found.items()} == {
        i: (f"answer to question {i}",) for i in range(2000)
    }
    assert max(Counter(map(asked, served.paid)).values()) == 1
    retried = Counter(kind for reply in found.values() for kind in reply.retried)
    assert set(retried) == {"connection", "unreadable", "time-out", "rate limit", "server error"}
