"""A real server on the embedded weights says what they say in this process.

`transformers serve` comes with transformers. It tells no log-probabilities, so that odds and
likelihoods are compared with the servers of tests/backends/openai/test_real_servers.py.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from arena.backends import (
    Backend,
    Odds,
    OddsRequest,
    Reply,
    Request,
    TextRequest,
    availability,
    open_backend,
)
from arena.backends.local.weights.loading import ready_folder
from arena.config import parse_model
from arena.records import Decoding, Model
from arena.records.errors import BackendError, NoLikelihoodError
from tests.real_servers import Started, started, transformers_serve

pytestmark = pytest.mark.model

PROMPTS = [
    ("What is the capital of France?",),
    ("Name three colours.", "Which of them is the darkest?"),
    ("Write one sentence about rain.",),
    ("用一句话介绍北京。",),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Started]:
    with started(transformers_serve(str(ready_folder("smollm2")))) as running:
        yield running


def there(server: Started, how: Decoding) -> Model:
    return replace(parse_model(f"there=openai:{server.name}@{server.url}"), decoding=how)


def here(how: Decoding) -> Model:
    return replace(parse_model("here=smollm2"), decoding=how)


def replies(backend: Backend, requests: list[Request]) -> list[Reply]:
    found = [pair for result in backend.converse(requests) for pair in result]
    ordered = [reply for _, reply in sorted(found, key=lambda pair: pair[0])]
    assert all(isinstance(reply, Reply) for reply in ordered), ordered
    return ordered  # type: ignore[return-value]


@pytest.mark.parametrize(
    "how",
    [
        Decoding(max_tokens=24),
        Decoding(max_tokens=24, system="Answer in one word."),
        Decoding(max_tokens=24, stop=(" is",)),
    ],
)
def test_texts_are_those_of_this_process(server: Started, how: Decoding) -> None:
    requests = [Request(turns) for turns in PROMPTS]
    with open_backend(here(how)) as local, open_backend(there(server, how)) as remote:
        ours, theirs = replies(local, requests), replies(remote, requests)
    assert [reply.turns for reply in theirs] == [reply.turns for reply in ours]
    assert [reply.finish for reply in theirs] == [reply.finish for reply in ours]
    assert [r.usage.prompt_tokens for r in theirs] == [r.usage.prompt_tokens for r in ours]


def test_a_streamed_text_is_the_same(server: Started) -> None:
    how, request = Decoding(max_tokens=24), Request(PROMPTS[0])
    *_, ours = open_backend(here(how)).stream(request)
    *growing, theirs = open_backend(there(server, how)).stream(request)
    assert (theirs.turns, theirs.finish) == (ours.turns, ours.finish)
    assert all(ours.turns[0].startswith(reply.turns[0]) for reply in growing)


def test_a_list_of_models_that_fails_does_not_hide_a_server_that_answers(server: Started) -> None:
    """Without a cache folder this one answers 500 when it is asked for its models."""
    assert availability(there(server, Decoding())).ready


def test_what_it_does_not_tell_is_an_error_that_names_the_way_out(server: Started) -> None:
    backend = open_backend(there(server, Decoding()))
    ((_, odds),) = next(iter(backend.odds([OddsRequest("A or B?", ("A", "B"))])))
    assert not isinstance(odds, Odds)
    assert isinstance(odds, BackendError)
    assert "reading: reasoned" in str(odds)
    with pytest.raises(NoLikelihoodError):
        list(backend.likelihoods([TextRequest(" Paris", "The capital of France is")]))
