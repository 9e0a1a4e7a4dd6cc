"""vLLM and llama.cpp on the embedded weights, beside this process.

vLLM computes with the same numbers; llama.cpp with weights of four bits and roundings of its own,
so its odds are near and its texts may part where two words are nearly as likely.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import exp

import pytest

from arena.backends import Odds, OddsRequest, Reply, Request, TextOdds, TextRequest, open_backend
from arena.backends.local.weights.gguf import gguf_file
from arena.backends.local.weights.loading import ready_folder
from arena.files.config import parse_model
from arena.records import Decoding, Model
from tests.real_servers import INSTALL, Started, llama_cpp, started, vllm

pytestmark = [pytest.mark.servers, pytest.mark.slow]
QUESTIONS = [
    "What is the capital of France?",
    "Name three colours.",
    "Write one sentence about rain.",
    "How many days has a week?",
    "Who wrote Hamlet?",
    "Say hello.",
]
PAIRS = [
    "Which is better, A or B? A: Paris. B: I do not know. Reply with A or B.",
    "Which is better, A or B? A: No. B: Rain falls from clouds. Reply with A or B.",
    "Is two and two four? Reply with A for yes and B for no.",
]
TEXTS = [
    TextRequest(" Paris.", "The capital of France is"),
    TextRequest(" Berlin.", "The capital of France is"),
    TextRequest(" falls from clouds", "Rain"),
]


@dataclass(frozen=True)
class Peer:
    """A server, and how near its numbers are. words: of texts, how many must be the same."""

    kind: str
    running: Started
    odds: float
    likelihood: float
    same: int


@pytest.fixture(scope="module", params=["vllm", "llama.cpp"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    is_vllm = request.param == "vllm"
    command = (
        vllm(str(ready_folder("smollm2"))) if is_vllm else llama_cpp(str(gguf_file("smollm2")))
    )
    if command is None:
        pytest.skip(f"{request.param} is not installed: {INSTALL}")
    with started(command) as running:
        near = (1e-3, 1e-2, 4) if is_vllm else (0.1, 1.0, 2)
        yield Peer(request.param, running, *near)


def there(peer: Peer, how: Decoding | None = None) -> Model:
    model = parse_model(f"there=openai:{peer.running.name}@{peer.running.url}")
    return replace(model, decoding=how or Decoding(max_tokens=16))


def here(how: Decoding | None = None) -> Model:
    return replace(parse_model("here=smollm2"), decoding=how or Decoding(max_tokens=16))


def test_texts_are_mostly_the_same(peer: Peer) -> None:
    texts = []
    for model in (here(), there(peer)):
        with open_backend(model) as backend:
            requests = [Request((question,)) for question in QUESTIONS]
            found = dict(pair for result in backend.converse(requests) for pair in result)
        assert all(isinstance(reply, Reply) for reply in found.values()), found
        texts.append([found[i].turns[0] for i in range(len(QUESTIONS))])  # type: ignore[union-attr]
    same = sum(ours == theirs for ours, theirs in zip(*texts, strict=True))
    assert same >= peer.same, texts


@pytest.mark.parametrize("prefill", ["", "The better one is"])
def test_odds_are_near(peer: Peer, prefill: str) -> None:
    if prefill and peer.kind != "vllm":
        pytest.skip("llama.cpp does not say whether it goes on from a begun reply")
    requests = [OddsRequest(text, ("A", "B"), prefill) for text in PAIRS]
    shares = []
    for model in (here(), there(peer)):
        with open_backend(model) as backend:
            found = dict(pair for result in backend.odds(requests) for pair in result)
        assert all(isinstance(odds, Odds) for odds in found.values()), found
        shares.append([[exp(p) for p in found[i].logprobs] for i in range(len(PAIRS))])  # type: ignore[union-attr]
    for ours, theirs in zip(*shares, strict=True):
        assert theirs == pytest.approx(ours, abs=peer.odds)


def test_likelihoods_are_near(peer: Peer) -> None:
    values = []
    for model in (here(), there(peer)):
        with open_backend(model) as backend:
            found = dict(pair for result in backend.likelihoods(TEXTS) for pair in result)
        assert all(isinstance(odds, TextOdds) for odds in found.values()), found
        values.append([found[i].logprob for i in range(len(TEXTS))])  # type: ignore[union-attr]
    assert values[1] == pytest.approx(values[0], abs=peer.likelihood)
