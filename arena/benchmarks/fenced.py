"""A process of its own for a model's code, and another for the tests that call it.

`sandbox` runs this file, once as `answer` and once as `tests`, joined by two pipes. The tests
ask for a call in one line, a Python literal, and get its result in one line, a literal too. So
the code never sees the tests, and cannot end, overwrite or print its way past them.

It is a script: nothing else imports it, and it needs the standard library alone.
"""

import ast
import builtins
import os
import resource
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

FILE_BYTES = 2**20
NOBODY = 65534
READING = frozenset({"open", "os.listdir", "os.scandir"})
HARMLESS = frozenset(
    {
        "builtins.id",
        "builtins.input",
        "builtins.input/result",
        "compile",
        "cpython.run_file",
        "exec",
        "marshal.loads",
        "object.__delattr__",
        "object.__getattr__",
        "object.__setattr__",
        "pickle.find_class",
        "sys._current_frames",
        "sys._getframe",
        "sys._getframemodulename",
        "sys.excepthook",
        "sys.unraisablehook",
        "time.sleep",
        "_thread.start_new_thread",
        "_thread.start_joinable_thread",
    }
)
# These start processes or write files without telling an audit hook.
BARRED = frozenset(
    {
        "_ctypes",
        "_dbm",
        "_gdbm",
        "_multiprocessing",
        "_posixshmem",
        "_posixsubprocess",
        "_testcapi",
        "_testinternalcapi",
        "_xxsubinterpreters",
        "readline",
    }
)
Ask = Callable[..., Any]


def fence(seconds: int, memory: int) -> None:
    """Take away what a program that only computes has no need of."""
    _leave_root()
    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        top = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (top, top))
        except (ValueError, OSError):  # macOS has no limit on address space
            continue
    sys.addaudithook(_hook(tuple(f"{path}/" for path in sys.path)))


def _leave_root() -> None:
    """Go on as nobody, whom limits on processes bind; not where nobody can read the library."""
    if os.geteuid() != 0:
        return
    try:
        os.seteuid(NOBODY)
        readable = os.access(ast.__file__, os.R_OK, effective_ids=True)
        os.seteuid(0)
        if readable:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    except OSError:  # a user namespace that knows root alone
        return


def _hook(library: tuple[str, ...]) -> Callable[[str, tuple[Any, ...]], None]:
    """What is not named is refused, so that what a later Python adds is refused as well.

    All it needs is bound when it is made: the program may overwrite what modules hold.
    """
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(
        event: str,
        args: tuple[Any, ...],
        kind: type = type,
        text: type = str,
        number: type = int,
        refused: type[Exception] = PermissionError,
        reading: frozenset[str] = READING,
        harmless: frozenset[str] = HARMLESS,
        barred: frozenset[str] = BARRED,
    ) -> None:
        if event in reading:
            place = args[0]
            is_ours = kind(place) is text and place.startswith(library) and "/.." not in place
            is_ours = is_ours or (kind(place) is text and place + "/" in library)
            allowed = kind(place) is number or is_ours
            allowed = allowed and not (event == "open" and args[2] & writing)
        elif event == "import":
            allowed = kind(args[0]) is text and args[0] not in barred
        else:
            # A function's code may not be replaced: this one's would be.
            replaced = event == "object.__setattr__" and args[1] == "__code__"
            allowed = event in harmless and not replaced
        if not allowed:
            raise refused(event + " is not allowed here")

    return hook


def serve(source: str, asked: BinaryIO, replies: BinaryIO) -> None:
    """Run a model's code, then make the calls that are asked for until nobody asks."""
    module = ModuleType("answer")  # dataclasses look for the module that they are in
    sys.modules["answer"] = module
    names = vars(module)
    exec(compile(source, "answer.py", "exec"), names)
    for line in asked:
        name, args, kwargs = ast.literal_eval(line.decode())
        try:
            said = (True, plain(names[name](*args, **kwargs)))
        except Exception as error:
            said = (False, type(error).__name__)
        replies.write(ascii(said).encode() + b"\n")
        replies.flush()


def plain(value: Any) -> Any:
    """The value as built-in types, which a literal can show; TypeError where it has others."""
    if value is None or isinstance(value, bool):
        return value
    kind: Any
    for kind in (int, float, complex, str, bytes):
        if isinstance(value, kind):
            return kind(value)
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            shown = [plain(part) for part in value]
            return set(shown) if kind is frozenset else kind(shown)
    if isinstance(value, dict):
        return {plain(key): plain(part) for key, part in value.items()}
    raise TypeError(f"a {type(value).__name__} cannot be shown as a literal")


def check(source: str, asked: BinaryIO, replies: BinaryIO) -> None:
    """Run the tests; each name that they use and do not make is a function of the answer."""
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = {name: _asking(name, asked, replies) for name in used if not hasattr(builtins, name)}
    exec(compile(tree, "tests.py", "exec"), {"__name__": "tests", **names})


def _asking(name: str, replies: BinaryIO, asks: BinaryIO) -> Ask:
    def ask(*args: Any, **kwargs: Any) -> Any:
        asks.write(ascii((name, args, kwargs)).encode() + b"\n")
        asks.flush()
        line = replies.readline()
        if not line:
            raise EOFError(f"{name}: the answer's process has ended")
        went_well, value = ast.literal_eval(line.decode())
        if went_well:
            return value
        kind: Any = getattr(builtins, value, None)
        is_error = isinstance(kind, type) and issubclass(kind, Exception)
        error: type[Exception] = kind if is_error else RuntimeError
        raise error(name)

    return ask


def main(role: str, path: str, seconds: str, memory: str) -> None:
    """Keep the pipes to ourselves, go behind the fence, and run the file."""
    with open(path, encoding="utf-8") as stream:
        source = stream.read()
    asked, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for used in (0, 1, 2):
        os.dup2(nothing, used)
    fence(int(seconds), int(memory))
    {"answer": serve, "tests": check}[role](source, asked, replies)


if __name__ == "__main__":
    main(*sys.argv[1:])
