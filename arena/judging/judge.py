"""A judge's run: the pairs, answers or groups that lack its reading."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, overload

from arena.backends import OddsRequest, Request, RewardRequest, open_backend
from arena.generation.batch import Control, Progress, Watch, Work, run, unwatched
from arena.generation.estimate import CostEstimate
from arena.judging.cards.card import JudgeCard
from arena.judging.cards.fitting import tokens
from arena.judging.conversations import reward_request
from arena.judging.modes import Pairwise, judge_mode
from arena.judging.report_card.orders import is_hard
from arena.judging.tasks import JudgeMode, Task, Wanted
from arena.records import Answer, BackendKind, Judge, Mode, Prompt, Reading, counted, seed_of
from arena.records.errors import InputError, UnavailableError, UnknownNameError
from arena.store import Store
from arena.store.rows import StoredReply

T = TypeVar("T")
# Where a smaller share of what a judge said could be read, its card wants mending.
MIN_PARSED = 0.95


@dataclass(frozen=True)
class Plan:
    """What a judge is to do: all its tasks, those whose row is stored included."""

    store: Store
    card: JudgeCard
    mode: JudgeMode[Any]
    kind: Mode
    tasks: Sequence[Task]

    def only_failed(self) -> "Plan":
        """What was tried and has no row, and, as a new attempt, what was unparsed."""
        failed = self.store.failed(self.kind)
        again = []
        for task, latest in zip(self.tasks, self._latest(), strict=True):
            if latest is None and task.key in failed:
                again.append(task)
            elif latest is not None and latest[1].reason:
                again.append(replace(task, attempt=latest[0] + 1))
        return replace(self, tasks=again)

    def rows(self) -> list[Any]:
        """The stored row of each task, at its latest attempt; None where there is none."""
        return [latest and latest[1] for latest in self._latest()]

    def _latest(self) -> list[tuple[int, Any] | None]:
        """The latest attempt at each task and its row. Only what was unparsed has several."""
        table = self.mode.table(self.store)
        found: list[tuple[int, Any] | None] = [None] * len(self.tasks)
        pending, attempt = dict(enumerate(self.tasks)), 0
        while pending:
            keys = {i: replace(task, attempt=attempt).key for i, task in pending.items()}
            rows = table.get(keys.values())
            for i, key in keys.items():
                if key in rows:
                    found[i] = attempt, rows[key]
            pending = {i: t for i, t in pending.items() if keys[i] in rows and rows[keys[i]].reason}
            attempt += 1
        return found

    def reparse(self) -> int:
        """Read stored replies to the same requests anew, by the card as it is; how many.

        Nobody is asked. It is what makes a change of the parsing rule free.
        """
        rows = [
            replace(
                self.mode.from_text(task, reply.text, reply.finish), adjustments=reply.adjustments
            )
            for task, reply in self._readable()
        ]
        if rows:
            self.prepare()
        return self.mode.table(self.store).add(rows)

    def missing(self) -> int:
        """How many rows are not there yet."""
        return len(self._missing())

    def _missing(self) -> list[Task]:
        present = self.mode.table(self.store).present(task.key for task in self.tasks)
        return [task for task in self.tasks if task.key not in present]

    def _readable(self) -> list[tuple[Task, StoredReply]]:
        """The missing rows to whose requests there is a reply; a new attempt is asked anew."""
        if not self.card.is_written:
            return []
        missing: defaultdict[str, list[Task]] = defaultdict(list)
        for task in self._missing():
            if not task.attempt:
                missing[task.request].append(task)
        replies = self.mode.table(self.store).replies(missing)
        return [(task, reply) for request, reply in replies.items() for task in missing[request]]

    def ask(self, control: Control) -> Progress:
        """Ask for every row that is missing.

        Raises UnavailableError, with the command that would start the judge, where it cannot
        be reached.
        """
        try:
            with open_backend(self.card.model, control.limits) as backend:
                return run(self.store, backend, self._work(backend), control)
        except UnavailableError as error:
            raise UnavailableError(how_to_start(self.card, error)) from error

    def _work(self, backend: Any) -> Work[Any, Any]:
        mode = self.mode
        ways: dict[Reading, tuple[Any, Callable[[Task], Any], Callable[[Task, Any], Any]]] = {
            Reading.REASONED: (backend.converse, self.request, mode.from_reply),
            Reading.LOGIT: (backend.odds, self._odds_request, mode.from_odds),
            Reading.REWARD: (backend.rewards, self._reward_request, mode.from_rewards),
        }
        ask, request, row = ways[self.card.file.reading]
        return Work(
            self.kind,
            mode.table(self.store),
            [task.key for task in self.tasks],
            partial(ask, _Lazily(self.tasks, request)),
            lambda i, reply: row(self.tasks[i], reply),
            self.prepare,
            self.card.model.price,
        )

    def request(self, task: Task) -> Request:
        """What is put to a judge that writes; a reply without a verdict gets one follow-up."""
        return Request(
            (task.text,),
            seed_of(task.key),
            partial(self.mode.repair, task),
            self.mode.schema(task),
        )

    def _odds_request(self, task: Task) -> OddsRequest:
        return OddsRequest(task.text, self.mode.words, self.mode.prefill)

    def _reward_request(self, task: Task) -> RewardRequest:
        return reward_request(task.text)

    def prepare(self) -> None:
        """Store what the rows refer to."""
        author = self.mode.author
        self.store.judges.add([Judge(self.mode.judge_key, author.name, author.snapshot(self.kind))])

    def second_opinions(self) -> "Plan | None":
        """What the card's cascade puts to another judge, in this judge's name.

        Pairs whose orders disagree, or whose preference is nearly even. Of two verdicts on a
        pair the later one counts, so that the second opinion stands.
        """
        cascade, second = self.card.file.cascade, self.card.second
        if cascade is None or second is None or self.kind is not Mode.PAIRWISE:
            return None
        assert second.file.pairwise is not None
        mode = Pairwise(second, second.file.pairwise, self.mode.asked, self.card)
        rows = dict(zip(map(_battle, self.tasks), self.rows(), strict=True))
        hard = [
            task
            for task in self.tasks
            if is_hard(rows[_battle(task)], rows.get(_battle(task, swapped=True)), cascade.below)
        ]
        return Plan(self.store, second, mode, self.kind, [mode.again(task) for task in hard])

    def run(self, watch: Watch = unwatched, *, retry_failed: bool = False) -> list[Progress]:
        """Every step: the judge's own readings, then what its cascade puts to another judge.

        watch: given what a step does, returns what watches and holds it. retry_failed: asks only
        for what was tried and failed, or could not be read.
        """
        asked = self.only_failed() if retry_failed else self
        asked.reparse()
        step = asked.ask(watch(f"{self.card.name} judges"))
        if twin := self.twin():
            step = replace(step, notes=(*step.notes, _same_card(self.card.name, twin)))
        steps = [step]
        again = self.second_opinions()
        if again and again.tasks:
            again = again.only_failed() if retry_failed else again
            again.reparse()
            what = f"{again.card.name} judges what {self.card.name} finds hard"
            steps.append(again.ask(watch(what)))
        return steps

    def twin(self) -> str | None:
        """The judge of another name whose card says the same, if what it said is taken for this.

        Rows belong to what a card says, so two cards that say the same are one judge, known by
        the name that judged first.
        """
        stored = self.store.judges.get([self.mode.judge_key]).get(self.mode.judge_key)
        name = None if stored is None else stored.name
        return None if name == self.mode.author.name else name

    def parsed_share(self) -> float:
        """The share of the stored rows that say something; 1 where there are none."""
        rows = [row for row in self.rows() if row is not None]
        return 1 - sum(bool(row.reason) for row in rows) / len(rows) if rows else 1.0

    def estimate(self, concurrency: int) -> CostEstimate:
        """What the missing rows would take, learning from the stored ones where there are any."""
        readable = {task.key for task, _ in self._readable()}
        missing = [task for task in self._missing() if task.key not in readable]
        mean = self.mode.table(self.store).mean_usage(judge_key=self.mode.judge_key)
        most = {Reading.LOGIT: 1, Reading.REWARD: 0}.get(self.card.file.reading)
        if most is None:
            most = mean.completion_tokens if mean else self.card.model.decoding.max_tokens
        lanes = concurrency if self.card.model.backend is BackendKind.OPENAI else 1
        return CostEstimate(
            rows=len(self.tasks),
            calls=len(missing),
            read=sum(tokens(task.text) for task in missing),
            written=len(missing) * most,
            price=self.card.model.price,
            seconds=len(missing) * mean.seconds / lanes if mean else None,
            again=len(missing) if self.card.is_written else 0,
        )


def plan(
    store: Store,
    card: JudgeCard,
    prompts: Sequence[Prompt],
    mode: Mode = Mode.PAIRWISE,
    *,
    models: Sequence[str] = (),
    wanted: Wanted | None = None,
) -> Plan:
    """All that the judge could be asked about `models`' answers to `prompts`.

    models: all that have answers, if none are named. Raises InputError where there is nothing.
    """
    wanted = wanted or Wanted()
    if wanted.samples > 1 and not (card.is_written and card.model.decoding.temperature):
        raise InputError(
            f"--samples {wanted.samples}: {card.name} says the same each time; give its card a "
            "temperature above 0 and `reading: reasoned`"
        )
    if card.file.orders == "one":
        wanted = replace(wanted, both_orders=False)
    asked = judge_mode(card, mode, wanted)
    tasks = [
        task
        for prompt, answers in _answered(store, prompts, models, wanted.baseline)
        for task in asked.tasks(prompt, answers)
    ]
    if not tasks:
        raise InputError(_nothing_to_judge(store, mode, len(prompts)))
    return Plan(store, card, asked, mode, tasks)


def judge(
    store: Store,
    card: JudgeCard,
    prompts: Sequence[Prompt],
    mode: Mode = Mode.PAIRWISE,
    *,
    models: Sequence[str] = (),
    wanted: Wanted | None = None,
    watch: Watch = unwatched,
) -> list[Progress]:
    """Ask the judge for every row that is missing; see `plan` and `Plan.run`."""
    return plan(store, card, prompts, mode, models=models, wanted=wanted).run(watch)


@dataclass(frozen=True)
class Judging:
    """What judges are to do, for a process that opens the database itself; see `plan`.

    again: only what failed, or could not be read.
    """

    database: Path
    prompts: Sequence[Prompt]
    mode: Mode
    models: Sequence[str]
    wanted: Wanted
    again: bool = False

    def ask(self, card: JudgeCard, control: Control) -> list[Progress]:
        """`Plan.run` with one judge."""
        store = Store(self.database)
        try:
            return self.plan(store, card).run(lambda _: control, retry_failed=self.again)
        finally:
            store.close()

    def plan(self, store: Store, card: JudgeCard) -> Plan:
        """What one judge is to do."""
        wanted, models = self.wanted, self.models
        return plan(store, card, self.prompts, self.mode, models=models, wanted=wanted)


def runs_here(card: JudgeCard) -> bool:
    """Whether the judge, and whom it puts hard pairs to, have their weights on this machine."""
    asked = filter(None, (card, card.second))
    return all(one.model.backend is BackendKind.LOCAL for one in asked)


def _battle(task: Task, *, swapped: bool = False) -> tuple[str, str, int, int]:
    first, second = (answer.key for answer in task.answers[:: -1 if swapped else 1])
    return first, second, task.turn, task.sample


class _Lazily(Sequence[T]):
    """What `make` makes of each task, when it is needed."""

    def __init__(self, tasks: Sequence[Task], make: Callable[[Task], T]) -> None:
        self._tasks = tasks
        self._make = make

    def __len__(self) -> int:
        return len(self._tasks)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._make(task) for task in self._tasks[index]]
        return self._make(self._tasks[index])


def _answered(
    store: Store, prompts: Sequence[Prompt], models: Sequence[str], baseline: str | None
) -> Iterator[tuple[Prompt, list[Answer]]]:
    """Each prompt with the answers that the named models gave to it, by model.

    Of several answers the first of one model meets the first of another, the second the second.
    """
    known = {model.name for model in store.models()}
    wanted = {*models, *([baseline] if baseline else [])}
    if unknown := sorted(wanted - known):
        raise UnknownNameError("model with answers", unknown[0], known)
    for prompt in prompts:
        answers = [
            answer
            for answer in store.answers.where(prompt_key=prompt.key)
            if answer.model in (wanted if models else known) and not answer.is_absent
        ]
        for sample in sorted({answer.sample for answer in answers}):
            here = [answer for answer in answers if answer.sample == sample]
            yield prompt, sorted(here, key=lambda answer: answer.model)


def _nothing_to_judge(store: Store, mode: Mode, prompts: int) -> str:
    needed = "a model" if mode is Mode.SCORE else "two models"
    if store.answers.count() == store.absent_answers() > 0:
        return (
            f"{store.path}: all of its answers came from files without their texts, so there is "
            "nothing that a judge could read; import a file that has answer_a and answer_b"
        )
    return (
        f"{store.path}: none of the {counted(prompts, 'prompt')} asked for has answers of "
        f"{needed}; run 'arena generate' first, or name the prompts that were answered with "
        "--prompts"
    )


def _same_card(name: str, twin: str) -> str:
    return (
        f"The cards of {name} and {twin} say the same, so they are one judge: what it said is "
        f"shown and counted as {twin}, and nothing is asked a second time for {name}. Change the "
        f"template, the model or its settings in one of them to have two judges."
    )


def how_to_start(card: JudgeCard, error: UnavailableError) -> str:
    """The error, and the command that the card gives to start the judge."""
    if not card.file.start:
        return str(error)
    return f"{error}. {card.file.note} Start it with: {card.file.start}".replace("..", ".")
