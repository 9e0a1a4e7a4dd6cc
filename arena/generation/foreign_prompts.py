"""Questions as other tools' files have them: MT-Bench, Arena-Hard, AlpacaEval and others.

Texts stay as the files have them, to the last blank, so that answers to them can go back.
"""

from collections.abc import Callable, Mapping
from typing import Any

from arena.records import Prompt, content_key
from arena.records.errors import said

Row = Mapping[str, Any]
Make = Callable[[Row, str], Prompt]
GENERAL = "general"
_ROLES = {"user": "User", "human": "User", "assistant": "Assistant", "gpt": "Assistant"}
_TEXT_KEYS = ("content", "value", "text")


def foreign_prompt(row: Row, source: str) -> Prompt | None:
    """The prompt of another tool's row, None where it is no such row.

    source: what the prompt is said to be from. Raises ValueError where its shape is known, and a
    field of it is not what it must be.
    """
    for names, make in _SHAPES:
        if names <= row.keys():
            return make(row, source)
    return None


def asked_of(messages: object) -> tuple[str, ...]:
    """The user's turns, to be asked one after the other.

    messages: a text, a list of texts, or messages with roles. A system text stands before the
    first turn. Where a model's own turns are given, what was said is one turn that tells all of
    it, because another model would not have said the same. Raises ValueError.
    """
    if isinstance(messages, str):
        return (messages,)
    if not isinstance(messages, list) or not messages:
        raise ValueError(f"{said(messages)}; it must be a text or a list of turns")
    if all(isinstance(one, str) for one in messages):
        return tuple(messages)
    spoken = [_spoken(one) for one in messages]
    system = [text for role, text in spoken if role == "System" and text]
    spoken = [(role, text) for role, text in spoken if role != "System"]
    if not spoken:
        raise ValueError("there is no message of a user in it")
    if spoken[-1][0] != "User":
        raise ValueError("the last message is not the user's")
    if all(role == "User" for role, _ in spoken):
        turns = [text for _, text in spoken]
    else:
        turns = ["\n\n".join(f"{role}: {text}" for role, text in spoken)]
    return ("\n\n".join([*system, turns[0]]), *turns[1:])


def _spoken(message: object) -> tuple[str, str]:
    """A message's role, in our words, and its text."""
    if not isinstance(message, Mapping):
        raise ValueError(f"{said(message)}; it must be a message with role and content")
    role = message.get("role", message.get("from", "user"))
    text = next((message[key] for key in _TEXT_KEYS if key in message), None)
    if isinstance(text, list):
        text = "".join(str(part.get("text", "")) for part in text if isinstance(part, Mapping))
    if not isinstance(text, str) or not isinstance(role, str):
        raise ValueError(f"{said(message)}; a message needs role and content")
    return ("System" if role == "system" else _ROLES.get(role, role), text)


def name_of(row: Row, *keys: str) -> str:
    """The id of a row by the first of these keys that it has. Raises ValueError."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    raise ValueError(f"{keys[0]}: {said(row.get(keys[0]))}; it must be a text or a number")


def _fastchat(row: Row, source: str) -> Prompt:
    turns = _named("turns", row["turns"])
    return Prompt(
        name_of(row, "question_id"),
        turns,
        _label(row, "category"),
        _label(row, "language", "en"),
        references(row.get("reference"), len(turns)),
        source,
    )


def _arena_hard(row: Row, source: str) -> Prompt:
    category = _label(row, "category")
    if isinstance(row.get("subcategory"), str):
        category = f"{category}/{row['subcategory']}"
    turns = _named("prompt", row["prompt"])
    return Prompt(name_of(row, "uid"), turns, category, _label(row, "language", "en"), (), source)


def alpaca_prompt(row: Row, source: str) -> Prompt:
    """The prompt of a row of AlpacaEval, which has no ids: its name is made of its text."""
    text = _text(row, "instruction")
    if row.get("input"):
        text = f"{text}\n\n{_text(row, 'input')}"
    dataset = _label(row, "dataset")
    name = f"{dataset}-{content_key('prompt', [text])[:8]}"
    return Prompt(name, (text,), dataset, _label(row, "language", "en"), (), source)


def _align_bench(row: Row, source: str) -> Prompt:
    turns = _named("question", row["question"])
    return Prompt(
        name_of(row, "question_id"),
        turns,
        f"{_label(row, 'category')}/{_label(row, 'subcategory')}",
        _label(row, "language", "zh"),
        references(row.get("reference"), len(turns)),
        source,
    )


def wild_prompt(row: Row, source: str) -> Prompt:
    """The prompt of a row of WildBench; its checklist stands beside the reference."""
    turns = _named("conversation_input", row["conversation_input"])
    items = row.get("checklist") or []
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        raise ValueError(f"checklist: {said(items)}; it must be a list of texts")
    checklist = "\n".join(f"- {one}" for one in items)
    category = _label(row, "primary_tag")
    name = name_of(row, "session_id", "id")
    return Prompt(name, turns, category, "en", (checklist,) if checklist else (), source)


def _conversation(row: Row, source: str) -> Prompt:
    turns = _named("messages", row["messages"])
    name = name_of(row, *(key for key in ("id", "uid", "question_id", "prompt_id") if key in row))
    return Prompt(name, turns, _label(row, "category"), _label(row, "language", "en"), (), source)


_SHAPES: tuple[tuple[set[str], Make], ...] = (
    ({"question_id", "turns"}, _fastchat),
    ({"uid", "prompt"}, _arena_hard),
    ({"conversation_input"}, wild_prompt),
    ({"question_id", "question", "subcategory"}, _align_bench),
    ({"instruction"}, alpaca_prompt),
    ({"id", "messages"}, _conversation),
    ({"prompt_id", "messages"}, _conversation),
)


def references(value: object, turns: int) -> tuple[str, ...]:
    """Reference answers, one for each turn; empty where a turn has none. Raises ValueError."""
    if value is None or value == [] or value == "":
        return ()
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"reference: {said(value)}; it must be a text, or a list of them")
    if len(given) > turns:
        raise ValueError(f"reference: {len(given)} of them, and there are {turns} turns")
    return (*given, *[""] * (turns - len(given)))


def _named(name: str, value: object) -> tuple[str, ...]:
    try:
        turns = asked_of(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if not any(turn.strip() for turn in turns):
        raise ValueError(f"{name}: {said(value)}; there is no text in it")
    return turns


def _text(row: Row, name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: {said(value)}; it must be a text")
    return value


def _label(row: Row, name: str, default: str = GENERAL) -> str:
    value = row.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: {said(value)}; it must be a text")
    return value
