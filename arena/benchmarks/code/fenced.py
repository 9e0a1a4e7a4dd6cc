"""What takes the place of a container under `--allow-code unsafe`: Python's own audit hook.

It stops accidents and what is known of mischief, and is no wall: audit hooks were not made for
one, and a program that means harm gets round them.

It is a script that `runner` reads: nothing imports it, and it needs the standard library alone.
"""

import ast
import os
import sys
from collections.abc import Callable
from typing import Any

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


def fence() -> None:
    """Take away what a program that only computes has no need of."""
    _leave_root()
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

    All it needs is bound when it is made: the program may overwrite what modules hold. It is
    bound as one tuple, taken apart at each call: what a closure or a dataclass holds can be
    overwritten through the frame of a refusal.
    """
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    types = type, str, int, PermissionError
    lists = READING, HARMLESS, BARRED, library, writing

    def hook(event: str, args: tuple[Any, ...], bound: tuple[Any, Any] = (types, lists)) -> None:
        kind, text, number, refused = bound[0]
        reading, harmless, barred, library, writing = bound[1]
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
