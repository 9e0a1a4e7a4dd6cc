"""A judge's run: the pairs or answers that lack its verdict or score."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from arena.backends import Odds, OddsRequest, Reply, Request, open_backend
from arena.batch import OnProgress, Progress, Work, quiet, run
from arena.errors import InputError, UnavailableError, UnknownNameError
from arena.judging.cards import JudgeCard
from arena.judging.modes import JudgeMode, Pairwise, Scoring, Task
from arena.records import Answer, Judge, Mode, Prompt, Reading, seed_of
from arena.store import Store


def judge(
    store: Store,
    card: JudgeCard,
    prompts: Sequence[Prompt],
    mode: Mode = Mode.PAIRWISE,
    *,
    models: Sequence[str] = (),
    baseline: str | None = None,
    both_orders: bool = True,
    on_progress: OnProgress = quiet,
) -> Progress:
    """Ask the judge for every row that is missing among `models`' answers to `prompts`.

    models: all that have answers, if none are named. baseline: pairs that include this
    model only. Raises UnavailableError, with the command that would start the judge, where
    it cannot be reached.
    """
    asked = _mode(card, mode, baseline, both_orders)
    tasks = [
        task
        for prompt, answers in _answered(store, prompts, models, baseline)
        for task in asked.tasks(prompt, answers)
    ]
    if not tasks:
        raise InputError(_nothing_to_judge(store, mode))
    try:
        return _run(store, card, asked, tasks, mode, on_progress)
    except UnavailableError as error:
        raise UnavailableError(_how_to_start(card, error)) from error


def _mode(card: JudgeCard, mode: Mode, baseline: str | None, both_orders: bool) -> JudgeMode[Any]:
    card.template(mode)  # raises where the card lacks the mode
    if card.file.pairwise and mode is Mode.PAIRWISE:
        return Pairwise(card, card.file.pairwise, baseline, both_orders)
    if card.file.score and baseline is None:
        return Scoring(card, card.file.score)
    raise InputError("--baseline goes with --mode pairwise: a score looks at one answer")


def _run(
    store: Store,
    card: JudgeCard,
    asked: JudgeMode[Any],
    tasks: Sequence[Task],
    mode: Mode,
    on_progress: OnProgress,
) -> Progress:
    keys = [task.key for task in tasks]
    table = asked.table(store)

    def prepare() -> None:
        store.judges.add([Judge(asked.judge_key, card.name, card.snapshot(mode))])

    with open_backend(card.model) as backend:
        if card.file.reading is Reading.LOGIT:
            odds = [OddsRequest(task.text, asked.words, asked.prefill) for task in tasks]
            reading: Work[Any, Odds] = Work(
                mode,
                table,
                keys,
                partial(backend.odds, odds),
                lambda i, reply: asked.from_odds(tasks[i], reply),
                prepare,
            )
            return run(store, backend, reading, on_progress)
        requests = [Request((task.text,), seed_of(task.key)) for task in tasks]
        writing: Work[Any, Reply] = Work(
            mode,
            table,
            keys,
            partial(backend.converse, requests),
            lambda i, reply: asked.from_reply(tasks[i], reply),
            prepare,
        )
        return run(store, backend, writing, on_progress)


def _answered(
    store: Store, prompts: Sequence[Prompt], models: Sequence[str], baseline: str | None
) -> Iterator[tuple[Prompt, list[Answer]]]:
    """Each prompt with the answers that the named models gave to it, by model."""
    known = {model.name for model in store.models()}
    wanted = {*models, *([baseline] if baseline else [])}
    if unknown := sorted(wanted - known):
        raise UnknownNameError("model with answers", unknown[0], known)
    for prompt in prompts:
        answers = [
            answer
            for answer in store.answers.where(prompt_key=prompt.key)
            if not models or answer.model in wanted
        ]
        yield prompt, sorted(answers, key=lambda answer: answer.model)


def _nothing_to_judge(store: Store, mode: Mode) -> str:
    needed = "two models" if mode is Mode.PAIRWISE else "a model"
    return (
        f"{store.path}: no prompt of this set has answers of {needed} to judge; "
        "run 'arena generate' first, or name the prompts with --prompts"
    )


def _how_to_start(card: JudgeCard, error: UnavailableError) -> str:
    if not card.file.start:
        return str(error)
    return f"{error}. {card.file.note} Start it with: {card.file.start}".replace("..", ".")
