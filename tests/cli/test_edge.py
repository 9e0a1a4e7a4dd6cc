"""No input ends in a traceback: a refusal is a sentence, a bug is a line and a log."""

import errno
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli import edge
from arena.cli.edge import guarded
from arena.cli.main import app

# A command line that only prints: these are about the ends of a process, and start quickly.
PRINTS = """
import sys, types
module = types.ModuleType("arena.cli.main")
module.app = lambda: print("\\u6a21\\u578b")
sys.modules[module.__name__] = module
from arena.cli import main
main()
"""


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def app() -> None:
        raise error

    monkeypatch.setattr(import_module("arena.cli.main"), "app", app)
    monkeypatch.setattr(sys, "argv", ["arena"])


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "b.csv"),
            2,
            "b.csv: Permission denied",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "x"), 2, "x: Is a directory"),
        (UnicodeEncodeError("utf-8", "b\udcff.csv", 1, 2, "surrogates"), 2, "is not UTF-8 text"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, ""),
    ],
)
def test_what_the_machine_refuses_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    raising(monkeypatch, error)
    with pytest.raises(SystemExit) as ending:
        guarded()
    written = capsys.readouterr().err
    assert ending.value.code == code
    assert said in written
    assert written.count("\n") == bool(said)


def test_a_bug_is_a_line_and_a_log_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-verysecret")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    raising(monkeypatch, KeyError("no\nsk-verysecret"))
    with pytest.raises(SystemExit) as ending:
        guarded()
    written = capsys.readouterr().err
    (log,) = tmp_path.glob("arena-*.log")
    assert ending.value.code == 70
    assert written.startswith("arena: this should not have happened (KeyError: ")
    assert str(log) in written
    assert written.count("\n") == 1
    assert "Traceback" in log.read_text()
    assert "KeyError" in log.read_text()
    assert "sk-very" not in written + log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_bug_is_told_where_no_log_can_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    raising(monkeypatch, ValueError("odd"))
    with pytest.raises(SystemExit):
        guarded()
    assert "no log could be written" in capsys.readouterr().err


def test_a_proxy_that_a_library_cannot_read_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://me:secret@host:1")
    said = edge.sentence(ValueError("Unknown scheme for proxy URL"))
    assert said is not None
    assert "ALL_PROXY=socks://… cannot be used as a proxy" in said
    assert edge.sentence(ValueError("something else")) is None


def test_streams_closed_full_and_narrow() -> None:
    def run(shell: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["bash", "-c", f'"$@" {shell}', "bash", sys.executable, "-c", PRINTS],
            capture_output=True,
            env={**os.environ, **environment},
            check=False,
        )

    narrow = run("", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (narrow.returncode, narrow.stderr) == (0, b"")
    assert narrow.stdout == b"\\u6a21\\u578b\n"
    closed = run(">&-")
    assert (closed.returncode, closed.stderr) == (0, b"")
    full = run("> /dev/full")
    assert (full.returncode, full.stderr.count(b"\n")) == (2, 1)
    assert b"No space left" in full.stderr


def test_arguments_that_are_not_utf_8(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["arena", "rank", os.fsdecode(b"b\xff.csv")])
    with pytest.raises(SystemExit) as ending:
        guarded()
    assert ending.value.code == 2
    assert "argument 2: 'b\\udcff.csv' is not UTF-8 text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("generate --limit abc", "'abc': must be a whole number"),
        ("--width wide rank", "'wide': must be a whole number"),
        ("rank --by catgory", "did you mean 'category'?"),
        ("rank --by 7", "'7' is not one of 'category', 'language'"),
        ("run --width 80", "It stands before the command: arena --width"),
        ("export nope x", "fastchat, arena-hard, alpacaeval"),
        ("export --help", "One of: store, fastchat,"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_told_in_our_words(line: str, said: str) -> None:
    done = CliRunner().invoke(app, line.split())
    told = " ".join(done.output.replace("│", " ").split())
    assert said in told
    assert "Input should" not in told
    assert "Value error" not in told
