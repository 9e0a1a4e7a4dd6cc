"""Running a model's code against tests, in a process that can do little else.

The process is Python's isolated mode in an empty folder, without the environment, with limits
on time, memory, files and processes, and in a network namespace of its own where the system
allows one (`unshare`); otherwise sockets are refused inside the interpreter. That stops
accidents and simple mischief. It is no defence against code that means harm: run that in a
container or a virtual machine. So nothing runs without `--allow-code`.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from secrets import token_hex

from arena.errors import InputError

SECONDS = 10
MEMORY = 512 * 2**20
FILE_BYTES = 2**20
_BLOCK = re.compile(r"```(?:python|py)?[^\S\n]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
_GUARD = f"""
import resource, socket, sys
for kind, most in (
    (resource.RLIMIT_CPU, {SECONDS}), (resource.RLIMIT_AS, {MEMORY}),
    (resource.RLIMIT_FSIZE, {FILE_BYTES}), (resource.RLIMIT_NPROC, 0),
    (resource.RLIMIT_NOFILE, 32), (resource.RLIMIT_CORE, 0),
):
    resource.setrlimit(kind, (most, most))
BARRED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system",
          "os.kill", "ctypes.", "shutil.", "os.remove", "os.rename", "os.rmdir", "os.chmod",
          "os.chown", "os.link", "os.symlink", "os.putenv", "pty.", "signal.")
def guard(event, args):
    if event.startswith(BARRED):
        raise PermissionError(event + " is not allowed here")
    if event == "open" and any(c in "wax+" for c in str(args[1] or "r")):
        raise PermissionError("files can only be read here")
sys.addaudithook(guard)
source = sys.stdin.read()
exec(compile(source, "answer.py", "exec"), {{"__name__": "__main__"}})
sys.stdout.write("MARK")
"""


def code_of(reply: str) -> str:
    """The code of a reply: its last fenced block that defines something, else all of it."""
    text = reply.split("</think>")[-1]
    blocks: list[str] = _BLOCK.findall(text)
    defining = [block for block in blocks if re.search(r"^(?:def|class) ", block, re.MULTILINE)]
    return (defining or blocks or [text])[-1]


def passes(code: str, tests: str, seconds: float = SECONDS) -> bool:
    """Whether `tests`, run after `code`, end without an error within their limits."""
    if sys.platform == "win32":
        raise InputError("code can only be run on Linux or macOS: Windows has no such limits")
    mark = token_hex()  # so that a program cannot print that it has passed
    with tempfile.TemporaryDirectory(prefix="arena-code-") as folder:
        try:
            done = subprocess.run(
                [*_apart(), sys.executable, "-I", "-S", "-c", _GUARD.replace("MARK", mark)],
                input=f"{code}\n\n{tests}\n",
                capture_output=True,
                text=True,
                timeout=seconds,
                cwd=Path(folder),
                env={},
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0 and done.stdout.endswith(mark)


@cache
def _apart() -> tuple[str, ...]:
    """The command that gives a process a network of its own, where the system lets us."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    command = (unshare, "--user", "--map-root-user", "--net")
    tried = subprocess.run(
        [*command, sys.executable, "-I", "-S", "-c", ""], capture_output=True, check=False
    )
    return command if tried.returncode == 0 else ()
