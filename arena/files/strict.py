"""Files that people write, read strictly: an error names file, line, value and what is allowed."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from arena.files.encodings import read_text
from arena.records.errors import SHOWN, InputError
from arena.records.errors import said as quoted
from arena.records.notes import fill

Shape = TypeVar("Shape", bound=BaseModel)
MOST_VALUES = 100_000
MOST_PROBLEMS = 5  # that one message tells
SECRET = "secret"  # the type of a problem whose value must not be repeated


class Strict(BaseModel):
    """A part of a file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Short(Strict):
    """A part that may be written as one word alone, which is its `ALONE` field."""

    ALONE: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _word_alone(cls, value: Any) -> Any:
        return {cls.ALONE: value} if isinstance(value, str) else value


def read_yaml(path: Path, shape: type[Shape]) -> Shape:
    """Read a YAML file as `shape`; an error names file, line, field, value and what is allowed."""
    text = read_text(path)
    root, value = parse_yaml(text, path)
    try:
        return shape.model_validate({} if value is None else value)
    except ValidationError as error:
        raise InputError(_problems(error.errors(), path, root, shape)) from error


def read_parts(
    path: Path, shape: type[Shape], needs: Collection[str], always: Collection[str] = ()
) -> tuple[Shape, tuple[str, ...]]:
    """As `read_yaml`, where only some top keys matter; what is wrong with the others is told.

    needs: the keys that matter; always: those that matter to everybody. The others stand without
    their wrong entries, or at their defaults. An unknown key may be a needed one misspelt, so it
    is refused where any is needed.
    """
    root, value = parse_yaml(read_text(path), path)
    value = {} if value is None else value
    try:
        return shape.model_validate(value), ()
    except ValidationError as error:
        problems = error.errors()
        tops = [str(problem["loc"][0]) if problem["loc"] else "" for problem in problems]
        allowed = {*shape.model_fields, *needs, *always}
        harmless = allowed - {*needs, *always}
        grave = [
            problem
            for problem, top in zip(problems, tops, strict=True)
            if top not in harmless and (top in allowed or not top or needs)
        ]
        if grave:
            raise InputError(_problems(grave, path, root, shape)) from error
    first = sorted(problems, key=lambda problem: _line(root, problem["loc"]) or 0)
    keys = dict.fromkeys(str(problem["loc"][0]) for problem in first)
    mine = [[p for p in problems if str(p["loc"][0]) == key] for key in keys]
    told = tuple(_problems(these, path, root, shape) for these in mine)
    return _without(value, problems, shape), told


def _without(value: Mapping[str, Any], problems: Sequence[Any], shape: type[Shape]) -> Shape:
    """What is right of a file: without the entries that are wrong, else without their top keys."""
    kept = dict(value)
    for top, *below in (problem["loc"] for problem in problems):
        if below and isinstance(kept.get(top), dict):
            kept[top] = {key: part for key, part in kept[top].items() if key != below[0]}
        else:
            kept.pop(top, None)
    try:
        return shape.model_validate(kept)
    except ValidationError:  # such as an entry of a matrix, whose name the file does not have
        tops = {problem["loc"][0] for problem in problems}
        return shape.model_validate({k: part for k, part in value.items() if k not in tops})


def parse_yaml(text: str, path: Path) -> tuple[yaml.Node | None, Any]:
    """A text's YAML as nodes, which know their lines, and as Python's values."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _check(root, path)
        return root, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(_not_yaml(error, path)) from error
    except RecursionError as error:
        raise InputError(f"{path}: not YAML that can be read: it is nested too deeply") from error
    except (ValueError, OverflowError, TypeError) as error:  # a date that is none, for example
        raise InputError(f"{path}: not YAML that can be read: {error}") from error


def _not_yaml(error: yaml.YAMLError, path: Path) -> str:
    """Where a text is no YAML and why, in our words as far as the parser tells what it read."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{path}: not YAML: {str(error).splitlines()[0]}"
    here = error.problem_mark.line
    said = _FAULTS.get((type(error).__name__, error.context or ""))
    if said is None:
        return f"{path}:{here + 1}: not YAML: {error.problem}"
    # What is not closed is mended where it begins.
    begin = error.context_mark.line if error.context_mark else here
    shows = f", which shows in line {here + 1}" if here > begin else ""
    return f"{path}:{begin + 1}: not YAML: {said}{shows}"


# By the parser's error and what it was reading.
_INDENT = "not all keys or entries that begin here are indented alike, or a text needs quotes"
_FAULTS = MappingProxyType(
    {
        ("ParserError", "while parsing a flow mapping"): (
            "a { that begins here is not closed, or a comma between its entries is missing"
        ),
        ("ParserError", "while parsing a flow sequence"): (
            "a [ that begins here is not closed, or a comma between its entries is missing"
        ),
        (
            "ScannerError",
            "while scanning a quoted scalar",
        ): "a quote that begins here is not closed",
        ("ParserError", "while parsing a block mapping"): _INDENT,
        ("ParserError", "while parsing a block collection"): _INDENT,
        ("ScannerError", "while scanning for the next token"): (
            "no text begins with this character unless it is in quotes, and lines are indented "
            "with spaces, not with tabs"
        ),
        ("ScannerError", ""): (
            "a colon where no key can stand; a text with a colon in it goes in quotes, and a key "
            "is indented as those beside it"
        ),
        ("ComposerError", ""): "a text that begins with * goes in quotes",
        ("ConstructorError", ""): "a text that begins with ! goes in quotes",
    }
)


def _problems(
    problems: Sequence[Any], path: Path, root: yaml.Node | None, shape: type[BaseModel]
) -> str:
    """What is wrong, from the top of the file on: the first problem of each entry."""
    entries: dict[tuple[int, Any], list[Any]] = {}
    for problem in problems:
        loc = _keys(shape, problem)
        here = entries.setdefault((_line(root, loc) or 0, loc[:2]), [])
        if not here or here[0]["loc"] == loc:  # a value of several kinds has a problem with each
            here.append({**problem, "loc": loc})
    found = sorted(entries.items(), key=lambda entry: entry[0][0])
    return listing([_problem(these, line, path, shape) for (line, _), these in found])


def _keys(shape: type[BaseModel], problem: Mapping[str, Any]) -> tuple[int | str, ...]:
    """The keys that lead to a problem: pydantic puts the kind that it tried among them."""
    schema = shape.model_json_schema()
    node: dict[str, Any] = schema
    kept: list[int | str] = []
    for part in problem["loc"]:
        below = _resolve(schema, node, part)
        is_unknown = problem["type"] == "extra_forbidden" and part == problem["loc"][-1]
        kept += [part] if below or is_unknown else []
        node = below or node
    return tuple(kept)


def listing(problems: Sequence[str]) -> str:
    """What is wrong with a file, as one message that tells the first few problems."""
    told = list(problems[:MOST_PROBLEMS])
    more = [f"and {len(problems) - len(told)} more"] if len(problems) > len(told) else []
    return "; ".join(told + more)


def _problem(
    problems: Sequence[Mapping[str, Any]], line: int, path: Path, shape: type[BaseModel]
) -> str:
    """What is wrong with one value. problems: one for each kind that it may be of."""
    problem = problems[0]
    field = path_of(problem)
    where = f"{path}:{line}" if line else str(path)
    if problem["type"] == "extra_forbidden":
        message = unknown_key(str(problem["loc"][-1]), _siblings(shape, problem["loc"]))
    elif limits := _limits(shape, problem):
        message = f"{_quoted(problem['input'])}: {limits}"
    else:
        message = sentence(problem) if field else sentence(problem, given=False)
        others = dict.fromkeys(sentence(one, given=False) for one in problems)
        message = ", or ".join([message, *list(others)[1:]])
    return ": ".join(filter(None, [where, field, message]))


def _limits(shape: type[BaseModel], problem: Mapping[str, Any]) -> str:
    """Both ends of a number that has two, and what it is by default; empty for anything else."""
    if problem["type"] not in _ENDS:
        return ""
    schema = shape.model_json_schema()
    node: dict[str, Any] = schema
    for part in problem["loc"]:
        node = _resolve(schema, node, part)
    default = node.get("default")
    for kind in (node, *node.get("anyOf", [])):
        ends = [said.format(kind[name]) for name, said in _LIMITS.items() if name in kind]
        if len(ends) == 2:
            return f"must be {' and '.join(ends)}" + (f", such as {default}" if default else "")
    return ""


_ENDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_LIMITS = MappingProxyType(
    {
        "exclusiveMinimum": "more than {:g}",
        "minimum": "at least {:g}",
        "exclusiveMaximum": "less than {:g}",
        "maximum": "at most {:g}",
    }
)


def path_of(problem: Mapping[str, Any]) -> str:
    """The keys that lead to what is wrong, on one line. problem: as `sentence` takes it."""
    return ".".join(" ".join(str(part).split())[:SHOWN] for part in problem["loc"])


def unknown_key(key: str, allowed: list[str]) -> str:
    """That a key is not known, the nearest one that is, and all of them."""
    near = get_close_matches(key, allowed, n=1)
    meant = f", did you mean {near[0]}" if near else ""
    return f"unknown key{meant}; allowed here: {', '.join(allowed)}"


def sentence(problem: Mapping[str, Any], *, given: bool = True) -> str:
    """What is wrong with a value, in our words; pydantic's own speak of Python's types.

    problem: one of `ValidationError.errors()`. given: whether the value is named.
    """
    if problem["type"] == SECRET:
        return str(problem["msg"])
    known = _SENTENCES.get(problem["type"])
    context = problem.get("ctx", {})
    if problem["type"] == "literal_error":  # which has Python's words for truth
        context = {"expected": _TRUTHS.get(context["expected"], context["expected"])}
    if known:
        said = fill(known, **context)
    elif problem["type"] in ("value_error", "assertion_error"):  # our own validators' words
        said = str(context.get("error", problem["msg"]))
    else:
        said = "cannot be used here"
    return (
        f"{_quoted(problem['input'])}: {said}" if given and problem["type"] != "missing" else said
    )


_NUMBER, _WHOLE, _TRUTH, _LIST, _MAPPING = (
    "must be a number",
    "must be a whole number",
    "must be true or false",
    "must be a list",
    "must be a mapping of keys to values",
)


def _quoted(value: object) -> str:
    """A value as it is written in YAML, where Python has a word of its own."""
    return _TRUTHS.get(str(value), quoted(value)) if isinstance(value, bool) else quoted(value)


_TRUTHS = MappingProxyType({"True": "true", "False": "false"})
_SENTENCES = MappingProxyType(
    {
        "missing": "is missing",
        "string_type": "must be text",
        "int_type": _WHOLE,
        "int_parsing": _WHOLE,
        "int_from_float": _WHOLE,
        "float_type": _NUMBER,
        "float_parsing": _NUMBER,
        "finite_number": _NUMBER,
        "bool_type": _TRUTH,
        "bool_parsing": _TRUTH,
        "list_type": _LIST,
        "set_type": _LIST,
        "dict_attributes_type": _MAPPING,
        "model_attributes_type": _MAPPING,
        "string_pattern_mismatch": "must look like {pattern}",
        "path_type": "must be the path of a file",
        "none_required": "must be left empty",
        "int_parsing_size": _WHOLE,
        "string_unicode": "must be text in UTF-8",
        "is_instance_of": "is of a kind that does not go here",
        "tuple_type": _LIST,
        "dict_type": _MAPPING,
        "model_type": _MAPPING,
        "mapping_type": _MAPPING,
        "enum": "must be {expected}",
        "literal_error": "must be {expected}",
        "greater_than": "must be more than {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be less than {lt}",
        "less_than_equal": "must be at most {le}",
        "string_too_short": "must have at least {min_length:character|characters}",
        "string_too_long": "must have at most {max_length:character|characters}",
        "too_short": "must have at least {min_length:entry|entries}",
        "too_long": "must have at most {max_length:entry|entries}",
    }
)


def _siblings(shape: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys allowed beside the one at `loc`, found in the schema's nested models."""
    schema = shape.model_json_schema()
    node: dict[str, Any] = schema
    for part in loc[:-1]:
        node = _resolve(schema, node, part) or node
    return sorted(node.get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any], part: int | str) -> dict[str, Any]:
    here = (
        node.get("properties", {}).get(part)
        or node.get("items")
        or node.get("additionalProperties")
    )
    options = [here, *here.get("anyOf", [])] if isinstance(here, dict) else []
    for option in options:
        if "$ref" in option:
            return dict(schema["$defs"][option["$ref"].rsplit("/", 1)[-1]])
    return here if isinstance(here, dict) else {}


def _line(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int | None:
    """The line, from 1, of the deepest part of `loc` that the file has."""
    if node is None:
        return None
    line: int = node.start_mark.line + 1
    for part in loc:
        below = _child(node, part)
        if below is None:
            continue
        key, node = below
        line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part], node.value[part]
    return None


def _check(root: yaml.Node | None, path: Path) -> None:
    """Refuse equal keys, of which YAML lets the later win, and aliases that stand for too much."""
    waiting, met = [root], 0
    while waiting:
        node = waiting.pop()
        met += 1
        if met > MOST_VALUES:
            raise InputError(
                f"{path}: more than {MOST_VALUES:,} values, counting what *NAME repeats"
            )
        if isinstance(node, yaml.ScalarNode) and any("\ud800" <= c <= "\udfff" for c in node.value):
            line = node.start_mark.line + 1
            raise InputError(f"{path}:{line}: half a character (a \\ud8… without its other)")
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            _refuse_duplicates(node, path)
            waiting += (value for _, value in node.value)


def _refuse_duplicates(node: yaml.MappingNode, path: Path) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{path}:{line}: a key must be a text, not a list or a mapping")
        if key.value in seen:
            raise InputError(f"{path}:{line}: the key {key.value!r} is there twice")
        seen.add(key.value)
