"""Cells that hold a conversation: a text, a list of turns, or a list of messages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from arena.backends.thinking import split

Turns = tuple[str, ...]


def turns_of(value: Any) -> Turns:
    """The turns of a cell, a text being one. Raises ValueError that says what it must be."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (str(int(value) if isinstance(value, float) and value.is_integer() else value),)
    if not isinstance(value, list) or not value:
        raise ValueError("it must be a text, or a list of texts, one for each turn")
    if any(not isinstance(turn, str) for turn in value):
        raise ValueError("a list here holds texts, one for each turn")
    return tuple(value)


def read_lists(cells: Sequence[Any]) -> list[Any]:
    """The texts of one row as lists, where all of them are JSON lists of as many texts.

    A table of text alone keeps turns so. One answer that happens to be a JSON list stays a text.
    Raises ValueError where all are lists in Python's notation, which cannot be read for certain.
    """
    if not cells or not all(isinstance(c, str) and c[:1] == "[" and c[-1:] == "]" for c in cells):
        return list(cells)
    try:
        lists = [json.loads(cell) for cell in cells]
    except (ValueError, RecursionError):
        if all(cell.startswith(("['", '["')) for cell in cells):
            raise ValueError("lists in Python's notation; write them as JSON") from None
        return list(cells)
    is_turns = all(one and all(isinstance(turn, str) for turn in one) for one in lists)
    return lists if is_turns and len({len(one) for one in lists}) == 1 else list(cells)


def conversation(value: Any) -> tuple[Turns, Turns]:
    """What the user said and what the model answered, turn by turn.

    value: messages of `role` and `content`, or JSON that holds them. Raises ValueError.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("it must be a JSON list of messages") from None
    if not isinstance(value, list) or not value:
        raise ValueError("it must be a list of messages, each with role and content")
    said: list[list[str]] = [[], []]
    for k, message in enumerate(value):
        if not isinstance(message, Mapping) or not {"role", "content"} <= set(message):
            raise ValueError("each message needs role and content")
        role = ("user", "assistant")[k % 2]
        if message["role"] != role:
            raise ValueError(
                f"message {k + 1} is of {message['role']!r}, and must be of {role!r}: "
                "user and assistant take turns, and the user begins"
            )
        said[k % 2].append(_content(message["content"], k))
    if len(value) % 2:
        raise ValueError("the last message is the user's, and has no answer")
    return tuple(said[0]), tuple(said[1])


def _content(content: Any, k: int) -> str:
    """A message's text; parts of text are put together."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in content
    ):
        return "".join(part["text"] for part in content)
    raise ValueError(f"the content of message {k + 1} is not text")


def spoken(turns: Turns) -> tuple[Turns, Turns]:
    """What a model said in each turn, and what it thought before; the latter empty if nothing.

    Other tools store a reply with its thinking inside. Nobody here judges by that.
    """
    parts = [split(turn) for turn in turns]
    if not any(part.thinking for part in parts):
        return turns, ()
    return tuple(part.answer for part in parts), tuple(part.thinking for part in parts)
