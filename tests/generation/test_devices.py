"""Models side by side, each in a process of its own; processors stand in for graphics cards."""

import json
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_fails_is_said_and_stops_no_other() -> None:
    jobs = {"k answers": killed, "r answers": refused, "t answers": partial(told, "t")}
    steps = side_by_side(["cpu"], jobs, "answer", unwatched)
    assert [step.stored for step in steps] == [0, 0, 2]
    assert "k answers: its process ended with SIGKILL" in steps[0].unavailable
    assert steps[1].unavailable == "the weights of 'x' cannot be loaded: they are damaged"


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("where", [("--devices", "cpu,cpu"), ("--executor", "ray")])
def test_a_whole_run_ends_as_in_one_process(models: None, where: tuple[str, str]) -> None:
    """One judge and one model are damaged; a fake model and a fake judge stay in this process."""
    pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")
    if where == ("--executor", "ray"):
        pytest.importorskip("ray", reason="Ray is not installed: extra `cluster`")
    Path("judges").mkdir()
    Path("judges/j.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    for name in ("one", "two"):
        Path(f"judges/by-{name}.yaml").write_text(
            f"model: {Path(name).resolve()}\nreading: logit\n"
            "pairwise: {template: j.md, options: {A: alpha, B: omega, tie: maybe}}\n"
        )
    Path("judges/longer.yaml").write_text(
        "model: fake:longer\nreading: reasoned\npairwise: {template: j.md}\n"
    )
    Path("choice.csv").write_text("question,A,B,answer\nwhat is the best,alpha,omega,A\n")
    with Path("arena.yaml").open("a") as config:
        config.write(
            "judges: [by-one, by-two, longer]\nbenchmarks: [{data: choice.csv, mode: ppl}]\n"
        )
    config_text = Path("arena.yaml").read_text().replace("models: {", "models: {echo: fake:echo, ")
    Path("arena.yaml").write_text(config_text)
    states = []
    for db, options in (("plain.db", ()), ("there.db", where)):
        done = CliRunner().invoke(app, ["run", "--db", db, *options])
        assert done.exit_code == 1, done.output
        left = [line for line in done.stderr.splitlines() if line.startswith("Left out:")]
        assert len(left) == 3, done.stderr
        states.append(end_state(Store(db)))
    assert states[0] == states[1]
    answered, verdicts, outcomes = states[0]
    assert {model for model, _ in answered} == {"echo", "one", "three"}
    assert len(verdicts) == 2 * 2 * 3
    assert {model for model, *_ in outcomes} == {"echo", "one", "three"}


def end_state(store: Store) -> tuple[list[tuple[object, ...]], ...]:
    return (
        sorted((a.model, a.turns) for a in store.answers.where()),
        sorted((v.key, v.preference, round(v.p_first or 0, 5)) for v in store.verdicts.where()),
        sorted((o.model, o.item, o.metric, round(o.value, 5)) for o in store.outcomes.where()),
    )


@pytest.mark.slow
def test_judges_and_benchmarks_have_a_device_each(models: None, tmp_path: Path) -> None:
    """One judge and one model are damaged; the end state is as without devices."""
    pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")
    Path("judges").mkdir()
    Path("judges/j.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    for name in ("one", "two", "three"):
        Path(f"judges/by-{name}.yaml").write_text(
            f"model: {tmp_path / name}\nreading: logit\n"
            "pairwise: {template: j.md, options: {A: alpha, B: omega, tie: maybe}}\n"
        )
    Path("choice.csv").write_text("question,A,B,answer\nwhat is the best,alpha,omega,A\n")
    judge = ("judge", "--judge", "by-one,by-two,by-three", "--min-parsed", "0")
    bench = ("bench", "--data", "choice.csv", "--mode", "ppl", "--format", "json")
    states = []
    for db, devices in (("plain.db", ()), ("devices.db", ("--devices", "cpu,cpu"))):
        CliRunner().invoke(app, ["generate", "--db", db])
        judged = CliRunner().invoke(app, [*judge, "--db", db, *devices])
        benched = CliRunner().invoke(app, [*bench, "--db", db, *devices])
        for done in (judged, benched):
            assert done.exit_code == 1, done.output
            (left,) = [line for line in done.stderr.splitlines() if line.startswith("Left out:")]
            assert "cannot be loaded" in left
        store = Store(db)
        states.append(
            (
                sorted((v.key, v.preference) for v in store.verdicts.where()),
                sorted((o.model, o.item, o.metric, o.value) for o in store.outcomes.where()),
                sorted(row["model"] for row in json.loads(benched.stdout)["scores"]),
            )
        )
    assert states[0] == states[1]
    assert len(states[0][0]) == 4
    assert states[0][2] == ["one", "three"]
