"""All stages in their order, as one configuration says: what `arena run` and the demo do."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from arena.answering import generate
from arena.batch import Progress, Watch
from arena.benchmarks import INSTALL
from arena.benchmarks.runs import Result, run_benchmark, said_alike
from arena.board import Leaderboard, Policy, keep_policy
from arena.config import Config
from arena.errors import InputError
from arena.judging import Wanted, judge, load_card
from arena.leaderboard import ranking
from arena.prompts import load_prompts
from arena.publish import publish_ranking
from arena.store import Store

Say = Callable[[str], None]


def run_config(
    store: Store,
    config: Config,
    tracker: Watch,
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
        steps += judge(
            store,
            card,
            prompts[: run.limit],
            run.mode,
            models=[model.name for model in models],
            wanted=Wanted(baseline=run.baseline),
            watch=tracker,
        )
    steps += _benchmarks(store, config, tracker, say)
    _say_failures(steps, say)
    keep_policy(store, config)
    policy = Policy.configured(config)
    board = ranking(store, policy)
    if config.publish:
        publish_ranking(store, Path(config.publish), board, policy)
    return board


def _benchmarks(store: Store, config: Config, tracker: Watch, say: Say) -> list[Progress]:
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


def _say_failures(steps: Sequence[Progress], say: Say) -> None:
    for note in dict.fromkeys(note for step in steps for note in step.notes):
        say(note)
    failed = [step for step in steps if step.failed]
    for step in failed:
        say(f"{step.failed} of {step.total} failed ({step.last_error}); run again to retry them.")
