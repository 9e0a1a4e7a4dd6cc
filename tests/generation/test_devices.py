"""Models side by side, each in a process of its own; processors stand in for graphics cards."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.backends import Intake
from arena.cli.main import app
from arena.generation.batch import Control, Progress
from arena.generation.devices import parse_devices, side_by_side
from arena.records.errors import InputError, UnavailableError
from arena.store import Store
from tests.backends.local import tiny

VISIBLE = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")


def unwatched(_: str) -> Control:
    return Control()


def told(name: str, control: Control) -> list[Progress]:
    """A job that tells where it runs."""
    seen = [os.environ.get(name, "") for name in VISIBLE]
    control.on_progress(Progress(name, 2, stored=1))
    return [Progress(name, 2, stored=2, notes=(str(os.getpid()), *seen))]


def killed(control: Control) -> list[Progress]:
    """A job whose process ends as where memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def refused(control: Control) -> list[Progress]:
    raise UnavailableError("the weights of 'x' cannot be loaded: they are damaged")


def until_stopped(control: Control) -> list[Progress]:
    control.on_progress(Progress("long", 1))
    while not control.intake.closed:
        pass
    return [Progress("long", 1, stopped=control.intake.closed)]


def test_each_job_has_a_device_and_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    seen: list[Progress] = []
    jobs = {name: partial(told, name) for name in ("a", "b", "c")}
    devices = ["cuda:0", "cuda:1", "cpu"]
    steps = side_by_side(devices, jobs, "answer", lambda _: Control(seen.append))
    notes = {step.stage: step.notes for step in steps}
    assert {step.stage for step in seen} == {"a", "b", "c"}
    assert len({own[0] for own in notes.values()} | {str(os.getpid())}) == 4
    assert [notes[name][1] for name in "abc"] == ["4", "7", ""]
    assert notes["c"][2] == str(len(os.sched_getaffinity(0)))


def test_what_fails_is_said_and_stops_no_other() -> None:
    jobs = {"k answers": killed, "r answers": refused, "t answers": partial(told, "t")}
    steps = side_by_side(["cpu"], jobs, "answer", unwatched)
    assert [step.stored for step in steps] == [0, 0, 2]
    assert "k answers: its process ended with SIGKILL" in steps[0].unavailable
    assert steps[1].unavailable == "the weights of 'x' cannot be loaded: they are damaged"


def test_a_run_that_is_stopped_ends_its_processes_and_begins_no_more() -> None:
    intake = Intake()

    def watch(what: str) -> Control:
        return Control(lambda _: intake.close("interrupted"), intake=intake)

    jobs = {"long": until_stopped, "never": partial(told, "never")}
    steps = side_by_side(["cpu"], jobs, "answer", watch)
    assert [(step.stopped, step.unavailable) for step in steps] == [
        ("interrupted", ""),
        ("", "never: it was not begun"),
    ]


@pytest.mark.parametrize("text", ["gpu", "cuda", "cuda:x", "0", ""])
def test_a_device_that_there_is_not(text: str) -> None:
    with pytest.raises(InputError, match=r"it takes cuda:0"):
        parse_devices([text])


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Two tiny models and a damaged one between them, in arena.yaml."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two", "three"):
        tiny.save(tmp_path / name)
    weights = Path("two/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    Path("p.jsonl").write_text('{"id": "p", "turns": ["say hello"]}\n', encoding="utf-8")
    entries = [f"{name}: {{use: ./{name}, max_tokens: 4}}" for name in ("one", "two", "three")]
    Path("arena.yaml").write_text(f"models: {{{', '.join(entries)}}}\nprompts: [p.jsonl]\n")


@pytest.mark.slow
@pytest.mark.parametrize("devices", [(), ("--devices", "cpu,cpu")])
def test_a_damaged_model_is_left_out_and_the_others_answer(
    models: None, devices: tuple[str, ...]
) -> None:
    done = CliRunner().invoke(app, ["generate", *devices])
    assert done.exit_code == 1, done.output
    (left,) = [line for line in done.stderr.splitlines() if line.startswith("Left out:")]
    assert "two" in left
    assert "cannot be loaded" in left
    assert {row.model for row in Store("arena.db").answers.where()} == {"one", "three"}
