"""The outermost edge: whatever happens inside, a user reads a sentence and no traceback."""

import errno
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

MISTAKE, INTERRUPTED, BUG = 2, 130, 70
# What the machine refuses, as opposed to what this package does wrong.
_REFUSED = {
    errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EEXIST,
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE,
    errno.ENFILE, errno.EIO, errno.EFBIG, errno.ENODEV, errno.EBUSY, errno.ENOTEMPTY,
}  # fmt: skip
_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PROXY")
_SHORTEST_SECRET = 6


def guarded() -> None:
    """Run the command line; an exception that nobody expected is one line and a log."""
    try:
        _mend_streams()
        _check_arguments()
        from arena.cli.main import app

        app()
    except SystemExit as ending:
        _finish(ending.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _finish(1)
    except Exception as error:
        _finish(_tell(error))


def sentence(error: BaseException) -> str | None:
    """What to say of an error that the machine or the user's settings caused; else None."""
    if isinstance(error, UnicodeEncodeError):
        return f"a name is not UTF-8 text: {error.object[:80]!r}; rename it"
    if isinstance(error, OSError) and error.errno in _REFUSED:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if type(error).__name__ in ("OperationalError", "DatabaseError"):
        return f"the database cannot be used: {error}"
    if "proxy" in str(error).lower() and (given := proxies()):
        return f"{given[0]} cannot be used as a proxy ({error}); unset it, or name one of http://…"
    return None


def proxies() -> list[str]:
    """The variables that name a proxy, as `NAME=scheme://…`; what follows may hold a password."""
    names = [name for upper in _PROXIES for name in (upper, upper.lower())]
    return [f"{n}={os.environ[n].partition('//')[0]}//…" for n in names if os.environ.get(n)]


def _tell(error: Exception) -> int:
    """Say it on one line; returns the exit code."""
    if (known := sentence(error)) is not None:
        _say(known)
        return MISTAKE
    reason = " ".join(_hide(f"{type(error).__name__}: {error}").split())[:200]
    log = _log(error)
    where = f"the log is {log}" if log else "and no log could be written"
    _say(f"this should not have happened ({reason}); {where}. Please report it with the log.")
    return BUG


def _say(text: str) -> None:
    sys.stderr.write(f"arena: {' '.join(text.split())}\n")


def _log(error: Exception) -> Path | None:
    """The traceback in a file that only this user can read, without what may be secret."""
    from arena import __version__

    python = sys.version.split()[0]
    about = f"arena {__version__}, Python {python}, {sys.platform}: {sys.argv[1:]}\n"
    text = about + "".join(traceback.format_exception(error))
    try:
        number, name = tempfile.mkstemp(".log", f"arena-{time.strftime('%Y%m%d-%H%M%S')}-")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(_hide(text))
    except OSError:
        return None
    return Path(name)


def _hide(text: str) -> str:
    """A text without the values of variables that are secret by their names."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and any(part in name.upper() for part in _SECRET):
            text = text.replace(value, f"[{name}]")
    return text


def _mend_streams() -> None:
    """A stream that was closed swallows; one of a narrow encoding prints what it lacks as codes."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _check_arguments() -> None:
    for number, argument in enumerate(sys.argv[1:], start=1):
        if any("\ud800" <= c <= "\udfff" for c in argument):
            _say(f"argument {number}: {argument!r} is not UTF-8 text; rename what it names")
            sys.exit(MISTAKE)


def _finish(code: object) -> NoReturn:
    """Exit when all is written; a pipe that nobody reads any more is no error to speak of."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _swallow()
        code = code or 1
    except OSError as error:
        _swallow()
        _say(f"the output could not be written: {error.strerror}")
        code = MISTAKE
    raise SystemExit(code)


def _swallow() -> None:
    """What is still to be written goes nowhere; Python would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
