"""What is there: prompts, models, judges, and how far each stage is."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.assets import named
from arena.cli.options import ConfigFile, Db, Format, Output, db_path, open_store, settings
from arena.cli.output import emit, say
from arena.records import BackendKind, Model


def prompts(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """List the prompt sets."""
    from arena.prompts import prompt_sets

    home = _home(db, config)
    emit(
        [
            {
                "set": entry.name,
                "prompts": len(entry.prompts),
                "two turns": sum(len(prompt.turns) > 1 for prompt in entry.prompts),
                "references": sum(bool(prompt.references) for prompt in entry.prompts),
                "languages": _counted(prompt.language for prompt in entry.prompts),
                "categories": _counted(prompt.category for prompt in entry.prompts),
                "from": str(entry.path),
            }
            for entry in prompt_sets(home)
        ],
        form,
    )


def models(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """List the models: the embedded one, those of arena.yaml, those in the database."""
    from arena.config import EMBEDDED, parse_model

    conf = settings(config)
    found: dict[str, tuple[str, Model]] = {EMBEDDED: ("built in", parse_model(EMBEDDED))}
    path = db_path(db, conf)
    if path.exists():
        store = open_store(db, conf)
        found |= {model.name: (str(path), model) for model in store.models()}
    found |= {name: ("arena.yaml", model) for name, model in conf.candidates().items()}
    emit([_model_row(name, source, model) for name, (source, model) in found.items()], form)


judges = typer.Typer(
    invoke_without_command=True,
    help="List the judge cards, and whether each can judge now; or check one.",
)


@judges.callback()
def list_judges(
    context: typer.Context, db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE
) -> None:
    """List the judge cards, and whether each can judge now; or check one."""
    if context.invoked_subcommand:
        return
    from arena.backends import availability
    from arena.judging import load_card

    home = _home(db, config)
    rows = []
    for name, path in named("judges", ".yaml", home):
        card = load_card(name, home)
        state = availability(card.model)
        rows.append(
            {
                "judge": card.name,
                "weights": card.model.weights,
                "reading": str(card.file.reading),
                "modes": ", ".join(card.templates),
                "can run now": "yes" if state.ready else "no",
                "why": state.detail,
                "from": str(path),
            }
        )
    emit(rows, form)


@judges.command("check")
def check_judge(
    name: Annotated[str, typer.Argument(help="A judge card, or a path to one.")],
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Validate a card: its templates must render in both languages and fence every text."""
    from arena.backends import availability
    from arena.judging import load_card
    from arena.judging.check import check

    card = load_card(name, _home(db, config))
    samples = check(card)
    for sample in samples:
        sys.stdout.write(f"--- {card.name}, {sample.mode}, {sample.language}\n{sample.text}\n\n")
    window = card.model.context_length
    for sample in samples:
        of = f" of the {window:,} of its context" if window else ""
        say(f"{sample.mode}, {sample.language}: about {sample.tokens:,} tokens{of}.")
    state = availability(card.model)
    say(f"{card.path} is valid. It {'can' if state.ready else 'cannot'} run now: {state.detail}.")


def status(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """Count the rows of each stage, and what is missing."""
    store = open_store(db, settings(config))
    counts = store.counts()
    possible = counts["prompts"] * counts["models"]
    missing = {"answers": possible - counts["answers"]}
    emit(
        [
            {"stage": stage, "stored": count, "missing": missing.get(stage)}
            for stage, count in counts.items()
        ],
        form,
    )
    for failure in store.failure_counts():
        say(f"{failure.count} × {failure.kind} in stage {failure.stage}, last: {failure.message}")
    for what, table in (("votes", store.votes), ("withdrawn votes", store.withdrawals)):
        if broken := list(table.broken()):
            say(
                f"The chain of {what} is broken at rows {broken[:10]}: someone has edited the file."
            )


def _model_row(name: str, source: str, model: Model) -> dict[str, Any]:
    from arena.backends import availability

    state = availability(model)
    decoding = model.decoding
    is_asked = model.backend is not BackendKind.IMPORTED
    return {
        "model": name,
        "backend": str(model.backend),
        "weights": model.weights,
        "temperature": decoding.temperature if is_asked else None,
        "max_tokens": decoding.max_tokens if is_asked else None,
        "system": decoding.system,
        "can run now": "yes" if state.ready else "no",
        "why": state.detail,
        "from": source,
    }


def _home(db: Path | None, config: Path | None) -> Path:
    return db_path(db, settings(config)).resolve().parent


def _counted(values: Any) -> str:
    return ", ".join(f"{value} {n}" for value, n in Counter(values).most_common())


COMMANDS = (prompts, models, status)
GROUPS = {"judges": judges}
