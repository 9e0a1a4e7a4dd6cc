"""`arena judge`: judge models compare answers in pairs, score them or put them in order."""

import json
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer

from arena.cli.options import (
    BaseUrl,
    ConfigFile,
    Db,
    Limit,
    Models,
    Prompts,
    db_path,
    named,
    open_store,
    settings,
    split,
)
from arena.cli.options.bundles import bundled
from arena.cli.options.judging import Instead, RunLimits, WhatIsJudged
from arena.cli.options.where import WhereServed
from arena.cli.output import say, say_estimates, warn
from arena.cli.progress import finish, watched
from arena.records import COMMAND_LINE, BackendKind, ServerProgram, counted
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.backends import Budget
    from arena.judging import JudgeCard, Plan
    from arena.store import Store

MIN_PARSED = 0.95  # as arena.judging has it, which is imported late
USUAL_CONCURRENCY = 32  # for an estimate, where the number is left to adapt


@bundled
def judge(
    judges: Annotated[
        list[str],
        typer.Option(
            "--judge",
            help="Judge cards by name, as arena judges lists them, separated by commas. Several "
            "form a panel.",
        ),
    ],
    models: Models = None,
    prompts: Prompts = None,
    limit: Limit = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Other weights for the judge in this run, as in --weights hf:Qwen/Qwen3-8B."
        ),
    ] = None,
    min_valid: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many judges of a panel must have compared a pair for it to count."
        ),
    ] = None,
    min_parsed: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Exit with 1 where a verdict could be read in less than this share of the "
            "replies.",
        ),
    ] = MIN_PARSED,
    json_log: Annotated[
        Path | None,
        typer.Option(
            help="Also write the progress to the end of this file, as one JSON object a line."
        ),
    ] = None,
    base_url: BaseUrl = None,
    db: Db = None,
    config: ConfigFile = None,
    *,
    what: WhatIsJudged,
    instead: Instead,
    where: WhereServed,
    limits: RunLimits,
) -> None:
    """Let judge models compare answers in pairs, score them or put them in order.

    What is stored already is not asked again, so a run that was stopped goes on where it was. Each
    pair of answers is shown in both orders, so that a preference for the first one is noticed.

    \b
    arena judge --judge smollm2 --dry-run    what it would take
    arena judge --judge smollm2              every pair of answers
    arena judge --judge a,b --mode score     points of two judges for each answer
    """
    from arena.backends import executing
    from arena.generation.batch import in_turn
    from arena.generation.devices import parse_devices, side_by_side
    from arena.generation.prompts import answered_prompts
    from arena.judging import Judging, Wanted, load_card, plan, runs_here
    from arena.leaderboard.evidence.designs import baseline_note
    from arena.leaderboard.evidence.worth_judging import battles_worth_judging
    from arena.store.archive import Archivable

    where.check()
    conf = settings(config, ("models", "prompts", "limit"))
    home = db_path(db, conf).resolve().parent
    cards = [load_card(name, home, weights=weights, base_url=base_url) for name in split(judges)]
    if where.serve and not instead.dry_run:
        cards = [_at_a_server(card, where.serve) for card in cards]
    budget = limits.budget
    _check_budget(cards, budget)
    _check_judges(len(cards), min_valid)
    instead.check()
    store = open_store(db, conf)
    if aside := store.archive.names(Archivable.JUDGE) & {card.name for card in cards}:
        name = min(aside)
        raise InputError(
            f"the judge {name} is archived; 'arena judges restore {name}' takes it back"
        )
    if instead.collect:
        _collect(store, cards)
        return
    asked = answered_prompts(store, split(prompts), conf, limit or conf.limit)
    if part := where.part:
        if what.pairs:
            raise InputError("--pairs chooses among all prompts; it does not go with --shard")
        asked = part.take(asked)
    candidates = conf.candidates()
    chosen = [named(store, candidates, name) for name in split(models)]
    baseline = what.baseline and named(store, candidates, what.baseline)
    wanted = Wanted(baseline, None, not what.one_order, what.samples)
    if what.pairs:
        names = [card.name for card in cards]
        both = not what.one_order and all(card.file.orders == "both" for card in cards)
        battles = battles_worth_judging(store, asked, chosen, what.pairs, names, both_orders=both)
        wanted = replace(wanted, battles=battles)
    plans = [plan(store, card, asked, what.mode, models=chosen, wanted=wanted) for card in cards]
    if baseline and (cost := baseline_note(store, chosen, baseline)):
        say(cost.text(place=COMMAND_LINE))
    todo = [one.only_failed() for one in plans] if instead.retry_failed else plans
    if instead.dry_run:
        sets = ", ".join(dict.fromkeys(filter(None, (prompt.source for prompt in asked))))
        _say_estimates(todo, limits.concurrency, f"{counted(len(asked), 'prompt')} of {sets}")
        return
    read_anew = sum(one.reparse() for one in todo)
    if read_anew or instead.reparse:
        replies = counted(read_anew, "stored reply was", "stored replies were")
        say(f"{replies} read by the card as it is now.")
    if instead.batch:
        _hand_in(todo, budget)
        return
    steps = []
    if not instead.reparse:
        with (
            executing(where.executor) as machines,
            watched(limits.within(budget, machines), json_log) as tracker,
        ):
            work = Judging(store.path, asked, what.mode, chosen, wanted, instead.retry_failed)
            apart = [p for p in plans if where.devices and runs_here(p.card)]
            jobs = {f"{p.card.name} judges": partial(work.ask, p.card) for p in apart}
            steps = side_by_side(parse_devices(where.side_by_side), jobs, str(what.mode), tracker)
            here = [p for p in plans if p not in apart]
            runs = [partial(p.run, tracker, retry_failed=instead.retry_failed) for p in here]
            steps += in_turn(str(what.mode), runs)
    poor = _poorly_parsed(plans, min_parsed)
    if len(cards) > 1:
        _say_panel(store, [card.name for card in cards], min_valid or 1)
    finish(steps)
    if poor:
        sys.exit(1)


def _at_a_server(card: "JudgeCard", program: ServerProgram) -> "JudgeCard":
    """The card with its model on a server that is started now and ends with the command."""
    from arena.backends.serving import as_served, reached

    if card.is_reward:
        raise InputError(f"{card.path}: a reward model runs in this process, without --serve")
    server = reached(as_served(card.model), program)
    return replace(card, model=click.get_current_context().with_resource(server))


def _check_budget(cards: "list[JudgeCard]", budget: "Budget") -> None:
    """A bound that could not hold is refused before anything is spent."""
    asked = [one for card in cards for one in (card, card.second) if one]
    if budget.max_cost is not None and (free := [c.name for c in asked if not c.model.price]):
        raise InputError(
            f"--max-cost: the card of {free[0]} has no price; write "
            "`price: {input: …, output: …}` under its `model:`, in dollars a million tokens"
        )
    elsewhere = [card.name for card in asked if card.model.backend is not BackendKind.OPENAI]
    if budget.max_tokens is not None and elsewhere:
        raise InputError(f"--max-tokens is for judges on a server; {elsewhere[0]} runs here")


def _check_judges(judges: int, min_valid: int | None) -> None:
    """What cannot be meant is refused before anything is done."""
    if not judges:
        raise InputError("--judge names no judge; arena judges lists them")
    if min_valid is not None and min_valid > judges:
        raise InputError(f"--min-valid {min_valid}: only {counted(judges, 'judge')} named")


def _say_estimates(plans: "list[Plan]", concurrency: int | None, what: str) -> None:
    found = [(one.card.name, one.estimate(concurrency or USUAL_CONCURRENCY)) for one in plans]
    say_estimates("judge", "rows", found, what)


def _say_panel(store: "Store", names: list[str], min_valid: int) -> None:
    """How far the judges are apart, and what the joint fit makes of each."""
    from arena.leaderboard.evidence.counted_judges import describe_panel
    from arena.leaderboard.evidence.gathering import gather
    from arena.ratings import combine, panel
    from arena.records.errors import RatingError

    gathered = gather(store)
    judges = {name: c for name, c in gathered.judges.items() if name in names}
    decisions = {name: gathered.decisions[name] for name in judges}
    if len(judges) < 2:
        return
    try:
        say(describe_panel(len(judges), panel(decisions, min_valid=min_valid), min_valid))
    except InputError as error:  # too few could be read: the run is no less done
        say(f"Panel of {len(judges)}: {error}")
    with suppress(RatingError):
        sources = combine(None, judges, method="joint").sources
        weights = [f"{s.name} {s.weight:.2f}" for s in sources if s.weight is not None]
        say(f"Weights of the joint fit: {', '.join(weights)}.")


def _hand_in(plans: "list[Plan]", budget: "Budget") -> None:
    """Exit with 1 where the budget has no room for all."""
    from arena.judging import hosted

    for one in plans:
        handed_in = hosted.submit(one, budget)
        for batch in handed_in:
            rows = len(json.loads(batch.tasks))
            say(f"{one.card.name}: handed in {counted(rows, 'request')} as {batch.key}.")
        if not handed_in:
            why = "there is no room in the budget" if budget.full else "nothing is missing"
            say(f"{one.card.name}: {why}, and nothing was handed in.")
            continue
        say(f"Fetch them when they are there: arena judge --judge {one.card.name} --collect")
    if budget.full:
        warn(f"The next request could pass the budget of {budget}; the rest is left.")
        sys.exit(1)


def _collect(store: "Store", cards: "list[JudgeCard]") -> None:
    """Exit with 1 while something is not there yet, or failed."""
    from arena.judging import hosted

    left = 0
    for card in cards:
        found = list(hosted.collect(store, card))
        if not found:
            say(f"{card.name}: no batch is waiting.")
        for one in found:
            if one.ended:
                warn(
                    f"{one.name}: {one.status}, {one.stored} stored ({one.unparsed} unparsed), "
                    f"{one.failed} failed, {one.missing} without a result."
                )
            else:
                warn(f"{one.name}: {one.status}, {one.done} of {one.total} done.")
            left += one.failed + one.missing + (not one.ended)
    if left:
        sys.exit(1)


def _poorly_parsed(plans: "list[Plan]", least: float) -> bool:
    """Say of which judges too little could be read."""
    shares = [(one, one.parsed_share()) for one in plans]
    for one, share in shares:
        if share < least:
            warn(
                f"Only {share:.1%} of what {one.card.name} said could be read; --min-parsed asks "
                f"for {least:.0%}. The replies, with the reasons: arena show verdicts --judge "
                f"{one.card.name} --unparsed. Mend the card, then run the same command again: what "
                "the mended card can read of them is read, and the rest is asked again."
            )
    return any(share < least for _, share in shares)


COMMANDS = (judge,)
