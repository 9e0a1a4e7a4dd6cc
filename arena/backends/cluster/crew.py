"""The workers of a Ray cluster: connected to, started, asked, and replaced where they are lost."""

import logging
import os
import signal
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import ray
from ray.exceptions import ObjectLostError, RayActorError, RaySystemError, WorkerCrashedError

from arena.backends.cluster.worker import Worker
from arena.records import Model
from arena.records.errors import ArenaError, UnavailableError

TRIES = 3  # times that a worker may be lost, or a row with its worker, one after the other
KNOCKING = 5.0  # seconds
CPU, GPU = "CPU", "GPU"
LOST = (RayActorError, ObjectLostError, WorkerCrashedError)


@contextmanager
def connected() -> Iterator[None]:
    """Ray, for as long as the block lasts. Nothing is sent to its makers."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    where = os.environ.get("RAY_ADDRESS", "")
    _knock(where)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, RaySystemError) as error:
        raise _nothing_at(where, error) from error
    finally:
        with suppress(ValueError):  # only the main thread has handlers
            for number, handler in handlers.items():
                signal.signal(number, handler)  # Ray takes SIGTERM for itself
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise UnavailableError where nothing listens; Ray itself would try for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), KNOCKING).close()
        except OSError as error:
            raise _nothing_at(address, error) from error


def _nothing_at(address: str, error: Exception) -> UnavailableError:
    where = f"RAY_ADDRESS={address}" if address else "this machine"
    return UnavailableError(f"no Ray cluster can be had at {where}: {error}")


@dataclass(eq=False)
class Member:
    """A worker. number: from 1. needs: its part of the cluster. losses: since its last result."""

    number: int
    needs: dict[str, float]
    actor: Any
    losses: int = 0


@dataclass
class Crew:
    """The workers that there are, which stay from one list and one model to the next."""

    members: list[Member] = field(default_factory=list)
    gpus: int = 0
    _numbers: Any = field(default_factory=lambda: count(1))

    def fit_for(self, model: Model) -> list[Member]:
        """The workers, each with as many graphics cards as the model takes.

        Where the cluster has none, there is one worker a node, with all of its processors.
        """
        if self.gpus != model.gpus or not self.members:
            for member in self.members:
                ray.kill(member.actor)
            self.gpus = model.gpus
            self.members = [_hired(next(self._numbers), needs) for needs in _shares(model)]
        return self.members

    def ask(self, model: Model, what: str) -> Any:
        """What the worker that answers first says of the model; raises what is wrong if all do."""
        calls = {member.actor.ask.remote(model, what): member for member in self.fit_for(model)}
        fault: ArenaError = UnavailableError("the cluster has no worker left")
        while calls:
            for call in first_of(calls):
                member = calls.pop(call)
                found = self._found(member, call)
                if isinstance(found, Member):
                    calls[found.actor.ask.remote(model, what)] = found
                elif isinstance(found, ArenaError):
                    fault = found
                else:
                    return found
        raise fault

    def _found(self, member: Member, call: Any) -> Any:
        """What a worker said, what is wrong, or its successor where it is lost."""
        try:
            return answer(call)
        except LOST as why:
            try:
                return self.replaced(member, why)
            except UnavailableError as error:
                return error

    def replaced(self, lost: Member, why: Exception) -> Member:
        """A new worker in the place of one that is lost; it starts where there is room, or later.

        Raises UnavailableError where it was lost so often without a result.
        """
        if lost.losses + 1 == TRIES:
            said = str(why).strip().splitlines()[0]
            raise UnavailableError(f"worker {lost.number} was lost {TRIES} times: {said}")
        new = _hired(lost.number, lost.needs, lost.losses + 1)
        self.members[self.members.index(lost)] = new
        return new


def _shares(model: Model) -> list[dict[str, float]]:
    """What each worker takes of the cluster."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(GPU in node for node in nodes):
        return [{"num_cpus": node[CPU]} for node in nodes if node.get(CPU)]
    found = [
        {"num_gpus": float(model.gpus)}
        for node in nodes
        for _ in range(int(node.get(GPU, 0)) // model.gpus)
    ]
    if not found:
        most = int(max(node.get(GPU, 0) for node in nodes))
        raise UnavailableError(
            f"{model.name} takes {model.gpus} graphics cards of one machine, and no node of the "
            f"cluster has more than {most}"
        )
    return found


def _hired(number: int, needs: dict[str, float], losses: int = 0) -> Member:
    made = ray.remote(Worker).options(scheduling_strategy="SPREAD", **needs)
    return Member(number, needs, made.remote(), losses)


def first_of(calls: Iterable[Any], seconds: float | None = None) -> list[Any]:
    """The first of these calls to have an answer, or none after so many seconds."""
    ready, _ = ray.wait([*calls], num_returns=1, timeout=seconds)
    return list(ready)


def answer(call: Any) -> Any:
    """What a worker said; raises one of `LOST` where it is gone."""
    return ray.get(call)


def shared(requests: Sequence[Any]) -> Any:
    """Requests as all workers get them, sent to each node once."""
    return ray.put(list(requests))
