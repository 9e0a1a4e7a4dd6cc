"""Programs that are wrong and try to pass, or to do harm; and right ones of every style."""

import os
import sys
from pathlib import Path

import pytest

from arena.benchmarks import sandbox
from arena.benchmarks.sandbox import code_of, passes

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
    assert passes(code, TESTS)


@pytest.mark.parametrize(
    "code",
    [
        WRONG,
        "",
        "def double(n) return n",
        "def double(n):\n    return str(n * 2)",
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "raise SystemExit(0)",
        "def double(n):\n    raise SystemExit(0)",
        "def double(n):\n    raise AssertionError",
        "class SystemExit(Exception): pass\ndef double(n):\n    raise SystemExit",
        "class Same(int):\n    def __eq__(self, other): return True\ndef double(n): return Same(n)",
        "class Same:\n    def __eq__(self, other): return True\ndef double(n): return Same()",
        "class Same(int):\n    def __repr__(self): return '6'\ndef double(n): return Same(n)",
        "import builtins\nbuiltins.AssertionError = SystemExit\n" + WRONG,
        "__builtins__['__build_class__'] = None\n" + WRONG,
        "import sys\nsys.stdout = None\n" + WRONG,
        "import os\nos.closerange(0, 30)\n" + WRONG,
        "import sys\nsys.stdin.close()\n" + WRONG,
        "import os\n[os.write(k, b'(True, 7)\\n') for k in (3, 4)]\n" + WRONG,
        "import sys\nsys.settrace(lambda *a: None)\n" + RIGHT,
        "import numpy\n" + RIGHT,
        "def double(n):\n    return double(n)",
        "def double(n):\n    return 'x' * 10**10",
        "def double(n):\n    x = []\n    x.append(x)\n    return x",
        "x = '\x00'\n" + RIGHT,
        "x = '\ud800'\nraise ValueError\n",
    ],
    ids=[f"wrong{k}" for k in range(26)],
)
def test_a_wrong_program_fails(code: str) -> None:
    assert not passes(code, TESTS, seconds=2)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "def double(n):\n    while True: pass",
        "import time\ntime.sleep(60)",
        "import threading\n[threading.Thread(target=iter, args=(int, 1)).start() for _ in '12']\n"
        "while True: pass",
        "while True: print('x' * 10**6)",
    ],
)
def test_what_does_not_end_is_ended(code: str) -> None:
    assert not passes(code, TESTS, seconds=0.7)


def trying(line: str) -> str:
    """A program that is right if `line` is refused, and says so by being right."""
    return (
        f"try:\n    {line}\nexcept (PermissionError, ImportError):\n    refused = True\n"
        "else:\n    refused = False\ndef double(n):\n    return 2 * n if refused else None"
    )


@pytest.mark.parametrize(
    "line",
    [
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
        "double.__code__ = trying.__code__ if 0 else (lambda: 0).__code__",
    ],
)
def test_what_is_not_computing_is_refused(line: str) -> None:
    if line.startswith("double"):
        line = "double = lambda n: 1\n    " + line
    assert passes(trying(line), TESTS)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    open_before = os.listdir("/dev/fd")
    assert not passes("import os\nos.mkfifo('x')\n" + WRONG, TESTS)
    assert passes(RIGHT, TESTS)
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/dev/fd")) == len(open_before)


def test_the_environment_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_TEST_SECRET", "s3cret")
    code = "import os\ndef double(n):\n    return 0 if 'ARENA_TEST_SECRET' in os.environ else 2 * n"
    assert passes(code, TESTS)


def test_without_a_namespace_it_works_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_apart", lambda: ())
    assert passes(RIGHT, TESTS)
    assert not passes(WRONG, TESTS)
    assert passes(trying("import socket; socket.socket()"), TESTS)
    assert passes(trying("import os; os.fork()"), TESTS)


def test_tests_may_use_everything_of_python() -> None:
    code = (
        "from collections import Counter\ndef count(t, *, low=False):\n"
        "    if not t: raise ValueError('empty')\n    return Counter(t.lower() if low else t)\n"
        "def both(a): return (a, {1: {a}}, 0.5, None, True, b'x')"
    )
    tests = (
        "import math\nassert count('aA', low=True) == {'a': 2}\n"
        "assert all(both(k)[0] == k for k in range(3))\n"
        "assert both('é')[1:] == ({1: {'é'}}, 0.5, None, True, b'x')\n"
        "assert both(1)[4] is True\nassert math.isclose(both(1)[2], 0.5)\n"
        "try:\n    count('')\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError"
    )
    assert passes(code, tests)
    assert not passes(code.replace("ValueError('empty')", "KeyError"), tests)


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
