"""Programs that are wrong and try to pass, or to do harm; and right ones of every style."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from arena.benchmarks.code import containers, sandbox, seccomp
from arena.benchmarks.code.containers import Wall
from arena.benchmarks.code.sandbox import allowing, code_of, container, passes, run, unsafe
from arena.records import AllowCode
from arena.records.errors import BackendError, InputError
from tests.benchmarks.code.walls import ANY, label, needs_container

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
TESTS = "assert double(3) == 6\nassert double(-1) == -2"
RIGHT = "def double(n):\n    return n * 2"
WRONG = "def double(n):\n    return n"


@pytest.mark.parametrize(
    "code",
    [
        RIGHT,
        "print('x' * 10)\n" + RIGHT + "\nif __name__ == '__main__':\n    print(double(input()))",
        "import math, re, random, json, itertools, heapq, datetime, decimal, statistics\n" + RIGHT,
        "from dataclasses import dataclass\nfrom enum import Enum\nfrom typing import List\n"
        "@dataclass\nclass P:\n    n: int\n\ndef double(n):\n    return 2 * P(n).n",
        "import functools\n@functools.lru_cache(None)\ndef double(n):\n    return n + n",
        "double = lambda n: n << 1",
        "def double(n: int) -> int:\n    '''两倍'''\n    return n * 2",
    ],
)
def test_a_right_program_passes(code: str) -> None:
    assert run(ANY[0], code, TESTS)


def test_a_wrong_program_fails_without_a_container_too() -> None:
    wrong = [
        WRONG,
        "import os\nos._exit(0)",
        "def double(n):\n    raise SystemExit(0)",
        "class Same(int):\n    def __eq__(self, other): return True\ndef double(n): return Same(n)",
        "import builtins\nbuiltins.AssertionError = SystemExit\n" + WRONG,
        "__builtins__['__build_class__'] = None\n" + WRONG,
        "import os\n[os.write(k, b'[\"gave\", true]\\n') for k in (3, 4)]\n" + WRONG,
        "def double(n):\n    return 'x' * 10**10",
    ]
    assert [code for code in wrong if run(unsafe(), code, TESTS, seconds=2)] == []


def trying(lines: Sequence[str]) -> str:
    """A program that is right if each of `lines` is refused."""
    attempts = "".join(
        f"try:\n    {line}\nexcept (PermissionError, ImportError):\n    refused += 1\n"
        for line in lines
    )
    return (
        f"refused = 0\ndef other(): pass\n{attempts}"
        f"def double(n):\n    return 2 * n if refused == {len(lines)} else None"
    )


REFUSED = [
    "import os; os.fork()",
    "import os; os.forkpty()",
    "import os; os.system('true')",
    "import os; os.execv('/bin/true', ['true'])",
    "import os; os.kill(os.getppid(), 0)",
    "import subprocess; subprocess.run(['true'])",
    "import _posixsubprocess",
    "import multiprocessing; multiprocessing.Process(target=print).start()",
    "import ctypes",
    "import _ctypes",
    "import socket; socket.socket()",
    "import socket; socket.getaddrinfo('localhost', 80)",
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    "open('x', 'w')",
    "import os; os.open('x', os.O_CREAT | os.O_WRONLY)",
    "import os; os.mkdir('x')",
    "import os; os.remove('/tmp/nothing')",
    "import os; os.symlink('/etc', 'x')",
    "open('/etc/passwd')",
    "open('/proc/self/cmdline')",
    "open('../tests.py')",
    "open(__import__('sys').path[-1] + '/../../../../etc/passwd')",
    "__import__('pathlib').Path('/etc/passwd').read_text()",
    "import os; os.listdir('/')",
    "import sqlite3; sqlite3.connect('x')",
    "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    "import gc; gc.get_objects()",
    "other.__code__ = (lambda: 0).__code__",
]


def test_what_is_not_computing_is_refused_without_a_container() -> None:
    if not run(unsafe(), trying(REFUSED), TESTS):
        assert [line for line in REFUSED if not run(unsafe(), trying([line]), TESTS)] == []
        pytest.fail("each is refused alone, and not all of them together")


@pytest.mark.parametrize("wall", ANY, ids=label)
def test_what_does_not_end_is_ended(wall: Wall) -> None:
    assert not run(wall, "def double(n):\n    while True: pass", TESTS, seconds=0.5)


@pytest.mark.parametrize("wall", ANY, ids=label)
def test_nothing_is_left_behind(
    wall: Wall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    open_before = os.listdir("/dev/fd")
    assert not run(wall, "import os\nos.mkfifo('x')\n" + WRONG, TESTS)
    assert run(wall, RIGHT, TESTS)
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/dev/fd")) == len(open_before)


@pytest.mark.parametrize("wall", ANY, ids=label)
def test_the_environment_is_not_seen(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_TEST_SECRET", "s3cret")
    code = "import os\ndef double(n):\n    return 0 if 'ARENA_TEST_SECRET' in os.environ else 2 * n"
    assert run(wall, code, TESTS)


def test_unsafe_works_without_a_namespace_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_apart", lambda: ())
    wall = unsafe.__wrapped__()
    assert run(wall, RIGHT, TESTS)
    assert not run(wall, WRONG, TESTS)
    assert run(wall, trying(["import socket; socket.socket()", "import os; os.fork()"]), TESTS)


FORMS = """
from collections import Counter, namedtuple
P = namedtuple('P', 'x y')
class Pair(object):
    def __init__(self, a, b): self.a, self.b = a, b
    def __len__(self): return 2
    def __str__(self): return f'{self.a}-{self.b}'
    def plus(self, other): return Pair(self.a + other.a, self.b + other.b)
class Odd(ValueError): pass
def count(t, *, low=False):
    if not t: raise ValueError('empty')
    return Counter(t.lower() if low else t)
def both(a): return (a, {1: {a}}, 0.5, None, True, b'x')
def longest(pairs, n): return max(p.b - p.a for p in pairs[:n])
def walk(n):
    for k in range(n): yield {k: P(k, -k)}
def same(x): return x
def bad(): raise Odd('odd')
def mean(xs): return sum(xs) / len(xs)
"""
HONEST = [
    "assert count('aA', low=True) == {'a': 2}",
    "assert all(both(k)[0] == k for k in range(3))",
    "assert both('é')[1:] == ({1: {'é'}}, 0.5, None, True, b'x')\nassert both(1)[4] is True",
    "import math\nassert math.isclose(both(1)[2], 0.5)",
    "try: count('')\nexcept ValueError as e: assert str(e) == 'empty'\nelse: assert 0",
    "try: bad()\nexcept ValueError: pass\nelse: assert 0",
    "try: missing()\nexcept NameError: pass\nelse: assert 0",
    "assert longest([Pair(5, 24), Pair(15, 25), Pair(27, 40)], 3) == 19",
    "p = Pair(1, 2).plus(Pair(3, 4))\nassert (p.a, p.b, len(p), str(p)) == (4, 6, 2, '4-6')",
    "assert list(walk(2)) == [{0: (0, 0)}, {1: (1, -1)}]\nassert next(walk(1))[0].index(0) == 0",
    "assert list(zip(walk(1), 'a'))[0][1] == 'a'\nassert {0: (0, 0)} in walk(3)",
    "for v in (1e308 * 10, -0.0, 2**20000, 1 + 2j, '\\ud800', 'a\\n\\u2028', b'\\xff', 1e-320):\n"
    "    assert same(v) == v and type(same(v)) is type(v), v",
    "nan = same(float('nan'))\nassert nan != nan",
    "v = {(1, 'a'): [{2}, frozenset({3}), None], None: {}, 1.5: ((),)}\nassert same(v) == v",
    "v = ['dict', ['object', 0], ['list']]\nassert same(v) == v",
    "assert mean([1, 2]) == 1.5\nassert P(1, 2) == (1, 2)",
    "def check(candidate):\n    assert candidate('ab') == {'a': 1, 'b': 1}\ncheck(count)",
    "import copy\nxs = [[1]]\nassert same(copy.deepcopy(xs)) == xs",
]


@pytest.mark.parametrize("wall", ANY, ids=label)
def test_tests_may_use_everything_of_python(wall: Wall) -> None:
    if not run(wall, FORMS, "\n".join(HONEST)):
        assert [test for test in HONEST if not run(wall, FORMS, test)] == []
        pytest.fail("each passes alone, and not all of them together")
    assert not run(wall, FORMS.replace("ValueError('empty')", "KeyError"), HONEST[4])


@needs_container
def test_code_runs_in_a_container_unless_told_otherwise() -> None:
    sees = f"import os\ndef double(n): return 2 * n if os.path.exists({__file__!r}) else None"
    assert not passes(sees, TESTS)
    with allowing(AllowCode.UNSAFE):
        assert passes(sees, TESTS)
    assert not passes(sees, TESTS)


@needs_container
def test_a_container_has_what_programs_compute_with() -> None:
    code = """
import asyncio, sys, tempfile
sys.setrecursionlimit(10**5)
def depth(n): return n and 1 + depth(n - 1)
async def later(): return 'later'
def waits(): return asyncio.run(later())
def stores():
    with tempfile.NamedTemporaryFile('w+') as file:
        file.write('kept')
        file.seek(0)
        return file.read()
"""
    tests = "assert (depth(5000), waits(), stores()) == (5000, 'later', 'kept')"
    assert run(container(), code, tests)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that holds the only programs of this machine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    container.cache_clear()
    containers._inside.cache_clear()
    yield tmp_path
    container.cache_clear()
    containers._inside.cache_clear()


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")
@pytest.mark.parametrize(
    ("manager", "command"),
    [("apt-get", "sudo apt-get install bubblewrap"), ("dnf", "sudo dnf install bubblewrap")],
)
def test_without_a_tool_the_way_to_one_is_said(tools: Path, manager: str, command: str) -> None:
    script(tools / manager, "exit 0")
    with pytest.raises(InputError) as caught:
        container()
    assert str(caught.value) == (
        "no container works here (bubblewrap is not installed; podman is not installed; docker is "
        f"not installed); this gives one: {command}"
    )


@pytest.mark.parametrize(
    ("acts", "why"),
    [
        ("echo bwrap: No permissions to create new namespace >&2; exit 1", "bwrap: No permissions"),
        ("exit 7", "exit code 7"),
        (
            f'while [ "$1" != -I ]; do shift; done; exec {sys.executable} "$@"',
            "it does not hold a program back",
        ),
    ],
)
def test_a_tool_that_is_there_and_does_not_work_is_not_used(
    tools: Path, acts: str, why: str
) -> None:
    script(tools / "bwrap", acts)
    with pytest.raises(InputError, match=f"bubblewrap: {why}.* podman pull .*/python:"):
        container()


def test_what_did_not_start_is_no_wrong_answer() -> None:
    broken = Wall("bubblewrap", lambda *_: ["/bin/sh", "-c", "echo no space left >&2; exit 1"])
    with pytest.raises(BackendError, match="could not run a model's code: no space left"):
        run(broken, RIGHT, TESTS)


@pytest.mark.slow
@needs_container
def test_it_works_without_libseccomp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "program", lambda: b"")
    wall = container.__wrapped__()
    assert wall.filter == b""
    assert run(wall, RIGHT, TESTS)
    assert not run(wall, WRONG, TESTS)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("x = 1", "x = 1"),
        ("Here:\n```python\ndef f(): pass\n```\nUse it:\n```\nf()\n```", "def f(): pass\n"),
        ("```py\ndef f(): pass\n```\nBetter:\n``` python\ndef f(): 1\n```", "def f(): 1\n"),
        ("```Python3\nclass A: pass", "class A: pass"),
        ("<think>```python\ndef f(): 0\n```</think>\n```python\ndef f(): 1\n```", "def f(): 1\n"),
    ],
)
def test_the_code_of_a_reply(reply: str, code: str) -> None:
    assert code_of(reply) == code
