"""The services on a store, and people who come to vote."""

import random
from collections.abc import Callable

import pytest

from arena.config import AppSettings
from arena.store import Store
from arena.web.security.voters import Visitor, Voters
from arena.web.services import Services, services
from arena.web.voting.pool import Pool

SECRET = "a secret of enough characters"
GENEROUS = AppSettings(
    votes_per_minute=100_000, generations_per_hour=100_000, requests_per_minute=1_000_000
)


@pytest.fixture
def voters() -> Voters:
    return Voters(SECRET)


@pytest.fixture
def pool(answered: Store) -> Pool:
    return Pool(answered, random.Random(5), rest=0.0)


@pytest.fixture
def shared(answered: Store, voters: Voters) -> Services:
    return services(answered, voters, settings=GENEROUS, password="open sesame")


@pytest.fixture
def visit(voters: Voters) -> Callable[..., Visitor]:
    """A new person, or one without a cookie."""

    def new(language: str = "en", address: str = "192.0.2.1", cookie: bool = True) -> Visitor:
        voter = voters.identify(voters.new_cookie()) if cookie else None
        return Visitor(voter, language, address)

    return new
