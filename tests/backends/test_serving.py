"""A server that is started for a run ends with it, however it ends."""

import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.backends.serving import _free_port, as_served, child, command, reached, served
from arena.cli.main import app
from arena.config import parse_model
from arena.records import BackendKind, ServerProgram
from arena.records.errors import UnavailableError
from arena.store import Store
from tests.backends.local import tiny

SERVER = """
import http.server, os, subprocess, sys
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
worker = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
open(sys.argv[2], "w").write(f"{os.getpid()} {worker.pid}")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""
HOLDER = """
import sys, threading
from arena.backends.serving import child
with child(sys.argv[2:], sys.argv[1]):
    print("up", flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def words(tmp_path: Path) -> tuple[list[str], str, Path]:
    """How to start a server with a worker of its own, its address, and where it says who it is."""
    port, pids = _free_port(), tmp_path / "pids"
    return (
        [sys.executable, "-c", SERVER, str(port), str(pids)],
        f"http://127.0.0.1:{port}/health",
        pids,
    )


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def end_of(pids: Path) -> None:
    """Wait for the end of the server and its worker; hangs where one of them stays."""
    for pid in map(int, pids.read_text().split()):
        while not gone(pid):
            os.sched_yield()


def test_it_answers_while_the_block_lasts_and_ends_with_it(
    words: tuple[list[str], str, Path],
) -> None:
    command, health, pids = words
    with child(command, health):
        assert urllib.request.urlopen(health).status == 200
    assert all(map(gone, map(int, pids.read_text().split())))


def test_it_ends_where_this_process_is_killed(words: tuple[list[str], str, Path]) -> None:
    command, health, pids = words
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, health, *command], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"up\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    end_of(pids)


def test_a_server_that_cannot_start_says_its_last_words() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such model: x')"]
    with (
        pytest.raises(UnavailableError, match="no such model: x"),
        child(command, "http://127.0.0.1:9"),
    ):
        pytest.fail("it did not start")


@pytest.mark.parametrize("program", ServerProgram)
def test_a_program_that_is_not_here_is_named(
    program: ServerProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    said = f"--serve {program}: it is not installed; pip install '?{program}"
    with pytest.raises(UnavailableError, match=said):
        ExitStack().enter_context(served(program, parse_model("m=./x")))


@pytest.mark.parametrize(
    ("program", "words", "at_a_revision"),
    [
        ("vllm", "vllm serve a/b --host 127.0.0.1 --port 8000", " --revision v2"),
        ("sglang", "sglang serve --model-path a/b --host 127.0.0.1 --port 8000", " --revision v2"),
        (
            "lmdeploy",
            "lmdeploy serve api_server a/b --server-name 127.0.0.1 --server-port 8000",
            " --revision v2",
        ),
        ("transformers", "transformers serve a/b --host 127.0.0.1 --port 8000", "@v2"),
    ],
)
def test_each_program_has_its_own_words(program: str, words: str, at_a_revision: str) -> None:
    model = parse_model("hf:a/b")
    assert command(ServerProgram(program), model, 8000) == words.split()
    found = command(ServerProgram(program), replace(model, revision="v2"), 8000)
    assert set(found) - set(words.split()) <= {"a/b@v2", "--revision", "v2"}
    assert at_a_revision in " ".join(found)


def test_only_what_runs_here_is_served(tmp_path: Path) -> None:
    here, elsewhere = as_served(parse_model("m=./folder")), parse_model("openai:m@http://x/v1")
    assert (here.backend, here.weights) == (BackendKind.OPENAI, "./folder")
    assert as_served(parse_model("fake:echo")).backend is BackendKind.FAKE
    with reached(elsewhere, ServerProgram.VLLM) as there:
        assert there is elsewhere


@pytest.mark.slow
def test_a_run_starts_its_server_and_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tiny.save(
        tmp_path / "m", template="{% for m in messages %}{{ m['content'] }} {% endfor %}"
    )
    Path("p.jsonl").write_text('{"id": "p", "turns": ["say hello"]}\n', encoding="utf-8")
    words = [
        "generate",
        "--model",
        f"m={folder}",
        "--prompts",
        "p.jsonl",
        "--serve",
        "transformers",
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    (row,) = Store("arena.db").answers.where()
    assert row.turns[0]
    (model,) = Store("arena.db").models()
    assert (model.backend, model.weights) == (BackendKind.OPENAI, folder)
