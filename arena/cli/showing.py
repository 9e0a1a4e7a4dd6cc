"""What a row says: `arena show prompt`, `answers`, `verdicts`, `failures`."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import ConfigFile, Db, Output, open_store, settings
from arena.cli.output import Format, emit, say
from arena.records import REPAIRED, Note, counted

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
ShownAs = Annotated[
    Format,
    typer.Option(
        "--format",
        help="How to print: as text for people (table), or as json, csv or md with every field.",
    ),
]
OfModel = Annotated[
    str | None,
    typer.Option(
        "--model", help="Only what this model said, or what was said of it.", metavar="NAME"
    ),
]


@show.command("prompt")
def show_prompt(
    name: PromptName, db: Db = None, config: ConfigFile = None, form: ShownAs = Format.TABLE
) -> None:
    """Print a prompt's turns and reference answers, and who answered it.

    \b
    arena show prompt writing-en-01    by its name
    """
    from arena.store.lookup import find_answers, find_prompt

    store = open_store(db, settings(config, ()))
    prompt = find_prompt(store, name)
    if form is not Format.TABLE:
        return emit([_fields(prompt, form)], form)
    names = sorted({answer.model for answer in find_answers(store, prompt)})
    _head(f"{prompt.name} ({prompt.category}, {prompt.language}, key {prompt.key[:8]})")
    if prompt.is_absent:
        _block("", str(Note.of("prompt.absent", name=prompt.name)))
    for number, turn in enumerate(() if prompt.is_absent else prompt.turns, start=1):
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
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Show at most this many.")
    ] = None,
    db: Db = None,
    config: ConfigFile = None,
    form: ShownAs = Format.TABLE,
) -> None:
    """Print the answers to a prompt, and what each took.

    \b
    arena show answers writing-en-01                    of every model
    arena show answers writing-en-01 --model smollm2    of one
    """
    from arena.store.lookup import find_answers, find_prompt

    store = open_store(db, settings(config, ()))
    found = find_answers(store, find_prompt(store, name), model)
    answers = found[:limit]
    if form is not Format.TABLE:
        return emit([_fields(answer, form) for answer in answers], form)
    for answer in answers:
        _head(_about(answer))
        if answer.is_absent:
            _block("", str(Note.of("answers.absent", count=1)))
            continue
        for number, text in enumerate(answer.turns):
            if thinking and answer.thinking:
                _block("thinking", answer.thinking[number])
            _block(
                "turn " + str(number + 1) if len(answer.turns) > 1 else "",
                text if text.strip() else "(empty)",
            )
    if len(answers) < len(found):
        say(f"{len(answers)} of {counted(len(found), 'answer')} shown.")
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
    form: ShownAs = Format.TABLE,
) -> None:
    """Print what judges wrote, how it was read, and why where nothing could be read.

    A judge whose reply has no verdict is asked once more; its second reply is printed below.

    \b
    arena show verdicts --judge smollm2         the latest ten
    arena show verdicts --unparsed --limit 3    what could not be read
    """
    from arena.store.lookup import find_prompt, judgements

    store = open_store(db, settings(config, ()))
    prompt = find_prompt(store, name) if name else None
    found = judgements(store, judge=judge, prompt=prompt, model=model, unparsed=unparsed)
    chosen = list(islice(found, limit))
    if left := sum(1 for _ in found):
        total = counted(len(chosen) + left, "judgement")
        say(f"{len(chosen)} of {total} shown, the latest first; --limit shows more.")
    if form is not Format.TABLE:
        return emit(_alike([_judged(said, form) for said in chosen]), form)
    for said in chosen:
        row = said.judgement
        _head(f"{row.judge} on {' against '.join(said.models)}, prompt {said.prompt.name}")
        _block("read as", _reading(said))
        _replies(row.text)
    if not chosen:
        say("There is nothing of this kind.")
    return None


@show.command("failures")
def show_failures(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """List what failed in each stage, how often, and the last message.

    \b
    arena show failures    everything that failed
    """
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


def _judged(said: "Judged", form: Format) -> dict[str, Any]:
    """What a judge said with the names of what it is about; replies: one, or two after a repair."""
    row = _fields(said.judgement, form) | {"prompt": said.prompt.name, "latest": said.latest}
    replies = said.judgement.text.split(REPAIRED)
    if form is Format.JSON:
        return row | {"models": said.models, "replies": replies}
    return row | {"models": ", ".join(said.models), "text": "\n\n".join(replies)}


def _alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Verdicts, scores and rankings with the same columns; what a kind has not is empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def _replies(text: str) -> None:
    """What a judge wrote; and apart from it what it wrote when it was asked once more."""
    first, *others = text.split(REPAIRED)
    _block("reply", first or "(no text: the odds of the next word were read)")
    for other in others:
        _block(
            "second reply, after it was told that the first has no verdict in the asked form; "
            "this one counts",
            other or "(empty)",
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
    parts += _adjusted(row.adjustments)
    return "; ".join(parts)


def _about(answer: "Answer") -> str:
    usage, ends = answer.usage, set(answer.finish)
    parts = [answer.model, f"key {answer.key[:8]}"]
    if usage.completion_tokens:
        parts.append(f"{counted(usage.completion_tokens, 'token')} in {usage.seconds:.1f} s")
    if answer.first_token is not None:
        parts.append(f"the first after {answer.first_token:.2f} s")
    parts += ["cut off at max_tokens"] if "length" in ends else []
    return ", ".join([*parts, *_adjusted(answer.adjustments)])


def _adjusted(adjustments: Sequence[tuple[str, str]]) -> list[str]:
    """What the server did not take of the request, and what was sent in its place."""
    return [
        _WHOLE.get(name) or (f"{name} as {instead}" if instead else f"asked without {name}")
        for name, instead in adjustments
    ]


_WHOLE = {
    "system": "the system text before the first question",
    "messages": "its chat template applied here, and the text sent to /completions",
}


def _fields(row: "Answer | Prompt | Any", form: Format) -> dict[str, Any]:
    """All fields of a row: nested in JSON, flat in a table."""
    from arena.store.rows import encode

    return asdict(row) | {"key": row.key} if form is Format.JSON else encode(row)


def _head(text: str) -> None:
    sys.stdout.write(f"── {text}\n")


def _block(title: str, text: str) -> None:
    head = f"{title}:\n" if title else ""
    sys.stdout.write(f"{head}{text.rstrip()}\n\n")


COMMANDS = ()
GROUPS = {"show": show}
