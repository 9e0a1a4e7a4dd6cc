"""All stages in their order, as one configuration says: what `arena run` and the demo do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from arena.benchmarks import INSTALL
from arena.benchmarks.runs import Result, runs_by_model, said_alike
from arena.config import Config, JudgeRun
from arena.generation.answering import generate
from arena.generation.batch import Progress, Watch, in_turn
from arena.generation.prompts import load_prompts
from arena.judging import MIN_PARSED, JudgeCard, Plan, Wanted, load_card, plan
from arena.leaderboard.board import Leaderboard, Policy, keep_policy
from arena.leaderboard.unranked import ranked_or_not
from arena.publish import publish_ranking
from arena.records import Mode, Model, Note
from arena.records.errors import ArenaError, InputError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.versions import settle, standing, stored_name

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went. board: without rows where there is no ranking. refused: why there is none.

    steps: in their order. results: of the benchmarks. poorly_parsed: the judges of whose replies
    less than MIN_PARSED could be read.
    """

    board: Leaderboard
    refused: ArenaError | None
    steps: tuple[Progress, ...]
    results: tuple[Result, ...]
    poorly_parsed: tuple[str, ...] = ()


def run_config(
    store: Store,
    config: Config,
    tracker: Watch,
    say: Say,
    *,
    new_version: bool = False,
) -> Run:
    """Run every stage that `config` names, resuming what is stored, then rank and publish.

    Where the evidence makes no ranking, what there is is published without one.

    tracker: given what a step does, returns what watches and holds it. say: takes sentences.
    new_version: as in `versions.settle`.
    """
    if not config.models:
        raise InputError("no models are configured; 'arena init' writes an example arena.yaml")
    candidates = config.candidates()
    asked, skipped = standing(store, candidates.values())
    for note in skipped:
        say(str(note))
    models = settle(store, asked, new_version=new_version)
    prompts = load_prompts(config.prompts, store.home, config.limit)
    cards = _standing_judges(store, config, say)

    poorly_parsed: list[str] = []

    def answers(model: Model) -> list[Progress]:
        return [generate(store, model, prompts, tracker(f"{model.name} answers"))]

    def judgements(card: JudgeCard, run: JudgeRun) -> list[Progress]:
        if skipped and len(models) == 1 and run.mode is not Mode.SCORE:
            say(str(Note.of("archived.one", name=models[0].name, judge=card.name)))
            return []
        todo = plan(
            store,
            card,
            prompts[: run.limit],
            run.mode,
            models=[model.name for model in models],
            wanted=Wanted(baseline=run.baseline and stored_name(store, candidates, run.baseline)),
        )
        steps = todo.run(tracker)
        if todo.parsed_share() < MIN_PARSED:
            poorly_parsed.append(card.name)
            _say_unparsed(todo, say)
        return steps

    runs = [*(partial(answers, m) for m in models), *(partial(judgements, *c) for c in cards)]
    steps = in_turn("run", runs)
    results, done = _benchmarks(store, config, models, tracker, say)
    steps += done
    keep_policy(store, config)
    policy = Policy.configured(config)
    board, refused = ranked_or_not(store, policy)
    if config.publish:
        publish_ranking(store, Path(config.publish), board, policy)
    return Run(board, refused, tuple(steps), tuple(results), tuple(poorly_parsed))


def _standing_judges(store: Store, config: Config, say: Say) -> list[tuple[JudgeCard, JudgeRun]]:
    """The cards of the judges that are not archived; what they said would count for nothing."""
    cards = [(load_card(run.judge, store.home), run) for run in config.judges]
    aside = store.archive.names(Archivable.JUDGE) & {card.name for card, _ in cards}
    for name in sorted(aside):
        say(str(Note.of("archived.judge", name=name)))
    return [(card, run) for card, run in cards if card.name not in aside]


def _say_unparsed(todo: Plan, say: Say) -> None:
    """Warn where too little of what a judge said could be read, and name what shows why."""
    name = todo.card.name
    say(
        f"Only {todo.parsed_share():.1%} of what {name} said could be read. The replies, with the "
        f"reasons: arena show verdicts --judge {name} --unparsed"
    )


def _benchmarks(
    store: Store, config: Config, models: Sequence[Model], tracker: Watch, say: Say
) -> tuple[list[Result], list[Progress]]:
    if config.benchmarks and find_spec("lm_eval") is None:
        say(f"Benchmarks are left out: lm-eval is not installed ({INSTALL}).")
        return [], []
    results: list[Result] = []

    def take(found: Iterator[Result]) -> Iterator[Progress]:
        for result in found:
            results.append(result)
            for note in result.measured.notes:
                say(note)
            yield from result.steps

    runs = runs_by_model(store, models, config.benchmarks, tracker)
    steps = in_turn("benchmark", [partial(take, one) for one in runs])
    for sentence in said_alike(results):
        say(sentence)
    return results, steps
