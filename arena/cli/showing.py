"""What a row says: `arena show prompt`, `answers`, `verdicts`, `failures`."""

import json
import sys
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import ConfigFile, Db, Output, open_store, settings
from arena.cli.output import Format, emit, say

if TYPE_CHECKING:
    from arena.records import Answer, Prompt
    from arena.store.lookup import Judged

show = typer.Typer(no_args_is_help=True, help="Print what is stored: texts, replies, reasons.")

PromptName = Annotated[
    str,
    typer.Argument(
        help="A prompt's name, as in writing-en-01, or the first six or more characters of its key."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the rows as JSON, one a line.")]
OfModel = Annotated[
    str | None,
    typer.Option(
        "--model", help="Only what this model said, or what was said of it.", metavar="NAME"
    ),
]


@show.command("prompt")
def show_prompt(
    name: PromptName, db: Db = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Print a prompt's turns and reference answers, and who answered it."""
    from arena.store.lookup import find_answers, find_prompt

    store = open_store(db, settings(config, ()))
    prompt = find_prompt(store, name)
    if as_json:
        return _json([_fields(prompt)])
    names = sorted({answer.model for answer in find_answers(store, prompt)})
    _head(f"{prompt.name} ({prompt.category}, {prompt.language}, key {prompt.key[:8]})")
    for number, turn in enumerate(prompt.turns, start=1):
        _block(f"turn {number}" if len(prompt.turns) > 1 else "", turn)
    for number, reference in enumerate(prompt.references, start=1):
        _block(f"reference {number}", reference)
    say(f"Answered by {', '.join(names) or 'nobody'}.")
    return None


@show.command("answers")
def show_answers(
    name: PromptName,
    model: OfModel = None,
    thinking: Annotated[
        bool, typer.Option("--thinking", help="Also print what the model thought before it.")
    ] = False,
    db: Db = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print the answers to a prompt, and what each took."""
    from arena.store.lookup import find_answers, find_prompt

    store = open_store(db, settings(config, ()))
    answers = find_answers(store, find_prompt(store, name), model)
    if as_json:
        return _json(map(_fields, answers))
    for answer in answers:
        _head(_about(answer))
        for number, text in enumerate(answer.turns):
            if thinking and answer.thinking:
                _block("thinking", answer.thinking[number])
            _block("turn " + str(number + 1) if len(answer.turns) > 1 else "", text or "(empty)")
    return None


@show.command("verdicts")
def show_verdicts(
    judge: Annotated[
        str | None, typer.Option("--judge", help="Only what this judge said.", metavar="NAME")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--prompt", help="Only on this prompt.", metavar="NAME")
    ] = None,
    model: OfModel = None,
    unparsed: Annotated[
        bool,
        typer.Option(
            "--unparsed", help="Only replies in which no verdict could be read, with the reasons."
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Show at most this many, the latest first.")
    ] = 10,
    db: Db = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print what judges wrote, how it was read, and why where nothing could be read."""
    from arena.store.lookup import find_prompt, judgements

    store = open_store(db, settings(config, ()))
    prompt = find_prompt(store, name) if name else None
    found = judgements(store, judge=judge, prompt=prompt, model=model, unparsed=unparsed)
    chosen = list(islice(found, limit))
    if as_json:
        return _json(_fields(said.judgement) | {"models": said.models} for said in chosen)
    for said in chosen:
        row = said.judgement
        _head(f"{row.judge} on {' against '.join(said.models)}, prompt {said.prompt.name}")
        _block("read as", _reading(said))
        _block("reply", row.text or "(no text: the odds of the next word were read)")
    say(f"{len(chosen)} shown, the latest first." if chosen else "There is nothing of this kind.")
    return None


@show.command("failures")
def show_failures(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """List what failed in each stage, how often, and the last message."""
    failures = open_store(db, settings(config, ())).failure_counts()
    if not failures and form is Format.TABLE:
        say("Nothing failed.")
        return
    emit(
        [
            {"stage": f.stage, "kind": f.kind, "count": f.count, "last message": f.message}
            for f in failures
        ],
        form,
    )


def _reading(said: "Judged") -> str:
    row: Any = said.judgement
    value = next(
        getattr(row, name) for name in ("preference", "value", "ranks") if hasattr(row, name)
    )
    parts = [f"{value}" if not row.reason else f"unparsed: {row.reason}"]
    parts += [f"cut at {row.finish}"] if row.finish == "length" else []
    parts += ["the answers were cut to the judge's context"] if row.truncated else []
    parts += [] if said.latest else ["a later reading took its place"]
    return "; ".join(parts)


def _about(answer: "Answer") -> str:
    usage, ends = answer.usage, set(answer.finish)
    parts = [answer.model, f"key {answer.key[:8]}"]
    if usage.completion_tokens:
        parts.append(f"{usage.completion_tokens:,} tokens in {usage.seconds:.1f} s")
    parts += ["cut off at max_tokens"] if "length" in ends else []
    return ", ".join(parts)


def _fields(row: "Answer | Prompt | Any") -> dict[str, Any]:
    from arena.store.rows import encode

    return encode(row)


def _json(rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _head(text: str) -> None:
    sys.stdout.write(f"── {text}\n")


def _block(title: str, text: str) -> None:
    head = f"{title}:\n" if title else ""
    sys.stdout.write(f"{head}{text.rstrip()}\n\n")


COMMANDS = ()
GROUPS = {"show": show}
