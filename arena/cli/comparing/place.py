"""`arena place`: one new model onto a board that exists."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    RANKING,
    ConfigFile,
    Db,
    Limit,
    Output,
    Prompts,
    named,
    open_store,
    settings,
    split,
)
from arena.cli.options.comparing import ConfidenceOption
from arena.cli.options.ranking import AllowWeak
from arena.cli.output import Format, emit, say
from arena.cli.progress import watched
from arena.records import Evidence, counted
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.compare.boards.place import Placement, Predicted
    from arena.store import Store


def place(
    model: Annotated[str, typer.Argument(help="The model to place.")],
    judge: Annotated[
        str | None,
        typer.Option(
            help="Ask this judge for comparisons of the model, those first that tell most. Without "
            "it the model is placed by what is stored."
        ),
    ] = None,
    budget: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --judge: at most N pairs of answers.")
    ] = 60,
    width: Annotated[
        float | None,
        typer.Option(
            min=1,
            metavar="POINTS",
            help="With --judge: stop as soon as the interval is no wider, in Elo points.",
        ),
    ] = None,
    pool: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A file of battles that makes the board, such as those of a public arena. Without "
            "it the board is that of the database.",
        ),
    ] = None,
    evidence: Annotated[
        Evidence, typer.Option(help="Without --judge: what places the model.")
    ] = Evidence.HUMAN,
    confidence: ConfidenceOption = 0.95,
    prompts: Prompts = None,
    limit: Limit = None,
    allow_weak_judges: AllowWeak = False,
    form: Output = Format.TABLE,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Place one model on a board that exists, whose ratings stay as they are.

    The interval allows for what is not known of the others. Where people and a judge have both
    rated 10 or more models, it is also said what people would say of this one.

    \b
    arena place new                                by the votes that are stored
    arena place new --judge smollm2 --budget 60    by a judge, with 60 pairs
    """
    from arena.compare.boards.place import place as place_model
    from arena.compare.boards.placing import PlacedWhen, place_by_judge, split_off
    from arena.generation.prompts import answered_prompts
    from arena.interchange.battles import read_battles
    from arena.judging import load_card
    from arena.leaderboard.evidence.gathering import gather
    from arena.ratings import concat

    conf = settings(config, (*RANKING, "models", "prompts"))
    store = open_store(db, conf)
    model = named(store, conf.candidates(), model)
    if judge is not None:
        if pool is not None:
            raise InputError("--pool goes with stored comparisons, not with --judge")
        card = load_card(judge, store.home)
        asked = answered_prompts(store, split(prompts), conf, limit)
        with watched() as tracker:
            run = place_by_judge(
                store, card, asked, model, until=PlacedWhen(budget, width), confidence=confidence,
                allow_weak=allow_weak_judges, watch=tracker,
            )  # fmt: skip
        say(f"{judge} was asked about {counted(run.asked, 'pair')} of answers.")
        found, predicted = run.placement, _predicted(store, judge, model, confidence)
    else:
        gathered, predicted = gather(store), None
        parts = {
            Evidence.HUMAN: [gathered.human] if gathered.human is not None else [],
            Evidence.JUDGE: list(gathered.judges.values()),
            Evidence.OBJECTIVE: list(gathered.objective.values()),
        }
        if evidence is Evidence.COMBINED:
            raise InputError("--evidence combined; a model is placed by human, judge or objective")
        if not parts[evidence]:
            raise InputError(f"{store.path} has no comparisons of the kind {evidence}")
        rest, own = split_off(concat(parts[evidence]), model)
        rest = rest if pool is None else read_battles(pool)
        if rest is None or own is None:
            raise InputError(f"nothing compares {model!r} with any model of the board")
        found = place_model(rest, own, model, confidence)
    _print(found, predicted, form)


def _predicted(store: "Store", judge: str, model: str, confidence: float) -> "Predicted | None":
    """What people would say, where enough models have both; else None, and why is said."""
    from arena.compare.boards.place import predicted
    from arena.leaderboard.evidence.gathering import gather

    gathered = gather(store)
    if gathered.human is None:
        return None
    try:
        return predicted(gathered.human, gathered.judges[judge], model, confidence)
    except InputError as error:
        say(f"No prediction of what people would say: {error}.")
        return None


def _print(found: "Placement", predicted: "Predicted | None", form: Format) -> None:
    if form is Format.JSON:
        whole = {**asdict(found), "predicted": None if predicted is None else asdict(predicted)}
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
        return
    row = {
        "model": found.model,
        "rating": f"{found.rating:.0f}",
        f"{found.confidence:.0%} interval": f"{found.low:.0f} to {found.high:.0f}",
        "rank": f"{found.rank} of {found.models}",
        "comparisons": found.comparisons,
        "opponents": found.opponents,
        "error of the model": f"{found.own:.0f}",
        "error of the board": f"{found.board:.0f}",
    }
    emit([row], form, title="On the board as it is")
    if found.prior is not None:
        say(
            f"{found.model} won or lost everything, so that its rating is finite only through a "
            f"normal prior with a standard deviation of {found.prior:.0f} points."
        )
    if predicted is not None:
        low, high = f"{predicted.low:.0f}", f"{predicted.high:.0f}"
        say(f"People would rate it {predicted.rating:.0f} ({low} to {high}), by this judge.")
        rows = [
            {
                "left out": one.model,
                "predicted": f"{one.predicted:.0f}",
                "by people": f"{one.known:.0f}",
                "off by": f"{one.predicted - one.known:+z.0f}",
            }
            for one in predicted.left_out
        ]
        emit(rows, form, title="How the prediction did on models left out, one by one")


COMMANDS = (place,)
