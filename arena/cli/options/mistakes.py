"""What is said of a wrong word on the command line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any


@contextmanager
def in_our_words(of_all: Sequence[Any]) -> Iterator[None]:
    """Mend what Typer says of a wrong word on the command line, which is pydantic's or no help.

    of_all: the parameters that stand before a command.
    """
    try:
        yield
    except Exception as error:
        known: Any = error
        cause: Any = error.__cause__
        if hasattr(cause, "errors") and hasattr(error, "message"):
            known.message = _wrong_value(cause.errors()[0])
        name = getattr(error, "option_name", "")
        if any(name in parameter.opts for parameter in of_all):
            known.message += f". It stands before the command: arena {name} …"
        raise


def _wrong_value(problem: Mapping[str, Any]) -> str:
    from arena.files.strict import sentence

    if problem["type"] != "value_error":
        return sentence(problem)
    said = sentence(problem, given=False)
    value, *allowed = re.findall("'([^']*)'", said)
    near = get_close_matches(value, allowed, n=1)
    return f"{said.rstrip('.')}; did you mean {near[0]!r}?" if near else said
