"""Models side by side, one a device: each in a process of its own, which frees all that it took."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from arena.backends import Intake
from arena.generation.batch import INTERRUPTED, Control, Progress, Watch
from arena.records.errors import ArenaError, InputError

R = TypeVar("R")
Job = Callable[[Control], Iterable[R]]  # it and what it gives go between processes: picklable
SPAWN = multiprocessing.get_context("spawn")  # a library's threads do not survive a fork
VISIBLE = "CUDA_VISIBLE_DEVICES"
CPU, CUDA, ALL = "cpu", "cuda", "all"
LOOK = 0.5  # seconds between two looks at whether the run was stopped


def parse_devices(texts: Sequence[str]) -> list[str]:
    """Devices by name: `cpu`, `cuda:0`, or `all` for every GPU of this machine."""
    found: list[str] = []
    for text in texts:
        kind, _, number = text.partition(":")
        if text == ALL:
            from arena.backends.local.memory import gpus

            found += [f"{CUDA}:{k}" for k in range(gpus())]
            if not found:
                raise InputError("--devices all: torch sees no GPU on this machine")
        elif text == CPU or (kind == CUDA and number.isdecimal()):
            found.append(text)
        else:
            raise InputError(f"--devices {text}: it takes cuda:0, cuda:1, …, all, or cpu")
    return found


@dataclass(frozen=True, slots=True)
class _Device:
    """What one process may use. cores: of the processor, where that is the device."""

    name: str
    cores: int

    def variables(self) -> Iterator[tuple[str, str]]:
        """What lets a library that is imported after it see this device alone."""
        seen = [one for one in os.environ.get(VISIBLE, "").split(",") if one]
        kind, _, number = self.name.partition(":")
        if kind == CUDA:
            yield VISIBLE, seen[int(number)] if int(number) < len(seen) else number
        else:
            yield VISIBLE, ""
            yield "OMP_NUM_THREADS", str(self.cores)


@dataclass(frozen=True, slots=True)
class _Task:
    """What a process is to do. what: that, in a few words."""

    what: str
    stage: str
    job: Job[Any]


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process at work."""

    task: _Task
    device: _Device
    process: Any
    heard: Connection
    control: Control


def side_by_side(
    devices: Sequence[str], jobs: Mapping[str, Job[R]], stage: str, watch: Watch
) -> list[R | Progress]:
    """Do each job in a process of its own, one a device at a time; what fails stops no other.

    Returns what the jobs give, and a step without rows for what was left undone and why.

    jobs: by what each does, in a few words. watch: given that, returns what watches it.
    """
    stop, waiting = SPAWN.Event(), deque(jobs.items())
    free, found = deque(devices), list[R | Progress]()
    cores = max(1, len(os.sched_getaffinity(0)) // max(1, devices.count(CPU)))
    running: list[_Worker] = []
    try:
        while running or (waiting and not stop.is_set()):
            while waiting and free and not stop.is_set():
                what, job = waiting.popleft()
                device = _Device(free.popleft(), cores)
                running.append(_started(_Task(what, stage, job), device, stop, watch(what)))
            wait([worker.heard for worker in running], LOOK)
            for worker in list(running):
                if worker.control.intake.closed:
                    stop.set()
                if (done := _heard(worker)) is not None:
                    found += done
                    free.append(worker.device.name)
                    running.remove(worker)
    finally:
        for worker in running:
            worker.process.kill()
    return [*found, *(_left(stage, f"{what}: it was not begun") for what, _ in waiting)]


def _started(task: _Task, device: _Device, stop: Any, control: Control) -> _Worker:
    heard, said = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=_work, args=(device, task, said, stop), daemon=True)
    process.start()
    said.close()  # its end is the process's alone, so that the pipe ends when that does
    return _Worker(task, device, process, heard, control)


def _heard(worker: _Worker) -> list[Any] | None:
    """Show what a process has told; what it gives once it has ended."""
    try:
        while worker.heard.poll():
            told = worker.heard.recv()
            if isinstance(told, Progress):
                worker.control.on_progress(told)
                continue
            worker.process.join()
            return list(told)
    except EOFError:
        worker.process.join()
        code, task = worker.process.exitcode, worker.task
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        why = f"{task.what}: its process ended with {how}"
        return [_left(task.stage, f"{why}, as it does where memory runs out" if code < 0 else why)]
    return None


def _left(stage: str, why: str) -> Progress:
    return Progress(stage, 0, ended=True, unavailable=why)


class _Remote(Intake):
    """Closed where the run was stopped in the process that started this one."""

    def __init__(self, stop: Any) -> None:
        super().__init__()
        self._stop = stop

    @property
    def closed(self) -> str:
        return INTERRUPTED if self._stop.is_set() else ""


def _work(device: _Device, task: _Task, said: Connection, stop: Any) -> None:
    """What a process does: its job, on its device; what it has by then is kept where that fails."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the starting process is the one to stop
    os.environ.update(device.variables())
    found = []
    try:
        for one in task.job(Control(said.send, intake=_Remote(stop))):
            found.append(one)  # noqa: PERF402
    except ArenaError as error:
        found.append(_left(task.stage, str(error)))
    said.send(found)
