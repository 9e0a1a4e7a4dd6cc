"""Who does what of a list, where workers are lost or have no model; they live in this process."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from arena.backends import Intake, Request
from arena.backends.cluster import INSTALL
from arena.backends.cluster.worker import Did, Failed, Said, Worker
from arena.config import parse_model
from arena.records.errors import BackendError, UnavailableError

ray = pytest.importorskip("ray", reason=f"Ray is not installed: {INSTALL}")
from arena.backends.cluster import crew as crews  # noqa: E402
from arena.backends.cluster import parts  # noqa: E402

MODEL = parse_model("fake:echo")
REQUESTS = [Request((f"say {k}",), seed=k) for k in range(6)]
LOST = ray.exceptions.RayActorError()
NO_MODEL = UnavailableError("no such folder: ./m")
Fate = Callable[[Said], Any]


@dataclass(eq=False)
class Call:
    """Has been answered. heard: what is heard of it."""

    heard: Any


class Near:
    """An actor without a process. fate: turns what it says into what is heard of it."""

    def __init__(self, fate: Fate) -> None:
        self._worker, self._fate = Worker(), fate
        self.begin = SimpleNamespace(remote=partial(self._call, "begin"))
        self.go_on = SimpleNamespace(remote=partial(self._call, "go_on"))
        self.ask = SimpleNamespace(remote=partial(self._call, "ask"))

    def _call(self, name: str, *given: Any) -> Any:
        return Call(self._fate(getattr(self._worker, name)(*given)))


@dataclass
class Noting(Intake):
    """Notes who was given what, and what was given back."""

    given: list[tuple[str, int]] = field(default_factory=list)
    back: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def admit(self, positions: Any, worker: str = "") -> list[int]:
        self.given += [(worker.split(" on ")[0], i) for i in positions]
        return super().admit(positions)

    def give_back(self, positions: Any) -> None:
        self.back += positions


def heard(call: Any) -> Any:
    if call.heard is LOST:
        raise LOST
    return call.heard


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Takes the list through workers of these fates; a lost one gets a successor of its fate."""

    def run(intake: Intake, *fates: Fate) -> tuple[dict[int, Any], list[str]]:
        def hired(number: int, needs: dict[str, float], losses: int = 0) -> crews.Member:
            return crews.Member(number, needs, Near(fates[number - 1]), losses)

        def first_of(calls: Iterable[Any], seconds: float) -> list[Any]:
            return [next(iter(calls))]

        monkeypatch.setattr(crews, "_hired", hired)
        monkeypatch.setattr(parts, "first_of", first_of)
        monkeypatch.setattr(parts, "answer", heard)
        members = [hired(k, {}) for k in range(1, len(fates) + 1)]
        one = parts.PartedList(crews.Crew(members, 1), (MODEL, "converse", REQUESTS), intake)
        rows = [row for results in one.results() for row in results]
        assert len(rows) == len(dict(rows))  # none twice
        return dict(rows), one.notes

    return run


@pytest.mark.parametrize(
    ("fates", "wrong"),
    [((LOST, None), ""), ((NO_MODEL, None), ""), ((LOST, NO_MODEL), "no such folder|3 times")],
)
def test_a_question_is_answered_by_whichever_worker_can(
    monkeypatch: pytest.MonkeyPatch, fates: tuple[Any, ...], wrong: str
) -> None:
    def hired(number: int, needs: dict[str, float], losses: int = 0) -> crews.Member:
        return crews.Member(number, needs, Near(lambda _: fates[number - 1]), losses)

    monkeypatch.setattr(crews, "_hired", hired)
    monkeypatch.setattr(crews, "first_of", lambda calls: [next(iter(calls))])
    monkeypatch.setattr(crews, "answer", heard)
    crew = crews.Crew([hired(1, {}), hired(2, {})], 1)
    if not wrong:
        assert crew.ask(MODEL, "window") is None
    else:
        with pytest.raises(UnavailableError, match=wrong):
            crew.ask(MODEL, "window")


def well(said: Said) -> Any:
    return said


def lost_with(row: int, times: int) -> Fate:
    """Lost so many times as it hands over a row."""
    left = [LOST] * times

    def fate(said: Said) -> Any:
        has_it = isinstance(said, Did) and row in dict(said.results)
        return left.pop() if has_it and left else said

    return fate


def test_two_workers_share_a_list(through: Callable[..., Any]) -> None:
    intake = Noting()
    rows, notes = through(intake, well, well)
    assert sorted(rows) == [*range(6)]
    assert sorted(i for _, i in intake.given) == [*range(6)]
    assert {worker for worker, _ in intake.given} == {"worker 1", "worker 2"}
    assert notes == []


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_lost_worker_had_is_done_again(through: Callable[..., Any], times: int) -> None:
    intake, fate = Noting(), lost_with(2, times)
    rows, _ = through(intake, fate, fate)
    assert all(rows[k].turns for k in range(6))
    assert intake.back == [2] * times


def test_a_row_that_its_workers_do_not_survive_fails_alone(through: Callable[..., Any]) -> None:
    fate = lost_with(2, 99)
    rows, _ = through(Noting(), fate, fate)
    assert isinstance(rows[2], BackendError)
    assert "was lost 3 times" in str(rows[2])
    assert all(rows[k].turns for k in range(6) if k != 2)


def test_a_worker_without_the_model_has_no_part_in_it(through: Callable[..., Any]) -> None:
    rows, notes = through(Noting(), well, lambda _: Failed(NO_MODEL))
    assert sorted(rows) == [*range(6)]
    assert notes == ["worker 2 had no part in it: no such folder: ./m"]


@pytest.mark.parametrize("end", [Failed(NO_MODEL), LOST])
def test_where_no_worker_can_do_it_that_is_said(through: Callable[..., Any], end: Any) -> None:
    with pytest.raises(UnavailableError, match=r"no such folder|was lost 3 times"):
        through(Noting(), lambda _: end, lambda _: end)


def test_a_stopped_run_begins_nothing_more(through: Callable[..., Any]) -> None:
    intake = Noting()
    intake.close("interrupted")
    rows, _ = through(intake, well, well)
    assert rows == {}


@pytest.mark.parametrize(
    ("nodes", "gpus", "workers"),
    [
        ([{"CPU": 8.0}, {"CPU": 4.0}, {}], 1, [{"num_cpus": 8.0}, {"num_cpus": 4.0}]),
        ([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 8.0}], 1, [{"num_gpus": 1.0}] * 2),
        ([{"GPU": 8.0}, {"GPU": 3.0}], 2, [{"num_gpus": 2.0}] * 5),
    ],
)
def test_there_is_a_worker_for_each_share_of_the_cluster(
    monkeypatch: pytest.MonkeyPatch, nodes: Any, gpus: int, workers: Any
) -> None:
    alive = [{"Alive": True, "Resources": node} for node in nodes]
    gone = {"Alive": False, "Resources": {"GPU": 8.0, "CPU": 8.0}}
    monkeypatch.setattr(ray, "nodes", lambda: [*alive, gone])
    assert crews._shares(replace(MODEL, gpus=gpus)) == workers
    if "GPU" in nodes[0]:
        with pytest.raises(UnavailableError, match="takes 16 graphics cards of one machine"):
            crews._shares(replace(MODEL, gpus=16))
