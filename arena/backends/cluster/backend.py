"""A model that the workers of a cluster run; what they say comes to this process as they say it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from arena.backends.base import (
    Backend,
    Intake,
    Machines,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    RewardRequest,
    Rewards,
    TextOdds,
    TextRequest,
    estimate_tokens,
)
from arena.backends.cluster.crew import Crew, shared
from arena.backends.cluster.parts import PartedList
from arena.backends.local.weights.loading import tokenizer_of
from arena.records import BackendKind, Model

WITH_WEIGHTS = (BackendKind.LOCAL, BackendKind.VLLM)


class ClusterBackend(Backend):
    """Forwards what it is asked; the weights are where the workers are, and none are here."""

    def __init__(self, model: Model, crew: Crew) -> None:
        if model.backend in WITH_WEIGHTS:  # workers have folders of their own
            adapter = model.adapter and _whole_path(model.adapter)
            model = replace(model, weights=_whole_path(model.weights), adapter=adapter)
        self._model = model
        self._crew = crew
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the workers' backends did otherwise, and which workers had no part in it."""
        return tuple(self._notes)

    @property
    def starting(self) -> str:
        """Said each time: only the workers know what they have loaded."""
        return f"loading {self._model.weights} on the workers of the cluster"

    def start(self) -> None:
        """Load the weights; returns once one worker has, and raises where none can."""
        self._crew.ask(self._model, "start")

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """As the model's own backend does, part by part on whichever worker is free."""
        return self._asked("converse", requests, intake)

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """As the model's own backend does."""
        return self._asked("odds", requests, intake)

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """As the model's own backend does."""
        return self._asked("likelihoods", requests, intake)

    def rewards(
        self, requests: Sequence[RewardRequest], intake: Intake | None = None
    ) -> Iterator[Result[Rewards]]:
        """As the model's own backend does."""
        return self._asked("rewards", requests, intake)

    def opens_thinking(self) -> bool:
        """As its chat template does."""
        return bool(self._crew.ask(self._model, "opens_thinking"))

    def window(self) -> int | None:
        """The window that the workers have."""
        found: int | None = self._crew.ask(self._model, "window")
        return found

    def count_tokens(self, text: str) -> int:
        """As its tokenizer counts, which is all of the model that is here."""
        if self._model.backend not in WITH_WEIGHTS:
            return estimate_tokens(text)
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def _asked(
        self, what: str, requests: Sequence[Any], intake: Intake | None
    ) -> Iterator[Result[Any]]:
        parts = PartedList(self._crew, (self._model, what, shared(requests)), intake or Intake())
        yield from parts.results()
        self._notes |= dict.fromkeys(parts.notes)

    @cached_property
    def _tokenizer(self) -> Any:
        return tokenizer_of(self._model.weights, self._model.revision, fetch=True)


def _whole_path(place: str) -> str:
    """A place on this machine from its root; a name of the hub as it is."""
    return str(Path(place).resolve()) if Path(place).exists() else place


class RayCluster(Machines):
    """The workers of a cluster, as a run is given them."""

    def __init__(self) -> None:
        self._crew = Crew()

    def backend(self, model: Model) -> Backend:
        """The model as the workers run it."""
        return ClusterBackend(model, self._crew)
