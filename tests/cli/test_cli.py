"""The commands as a user types them, each in a process of its own."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from arena.cli import output
from arena.cli.main import app
from arena.store import Store

pytestmark = pytest.mark.slow

COMMANDS = sorted(
    (command.name or command.callback.__name__)
    for command in app.registered_commands
    if command.callback
)
BATTLES = "model_a,model_b,winner\n" + "x,y,model_a\n" * 30 + "x,y,model_b\n" * 10


def arena(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from arena.cli import main; main()", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    done = arena(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_every_command_is_in_the_readme() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"arena {name}" not in readme] == []


def test_rank_prints_the_same_ranking_in_every_format(tmp_path: Path) -> None:
    (tmp_path / "battles.csv").write_text(BATTLES)
    printed = json.loads(arena("rank", "battles.csv", "--format", "json", cwd=tmp_path).stdout)
    assert set(printed) >= {"method", "models"}
    fields = [
        "model",
        "rating",
        "ci_low",
        "ci_high",
        "rank",
        "rank_low",
        "rank_high",
        "comparisons",
    ]
    assert [list(row)[:8] for row in printed["models"]] == [fields, fields]
    first, second = printed["models"]
    assert (first["model"], first["rank"], second["rank"]) == ("x", 1, 2)
    assert first["rating"] - second["rating"] == pytest.approx(190.848, abs=0.01)
    text = arena("rank", "battles.csv", "--format", "csv", cwd=tmp_path).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["model"] for row in rows] == ["x", "y"]
    assert float(rows[0]["rating"]) == pytest.approx(first["rating"], abs=0.1)
    assert "| x |" in arena("rank", "battles.csv", "--format", "md", cwd=tmp_path).stdout
    assert "judge-only" not in arena("rank", "battles.csv", cwd=tmp_path).stdout
    assert not (tmp_path / "arena.db").exists()


@pytest.mark.model
def test_the_path_from_prompts_to_site_by_commands(tmp_path: Path) -> None:
    (tmp_path / "arena.yaml").write_text("rank: {min_comparisons: 2}\n")
    words = ["--prompts", "core", "--limit", "6"]
    for command in (
        ["generate", "--model", "a=fake:echo,b=fake:first,c=fake:mute", *words],
        ["judge", "--judge", "smollm2", "--limit", "1"],
        ["status"],
        ["publish", "out", "--allow-weak-judges"],
    ):
        done = arena(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "leaderboard.json").read_text())["label"] == "judge-only"
    ranked = arena(
        "rank", "--by", "language", "--format", "json", "--allow-weak-judges", cwd=tmp_path
    )
    assert len(json.loads(ranked.stdout)) == 1


@pytest.mark.parametrize("command", ["prompts", "models", "judges"])
@pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
def test_lists_print_in_every_format(command: str, form: str, tmp_path: Path) -> None:
    done = arena(command, "--format", form, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("core" if command == "prompts" else "smollm2") in done.stdout
    assert not (tmp_path / "arena.db").exists()


@pytest.mark.model
def test_init_writes_a_file_that_runs_and_never_overwrites(tmp_path: Path) -> None:
    assert arena("init", cwd=tmp_path).returncode == 0
    before = (tmp_path / "arena.yaml").read_text()
    assert "arena.yaml" in arena("models", "--format", "md", cwd=tmp_path).stdout
    again = arena("init", cwd=tmp_path)
    assert (again.returncode, (tmp_path / "arena.yaml").read_text()) == (2, before)


@pytest.mark.model
def test_a_run_follows_its_file(tmp_path: Path) -> None:
    (tmp_path / "arena.yaml").write_text(
        "models: {a: 'fake:echo', b: 'fake:first'}\nlimit: 2\njudges: [smollm2]\n"
        "db: own.db\npublish: page\nrank: {allow_weak_judges: true, min_comparisons: 2}\n"
    )
    done = arena("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Store(tmp_path / "own.db").counts()["verdicts"] == 4
    assert (tmp_path / "page" / "index.html").exists()
    assert "follows the order of the answers is not known yet" in done.stderr


def test_the_database_comes_from_flag_then_environment_then_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arena.yaml").write_text("db: file.db\n")
    generate = ["generate", "--model", "fake:echo", "--limit", "1"]
    assert arena(*generate, cwd=tmp_path).returncode == 0
    monkeypatch.setenv("ARENA_DB", "environment.db")
    assert arena(*generate, cwd=tmp_path).returncode == 0
    assert arena(*generate, "--db", "flag.db", cwd=tmp_path).returncode == 0
    assert {p.name for p in tmp_path.glob("*.db")} == {"file.db", "environment.db", "flag.db"}


def test_the_gate_refuses_a_judge_that_follows_the_order(tmp_path: Path) -> None:
    assert arena("init", "--sample", cwd=tmp_path).returncode == 0
    refused = arena("rank", cwd=tmp_path)
    assert refused.returncode == 1
    assert "--allow-weak-judges" in refused.stderr
    allowed = arena("rank", "--allow-weak-judges", "--format", "json", cwd=tmp_path)
    board = json.loads(allowed.stdout)
    assert board["label"] == "judge-only"
    assert any("changes its verdict with the order" in note for note in board["notes"])


FILES = {
    "label.csv": "model_a,model_b,winner\na,b,model_a\na,b,left\n",
    "column.csv": "model_a,winner\na,tie\n",
    "empty.csv": "",
    "text.db": "this is no database, whatever its name says\n" * 50,
    "prompts.jsonl": '{"id": "a"}\n',
    "arena.bad.yaml": "models: {a: {use: smollm2, temprature: 1}}\n",
    "judges/odd.yaml": "model: smollm2\npairwise: {template: odd.md}\n",
    "judges/odd.md": "{{ question }}{{ answer_a }}{{ answer_b }}{{ winner }}",
}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("rank label.csv", ["label.csv:3", "winner", "'left'", "model_a, model_b, tie"]),
        ("rank column.csv", ["column.csv:1", "'model_b'", "model_a, winner"]),
        ("rank none.csv", ["none.csv", "no such file"]),
        ("rank empty.csv", ["empty.csv", "empty"]),
        ("rank --db none.db", ["none.db", "no such database"]),
        ("rank --db text.db", ["text.db", "database"]),
        ("rank label.csv --by category", ["--by"]),
        ("judge --judge smollm", ["'smollm'", "'smollm2'"]),
        ("judge --judge odd --db text.db", ["odd.md", "'winner'", "answer_a"]),
        ("generate --model nonsense", ["'nonsense'", "hf:ORG/NAME"]),
        ("generate --model smollm2 --prompts coer", ["'coer'", "'core'"]),
        ("generate --model smollm2 --prompts prompts.jsonl", ["prompts.jsonl:1", "turns"]),
        ("generate", ["--model"]),
        ("run --config arena.bad.yaml", ["arena.bad.yaml:1", "temprature", "temperature"]),
        ("run --config none.yaml", ["none.yaml", "no such file"]),
        ("run", ["arena init"]),
        ("publish site --db none.db", ["none.db"]),
        ("status --db none.db", ["none.db"]),
        ("bench --tasks short_anser --model fake:echo", ["'short_anser'", "'short_answer'"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    command: str, said: list[str], tmp_path: Path
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = arena(*command.split(), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""
    for part in said:
        assert part in done.stderr
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_a_server_that_is_not_there_is_named_at_the_end(tmp_path: Path) -> None:
    done = arena("generate", "--model", "openai:m@http://127.0.0.1:9/v1", cwd=tmp_path)
    assert done.returncode == 2
    assert "no server answers at http://127.0.0.1:9/v1/" in done.stderr.splitlines()[-1]


def test_a_model_under_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    assert arena("generate", "--model", "m=fake:echo", "--limit", "1", cwd=tmp_path).returncode == 0
    done = arena("generate", "--model", "m=fake:first", "--limit", "1", cwd=tmp_path)
    assert done.returncode == 2
    assert "use is 'fake:first' and was 'fake:echo'" in done.stderr
    assert "--new-version" in done.stderr


@pytest.mark.model
def test_what_failed_is_said_and_the_exit_code_is_one(tmp_path: Path) -> None:
    """A model whose context is too small for anything."""
    (tmp_path / "arena.yaml").write_text(
        "models: {m: {use: smollm2, context_length: 8, max_tokens: 8}}\n"
    )
    done = arena("generate", "--limit", "1", cwd=tmp_path)
    assert done.returncode == 1
    assert "do not fit the context" in done.stderr
    status = arena("status", "--format", "csv", cwd=tmp_path)
    assert "answers,0,1" in status.stdout.replace("\r", "")
    assert "1 × rejected in stage answer" in status.stderr


def test_benchmarks_of_one_model_are_said_to_compare_nothing(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question,answer\nSay yes,yes\nSay no,no\n")
    done = arena("bench", "--data", "q.csv", "--models", "m=fake:echo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of m and of no other model" in arena("rank", cwd=tmp_path).stderr
    assert "compares models by benchmark" in arena("rank", "--by", "benchmark", cwd=tmp_path).stderr


def test_decodings_of_one_model_that_reply_alike_are_explained(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question,answer\nSay yes,yes\nSay no,no\n")
    (tmp_path / "arena.yaml").write_text(
        'models:\n  cold: {use: "fake:echo"}\n  warm: {use: "fake:echo", temperature: 0.7}\n'
    )
    done = arena("bench", "--data", "q.csv", "--models", "cold,warm", cwd=tmp_path)
    assert "cold, warm gave the same replies in q, so there they are one model" in done.stderr
    assert "They differ in temperature, which changed nothing. A temperature" in done.stderr
    assert "system" not in done.stderr


def test_weights_and_templates_that_are_not_there_are_named(tmp_path: Path) -> None:
    done = arena("generate", "--model", "./nomodel", cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "arena: no such folder: ./nomodel"
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "mine.yaml").write_text(
        "model: {use: 'fake:first'}\npairwise: {template: absent.md, format: choice}\n"
    )
    done = arena("judge", "--judge", "mine", "--dry-run", cwd=tmp_path)
    assert "mine.yaml: pairwise: template: " in done.stderr
    assert "absent.md is not there" in done.stderr


@pytest.mark.parametrize(("width", "columns"), [(200, 3), (33, 3), (32, 2), (22, 1), (3, 1)])
def test_columns_are_left_out_before_a_name_is_broken(width: int, columns: int) -> None:
    rows = [{"model": "qwen3-8b-it", "score": 0.6667, "why": "a 模型 answers"}]
    assert output.fitting(rows, width) == columns
    assert output.fitting([], width) == 0


def test_a_table_in_a_pipe_is_whole_whatever_started_the_command(tmp_path: Path) -> None:
    """GNU readline, which Python loads for its prompt, hands COLUMNS=80 to what it starts."""
    code = (
        "import readline, subprocess, sys\n"
        "words = [sys.executable, '-c', 'from arena.cli import main; main()', 'judges']\n"
        "sys.exit(subprocess.run(words).returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert max(map(len, done.stdout.splitlines())) > 80
    assert "Left out" not in done.stderr


def test_a_width_that_is_asked_for_holds_in_a_pipe_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = arena("judges", cwd=tmp_path)
    narrow = arena("--width", "60", "judges", cwd=tmp_path)
    assert max(map(len, whole.stdout.splitlines())) > 60
    assert max(map(len, narrow.stdout.splitlines())) <= 60
    assert "Left out to fit the width: " in narrow.stderr
    monkeypatch.setenv("ARENA_WIDTH", "60")
    assert arena("judges", cwd=tmp_path).stdout == narrow.stdout
    assert arena("--width", "9", "judges", cwd=tmp_path).returncode == 2


def test_shares_keep_three_digits() -> None:
    assert "| 0.667 | 66.7 | 1234.6 |" in output.to_markdown(
        [{"share": 2 / 3, "percent": 200 / 3, "rating": 1234.56}]
    )


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_name_and_no_interval_is_broken_at_any_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.voice, "width", width)
    monkeypatch.setattr(output.voice, "loudness", output.Loudness.QUIET)
    cells = {"temperature": 0.5, "interval": "857.9 – 1236.0", "accuracy": "70.0% (37.6–96.4%)"}
    long = {"why": "words that wrap " * 9, "max_tokens": 60, "comparisons": 12}
    output.table([{"model": "echo@3", "state": "", **cells, **long}])
    printed, warned = capsys.readouterr()
    whole = set(printed.replace("│", " ").replace("┃", " ").split())
    shown = [name for name in ("model", "state", *cells, *long) if name in whole]
    assert max(map(len, printed.splitlines())) <= width
    assert "857.9 – 1236.0" in printed or "interval" in warned
    assert "(37.6–96.4%)" in printed or "accuracy" in warned
    assert "state" not in shown  # it is empty, and makes room for others
    left_out = [name for name in (*cells, *long) if name in warned.split(".")[0]]
    assert sorted([*shown, *left_out]) == sorted(["model", *cells, *long])  # said with -q too
