"""vLLM and llama.cpp on the embedded weights, beside this process.

All compute with the same numbers and with roundings of their own, so texts may part where two
words are nearly as likely.
"""

from collections.abc import Iterator

import pytest

from arena.backends import Reply, Request, open_backend
from arena.config import parse_model
from arena.records import Model
from bench.servers import QUESTIONS, SERVERS, Agreement, agreement, short, texts
from tests.real_servers import INSTALL, started

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module", params=["vLLM", "llama.cpp"])
def peer(request: pytest.FixtureRequest) -> Iterator[tuple[str, Model, Agreement]]:
    command, _ = SERVERS[request.param]
    if (how := command()) is None:
        pytest.skip(f"{request.param} is not installed: {INSTALL}")
    with started(how) as running:
        model = short(parse_model(f"there=openai:{running.name}@{running.url}"))
        yield request.param, model, agreement(running)


def test_texts_are_mostly_the_same(peer: tuple[str, Model, Agreement]) -> None:
    assert peer[2].texts >= 4


def test_odds_are_the_same(peer: tuple[str, Model, Agreement]) -> None:
    """Of words that are not among the twenty likeliest, too, and after a begun reply."""
    _, _, found = peer
    assert found.odds == pytest.approx(0, abs=1e-4)
    assert found.begun == pytest.approx(0, abs=1e-4)


def test_likelihoods_are_the_same_where_they_are_told(peer: tuple[str, Model, Agreement]) -> None:
    kind, _, found = peer
    assert found.likelihood == (None if kind == "llama.cpp" else pytest.approx(0, abs=1e-2))


def test_a_timed_reply_is_the_same_and_tells_its_first_token(
    peer: tuple[str, Model, Agreement],
) -> None:
    _, model, _ = peer
    with open_backend(model) as backend:
        ((_, reply),) = next(iter(backend.converse([Request((QUESTIONS[0],), timed=True)])))
    assert isinstance(reply, Reply)
    assert reply.turns[0] == texts(model)[0]
    assert reply.first_token is not None
    assert 0 < reply.first_token < reply.usage.seconds
    assert reply.usage.completion_tokens > 0
