"""`arena bench` as a user calls it, and the rankings that come of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.files.assets import builtin
from arena.store import Store

pytestmark = pytest.mark.slow

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")

CHOICE = "question,A,B,C,answer\nWhat is 2+2?,3,4,5,B\nWhat is 3+3?,6,7,8,A\nOdd?,1,2,4,A\n"
OPEN = "question,answer\nSay seven.,seven\nSay eight.,eight\nSay twenty.,thirty\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls `arena` in an empty folder with two data files in it."""
    monkeypatch.chdir(tmp_path)
    Path("choice.csv").write_text(CHOICE)
    Path("open.csv").write_text(OPEN)

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    return call


@pytest.fixture
def bench(run: Callable[..., Result]) -> Callable[..., dict[str, Any]]:
    """Runs a benchmark that must succeed; what it prints as JSON."""

    def call(*words: str) -> dict[str, Any]:
        done = run("bench", "--format", "json", *words)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        assert list(found) == ["scores", "prompts", "needles", "checks"]
        return found

    return call


def test_the_core_on_two_fakes(
    run: Callable[..., Result], bench: Callable[..., dict[str, Any]]
) -> None:
    wanted = ("--tasks", "core", "--limit", "1", "--models", "fake:echo,fake:mute")
    scores = bench(*wanted)["scores"]
    names = (builtin("data") / "items" / "core.yaml").read_text().split("task:")[1]
    core = [line.strip("- ") for line in names.splitlines() if line.strip()]
    assert [(s["model"], s["benchmark"]) for s in scores] == [
        (model, name) for model in ("echo", "mute") for name in core
    ]
    assert all(s["items"] == 1 and s["dimension"] and s["asked"] == "as it is" for s in scores)
    assert {key for s in scores for key in s} == {
        *("benchmark", "version", "dimension", "asked", "model", "metric", "score", "stderr"),
        *("low", "high"),
        *("items", "unread", "judged", "code"),
    }
    again = run("bench", *wanted)
    assert again.exit_code == 0
    assert " 0 new" in again.stderr
    assert not [
        line for line in again.stderr.splitlines() if "new" in line and " 0 new" not in line
    ]
    assert "knowledge_zh" in again.stdout


def test_data_of_ones_own_in_both_shapes(
    run: Callable[..., Result], bench: Callable[..., dict[str, Any]]
) -> None:
    done = run("bench", "--data", "choice.csv,open.csv", "--models", "fake:echo")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert "choice: multiple choice, likeliest of the options' texts, template cloze." in said
    assert "open: open answers, contains of what the model writes, template tell." in said
    choice, opened = bench("--data", "choice.csv", "--data", "open.csv", "--models", "fake:echo")[
        "scores"
    ]
    assert (choice["benchmark"], choice["items"], choice["metric"]) == ("choice", 3, "acc_norm")
    assert (opened["benchmark"], opened["score"]) == ("open", pytest.approx(2 / 3))
    assert opened["stderr"] == pytest.approx((2 / 9 / 2) ** 0.5)


def test_options_change_how_the_data_is_asked(bench: Callable[..., dict[str, Any]]) -> None:
    Path("mine.txt").write_text("{{ question }} I mean {{ A }}.")
    for words, asked in (
        (("--mode", "gen"), "gen"),
        (("--mode", "gen", "--few-shot", "1"), "gen 1-shot"),
        (("--template", "mine.txt"), "mine"),
        (("--no-chat-template",), "no chat"),
        (("--circular",), "circular"),
    ):
        (score,) = bench("--data", "choice.csv", "--models", "fake:echo", *words)["scores"]
        assert (score["asked"], score["items"]) == (asked, 3)
    (score,) = bench("--data", "open.csv", "--models", "fake:echo", "--metric", "exact")["scores"]
    assert (score["asked"], score["score"]) == ("exact", 0.0)


def test_variants_are_compared(
    run: Callable[..., Result], bench: Callable[..., dict[str, Any]]
) -> None:
    Path("loud.md").write_text("Louder: {{ question }}")
    wanted = ("--data", "open.csv", "--models", "m=fake:echo", "--variants")
    found = bench(*wanted, "zero-shot,few-shot,loud.md", "--few-shot", "2")
    (report,) = found["prompts"]
    assert (report["benchmark"], report["model"]) == ("open", "m")
    assert [e["variant"] for e in report["effects"]] == ["zero-shot", "2-shot", "loud"]
    assert list(report["effects"][0]) == [*("variant", "score", "difference", "low", "high")]
    assert set(report["spread"]) == {"range", "deviation", "items"}
    assert [s["asked"] for s in found["scores"]] == ["zero-shot", "2-shot", "loud"]
    shown = run("bench", *wanted, "zero-shot,loud.md").output
    assert "m on open, by the way of asking" in shown
    assert "the way of asking alone moves the score by 0.0% from worst to best" in " ".join(
        shown.split()
    )


def test_needles_have_a_map(
    run: Callable[..., Result], bench: Callable[..., dict[str, Any]]
) -> None:
    wanted = ("--tasks", "needle", "--models", "fake:edges", "--lengths", "1k,512")
    wanted = (*wanted, "--depths", "0,50%", "--languages", "zh")
    found = bench(*wanted)
    (needle,) = found["needles"]
    assert (needle["lengths"], needle["depths"]) == ([512, 1024], [0.0, 0.5])
    assert needle["values"] == [[1.0, 1.0], [0.0, 0.0]]
    assert found["scores"][0]["dimension"] == "long context"
    shown = run("bench", *wanted)
    assert shown.exit_code == 0
    assert "1,024" in shown.stdout
    assert "edges, zh" in shown.stdout


def test_checks_for_contamination_are_printed(bench: Callable[..., dict[str, Any]]) -> None:
    wanted = ("--data", "open.csv", "--models", "fake:echo", "--fresh", "choice.csv")
    (check,) = bench(*wanted)["checks"]
    assert (check["measure"], check["benchmark"], check["n"]) == ("than fresh", "open", 3)
    assert check["low"] <= check["value"] <= check["high"]


def test_a_judge_marks_what_has_no_answer(
    bench: Callable[..., dict[str, Any]], write_card: Callable[..., str]
) -> None:
    """`fake:mute` neither answers nor decides, so its replies stay unread."""
    wanted = ("--data", "choice.csv", "--mode", "gen", "--models", "m=fake:mute")
    (score,) = bench(*wanted, "--judge", write_card("silent", "fake:mute"))["scores"]
    assert (score["unread"], score["judged"], score["score"]) == (3, 0, 0.0)


def test_what_was_unread_and_why_is_one_line(run: Callable[..., Result]) -> None:
    done = run("bench", "--data", "choice.csv", "--mode", "gen", "--models", "m=fake:mute")
    said = [line for line in done.stderr.splitlines() if "are unread" in line]
    (line,) = said
    assert line.startswith("m on choice: 3 of 3 replies are unread and count as wrong: 3 × the ")


def test_what_is_done_before_a_failure_is_shown(run: Callable[..., Result]) -> None:
    models = ("--models", "fake:echo", "--models", "openai:x@http://127.0.0.1:9/v1")
    done = run("bench", "--data", "open.csv", *models)
    assert done.exit_code != 0
    assert "66.7%" in done.stdout
    assert "127.0.0.1:9" in " ".join(done.stderr.split())


DATA = ("--data", "choice.csv")
NEEDLE = ("--tasks", "needle")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name a benchmark with --tasks (such as core), or a file with --data"),
        (("--tasks", "short_answr"), "no benchmark named 'short_answr'; did you mean 'short_answ"),
        (("--tasks", "qqqqqqqq"), "no benchmark named 'qqqqqqqq'; there is 'arithmetic_en'"),
        (("--data", "absent.csv"), "absent.csv: no such file"),
        (("--data", "mine.txt"), "mine.txt: no such file"),
        (("--data", "open.csv,absent.csv"), "absent.csv: no such file"),
        ((*DATA, "--mode", "guess"), "--mode 'guess': must be 'ppl' or 'gen'"),
        ((*DATA, "--few-shot", "3"), "choice: --few-shot 3, and it has 3 items"),
        ((*DATA, "--metric", "f1"), "choice: --metric is for open answers"),
        ((*DATA, "--template", "no.txt"), "no.txt: no such file"),
        ((*DATA, "--variants", "few"), "--variants 'few'; allowed are zero-shot, few-shot, cot"),
        ((*DATA, "--judge", "nobody"), "no judge named 'nobody'"),
        ((*DATA, "--judge", "smollm2", "--circular"), "a judge marks one reply"),
        ((*DATA, "--fresh", "no.csv"), "no.csv: no such file"),
        ((*DATA, "--lengths", "1k"), "--lengths is of the needle test: --tasks needle"),
        (("--data", "open.csv", "--mode", "ppl"), "open: --mode ppl compares options"),
        (("--data", "open.csv", "--circular"), "open: --circular rotates options"),
        ((*NEEDLE, "--lengths", "12"), "--lengths '12'; it must be a number of tokens from 384"),
        ((*NEEDLE, "--depths", "deep"), "--depths 'deep'; it must be numbers"),
        ((*NEEDLE, "--depths", "101"), "--depths 101.0: must be at most 100"),
        ((*NEEDLE, "--needles", "13"), "--needles 13.0: must be at most 12"),
        ((*NEEDLE, "--languages", "fr"), "--languages 'fr': must be 'en' or 'zh'"),
        ((*NEEDLE, "--filler", "no.txt"), "no.txt: no such file"),
        ((*NEEDLE, "--metric", "judged"), "name one with --judge"),
        ((*NEEDLE, "--metric", "bleu"), "--metric 'bleu'; allowed are number, contains"),
        ((*NEEDLE, "--few-shot", "2"), "needle is asked in one way only; leave out --few-shot"),
        ((*NEEDLE, "--circular"), "needle is asked in one way only; leave out --circular"),
        (("--tasks", "code_en"), "code_en runs what models write as code; --allow-code lets it"),
        (
            ("--tasks", "instructions_en", "--mode", "ppl"),
            "instructions_en puts its items in words",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence_and_leaves_nothing(
    run: Callable[..., Result], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    done = run("bench", "--models", "fake:echo", *words)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--tasks", "code_en", "--allow-code"], "container"),
        (["--allow-code", "--tasks", "code_en"], "container"),
        (["--allow-code", "container", "--tasks", "code_en"], "container"),
        (["--tasks=code_en", "--allow-code=unsafe"], "unsafe"),
        (["--tasks", "code_en", "--allow-code", "unsafe"], "unsafe"),
        (["--tasks", "code_en"], None),
    ],
)
def test_code_is_allowed_with_or_without_a_word(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, words: list[str], allowed: str
) -> None:
    seen: list[Any] = []

    def take(_store: Any, _models: Any, entry: Any, *_: Any) -> list[Any]:
        seen.append(entry.allow_code)
        return []

    monkeypatch.setattr("arena.benchmarks.runs.run_benchmark", take)
    done = run("bench", "--models", "fake:echo", *words)
    assert done.exit_code == 0, done.output
    assert seen == [allowed]


def test_the_result_says_that_code_ran_without_a_container(run: Callable[..., Result]) -> None:
    words = (
        "bench",
        "--models=fake:echo",
        "--tasks=code_en",
        "--limit=1",
        "--allow-code",
        "unsafe",
    )
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "unsafe" in done.stdout
    assert "code_en: what models write ran without a container" in " ".join(done.stderr.split())
    assert json.loads(run(*words, "--format", "json").stdout)["scores"][0]["code"] == "unsafe"


@pytest.mark.parametrize("model", ["fake:nobody", "nothing-known"])
def test_an_unknown_model_leaves_nothing(
    run: Callable[..., Result], tmp_path: Path, model: str
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    done = run("bench", "--data", "choice.csv", "--models", model)
    assert done.exit_code == 2
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("by", "groups"),
    [("benchmark", ["facts", "maths_words"]), ("dimension", ["knowledge", "maths"])],
)
def test_outcomes_make_rankings_by_benchmark_and_dimension(
    run: Callable[..., Result], by: str, groups: list[str]
) -> None:
    """`echo` wins every item but the last of both sets, which ends in what `mute` says."""
    for name in ("facts", "maths_words"):
        rows = "".join(f"Say {name}{k}.,{name}{k}\n" for k in range(12))
        Path(f"{name}.csv").write_text(f"question,answer\n{rows}Be quiet.,I would rather not say\n")
    files = ("--data", "facts.csv,maths_words.csv,open.csv")
    assert run("bench", *files, "--models", "good=fake:echo,bad=fake:mute").exit_code == 0
    done = run("rank", "--by", by, "--format", "json")
    assert done.exit_code == 0, done.output
    boards = {board["group"]: board for board in json.loads(done.stdout)}
    assert set(groups) <= set(boards)
    for group in groups:
        first, second = boards[group]["models"]
        assert (first["model"], second["model"]) == ("good", "bad")
        assert first["rating"] > 1000 > second["rating"]


def test_a_benchmark_is_one_step_though_replies_are_asked_for_once_more(
    run: Callable[..., Result],
) -> None:
    """`fake:echo` has no option in what it writes, so that it is asked again with room."""
    done = run("bench", "--data", "choice.csv", "--mode", "gen", "--models", "fake:echo")
    assert done.exit_code == 0, done.output
    told = [line for line in done.stderr.splitlines() if line.startswith("echo does choice")]
    assert told[0] == "echo does choice (gen): 3 unreadable replies asked for once more"
    assert told[1].startswith("echo does choice (gen): 3 new, 0 already there")
    assert len(told) == 2
    again = run("bench", "--data", "choice.csv", "--mode", "gen", "--models", "fake:echo")
    told = [line for line in again.stderr.splitlines() if line.startswith("echo does choice")]
    assert told == ["echo does choice (gen): 0 new, 3 already there"]


def test_a_renamed_model_is_not_asked_nor_stored_again(run: Callable[..., Result]) -> None:
    words = ("bench", "--data", "open.csv", "--models")
    assert run(*words, "m=fake:echo").exit_code == 0
    before = Store(Path("arena.db")).counts()["outcomes"]
    assert run("models", "rename", "m", "n").exit_code == 0
    assert "0 new, 3 already there" in run(*words, "n=fake:echo").stderr
    assert Store(Path("arena.db")).counts()["outcomes"] == before
    assert {outcome.model for outcome in Store(Path("arena.db")).outcomes.where()} == {"n"}
