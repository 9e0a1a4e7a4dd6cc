"""How many calls may be in flight, and how fast they may start."""

import asyncio
import random
from collections.abc import Callable
from statistics import median

FIRST, MOST = 16, 256
LEAST_WINDOW = 8
NOTICE_SECONDS = 0.2  # how soon a wait ends where the run does
# Doubling the calls in flight may raise their latency by this factor and still pays: a
# quarter more calls are answered a second.
HOLDS = 1.6
BACK_OFF_SECONDS = 0.5
MAX_BACK_OFF_SECONDS = 60.0


class Lanes:
    """Permits for calls in flight, as many as the server bears.

    The number doubles while latency holds, halves on a rate limit or a time-out, and then
    grows back step by step. A fixed number stays as it is. ended: whether the run is over, so
    that no pause is worth its time.
    """

    def __init__(
        self,
        fixed: int | None = None,
        clock: Callable[[], float] | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self.open = fixed or FIRST
        self._adapts = fixed is None
        self._doubling = self._adapts
        self._ceiling = MOST
        self._permits = asyncio.Semaphore(self.open)
        self._owed = 0
        self._clock = clock or asyncio.get_running_loop().time
        self._ended = ended
        self._changed_at = self._clock()
        self._resume_at = 0.0
        self._latency: float | None = None
        self._window: list[float] = []

    async def enter(self) -> None:
        """Wait for a permit, and for the end of a pause that the server asked for."""
        await self._permits.acquire()
        await rest(lambda: self._resume_at, self._clock, self._ended)

    def leave(self) -> None:
        """Give the permit back."""
        if self._owed:
            self._owed -= 1
        else:
            self._permits.release()

    def answered(self, started: float) -> None:
        """A call that began at `started` was answered: learn from how long it took."""
        if not self._adapts or started < self._changed_at:
            return
        self._window.append(self._clock() - started)
        if len(self._window) >= max(self.open, LEAST_WINDOW):
            self._adapt(median(self._window))

    def refused(self, started: float, wait: float = 0.0) -> None:
        """A rate limit or a time-out: half as many, once for all the calls then in flight."""
        self._resume_at = max(self._resume_at, self._clock() + wait)
        if self._adapts and started >= self._changed_at:
            self._doubling = False
            self._set(max(1, self.open // 2))

    def _adapt(self, latency: float) -> None:
        if not self._doubling:
            self._set(min(self._ceiling, self.open + max(1, self.open // 8)))
        elif self._latency is None or latency <= HOLDS * self._latency:
            self._latency = latency
            self._set(min(MOST, 2 * self.open))
        else:  # more than the server answers at once, but so few more that none of it idles
            self._doubling = False
            self._ceiling = max(1, self.open * 3 // 4)
            self._set(self._ceiling)

    def _set(self, lanes: int) -> None:
        for _ in range(lanes - self.open):
            self.leave()
        self._owed += max(0, self.open - lanes)
        self.open = lanes
        self._changed_at = self._clock()
        self._window.clear()


class Pace:
    """Spreads starts evenly over time. per_minute: units a minute; None is as fast as can be."""

    def __init__(self, per_minute: float | None, ended: Callable[[], bool] = lambda: False) -> None:
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._free_at = 0.0
        self._ended = ended

    async def take(self, units: float = 1.0) -> bool:
        """Wait for the turn of `units` more; whether it came before the end of the run."""
        if not self._interval:
            return True
        clock = asyncio.get_running_loop().time
        start = max(clock(), self._free_at)
        self._free_at = start + units * self._interval
        await rest(lambda: start, clock, self._ended)
        return clock() >= start

    def correct(self, units: float) -> None:
        """Count `units` more (or less) than were taken."""
        self._free_at += units * self._interval


async def rest(
    until: Callable[[], float], clock: Callable[[], float], ended: Callable[[], bool]
) -> None:
    """Wait until a time that may yet move, or until there is nothing left to wait for."""
    while (left := until() - clock()) > 0 and not ended():
        await asyncio.sleep(min(left, NOTICE_SECONDS))


def back_off(attempt: int) -> float:
    """Seconds to wait after failed attempt 0, 1, …: doubled each time, with jitter."""
    return min(MAX_BACK_OFF_SECONDS, BACK_OFF_SECONDS * 2.0**attempt) * random.uniform(0.5, 1.0)
