"""Running a model's code against tests, in containers that let it compute and nothing else.

The code runs in one container and the tests in another (see `containers` and `runner`), and only
data crosses. Nothing is written to this machine's disk. `--allow-code unsafe` does without
containers: there the code is held back by limits and by a fence that stops accidents only.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from arena.backends.thinking import split
from arena.benchmarks.code.containers import Missing, Wall, candidates, install_command
from arena.benchmarks.code.runner import FAILED, LENGTH
from arena.records import AllowCode
from arena.records.errors import BackendError, InputError

SECONDS = 10
MEMORY = 512 * 2**20
_SAID = 1000  # bytes of what a tool says that are read
_KILLED = 128  # a shell's and a container's code for a program that a signal ended, less its number
_HERE = Path(__file__).parent
_BLOCK = re.compile(
    r"```[^\S\n]*(?:python3?|py)?[^\S\n]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE
)
_DEFINES = re.compile(r"^(?:async def|def|class) ", re.MULTILINE)
_ALLOWED: ContextVar[AllowCode] = ContextVar("allowed", default=AllowCode.CONTAINER)


def code_of(reply: str) -> str:
    """The code of a reply: its last fenced block that defines something, else all of it."""
    text = split(reply).answer
    blocks: list[str] = _BLOCK.findall(text)
    defining = [block for block in blocks if _DEFINES.search(block)]
    return (defining or blocks or [text])[-1]


@contextmanager
def allowing(how: AllowCode) -> Iterator[None]:
    """Within this, `passes` runs code in this way."""
    token = _ALLOWED.set(how)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def allowed() -> AllowCode:
    """How `passes` runs code here."""
    return _ALLOWED.get()


def passes(code: str, tests: str, seconds: float = SECONDS) -> bool:
    """Whether `tests`, which call what `code` defines, end without an error within the limits.

    Raises InputError where no container works, and BackendError where one did not start.
    """
    wall = container() if allowed() is AllowCode.CONTAINER else unsafe()
    return run(wall, code, tests, seconds)


def run(wall: Wall, code: str, tests: str, seconds: float = SECONDS) -> bool:
    """As `passes`, behind this wall."""
    ended = _execute(wall, code, tests, seconds)
    if ended.code == 0:
        return True
    if ended.code in (None, FAILED) or ended.code < 0 or ended.code > _KILLED:
        return False
    why = ended.said or "its process did not begin"
    raise BackendError(f"{wall.name} could not run a model's code: {why}")


@cache
def container() -> Wall:
    """The first tool that a probe finds to work; raises InputError with what gives one."""
    reasons = []
    for found in candidates():
        reason = found.reason if isinstance(found, Missing) else _flaw(found)
        if not isinstance(found, Missing) and not reason:
            return found
        reasons.append(reason)
    raise InputError(
        f"no container works here ({'; '.join(dict.fromkeys(reasons))}); this gives one: "
        f"{install_command()}"
    )


@cache
def unsafe() -> Wall:
    """No container: limits, another user where we are root, and Python's audit hook."""
    if sys.platform == "win32":
        raise InputError("code can only be run on Linux or macOS: Windows has no such limits")
    command = [*_apart(), sys.executable]
    return Wall("Python", lambda *_: command, fence=str(_HERE / "fenced.py"))


@cache
def _apart() -> tuple[str, ...]:
    """The command that gives a process a network of its own, where the system lets us."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    for command in ((unshare, "--net"), (unshare, "--user", "--map-root-user", "--net")):
        tried = subprocess.run([*command, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return command
    return ()


def _flaw(wall: Wall) -> str:
    """Why it is no wall, from a program that tries what it must not be able to; empty if none."""
    probe = (_HERE / "probe.py").read_text(encoding="utf-8")
    tests = f"assert holes({str(_HERE)!r}, {MEMORY}) == []"
    ended = _execute(wall, probe, tests, SECONDS)
    if ended.code == 0:
        return ""
    why = {None: "it does not end in time", FAILED: "it does not hold a program back"}
    return f"{wall.name}: {why.get(ended.code) or ended.said or f'exit code {ended.code}'}"


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the tests ended. code: their exit code, None if time was up. said: the tool's words."""

    code: int | None
    said: str


def _execute(wall: Wall, code: str, tests: str, seconds: float) -> _Ended:
    """Start both, give each its source before the other can write to it, and wait."""
    running: list[_Process] = []
    late = threading.Event()

    def give_up() -> None:
        late.set()
        for process in running:
            process.end()

    watch = threading.Timer(seconds, give_up)
    watch.start()
    try:
        with _Pipe() as asks, _Pipe() as replies:
            tester = _Process(wall, "tests", replies.out, asks.into, seconds)
            running.append(tester)
            replies.close_out()
            replies.send(tests)
            answer = _Process(wall, "answer", asks.out, replies.into, seconds)
            running.append(answer)
            asks.close_out()
            asks.send(code)
        ended = tester.wait()
    finally:
        watch.cancel()
        for process in running:
            process.end()
    said = next(filter(None, [process.said() for process in running]), "")
    return _Ended(None if late.is_set() else ended, said)


class _Pipe:
    """A pipe whose ends are closed here once they are given away."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()
        self._open = {self.out, self.into}

    def __enter__(self) -> "_Pipe":
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            os.close(end)

    def close_out(self) -> None:
        """Leave the reading end to the process that has it."""
        self._open.remove(self.out)
        os.close(self.out)

    def send(self, source: str) -> None:
        """Write a program; nothing where its reader has ended."""
        text = source.encode(errors="surrogatepass")
        left = memoryview(LENGTH.pack(len(text)) + text)
        with suppress(BrokenPipeError):
            while left:
                left = left[os.write(self.into, left) :]


class _Process:
    """The runner behind a wall, in one of its two parts."""

    def __init__(self, wall: Wall, role: str, asked: int, replies: int, seconds: float) -> None:
        self._name = f"arena-{secrets.token_hex(8)}"
        self._end = wall.end
        limits = [str(int(seconds) + 1), str(MEMORY), wall.user(), wall.fence]
        calls = _filter(wall)
        command = wall.command(self._name, seconds, calls)
        try:
            self._process = subprocess.Popen(
                [*command, "-I", "-S", "-c", _runner(), role, *limits],
                stdin=asked,
                stdout=replies,
                stderr=subprocess.PIPE,
                cwd="/",
                env=None if wall.end else {},
                start_new_session=True,
                pass_fds=[calls] if calls is not None else [],
            )
        finally:
            if calls is not None:
                os.close(calls)

    def wait(self) -> int:
        """Its exit code."""
        return self._process.wait()

    def end(self) -> None:
        """Kill it and all that it started, if it has not ended by itself."""
        if self._process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._end:
            subprocess.run([*self._end, self._name], capture_output=True, check=False)
        self._process.wait()

    def said(self) -> str:
        """The first line that the tool itself wrote; called once, when it has ended."""
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            return stream.read(_SAID).decode(errors="replace").strip().partition("\n")[0]


def _filter(wall: Wall) -> int | None:
    """A descriptor from which the wall's seccomp program can be read."""
    if not wall.filter:
        return None
    out, into = os.pipe()
    os.write(into, wall.filter)
    os.close(into)
    return out


@cache
def _runner() -> str:
    return (_HERE / "runner.py").read_text(encoding="utf-8")
