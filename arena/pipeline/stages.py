"""All stages in their order, as one configuration says: what `arena run` and the demo do."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from arena.backends import Machines
from arena.benchmarks import INSTALL
from arena.benchmarks.runs import Benching, Result, check_entries, runs_by_model, said_alike
from arena.config import BenchmarkRun, Config, JudgeRun
from arena.generation.answering import Answering, generate
from arena.generation.batch import Progress, Watch, in_turn, was_interrupted
from arena.generation.devices import Job, side_by_side
from arena.generation.prompts import load_prompts
from arena.judging import MIN_PARSED, JudgeCard, Judging, Plan, Wanted, load_card, runs_here
from arena.leaderboard.board import Leaderboard, Policy, keep_policy
from arena.leaderboard.unranked import ranked_or_not
from arena.publish import publish_ranking
from arena.records import BackendKind, Mode, Model, Note, Prompt
from arena.records.errors import ArenaError, InputError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.versions import settle, standing, stored_name

Say = Callable[[str], None]
Steps = Callable[[], Iterable[Progress]]


@dataclass(frozen=True, slots=True)
class Places:
    """Where models run. devices: those on which local ones run side by side, if any.

    machines: those of the tracker's limits, for what is asked of a model before its run.
    """

    devices: tuple[str, ...] = ()
    machines: Machines | None = None


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
    places: Places = Places(),
    *,
    new_version: bool = False,
) -> Run:
    """Run every stage that `config` names, resuming what is stored, then rank and publish.

    Where the evidence makes no ranking, what there is is published without one.

    tracker: given what a step does, returns what watches and holds it. say: takes sentences.
    places: where models run; in this process, one after the other, if not given. new_version: as in
    `versions.settle`.
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

    if skipped and len(models) == 1:
        cards = [c for c in cards if _has_something_to_compare(*c, models[0], say)]

    def judging(run: JudgeRun) -> Judging:
        names = [model.name for model in models]
        answered = [name for name in names if store.answers.count(model=name)]
        names = answered or names  # a model that cannot be asked stops no judge of the others
        wanted = Wanted(baseline=run.baseline and stored_name(store, candidates, run.baseline))
        return Judging(store.path, prompts[: run.limit], run.mode, names, wanted)

    work = _Stages(store, tracker, say, places)
    if find_spec("lm_eval") is not None:
        check_entries(store, config.benchmarks)
    stages = [*work.answers(models, prompts), *work.judgements(cards, judging)]
    steps, results = in_turn("run", stages, depend=True), list[Result]()
    if not was_interrupted(steps):
        results, done = work.benchmarks(models, config.benchmarks)
        steps += done
    keep_policy(store, config)
    policy = Policy.configured(config)
    board, refused = ranked_or_not(store, policy)
    if config.publish and not was_interrupted(steps):
        publish_ranking(store, Path(config.publish), board, policy)
    return Run(board, refused, tuple(steps), tuple(results), tuple(work.poorly_parsed))


def _standing_judges(store: Store, config: Config, say: Say) -> list[tuple[JudgeCard, JudgeRun]]:
    """The cards of the judges that are not archived; what they said would count for nothing."""
    cards = [(load_card(run.judge, store.home), run) for run in config.judges]
    aside = store.archive.names(Archivable.JUDGE) & {card.name for card, _ in cards}
    for name in sorted(aside):
        say(str(Note.of("archived.judge", name=name)))
    return [(card, run) for card, run in cards if card.name not in aside]


def _has_something_to_compare(card: JudgeCard, run: JudgeRun, alone: Model, say: Say) -> bool:
    if run.mode is not Mode.SCORE:
        say(str(Note.of("archived.one", name=alone.name, judge=card.name)))
    return run.mode is Mode.SCORE


@dataclass(frozen=True)
class _Stages:
    """The stages, each as what `in_turn` does: those of its models that run apart are one part.

    poorly_parsed: as of `Run`.
    """

    store: Store
    tracker: Watch
    say: Say
    places: Places
    poorly_parsed: list[str] = field(default_factory=list)

    def answers(self, models: Sequence[Model], prompts: Sequence[Prompt]) -> list[Steps]:
        """What each model is to do."""
        work = Answering(self.store.path, prompts)
        apart = {f"{m.name} answers": partial(work.ask, m) for m in models if self._is_apart(m)}
        here = [model for model in models if not self._is_apart(model)]
        return [partial(self._apart, apart), *(partial(self._answer, m, prompts) for m in here)]

    def _answer(self, model: Model, prompts: Sequence[Prompt]) -> list[Progress]:
        return [generate(self.store, model, prompts, self.tracker(f"{model.name} answers"))]

    def judgements(
        self, cards: Sequence[tuple[JudgeCard, JudgeRun]], judging: Callable[[JudgeRun], Judging]
    ) -> list[Steps]:
        """What each judge is to do. judging: what of, once there are answers."""
        apart = [one for one in cards if self.places.devices and runs_here(one[0])]

        def judge_apart() -> list[Progress]:
            work = [(card, judging(run)) for card, run in apart]
            jobs = {f"{card.name} judges ({w.mode})": partial(w.ask, card) for card, w in work}
            steps = self._apart(jobs)
            for card, done in work:
                self._check(done.plan(self.store, card))
            return steps

        here = [
            partial(self._judge, card, partial(judging, run))
            for card, run in cards
            if (card, run) not in apart
        ]
        return [judge_apart, *here]

    def _judge(self, card: JudgeCard, judging: Callable[[], Judging]) -> list[Progress]:
        todo = judging().plan(self.store, card)
        steps = todo.run(self.tracker)
        self._check(todo)
        return steps

    def _check(self, todo: Plan) -> None:
        """Warn where too little of what a judge said could be read, and name what shows why."""
        name = todo.card.name
        if todo.parsed_share() >= MIN_PARSED:
            return
        self.poorly_parsed.append(name)
        self.say(
            f"Only {todo.parsed_share():.1%} of what {name} said could be read. The replies, with "
            f"the reasons: arena show verdicts --judge {name} --unparsed"
        )

    def benchmarks(
        self, models: Sequence[Model], entries: Sequence[BenchmarkRun]
    ) -> tuple[list[Result], list[Progress]]:
        """Run them all; what came of them, and the steps."""
        if entries and find_spec("lm_eval") is None:
            self.say(f"Benchmarks are left out: lm-eval is not installed ({INSTALL}).")
            return [], []
        results: list[Result] = []

        def take(found: Iterable[Result | Progress]) -> Iterator[Progress]:
            for one in found:
                if isinstance(one, Progress):
                    yield one
                    continue
                results.append(one)
                for note in one.measured.notes:
                    self.say(note)
                yield from one.steps

        work, machines = Benching(self.store.path, entries), self.places.machines
        runs = runs_by_model(self.store, models, entries, self.tracker, None, machines)
        jobs = {
            f"{model.name} does benchmarks": partial(work.ask, model)
            for model in models
            if self._is_apart(model)
        }
        apart = partial(side_by_side, self.places.devices, jobs, "benchmark", self.tracker)
        here = [one for m, one in zip(models, runs, strict=True) if not self._is_apart(m)]
        steps = in_turn("benchmark", [lambda: take(apart()), *(partial(take, one) for one in here)])
        for sentence in said_alike(results):
            self.say(sentence)
        return results, steps

    def _is_apart(self, model: Model) -> bool:
        """Whether a model has a process and a device of its own."""
        return bool(self.places.devices) and model.backend is BackendKind.LOCAL

    def _apart(self, jobs: Mapping[str, Job[Progress]]) -> list[Progress]:
        return side_by_side(self.places.devices, jobs, "run", self.tracker)
