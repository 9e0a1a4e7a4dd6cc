"""What a model's code may try in its container, to do harm or to be marked right.

An attempt returns something true where it succeeds. Those that do no lasting harm are made
without any wall as well, and succeed there: so that an attempt which fails in a container fails
because of the container.
"""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

import pytest

from arena.benchmarks.code import sandbox
from arena.benchmarks.code.containers import Wall
from arena.benchmarks.code.sandbox import container, run
from tests.benchmarks.code.walls import CONTAINERS, label, needs_container

pytestmark = pytest.mark.slow

NAKED = Wall("nothing", lambda *_: [sys.executable])
TESTS = "assert double(3) == 6\nassert double(-1) == -2"
RIGHT = "def double(n):\n    return n * 2"
WRONG = "def double(n):\n    return n"
LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
# Calls that have only numbers, which are this processor's.
X86 = "import os\nif os.uname().machine != 'x86_64': return False\n"

# Each is the body of a function; SECRET, PLACE, PORT and PARENT are of this machine.
HARMLESS = {
    "tcl reads": "import tkinter\nreturn tkinter.Tcl().eval('read [open %s]' % SECRET)",
    "tcl by the module alone": (
        "import _tkinter\nt = _tkinter.create(None, 'a', 'Tk', False, 0, False, False, None)\n"
        "return t.eval('read [open %s]' % SECRET)"
    ),
    "tcl runs": "import tkinter\nreturn tkinter.Tcl().eval('exec id')",
    "tcl writes": "import tkinter\nreturn tkinter.Tcl().eval('open %s/x w' % PLACE)",
    "ctypes reads": LIBC + "return libc.open(SECRET.encode(), 0) >= 0",
    "ctypes runs": LIBC + "return libc.system(b'true') == 0",
    "ctypes by create_dynamic": (
        "import _imp, importlib.util as u\nspec = u.find_spec('_ctypes')\n"
        "c = _imp.create_dynamic(spec)\n"
        "f = c.dlsym(c.dlopen(None, 2), 'system')\nimport ctypes\n"
        "return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(f)(b'true') == 0"
    ),
    "open": "return open(SECRET).read()",
    "open the users": "return open('/etc/passwd').read()",
    "open by a descriptor of the root": (
        "import os\nreturn os.open(SECRET[1:], os.O_RDONLY, dir_fd=os.open('/', os.O_RDONLY)) > 0"
    ),
    "open upwards": "return open('../' * 20 + SECRET[1:]).read()",
    "open through /proc": "return open('/proc/self/root' + SECRET).read()",
    "open through a parent": "return open('/proc/%d/environ' % PARENT, 'rb').read()",
    "a path's bytes": "import io\nreturn io.FileIO(SECRET.encode()).readall()",
    "a map of a file": (
        "import mmap, os\nf = os.open(SECRET, os.O_RDONLY)\n"
        "return mmap.mmap(f, 0, access=mmap.ACCESS_READ)[:]"
    ),
    "code of a file": "import runpy\nreturn runpy.run_path(SECRET)['word']",
    "the network's names": "return open('/etc/hosts').read() + 'x'",
    "list": "import os\nreturn os.listdir(PLACE)",
    "write": "return open(PLACE + '/x', 'w').write('x')",
    "write by sqlite": (
        "import sqlite3\nwith sqlite3.connect(PLACE + '/db') as db:\n"
        "    db.execute('create table t (x)')\nreturn True"
    ),
    "write by dbm": "import dbm\nwith dbm.open(PLACE + '/d', 'c') as d: d['a'] = 'b'\nreturn True",
    "a symbolic link": "import os\nos.symlink(SECRET, PLACE + '/s')\nreturn True",
    "a link in the folder": (
        "import os, tempfile\nat = tempfile.mkdtemp()\nos.symlink(SECRET, at + '/s')\n"
        "try: return open(at + '/s').read()\n"
        "finally:\n    os.unlink(at + '/s')\n    os.rmdir(at)"
    ),
    "a hard link": "import os\nos.link(SECRET, PLACE + '/h')\nreturn True",
    "a pipe with a name": "import os\nos.mkfifo(PLACE + '/p')\nreturn True",
    "a shell": "import os\nreturn os.system('true') == 0",
    "another program": "import subprocess\nreturn subprocess.run(['true']).returncode == 0",
    "another program by spawn": (
        "import os\npid = os.posix_spawn('/bin/true', ['true'], {})\nreturn os.waitpid(pid, 0)"
    ),
    "another process": "import os\npid = os.fork()\nif pid == 0: os._exit(0)\nreturn pid",
    "a signal to the parent": "import os\nos.kill(PARENT, 0)\nreturn True",
    "a signal by pidfd": (
        "import os, signal\nsignal.pidfd_send_signal(os.pidfd_open(PARENT), 0)\nreturn True"
    ),
    "a connection": "import socket\nreturn socket.create_connection(('127.0.0.1', PORT), 1)",
    "a connection by a file": (
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect(PLACE + '/socket')\nreturn s"
    ),
    "a connection without a file": (
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0arena-%d' % PARENT)\n"
        "return s"
    ),
    "the kernel's netlink": "import socket as s\nreturn s.socket(s.AF_NETLINK, s.SOCK_RAW)",
    "a thread": ("import threading\nt = threading.Thread(target=print)\nt.start()\nreturn t.ident"),
    "a named shared memory": (
        "from multiprocessing.shared_memory import SharedMemory as M\nm = M(create=True, size=9)\n"
        "m.unlink()\nreturn m"
    ),
    "a file in memory": "import os\nreturn os.memfd_create('x')",
    "a queue of the kernel": LIBC + "return libc.msgget(0, 0o600) >= 0",
}
# These would harm the machine, or need to be root, and are tried in a container alone.
HARMFUL = {
    "old files": "import os\nreturn os.listdir('/tmp') + os.listdir('.')",
    "half a gigabyte": "return len(bytearray(2**29))",
    "a gigabyte mapped": "import mmap\nreturn mmap.mmap(-1, 2**30)",
    "a gigabyte little by little": (
        "kept = []\nwhile len(kept) < 1024: kept.append(bytearray(2**20))\nreturn True"
    ),
    "many processes": (
        "import os\nfor k in range(99):\n    if os.fork() == 0:\n        while True: pass\nreturn k"
    ),
    "a process that stays": (
        "import os\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\n"
        "    while True: pass\nreturn True"
    ),
    "a datagram": (
        "import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\n"
        "return s.sendto(b'x', ('192.0.2.1', 9))"
    ),
    "a large file": "return open('/tmp/x', 'wb').write(bytes(2**22))",
    "many files": (
        "for k in range(64):\n    with open(f'/tmp/{k}', 'wb') as f: f.write(bytes(2**20))\n"
        "return True"
    ),
    "a file at the root": "return open('/x', 'w')",
    "Python's own files": "import os\nreturn open(os.__file__, 'a')",
    "an installed package": "import os\nos.mkdir(os.path.dirname(os.__file__) + '/x')\nreturn True",
    "other users": "import os\nreturn os.getuid() in (0, PARENT_UID)",
    "root": "import os\nos.setuid(0)\nreturn True",
    "another group": "import os\nos.setgroups([0])\nreturn True",
    "higher limits": ("import resource as r\nr.setrlimit(r.RLIMIT_NPROC, (99, 99))\nreturn True"),
    "a device": "import os, stat\nos.mknod('/tmp/d', stat.S_IFBLK | 0o600, 0x800)\nreturn True",
    "devices": "import os\nreturn set(os.listdir('/dev')) - {'null'}",
    "the terminal": "return open('/dev/tty')",
    "another root": "import os\nos.chroot('/tmp')\nreturn True",
    "a mount": LIBC + "return libc.mount(b't', b'/tmp', b'tmpfs', 0, None) == 0",
    "an unmounting": LIBC + "return libc.umount2(b'/tmp', 2) == 0",
    "a namespace": LIBC + "return libc.unshare(0x10000000) == 0",
    "a trace": LIBC + "return libc.ptrace(0, 0, None, None) == 0",
    "another's memory": LIBC + "return libc.process_vm_readv(1, None, 0, None, 0, 0) >= 0",
    "a key ring": LIBC + X86 + "return libc.syscall(250, 0, -3, 1) >= 0",
    "a program in the kernel": LIBC + X86 + "return libc.syscall(321, 5, None, 0) >= 0",
    "another host": LIBC + "return libc.sethostname(b'x', 1) == 0",
    "another clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)\nreturn True",
    "a lower niceness": "import os\nreturn os.nice(-5)",
    "processes of others": "import os\nreturn os.kill(-1, 0)",
}
ESCAPES = HARMLESS | HARMFUL
# What a limit of ours stops before any wall does, unless we are root.
LIMITED = {"another process", "a shell", "another program", "another program by spawn", "a thread"}
LIMITED |= {"tcl runs", "ctypes runs", "ctypes by create_dynamic"}
# What does no harm in a container, and is refused where there is a filter of system calls.
FILTERED = {"the kernel's netlink", "a file in memory", "a queue of the kernel"}
# What podman's and docker's image has of its own.
OWN = {"open the users", "the network's names", "devices"}


@dataclass(frozen=True)
class Machine:
    """What attempts are made on: a folder with a file that no program is given, and a port."""

    folder: Path
    port: int

    def attempt(self, wall: Wall, names: Iterable[str], succeeding: bool) -> bool:
        """Whether these attempts all succeed, or all fail, in one program behind a wall."""
        given = {
            "SECRET": str(self.folder / "secret.py"),
            "PLACE": str(self.folder),
            "PORT": self.port,
            "PARENT": os.getpid(),
            "PARENT_UID": os.getuid(),
        }
        lines = [f"{name} = {value!r}" for name, value in given.items()]
        bodies = [ESCAPES[name] for name in names]
        lines += [f"def f{k}():\n{indent(body, '    ')}" for k, body in enumerate(bodies)]
        lines.append(ATTEMPTS)
        called = ", ".join(f"f{k}" for k in range(len(bodies)))
        lines.append(f"def found(): return [succeeds(f) for f in ({called},)]")
        return run(wall, "\n".join(lines), f"assert set(found()) == {{{succeeding}}}")

    def odd(self, wall: Wall, names: list[str], succeeding: bool) -> list[str]:
        """The attempts that do not end so; they are made one by one where not all of them do."""
        if self.attempt(wall, names, succeeding):
            return []
        return [name for name in names if not self.attempt(wall, [name], succeeding)]


ATTEMPTS = """
def succeeds(attempt):
    try:
        return bool(attempt())
    except (OSError, ValueError, ImportError, MemoryError, RuntimeError):
        return False
    except Exception as error:  # what is not known here is a mistake in the attempt
        return False if type(error).__name__ in ('TclError', 'OperationalError') else None
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "secret.py").write_text("word = 'hidden'\n")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX) as unnamed,
    ):
        named.bind(str(tmp_path / "socket"))
        unnamed.bind(f"\0arena-{os.getpid()}")
        named.listen()
        unnamed.listen()
        yield Machine(tmp_path, server.getsockname()[1])


@needs_container
@pytest.mark.parametrize("wall", CONTAINERS, ids=label)
def test_no_attempt_succeeds_in_a_container(machine: Machine, wall: Wall) -> None:
    spared = (OWN if wall.end else set()) | (set() if wall.filter else FILTERED)
    names = [name for name in ESCAPES if name not in spared]
    before = sorted(machine.folder.iterdir())
    assert machine.odd(wall, names, succeeding=False) == []
    assert sorted(machine.folder.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the attempts are made for Linux")
def test_without_a_wall_they_succeed(machine: Machine) -> None:
    names = [name for name in HARMLESS if os.getuid() == 0 or name not in LIMITED]
    if find_spec("_tkinter") is None:
        names = [name for name in names if not name.startswith("tcl")]
    assert machine.odd(NAKED, names, succeeding=True) == []


def together(programs: Iterable[str], seconds: float) -> list[bool]:
    """Whether each passes; several run at once."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda code: run(container(), code, TESTS, seconds), programs))


# Programs that are wrong; the pipes to the tests have numbers between 3 and 9.
CHEATS = {
    "prints": "print('6\\n-2\\nOK\\n1 passed')\n" + WRONG,
    "ends well": "import os\nos._exit(0)",
    "ends well later": "import os\ndef double(n):\n    os._exit(0)",
    "ends well at the end": "import atexit, os\natexit.register(os._exit, 0)\n" + WRONG,
    "raises SystemExit": "def double(n):\n    raise SystemExit(0)",
    "raises what ends a loop": "def double(n):\n    raise StopIteration",
    "is equal to all": "class A:\n    def __eq__(self, o): return True\ndef double(n): return A()",
    "is an equal number": (
        "class A(int):\n    def __eq__(self, o): return True\n"
        "    def __ne__(self, o): return False\n    __hash__ = int.__hash__\n"
        "def double(n): return A(n)"
    ),
    "says that it is another": (
        "class A(int):\n    def __repr__(self): return '6'\n    def __int__(self): return 1\n"
        "def double(n): return A(n)"
    ),
    "says that it is of another class": (
        "class A:\n    __class__ = int\n    def __eq__(self, o): return True\n"
        "def double(n): return A()"
    ),
    "gives what is true": "class A: pass\ndouble = lambda n: A()",
    "does arithmetic": (
        "class A:\n    def __getattr__(self, n): return lambda *a: True\n"
        "    __sub__ = __rsub__ = __lt__ = __gt__ = __eq__ = lambda *a: 0\ndouble = lambda n: A()"
    ),
    "patches builtins": (
        "import builtins\nfor n in ('AssertionError', 'Exception'):\n"
        "    setattr(builtins, n, SystemExit)\nbuiltins.isinstance = lambda *a: True\n" + WRONG
    ),
    "patches the runner": (
        "import __main__ as m\nm.packed = lambda *a: ['name', 'double']\nm.check = print\n" + WRONG
    ),
    "patches json": "import json\njson.dumps = lambda *a: '[\"gave\", true]'\n" + WRONG,
    "reads the runner's frames": (
        "import sys, gc\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\n"
        "found = [o for o in gc.get_objects() if 'assert double' in repr(type(o))]\n"
        "double = lambda n: found[0]"
    ),
    "writes before it is asked": (
        "import os\nfor k in range(3, 9):\n    try: os.write(k, b'[\"gave\", true]\\n' * 9)\n"
        "    except OSError: pass\n" + WRONG
    ),
    "writes what is no JSON": (
        "import os\nfor k in range(3, 9):\n    try: os.write(k, b'\\xff{[\\n' * 9)\n"
        "    except OSError: pass\n" + WRONG
    ),
    "writes no end": (
        "import os\nfor k in range(3, 9):\n    try:\n        while 1: os.write(k, b'[' * 9999)\n"
        "    except OSError: pass\n"
    ),
    "writes a deep list": (
        "import os\nfor k in range(3, 9):\n    try: os.write(k, b'[' * 60000 + b'\\n')\n"
        "    except OSError: pass\n" + WRONG
    ),
    "writes another's program": (
        "import os, struct\nt = b'pass'\nfor k in range(3, 9):\n"
        "    try: os.write(k, struct.pack('>Q', 4) + t)\n    except OSError: pass\n" + WRONG
    ),
    "says ready again": (
        "import os\nfor k in range(3, 9):\n    try: os.write(k, b'ready\\n')\n"
        "    except OSError: pass\n" + WRONG
    ),
    "closes all": "import os\nos.closerange(0, 30)\n" + WRONG,
    "kills all": "import os, signal\nos.kill(-1, 9)\nos.kill(os.getpid(), 9)\n" + WRONG,
    "crashes": "import ctypes\nctypes.string_at(0)\n" + WRONG,
    "becomes another program": (
        "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(0)'])"
    ),
    "names what it has not": "def double(n): return double.missing",
    "gives too much": "def double(n):\n    return 'x' * 10**8",
    "holds itself": "def double(n):\n    x = []\n    x.append(x)\n    return x",
    "calls itself": "def double(n):\n    return double(n)",
    "is no number": "def double(n):\n    return float('nan')",
    "fills memory as it is read": "def double(n):\n    return [0] * 10**8",
    "runs out of descriptors": "import os\nwhile True: os.dup(0)",
    "is empty": "",
    "is no Python": "def double(n) return n",
    "holds a zero": "x = '\x00'\n" + RIGHT,
    "holds half a character": "x = '\ud800'\nraise ValueError\n",
    "needs a package": "import numpy\n" + RIGHT,
    "gives a text": "def double(n):\n    return str(n * 2)",
    "raises": "def double(n):\n    raise AssertionError",
    "has an error of its own": (
        "class SystemExit(Exception): pass\ndef double(n):\n    raise SystemExit"
    ),
    "closes its input": "import sys\nsys.stdin.close()\nsys.stdout = None\n" + WRONG,
}


@needs_container
def test_no_wrong_program_is_marked_right() -> None:
    passed = together(CHEATS.values(), seconds=5)
    assert [
        name for name, is_marked_right in zip(CHEATS, passed, strict=True) if is_marked_right
    ] == []


LENIENT = [
    "import math\nassert math.isclose(double(3), 6.0)",
    "assert math.isclose(double(3), 6.0)",
    "assert abs(double(3) - 6) < 1e-9",
    "assert double(3) > 5",
    "assert double(3) in (5, 6, 7)",
    "assert isinstance(double(3), int)",
    "assert sorted([double(3), 1]) == [1, 6]",
    "assert round(double(3)) == 6",
    "assert {6: True}[double(3)]",
    "assert 'x' * double(3) == 'x' * 6",
]


@needs_container
def test_no_object_passes_a_lenient_test() -> None:
    """Comparisons of every form are made of data, on the side of the tests."""
    claims = CHEATS["does arithmetic"] + "\nmath = A()\nisclose = A()"
    assert run(container(), RIGHT, "\n".join(LENIENT))
    assert [test for test in LENIENT if run(container(), claims, test)] == []


ENDLESS = {
    "code": "while True: pass",
    "call": "def double(n):\n    while True: pass",
    "sleep": "import time\ntime.sleep(60)",
    "deaf": (
        "import signal, time\nfor k in range(1, 32):\n    try: signal.signal(k, signal.SIG_IGN)\n"
        "    except OSError: pass\ntime.sleep(60)"
    ),
    "print": "while True: print('x' * 10**6)",
}


@needs_container
def test_what_does_not_end_is_ended_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mark, runner = f"# {secrets.token_hex(8)}", sandbox._runner()
    monkeypatch.setattr(sandbox, "_runner", lambda: runner + mark)
    open_before = len(os.listdir("/dev/fd"))
    assert not any(together(ENDLESS.values(), seconds=1))
    stays = RIGHT + "\nimport atexit, time\natexit.register(time.sleep, 60)"
    assert run(container(), stays, TESTS)
    assert until(lambda: not left(mark))
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/dev/fd")) == open_before


@needs_container
def test_a_run_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    mark = f"# {secrets.token_hex(8)}"
    script = (
        "from arena.benchmarks.code import sandbox as s\n"
        f"runner = s._runner() + {mark!r}\ns._runner = lambda: runner\n"
        "s.run(s.container(), 'while True: pass', 'double(1)', 60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as ours:
        assert until(lambda: len(left(mark)) >= 3)  # ours has no mark in its own words but this
        ours.kill()
    assert until(lambda: not left(mark))
    assert list(tmp_path.iterdir()) == []


def test_a_runner_that_nobody_hears_ends_before_it_reads() -> None:
    """A container misses the death of whoever made it while it is being made."""
    command = [sys.executable, "-I", "-S", "-c", sandbox._runner(), "tests", "9", "0", "-"]
    asked, kept = os.pipe()  # what would be read never comes, and its end does not come either
    unread, errors = os.pipe()
    os.close(unread)
    assert subprocess.run(command, stdin=asked, stderr=errors, check=False).returncode == 0
    for end in (asked, kept, errors):
        os.close(end)


def left(mark: str) -> list[str]:
    """Processes with a word in their command line, by number."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [path.parent.name] if mark.encode() in path.read_bytes() else []
    return found


def until(holds: Callable[[], bool]) -> bool:
    """Whether something comes true within the time that a slow machine needs."""
    end = time.monotonic() + 120
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()
