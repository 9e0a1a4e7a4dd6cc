"""Whole runs: the demo, a configuration, the app; and what they start from."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.benching import report
from arena.cli.options import ConfigFile, Db, NewVersion, db_path, fill_store, settings
from arena.cli.options.bundles import bundled
from arena.cli.options.where import WhereWhole
from arena.cli.output import Format, say, warn
from arena.cli.progress import finish, watched
from arena.cli.ranking import print_board
from arena.files.assets import builtin
from arena.records import COMMAND_LINE
from arena.records.errors import GateError, InputError, RatingError

if TYPE_CHECKING:
    from arena.config import Config
    from arena.records import Model

TINY = {"prompts": 2, "items": 4}
MINUTES = {False: "five", True: "two"}  # measured, by whether it is tiny


def demo(
    tiny: Annotated[
        bool,
        typer.Option("--tiny", help="Use two prompts and four questions only, for a quick look."),
    ] = False,
    db: Db = None,
) -> None:
    """Run the whole path on the embedded model: answers, verdicts, benchmark, ranking, site.

    It needs no network and no graphics card. What it stored is not asked again.

    \b
    arena demo --tiny    two minutes on two cores
    arena demo           five minutes
    """
    from arena.config import load_config

    config = load_config(builtin("data") / "demo.yaml")
    if tiny:
        benchmarks = [b.model_copy(update={"limit": TINY["items"]}) for b in config.benchmarks]
        config = config.model_copy(update={"limit": TINY["prompts"], "benchmarks": benchmarks})
    path = db_path(db, config)
    say(
        f"The demo writes {path} and the site in {config.publish}/. On two cores it takes some "
        f"{MINUTES[tiny]} minutes{'' if tiny else ' (arena demo --tiny: two)'}; run again after a "
        "stop it goes on, and nothing is asked twice."
    )
    _run(path, config, WhereWhole())
    option = "" if path == Path("arena.db") else f" --db {path}"
    say(f"Vote and look: {_launch_line(option)}")


@bundled
def run(
    new_version: NewVersion = False,
    db: Db = None,
    config: ConfigFile = None,
    *,
    where: WhereWhole,
) -> None:
    """Run all stages as arena.yaml says: answers, verdicts, benchmarks, ranking, site.

    What is stored already is not asked again. Where the evidence makes no ranking, what there
    is is published without one, and the exit code is 1; so it is where something is left undone or
    too few of a judge's replies could be read.

    \b
    arena init                 write an arena.yaml to change
    arena run                  do what it says
    arena run --new-version    where a model's settings have changed
    arena run --devices all    local models side by side, one on each GPU
    """
    where.check()
    if config is None and not Path("arena.yaml").exists():
        raise InputError("there is no arena.yaml here; 'arena init' writes one with comments")
    conf = settings(config)
    if not conf.models:
        raise InputError("no models are configured; write some under `models:` in arena.yaml")
    _run(db_path(db, conf), conf, where, new_version=new_version)


def init(
    sample: Annotated[
        bool, typer.Option("--sample", help="Put the sample data into the database instead.")
    ] = False,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Write a commented arena.yaml; or, with --sample, fill the database with sample data.

    \b
    arena init                          an arena.yaml to change
    arena init --sample --db look.db    a database to look at
    """
    if sample:
        from arena.interchange.sample import load_sample

        with fill_store(db_path(db, settings(config, ()))) as store:
            load_sample(store)
        counts = ", ".join(f"{n} {name}" for name, n in store.counts().items() if n)
        say(f"{store.path} now holds {counts}. Nobody has voted yet: {_launch_line()}")
        return
    path = config or Path("arena.yaml")
    text = (builtin("data") / "arena.yaml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InputError(
            f"{path} is there already, and stays as it is; --config names another"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    say(f"Wrote {path}. Change it, then: arena run")


def app(
    db: Db = None,
    config: ConfigFile = None,
    host: Annotated[
        str | None,
        typer.Option(
            envvar="ARENA_HOST", help="The address to listen on. 0.0.0.0 lets other machines in."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(envvar="ARENA_PORT", min=0, max=65535, help="The port to listen on."),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            envvar="ARENA_AUTH",
            metavar="NAME:PASSWORD",
            help="Ask every visitor for this name and password.",
        ),
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            envvar="ARENA_ROOT_PATH",
            help="The path under which a proxy serves the app, as in /arena.",
        ),
    ] = None,
) -> None:
    """Open the app, in which people vote and look at the ranking, in the browser.

    The models of arena.yaml answer in live battles. Stop it with Ctrl-C.

    \b
    arena app                               on this machine alone
    arena app --host 0.0.0.0 --port 8000    for others, too
    """
    from arena.web import launch

    conf = settings(config)
    update = {} if root_path is None else {"root_path": root_path}
    launch(
        db_path(db, conf),
        host=conf.host if host is None else host,
        port=conf.port if port is None else port,
        models=_live(db_path(db, conf), conf),
        settings=conf.app.model_copy(update=update),
        auth=_name_and_password(auth),
        config=conf,
    )


def _live(path: Path, config: "Config") -> "dict[str, Model]":
    """The models of live battles, each under the name that it is stored by."""
    from arena.store import Store
    from arena.store.archive import Archivable
    from arena.store.versions import Changed, find

    models = config.candidates()
    if not path.exists():
        return models
    store = Store(path)
    found = [find(store, model) for model in models.values()]
    for one in found:
        if isinstance(one, Changed):
            say(f"{one}. Live battles leave it out; arena run --new-version stores it anew.")
    aside = store.archive.names(Archivable.MODEL)
    store.close()
    settled = [one for one in found if not isinstance(one, Changed) and one.name not in aside]
    return {model.name: model for model in settled}


def _name_and_password(auth: str | None) -> tuple[str, str] | None:
    if auth is None:
        return None
    name, colon, password = auth.partition(":")
    if not (name and colon and password):
        raise InputError("--auth takes a name and a password with a colon between: NAME:PASSWORD")
    return name, password


def _run(path: Path, config: "Config", where: WhereWhole, *, new_version: bool = False) -> None:
    from arena.backends import Limits, executing
    from arena.generation.batch import was_interrupted
    from arena.generation.devices import parse_devices
    from arena.pipeline.stages import Places, run_config

    devices = parse_devices(where.side_by_side)
    with (
        executing(where.executor) as machines,
        fill_store(path) as store,
        watched(Limits(machines=machines)) as tracker,
    ):
        places = Places(tuple(devices), machines)
        done = run_config(store, config, tracker, say, places, new_version=new_version)
    if was_interrupted(done.steps):
        warn("Stopped. What is done is stored; run the same command again to go on.")
        sys.exit(1)
    if done.results:
        report(done.results, Format.TABLE)
    if done.refused is None:
        print_board(done.board)
    else:
        warn(f"There is no ranking yet: {done.refused.text(place=COMMAND_LINE)}")
    if config.publish:
        page = Path(config.publish) / "index.html"
        say(f"Published{'' if done.board.rows else ' without a ranking'}: {page}")
    finish(done.steps)
    if done.poorly_parsed or isinstance(done.refused, GateError | RatingError):
        sys.exit(1)


def _launch_line(option: str = "") -> str:
    """The command that opens the app from here, whether or not an environment is activated."""
    if not Path("app.py").exists():
        return f"{Path(sys.argv[0]).name} app{option}"
    if not option and Path("Makefile").exists():
        return "make app"
    return f"{os.path.relpath(sys.executable)} app.py{option}"


COMMANDS = (demo, init, run, app)
