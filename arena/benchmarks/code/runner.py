"""What runs inside: a model's code in one process, and the tests that call it in another.

`sandbox` starts this script twice and joins the two by pipes. What crosses is data, as lines of
JSON: the tests ask for a call and get back what it returned. Numbers, texts, lists, tuples, sets
and dicts cross as copies. Any other object stays where it was made, and the tests hold a `Remote`
of it. So the code never sees the tests, and whatever the tests compare is of built-in types in
their own process: no object of the code's can claim to be equal to it.

It needs the standard library alone; `sandbox` gives Python its text, and shares its few words.
"""

import ast
import builtins
import importlib
import json
import os
import select
import struct
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

READY = b"ready\n"
FAILED, ABSENT = 3, 4  # exit codes of the tests: they do not pass; the code was never started
FILE_BYTES = 2**20
LINE_BYTES = 2**24
NO_USER = "-"
LENGTH = struct.Struct(">Q")


class Remote:
    """An object that stays in the other process, seen from the tests.

    It has no comparisons and no arithmetic, which the code could answer to its own liking. Its
    attributes, calls and items give data, and that the tests compare themselves.
    """

    __slots__ = ("_ask", "_place")

    def __init__(self, ask: Callable[..., Any], place: list[Any]) -> None:
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_place", place)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask("get", self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, with data or other such objects."""
        return self._ask("call", self, *args, **kwargs)

    def __iter__(self) -> Any:
        return self._ask("iter", self)

    def __next__(self) -> Any:
        return self._ask("next", self)

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", self, key)

    def __len__(self) -> int:
        return int(self._ask("len", self))

    def __bool__(self) -> bool:
        return bool(self._ask("bool", self))

    def __str__(self) -> str:
        return str(self._ask("str", self))

    __repr__ = __str__


OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda function, *args, **kwargs: function(*args, **kwargs),
    "get": getattr,
    "item": lambda thing, key: thing[key],
    "iter": iter,
    "next": next,
    "len": len,
    "bool": bool,
    "str": str,
}
SHAPES: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "bytes": bytes,
    "complex": lambda parts: complex(*parts),
}
Keep = Callable[[Any], list[Any]]


def packed(value: Any, keep: Keep) -> Any:
    """The value as JSON has it: what JSON lacks is a list that begins with a word.

    keep: what stands for an object of no built-in type.
    """
    if value is None or isinstance(value, bool):
        return value
    kind: Any
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, dict):
        return ["dict", *([packed(k, keep), packed(v, keep)] for k, v in value.items())]
    for kind in (list, tuple, set, frozenset, bytes):
        if isinstance(value, kind):
            return [kind.__name__, *(packed(part, keep) for part in value)]
    return keep(value)


def unpacked(value: Any, found: Callable[[list[Any]], Any]) -> Any:
    """The inverse of `packed`. found: the object that a list of another word stands for."""
    if not isinstance(value, list):
        return value
    word, *parts = value
    if word == "dict":
        return {unpacked(k, found): unpacked(v, found) for k, v in parts}
    if word in SHAPES:
        return SHAPES[word]([unpacked(part, found) for part in parts])
    return found(value)


def serve(source: str, asked: BinaryIO, replies: BinaryIO) -> None:
    """Run a model's code, then do what is asked until nobody asks."""
    module = ModuleType("answer")  # dataclasses look for the module that they are in
    sys.modules["answer"] = module
    kept: list[Any] = []

    def keep(value: Any) -> list[Any]:
        kept.append(value)
        return ["object", len(kept) - 1]

    def found(place: list[Any]) -> Any:
        word, key = place
        if word == "name" and key not in vars(module):
            raise NameError(f"name {key!r} is not defined")
        return kept[key] if word == "object" else vars(module)[key]

    replies.write(READY)
    replies.flush()
    exec(compile(source, "answer.py", "exec"), vars(module))
    for line in asked:
        try:
            operation, args, kwargs = unpacked(json.loads(line), found)
            said = ["gave", packed(OPERATIONS[operation](*args, **kwargs), keep)]
            text = json.dumps(said)
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            text = json.dumps(["raised", kinds, str(error)])
        replies.write(text.encode() + b"\n")
        replies.flush()


def check(source: str, asked: BinaryIO, replies: BinaryIO) -> None:
    """Run the tests; each name that they use and Python does not know is one of the code's."""
    tree, ask = ast.parse(source), asking(asked, replies)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names: dict[str, Any] = {
        name: Remote(ask, ["name", name]) for name in used if not hasattr(builtins, name)
    }
    held = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    modules = {node.id for node in held if isinstance(node, ast.Name)} & sys.stdlib_module_names
    # math.isclose is Python's own, whatever the code calls `math`.
    names |= {name: importlib.import_module(name) for name in modules}
    if asked.readline(len(READY)) != READY:
        os._exit(ABSENT)
    exec(compile(tree, "tests.py", "exec"), {"__name__": "tests", **names})


def asking(replies: BinaryIO, asks: BinaryIO) -> Callable[..., Any]:
    """A function that has something done in the other process, and gives or raises what came."""

    def place(value: Any) -> list[Any]:
        if type(value) is Remote:
            return list(value._place)
        raise TypeError(f"a {type(value).__name__} of the tests cannot be given to the code")

    def ask(operation: str, *args: Any, **kwargs: Any) -> Any:
        asks.write(json.dumps(packed((operation, args, kwargs), place)).encode() + b"\n")
        asks.flush()
        line = replies.readline(LINE_BYTES)
        if not line.endswith(b"\n"):
            raise EOFError("the code's process has ended, or gave more than is read")
        how, *said = json.loads(line)
        if how == "raised":
            raise raised(*said)
        return unpacked(said[0], lambda found: Remote(ask, found))

    return ask


def raised(kinds: list[str], message: str) -> Exception:
    """The nearest of Python's own errors; RuntimeError where it is none of them."""
    for name in kinds:
        kind: Any = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                return kind(message)
            except TypeError:  # the few that are made of more than a message
                break
    return RuntimeError(message)


def limit(seconds: int, memory: int) -> None:
    """Bound time, memory, files and processes; what cannot be bound here is left as it is."""
    import resource  # Windows has none, and runs this in a container of Linux

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


def become(user: str) -> None:
    """Go on as a user that nothing belongs to, where we are root."""
    if user != NO_USER:
        os.setgroups([])
        os.setresgid(int(user), int(user), int(user))
        os.setresuid(int(user), int(user), int(user))


def abandoned() -> bool:
    """Whether nobody reads our errors any more, for whoever began us was killed.

    A container is ended with the process that began it, but for the moment in which it is made.
    """
    errors = select.poll()
    errors.register(2, 0)
    return bool(errors.poll(0))


def main(role: str, seconds: str, memory: str, user: str, fence: str = "") -> None:
    """Keep the pipes to ourselves, take the limits, read what is to be run, and run it.

    fence: a script whose `fence` is called first, where there is no container.
    """
    if abandoned():
        return
    asked, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for used in (0, 1, 2):
        os.dup2(nothing, used)
    names: dict[str, Any] = {}
    if fence:
        with open(fence, encoding="utf-8") as stream:
            exec(compile(stream.read(), fence, "exec"), names)
    limit(int(seconds), int(memory))
    become(user)
    if fence:
        names["fence"]()
    sys.set_int_max_str_digits(0)
    (length,) = LENGTH.unpack(asked.read(LENGTH.size))
    source = asked.read(length).decode(errors="surrogatepass")
    if role == "answer":
        serve(source, asked, replies)
        return
    try:
        check(source, asked, replies)
    except BaseException:
        os._exit(FAILED)


if __name__ == "__main__":
    main(*sys.argv[1:])
