"""Where text comes from. One module a kind; each imports its library only when it is opened."""

import sys
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import cast

from arena.backends.base import (
    UNLIKELY,
    Availability,
    Backend,
    Intake,
    Machines,
    Message,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    RewardRequest,
    Rewards,
    TextOdds,
    TextRequest,
)
from arena.backends.limits import Budget, Limits, cost_of
from arena.records import BackendKind, Executor, Model

__all__ = [
    "UNLIKELY",
    "Availability",
    "Backend",
    "Budget",
    "Intake",
    "Limits",
    "Machines",
    "Message",
    "Odds",
    "OddsRequest",
    "Reply",
    "Request",
    "Result",
    "RewardRequest",
    "Rewards",
    "TextOdds",
    "TextRequest",
    "availability",
    "cost_of",
    "executing",
    "open_backend",
    "release",
]

_MODULES = {
    BackendKind.LOCAL: "arena.backends.local",
    BackendKind.VLLM: "arena.backends.vllm",
    BackendKind.OPENAI: "arena.backends.openai",
    BackendKind.FAKE: "arena.backends.fake",
    BackendKind.IMPORTED: "arena.backends.imported",
}
_ELSEWHERE = (BackendKind.OPENAI, BackendKind.IMPORTED)  # what no machine of ours could run


def open_backend(model: Model, limits: Limits | None = None) -> Backend:
    """The backend that answers as `model`; weights load at the first request.

    limits: how hard a server may be asked, and which machines run the others.
    """
    limits = limits or Limits()
    if limits.machines is not None and model.backend not in _ELSEWHERE:
        return limits.machines.backend(model)
    module = import_module(_MODULES[model.backend])
    return cast(Backend, module.open_backend(model, limits))


def executing(executor: Executor | None) -> AbstractContextManager[Machines | None]:
    """The machines of an executor, for as long as a block lasts; None stands for this process."""
    if executor is None:
        return nullcontext()
    found = import_module("arena.backends.cluster").cluster()
    return cast(AbstractContextManager[Machines | None], found)


def release() -> None:
    """Free the weights that this process keeps between requests; the next request loads them."""
    for kind in (BackendKind.LOCAL, BackendKind.VLLM):
        if (module := sys.modules.get(_MODULES[kind])) is not None:
            module.release()


def availability(model: Model) -> Availability:
    """Whether `model` can answer now: weights found, address answering, key set."""
    return cast(Availability, import_module(_MODULES[model.backend]).availability(model))
