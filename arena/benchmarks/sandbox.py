"""Running a model's code against tests, in processes that can do little else.

The code runs in one process and the tests in another (see `fenced`). Both are Python's isolated
mode in an empty folder, without the environment or installed packages, with limits on time,
memory, files and processes. They can read the standard library and no other file, write none,
open no socket and start no program; where the system allows one, they have a network namespace
of their own (`unshare`), and where we are root and nobody can read the library, they are nobody.
That stops accidents and what is known of mischief. It is no wall: Python's audit hooks were not
made for one, so run code that may mean harm in a container or a virtual machine. So nothing runs
without `--allow-code`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from arena.errors import InputError
from arena.thinking import split

SECONDS = 10
MEMORY = 512 * 2**20
_FENCED = Path(__file__).with_name("fenced.py")
_BLOCK = re.compile(
    r"```[^\S\n]*(?:python3?|py)?[^\S\n]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE
)
_DEFINES = re.compile(r"^(?:async def|def|class) ", re.MULTILINE)


def code_of(reply: str) -> str:
    """The code of a reply: its last fenced block that defines something, else all of it."""
    text = split(reply).answer
    blocks: list[str] = _BLOCK.findall(text)
    defining = [block for block in blocks if _DEFINES.search(block)]
    return (defining or blocks or [text])[-1]


def passes(code: str, tests: str, seconds: float = SECONDS) -> bool:
    """Whether `tests`, which call what `code` defines, end without an error within the limits.

    What they give a function and get from it is of built-in types: numbers, texts, lists, ….
    """
    if sys.platform == "win32":
        raise InputError("code can only be run on Linux or macOS: Windows has no such limits")
    with tempfile.TemporaryDirectory(prefix="arena-code-") as folder:
        down, up = os.pipe(), os.pipe()
        try:
            answer = _start("answer", code, Path(folder), down[0], up[1], seconds)
            tester = _start("tests", tests, Path(folder), up[0], down[1], seconds)
        finally:
            for end in (*down, *up):
                os.close(end)
        try:
            return tester.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            for process in (answer, tester):
                with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _start(
    role: str, source: str, folder: Path, asked: int, replies: int, seconds: float
) -> "subprocess.Popen[bytes]":
    """A fenced process in an empty folder, which reads its file before it is fenced."""
    file, place = folder / f"{role}.py", folder / role
    file.write_text(source, encoding="utf-8", errors="replace")
    place.mkdir()
    limits = [str(int(seconds) + 1), str(MEMORY)]
    return subprocess.Popen(
        [*_apart(), sys.executable, "-I", "-S", str(_FENCED), role, str(file), *limits],
        stdin=asked,
        stdout=replies,
        stderr=subprocess.DEVNULL,
        cwd=place,
        env={},
        start_new_session=True,
    )


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
