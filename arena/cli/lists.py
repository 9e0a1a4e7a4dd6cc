"""What is there: prompts, models, judges, and how far each stage is."""

import sys
from collections import Counter
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import ConfigFile, Db, Output, db_path, open_store, settings
from arena.cli.output import Format, emit, say
from arena.files.assets import named
from arena.records import BackendKind, Model, counted
from arena.records.errors import ArenaError, InputError

if TYPE_CHECKING:
    from arena.config import Config
    from arena.store import Store


def prompts(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """List the prompt sets: the built-in ones, and yours in prompts/ beside the database.

    \b
    arena prompts                    what there is
    arena generate --prompts core    use one
    """
    from arena.generation.prompts import prompt_sets

    sets = list(prompt_sets(_home(db, config)))
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
            for entry in sets
            if not entry.problem
        ],
        form,
    )
    for entry in sets:
        if entry.problem:
            say(f"{entry.name} cannot be used: {entry.problem}")


models = typer.Typer(invoke_without_command=True)
Name = Annotated[str, typer.Argument(help="The name, as the list has it.", metavar="NAME")]


@models.callback()
def list_models(
    context: typer.Context,
    archived: Annotated[
        bool, typer.Option("--archived", help="Also list the models that are archived.")
    ] = False,
    about: Annotated[
        bool,
        typer.Option(
            "--about",
            help="Show what is known of the stored models instead: prices, what 1,000 answers "
            "cost, seconds, tokens, licence and release.",
        ),
    ] = False,
    db: Db = None,
    config: ConfigFile = None,
    form: Output = Format.TABLE,
) -> None:
    """List the models of arena.yaml and of the database; archive, rename or restore one.

    An archived model is left out of rankings, voting and pages; nothing of it is lost.

    \b
    arena models                      every model, and whether it can run now
    arena models rename gpt4 gpt-4    give one another name
    """
    if context.invoked_subcommand:
        return
    from arena.config import EMBEDDED, parse_model
    from arena.store.archive import Archivable
    from arena.store.versions import current_name, replaced

    conf = settings(config, ())  # one wrong entry does not hide the others
    if about:
        _about_models(open_store(db, conf), conf, form)
        return
    found: dict[str, tuple[str, Model]] = {EMBEDDED: ("built in", parse_model(EMBEDDED))}
    path = db_path(db, conf)
    states: dict[str, str] = {}
    configured = conf.candidates()
    if path.exists():
        store = open_store(db, conf)
        stored = store.models(archived=True)
        aside = store.archive.names(Archivable.MODEL)
        configured = {current_name(store, m): m for m in configured.values()}
        latest = replaced(store, in_use=configured)
        states = {name: f"old version of {new}" for name, new in latest.items()}
        states |= dict.fromkeys(aside, "archived")
        found |= {m.name: (str(path), m) for m in stored if archived or m.name not in aside}
    found |= {name: ("arena.yaml", model) for name, model in configured.items()}
    emit(
        [_model_row(n, source, m, states.get(n, "")) for n, (source, m) in found.items()],
        form,
    )


def _about_models(store: "Store", conf: "Config", form: Format) -> None:
    """What is known of each stored model; a table for people leaves out what is known of none."""
    from arena.leaderboard.facts import model_facts

    facts = model_facts(store, list(conf.candidates().values()))
    rows = [
        {"model": name} | {key.replace("_", " "): value for key, value in asdict(known).items()}
        for name, known in sorted(facts.items())
    ]
    if not rows and form is Format.TABLE:
        say("No models are stored yet; arena generate asks some.")
        return
    if form is Format.TABLE:
        known = [key for key in rows[0] if any(row[key] is not None for row in rows)]
        rows = [{key: row[key] for key in known} for row in rows]
    emit(rows, form)


@models.command("archive")
def archive_model(name: Name, db: Db = None, config: ConfigFile = None) -> None:
    """Leave a model out of rankings, voting and pages, until it is restored.

    \b
    arena models archive gpt-4    leave it out
    arena models restore gpt-4    take it back
    """
    from arena.store.archive import Archivable

    open_store(db, settings(config, ())).archive.put(Archivable.MODEL, name)
    say(f"{name} is archived. Its rows are kept: arena models restore {name} takes it back.")


@models.command("restore")
def restore_model(name: Name, db: Db = None, config: ConfigFile = None) -> None:
    """Let an archived model count and be shown again.

    \b
    arena models --archived       which ones there are
    arena models restore gpt-4    take one back
    """
    from arena.store.archive import Archivable

    open_store(db, settings(config, ())).archive.restore(Archivable.MODEL, name)
    say(f"{name} is back.")


@models.command("rm")
def remove_model(name: Name, db: Db = None, config: ConfigFile = None) -> None:
    """Remove a model that has said nothing; archive one that has.

    What a model has said is never deleted. With other settings, the name is free for a new
    version of it.

    \b
    arena models rm gpt-4    remove it, or archive it
    """
    from arena.store.archive import Archivable

    store = open_store(db, settings(config, ()))
    store.archive.put(Archivable.MODEL, name)
    if store.has_rows(name):
        say(f"{name} is archived. Its rows are kept: arena models restore {name} takes it back.")
    else:
        store.archive.forget(name)
        say(f"{name} is removed. It had said nothing.")


@models.command("rename")
def rename_model(
    name: Name,
    new: Annotated[str, typer.Argument(help="The new name.", metavar="NEW")],
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Give a stored model another name; nothing is asked again.

    Its older and newer versions, such as gpt4@2, go with it.

    Write the new name into arena.yaml as well, where the model stands there.

    \b
    arena models rename gpt4 gpt-4    gpt4 is gpt-4 from now on
    """
    from arena.records import tidy
    from arena.store.versions import current_name

    conf = settings(config, ())
    if not (named := tidy(new)):
        raise InputError("the new name is empty")
    store = open_store(db, conf)
    in_file = {current_name(store, model) for model in conf.candidates().values()}
    renamed = store.archive.rename(name, named)
    is_in_file = bool(in_file.intersection(renamed))
    there = f" Write {named} into arena.yaml too, under models." if is_in_file else ""
    also = [f"{old} is {now}" for old, now in renamed.items() if old != name]
    with_it = f", and {', '.join(also)}" if also else ""
    say(f"{name} is {named} now{with_it}.{there}")


_JUDGE_COLUMNS = ("judge", "state", "weights", "reading", "modes", "can run now", "why", "from")

judges = typer.Typer(invoke_without_command=True)


@judges.callback()
def list_judges(
    context: typer.Context, db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE
) -> None:
    """List the judge cards, and whether each can judge now; check, copy or archive one.

    An archived judge is left out of rankings and pages; nothing that it said is lost.

    \b
    arena judges                      every card, and whether it can judge now
    arena judges copy smollm2 mine    make a card of your own
    """
    if context.invoked_subcommand:
        return
    from arena.backends import availability
    from arena.judging import load_card

    home = _home(db, config)
    aside = _archived_judges(db_path(db, settings(config, ())))
    rows = []
    for name, path in named("judges", ".yaml", home):
        try:
            card = load_card(name, home)
        except ArenaError as error:  # one bad card does not hide the others
            rows.append(dict.fromkeys(_JUDGE_COLUMNS, "") | {"judge": name, "can run now": "no"})
            rows[-1] |= {"why": str(error), "from": str(path)}
            continue
        state = availability(card.model)
        rows.append(
            {
                "judge": card.name,
                "state": "archived" if card.name in aside else "",
                "weights": card.model.weights,
                "reading": str(card.file.reading),
                "modes": ", ".join(card.modes),
                "can run now": "yes" if state.ready else "no",
                "why": state.detail,
                "from": str(path),
            }
        )
    emit(rows, form)


def _archived_judges(path: Path) -> set[str]:
    """The judges that are put aside in a database, if there is one."""
    if not path.exists():
        return set()
    from arena.store import Store
    from arena.store.archive import Archivable

    return Store(path, create=False).archive.names(Archivable.JUDGE)


@judges.command("check")
def check_judge(
    name: Annotated[str, typer.Argument(help="A judge card, or a path to one.")],
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Check a judge card: its templates must render in both languages, fence every text, and ask
    for a verdict in the form that the card reads.

    The samples that it prints are what the judge would read.

    \b
    arena judges check mine                a card by its name
    arena judges check judges/mine.yaml    or by its file
    """
    from arena.backends import availability
    from arena.judging import load_card
    from arena.judging.cards.check import check

    card = load_card(name, _home(db, config))
    samples = check(card)
    for sample in samples:
        sys.stdout.write(f"--- {card.name}, {sample.mode}, {sample.language}\n{sample.text}\n\n")
    say("The texts in these samples are made up, and try to break out of their sections.")
    window = card.model.context_length
    for sample in samples:
        of = f" of the {window:,} of its context" if window else ""
        say(f"{sample.mode}, {sample.language}: about {counted(sample.tokens, 'token')}{of}.")
    for sample in samples:
        if sample.unshown:
            say(
                f"{sample.mode}, {sample.language}: the template shows no form of a verdict, and "
                f"the card reads {sample.unshown}. A reply in another form may not be read."
            )
    state = availability(card.model)
    say(f"{card.path} is valid. It {'can' if state.ready else 'cannot'} run now: {state.detail}.")


@judges.command("copy")
def copy_judge(
    name: Annotated[str, typer.Argument(help="A judge card, such as internlm2-20b.")],
    new: Annotated[str, typer.Argument(help="The name of the copy.", metavar="NEW")],
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Copy a card and its templates into judges/ beside the database, to be changed there.

    \b
    arena judges copy smollm2 mine    writes judges/mine.yaml
    arena judges check mine           after every change
    """
    from arena.judging.cards.copying import copy_card

    path = copy_card(name, new, _home(db, config))
    say(f"Wrote {path} and its templates. Change them, then: arena judges check {new}")


@judges.command("archive")
def archive_judge(name: Name, db: Db = None, config: ConfigFile = None) -> None:
    """Leave out what a judge said, until it is restored. Its card stays where it is.

    \b
    arena judges archive mine    leave it out
    arena judges restore mine    take it back
    """
    from arena.store.archive import Archivable

    open_store(db, settings(config, ())).archive.put(Archivable.JUDGE, name)
    say(f"{name} is archived. What it said is kept: arena judges restore {name} takes it back.")


@judges.command("rm")
def remove_judge(name: Name, db: Db = None, config: ConfigFile = None) -> None:
    """The same as archive: what a judge said is never deleted.

    \b
    arena judges rm mine    leave it out
    """
    archive_judge(name, db, config)


@judges.command("restore")
def restore_judge(name: Name, db: Db = None, config: ConfigFile = None) -> None:
    """Let what an archived judge said count again.

    \b
    arena judges restore mine    take it back
    """
    from arena.store.archive import Archivable

    open_store(db, settings(config, ())).archive.restore(Archivable.JUDGE, name)
    say(f"{name} is back.")


def status(db: Db = None, config: ConfigFile = None, form: Output = Format.TABLE) -> None:
    """Count the rows of each stage, and say what is missing, unparsed, failed or out of date.

    The column missing counts the rows that arena run would add: answers, what the judges of
    arena.yaml have not yet said of the stored answers, and benchmark items that a model has not
    answered. Archived models and judges lack nothing. A dash stands where it is not known, as
    before the first run of a benchmark, or where arena.yaml names no judge.

    Runs that are under way are named, each with the workers that do its rows.

    The column unparsed counts replies of judges in which no verdict could be read, and failed the
    rows that were tried and are not there to this day.

    \b
    arena status                      how far everything is
    arena show verdicts --unparsed    why replies could not be read
    arena show failures               what failed
    """
    from arena.pipeline.drift import absent_answers, mismatches, no_answers, older_replies, stages

    conf = settings(config, ())
    store = open_store(db, conf)
    found = stages(store, conf)
    emit([asdict(stage) for stage in found], form)
    if any(stage.unparsed for stage in found):
        say("The unparsed replies, with the reasons: arena show verdicts --unparsed")
    for stage in store.failure_counts() if any(stage.failed for stage in found) else []:
        say(f"{stage.count} × {stage.kind} in stage {stage.stage}, last: {stage.message}")
    told = (no_answers(store), older_replies(store), absent_answers(store), mismatches(store, conf))
    for sentence in chain.from_iterable(told):
        say(f"{sentence.rstrip('.')}.")
    for one in store.leases.at_work():
        by = f"{one.worker} for process" if one.worker else "process"
        say(f"{counted(one.rows, 'row is', 'rows are')} in the hands of {by} {one.process}.")
    for what, table in (("votes", store.votes), ("withdrawn votes", store.withdrawals)):
        if broken := list(table.broken()):
            say(
                f"The chain of {what} is broken at rows {broken[:10]}: someone has edited the file."
            )


def _model_row(name: str, source: str, model: Model, state: str) -> dict[str, Any]:
    from arena.backends import Availability, availability

    try:
        now = availability(model)
    except ArenaError as error:  # a name that a file or an earlier release had
        now = Availability(False, str(error))
    decoding = model.decoding
    is_asked = model.backend is not BackendKind.IMPORTED
    return {
        "model": name,
        "state": state,
        "can run now": "yes" if now.ready else "no",
        "why": now.detail,
        "backend": str(model.backend),
        "weights": " + ".join(filter(None, (model.weights, model.adapter))),
        "temperature": decoding.temperature if is_asked else None,
        "max_tokens": decoding.max_tokens if is_asked else None,
        "system": decoding.system,
        "from": source,
    }


def _home(db: Path | None, config: Path | None) -> Path:
    return db_path(db, settings(config, ())).resolve().parent


def _counted(values: Any) -> str:
    return ", ".join(f"{value} {n}" for value, n in Counter(values).most_common())


COMMANDS = (prompts, status)
GROUPS = {"models": models, "judges": judges}
