"""Containers for a model's code: bubblewrap, else podman or docker, as each of them is asked.

In each there is a read-only Python, an empty temporary folder, and nothing else of this machine;
no network, and a user that nothing belongs to.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from arena.benchmarks.code import seccomp
from arena.benchmarks.code.runner import NO_USER

ENGINES = ("podman", "docker")
NOBODY = "65534"
FOLDER_BYTES = 2**24
_FIRST_FREE_USER, _FREE_USERS = 2**30, 2**30  # above those that systems give out
_LIBRARY = re.compile(r"(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MANAGERS = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "pacman": "pacman -S",
    "zypper": "zypper install",
    "apk": "apk add",
}


@dataclass(frozen=True, slots=True)
class Wall:
    """Something that keeps a program apart.

    name: of the tool, for people. command: the words before Python's own arguments, given the
    process's name, the seconds it may take, and the descriptor of its filter. user: the number that
    the program takes inside, or `-` where the tool has given it one. filter: a seccomp program.
    end: the command that ends a process of this name, where killing the client does not.
    fence: a script that stands in for a container.
    """

    name: str
    command: Callable[[str, float, int | None], list[str]]
    user: Callable[[], str] = lambda: NO_USER
    filter: bytes = b""
    end: tuple[str, ...] = ()
    fence: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a tool cannot be tried, as the end of a sentence."""

    reason: str


def candidates() -> Iterator[Wall | Missing]:
    """What may work here, the best first; only a probe tells whether it does."""
    yield from _bubblewrap()
    for tool in ENGINES:
        yield _engine(tool)


def image() -> str:
    """The image that podman and docker need, of this version of Python."""
    return f"docker.io/library/python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def install_command() -> str:
    """What gives this machine a container that works, as far as can be told."""
    manager = next((found for found in _MANAGERS if shutil.which(found)), "apt-get")
    install = f"sudo {_MANAGERS[manager]}" if sys.platform == "linux" else "brew install"
    if sys.platform == "linux" and not shutil.which("bwrap"):
        return f"{install} bubblewrap"
    engine = next((tool for tool in ENGINES if shutil.which(tool)), None)
    return f"{engine} pull {image()}" if engine else f"{install} podman && podman pull {image()}"


def _bubblewrap() -> Iterator[Wall | Missing]:
    tool = shutil.which("bwrap")
    if tool is None:
        yield Missing("bubblewrap is not installed")
        return
    if os.geteuid() == 0:  # a user of its own that is not root outside either
        names = ("ipc", "pid", "net", "uts", "cgroup-try")
        apart = [f"--unshare-{name}" for name in names]
        apart += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        yield _wrapped(tool, apart, _free_user)
    yield _wrapped(tool, ["--unshare-all", "--uid", NOBODY, "--gid", NOBODY], lambda: NO_USER)


def _wrapped(tool: str, apart: list[str], user: Callable[[], str]) -> Wall:
    def command(name: str, seconds: float, calls: int | None) -> list[str]:
        filtered = [] if calls is None else ["--seccomp", str(calls)]
        return [tool, *filtered, *apart, *_inside(), python()]

    return Wall("bubblewrap", command, user, seccomp.program())


def _free_user() -> str:
    return str(_FIRST_FREE_USER + secrets.randbelow(_FREE_USERS))


@cache
def _inside() -> tuple[str, ...]:
    """bubblewrap's arguments for what can be seen: Python, what it loads, an empty folder."""
    standard = Path(os.__file__).parent
    dynamic = [Path(entry) for entry in sys.path if Path(entry).name == "lib-dynload"]
    loaded = libraries([python(), *(str(f) for at in dynamic for f in at.glob("*.so"))])
    seen = [python(), str(standard), *map(str, dynamic), *loaded]
    installed = [str(standard / name) for name in ("site-packages", "dist-packages")]
    folders = sorted({os.path.dirname(path) for path in loaded})
    # Made by --ro-bind, these would be root's alone; the user of the program must get through.
    above = sorted({str(up) for path in [*seen, os.devnull] for up in Path(path).parents})
    above = [path for path in above if path not in ("/", "/tmp")]
    return (
        *("--die-with-parent", "--new-session", "--clearenv"),
        *("--setenv", "LD_LIBRARY_PATH", ":".join(folders)),
        *("--perms", "1777", "--size", str(FOLDER_BYTES), "--tmpfs", "/tmp"),
        *(word for path in above for word in ("--perms", "0755", "--dir", path)),
        *(word for path in seen for word in ("--ro-bind", path, path)),
        *(w for f in installed if os.path.isdir(f) for w in ("--tmpfs", f, "--remount-ro", f)),
        *("--dev-bind", os.devnull, os.devnull),
        *("--remount-ro", "/", "--chdir", "/tmp"),
    )


def python() -> str:
    """The interpreter itself, not a link of a virtual environment to it."""
    return os.path.realpath(str(getattr(sys, "_base_executable", sys.executable)))


def libraries(files: list[str]) -> list[str]:
    """The shared libraries that programs and modules load, where the loader finds them."""
    with suppress(OSError):
        said = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False)
        return sorted(set(_LIBRARY.findall(said.stdout)))
    return []


def _engine(tool: str) -> Wall | Missing:
    """podman or docker. The image is never fetched here: a run asks nothing of the network."""
    found = shutil.which(tool)
    if found is None:
        return Missing(f"{tool} is not installed")

    def command(name: str, seconds: float, calls: int | None) -> list[str]:
        return [
            *(found, "run", "--rm", "--interactive", "--name", name, "--pull=never"),
            *("--network=none", "--read-only", "--log-driver=none", "--workdir=/tmp"),
            *("--tmpfs", f"/tmp:rw,mode=1777,size={FOLDER_BYTES}"),
            *("--ulimit", "nofile=256:256", "--ulimit", "nproc=256:256"),
            *("--user", f"{NOBODY}:{NOBODY}", "--cap-drop=ALL"),
            *("--security-opt=no-new-privileges", image()),
            # Where this process is killed, nobody else would end the container.
            *("timeout", "-s", "KILL", str(int(seconds) + 1), "python3"),
        ]

    return Wall(tool, command, end=(found, "kill"))
