"""All stages in their order, as one configuration says: what `arena run` and the demo do."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from arena.answering import generate
from arena.batch import Control, Progress
from arena.benchmarks import INSTALL
from arena.benchmarks.runs import Result, run_benchmark, said_alike
from arena.board import Fit, Leaderboard
from arena.config import Config
from arena.errors import InputError
from arena.judging import Wanted, load_card, plan
from arena.leaderboard import leaderboard, views
from arena.prompts import load_prompts
from arena.publish import publish
from arena.store import Store

Say = Callable[[str], None]


def run_config(
    store: Store,
    config: Config,
    tracker: Callable[[str], Control],
    say: Say,
) -> Leaderboard:
    """Run every stage that `config` names, resuming what is stored, and return the ranking.

    tracker: given what a step does, returns what watches and holds it. say: takes sentences.
    """
    models = list(config.candidates().values())
    if not models:
        raise InputError("no models are configured; 'arena init' writes an example arena.yaml")
    prompts = load_prompts(config.prompts, store.home, config.limit)
    cards = [(load_card(run.judge, store.home), run) for run in config.judges]
    steps = [generate(store, m, prompts, tracker(f"{m.name} answers")) for m in models]
    for card, run in cards:
        planned = plan(
            store,
            card,
            prompts[: run.limit],
            run.mode,
            models=[model.name for model in models],
            wanted=Wanted(baseline=run.baseline),
        )
        steps += planned.run(tracker)
    steps += _benchmarks(store, config, tracker, say)
    _say_failures(steps, say)
    fit = Fit.configured(config.rank)
    board = leaderboard(
        store,
        evidence=config.rank.evidence,
        fit=fit,
        allow_weak_judges=config.rank.allow_weak_judges,
    )
    if config.publish:
        others = views(store, board, config.rank.allow_weak_judges, fit)
        publish(store, Path(config.publish), board, title=config.title, others=others)
    return board


def _benchmarks(
    store: Store, config: Config, tracker: Callable[[str], Control], say: Say
) -> list[Progress]:
    if config.benchmarks and find_spec("lm_eval") is None:
        say(f"Benchmarks are left out: lm-eval is not installed ({INSTALL}).")
        return []
    steps: list[Progress] = []
    results: list[Result] = []
    models = list(config.candidates().values())
    for entry in config.benchmarks:
        for result in run_benchmark(store, models, entry, tracker):
            results.append(result)
            steps += result.steps
            for note in result.measured.notes:
                say(note)
    for sentence in said_alike(results):
        say(sentence)
    return steps


def _say_failures(steps: Iterable[Progress], say: Say) -> None:
    failed = [step for step in steps if step.failed]
    for step in failed:
        say(f"{step.failed} of {step.total} failed ({step.last_error}); run again to retry them.")
