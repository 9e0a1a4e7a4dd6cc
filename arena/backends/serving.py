"""A server for one model, as a child that ends with this process however that ends.

Between the two stands a guard, `python -m arena.backends.serving`: it starts the server and waits
for the end of its own standard input, which comes when this process closes it or is gone. Then it
ends the server with all that this has started.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from arena.records import BackendKind, Model, ServerProgram
from arena.records.errors import UnavailableError

HOST, LOOK, PATIENCE = "127.0.0.1", 0.2, 20.0  # seconds between two looks, and to end in
_PLACE = ("--host", HOST, "--port", "{port}")
_COMMANDS = {
    ServerProgram.VLLM: ("vllm", "serve", "{weights}", *_PLACE),
    ServerProgram.SGLANG: ("sglang", "serve", "--model-path", "{weights}", *_PLACE),
    ServerProgram.LMDEPLOY: (
        *("lmdeploy", "serve", "api_server", "{weights}"),
        *("--server-name", HOST, "--server-port", "{port}"),
    ),
    ServerProgram.TRANSFORMERS: ("transformers", "serve", "{weights}", *_PLACE),
}
_INSTALL = {
    ServerProgram.VLLM: "pip install vllm",
    ServerProgram.SGLANG: "pip install sglang",
    ServerProgram.LMDEPLOY: "pip install lmdeploy",
    ServerProgram.TRANSFORMERS: "pip install 'transformers[serving]'",
}


def as_served(model: Model) -> Model:
    """A model of this machine as a server is asked for it; others as they are."""
    if model.backend is not BackendKind.LOCAL:
        return model
    from arena.backends.local.weights.loading import ready_folder

    weights = str(ready_folder(model.weights) or model.weights)
    return replace(model, backend=BackendKind.OPENAI, weights=weights)


@contextmanager
def reached(model: Model, program: ServerProgram | None) -> Iterator[Model]:
    """A model as `as_served` gives it with the address of a server that runs it meanwhile."""
    if program is None or model.backend is not BackendKind.OPENAI or model.base_url:
        yield model
        return
    with served(program, model) as url:
        yield replace(model, base_url=url)


@contextmanager
def served(program: ServerProgram, model: Model) -> Iterator[str]:
    """The address of a server for a model, while the block lasts.

    Raises UnavailableError where the program is not here, or with its last words where it ends.
    """
    port = _free_port()
    name, *rest = command(program, model, port)
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise UnavailableError(f"--serve {program}: it is not installed; {_INSTALL[program]}")
    with child([found, *rest], f"http://{HOST}:{port}/health"):
        yield f"http://{HOST}:{port}/v1"


def command(program: ServerProgram, model: Model, port: int) -> list[str]:
    """The words that start a server; raises UnavailableError where it cannot serve the model."""
    weights, more = model.weights, []
    if model.revision and program is ServerProgram.TRANSFORMERS:
        weights += f"@{model.revision}"
    elif model.revision:
        more += ["--revision", model.revision]
    if model.adapter:
        more += _with_adapter(program, model.adapter, model.weights)
    return [*(word.format(weights=weights, port=port) for word in _COMMANDS[program]), *more]


def _with_adapter(program: ServerProgram, adapter: str, weights: str) -> list[str]:
    from arena.backends.local.weights import adapters

    if program is not ServerProgram.VLLM:
        raise UnavailableError(
            f"--serve {program}: it is not started with adapters; take --serve vllm, or none"
        )
    folder = adapters.folder_of(adapter, weights)
    told = json.dumps({"name": adapter, "path": str(folder.resolve())}, ensure_ascii=False)
    rank = str(adapters.room_for(folder))
    return ["--enable-lora", "--max-lora-rank", rank, "--lora-modules", told]


@contextmanager
def child(words: Sequence[str], health: str) -> Iterator[None]:
    """A server that answers at `health`, while the block lasts."""
    with TemporaryFile() as log:
        guard = subprocess.Popen(
            [sys.executable, "-m", "arena.backends.serving", *words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for this process, which ends it in its turn
        )
        try:
            _wait(guard, health, log)
            yield
        finally:
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait()


def _wait(guard: "subprocess.Popen[bytes]", health: str, log: IO[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    pause = threading.Event()
    while guard.poll() is None:
        with suppress(OSError, urllib.error.HTTPError), opener.open(health, timeout=2):
            return
        pause.wait(LOOK)
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else f"exit code {guard.returncode}"
    raise UnavailableError(f"the server has ended before it answered: {last}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def guard(words: Sequence[str]) -> int:
    """Run a server until it ends or nobody holds the other end of the standard input."""
    server = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
    ending = threading.Event()

    def end_with_it() -> None:
        code = server.wait()
        if not ending.is_set():
            _end(server.pid, signal.SIGKILL)  # what it has started and left behind
            os._exit(min(255, abs(code)))

    threading.Thread(target=end_with_it, daemon=True).start()
    sys.stdin.buffer.read()
    ending.set()
    _end(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(PATIENCE)
    _end(server.pid, signal.SIGKILL)
    return 0


def _end(session: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(session, how)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
