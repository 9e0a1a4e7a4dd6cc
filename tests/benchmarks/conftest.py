"""A model whose every word and likelihood a test writes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from arena.backends import fake
from arena.backends.base import (
    Backend,
    Intake,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    TextOdds,
    TextRequest,
)
from arena.config import parse_model
from arena.records import Model


def silent(_: object) -> str:
    return ""


def unlikely(_: object) -> float:
    return -1.0


@dataclass
class Scripted(Backend):
    """say: what it replies to a request. likes: the log-likelihood of a text. asked: all."""

    say: Callable[[Request], str] = silent
    likes: Callable[[TextRequest], float] = unlikely
    asked: list[Request | TextRequest] = field(default_factory=list)

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        for index in (intake or Intake()).admit(range(len(requests))):
            self.asked.append(requests[index])
            yield [(index, Reply((self.say(requests[index]),), ("stop",)))]

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        raise NotImplementedError

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        for index in (intake or Intake()).admit(range(len(requests))):
            self.asked.append(requests[index])
            request = requests[index]
            yield [(index, TextOdds(self.likes(request), False, len(request.text.split())))]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Model, Scripted]]:
    """Makes a scripted model, known by its name; other fakes are themselves."""
    known: dict[str, Scripted] = {}
    real = fake.open_backend
    monkeypatch.setattr(
        fake, "open_backend", lambda m, limits: known.get(m.name) or real(m, limits)
    )

    def make(name: str = "m", **script: Callable[..., str | float]) -> tuple[Model, Scripted]:
        known[name] = Scripted(**script)  # type: ignore[arg-type]
        return parse_model(f"{name}=fake:echo"), known[name]

    return make
