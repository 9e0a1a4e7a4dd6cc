"""How often somebody may do something: a bucket that fills up at a steady rate."""

import threading
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from arena.config import AppSettings
from arena.web.security.voters import Visitor

MOST_KEYS = 20_000
PASSWORDS_PER_MINUTE = 6


class Limit:
    """At most `burst` at once and `per_second` in the long run, for each key."""

    def __init__(
        self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = per_second
        self._burst = max(1.0, burst)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._turn = threading.Lock()

    def allows(self, key: str) -> bool:
        """Take one from the bucket of `key`, or say that it is empty."""
        now = self._clock()
        with self._turn:
            left, since = self._left.get(key, (self._burst, now))
            left = min(self._burst, left + self._rate * (now - since))
            self._left[key] = (left - 1.0 if left >= 1.0 else left), now
            if len(self._left) > MOST_KEYS:
                self._forget(now)
            return left >= 1.0

    def is_spent(self, key: str) -> bool:
        """Whether the bucket of `key` is empty; nothing is taken from it."""
        now = self._clock()
        with self._turn:
            left, since = self._left.get(key, (self._burst, now))
            return left + self._rate * (now - since) < 1.0

    def _forget(self, now: float) -> None:
        """Drop full buckets, which is what a stranger has; of a flood of strangers, the oldest."""
        oldest = sorted(self._left.items(), key=lambda item: item[1][1])
        kept = [
            (key, (left, since))
            for key, (left, since) in oldest
            if left + self._rate * (now - since) < self._burst
        ]
        self._left = dict(kept[-MOST_KEYS // 2 :])


def neighbourhood(address: str) -> str:
    """What counts as one address: all of an IPv6 /64, which one person can have."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else address


class Allowances:
    """What one voter may do, and one address: as much as several voters."""

    def __init__(self, settings: AppSettings) -> None:
        several = settings.voters_per_address
        votes, generations = settings.votes_per_minute / 60, settings.generations_per_hour / 3600
        self._votes = Limit(votes, settings.votes_per_minute / 2)
        self._votes_there = Limit(several * votes, several * settings.votes_per_minute / 2)
        self._generations = Limit(generations, settings.generations_per_hour / 4)
        self._generations_there = Limit(
            several * generations, several * settings.generations_per_hour / 4
        )
        self._passwords = Limit(PASSWORDS_PER_MINUTE / 60, PASSWORDS_PER_MINUTE)

    def vote(self, visitor: Visitor) -> bool:
        """Whether one more vote or rating is within the limits."""
        return _both(self._votes, self._votes_there, visitor)

    def generate(self, visitor: Visitor) -> bool:
        """Whether one more live answer is within the limits."""
        return _both(self._generations, self._generations_there, visitor)

    def may_try_password(self, visitor: Visitor) -> bool:
        """Whether this address may try a password: after some wrong ones it has to wait."""
        return not self._passwords.is_spent(neighbourhood(visitor.address))

    def wrong_password(self, visitor: Visitor) -> None:
        """Count a wrong password."""
        self._passwords.allows(neighbourhood(visitor.address))


def _both(person: Limit, place: Limit, visitor: Visitor) -> bool:
    return person.allows(visitor.voter or "") and place.allows(neighbourhood(visitor.address))
