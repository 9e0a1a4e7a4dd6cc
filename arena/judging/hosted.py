"""Verdicts through a server's batch endpoint: handed in today, collected when they are there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from arena.backends import Budget
from arena.backends.base import Reply
from arena.backends.openai import batches
from arena.judging.cards.card import JudgeCard
from arena.judging.judge import Plan
from arena.judging.modes import judge_mode
from arena.judging.tasks import Task, Wanted
from arena.records import BackendKind, Batch, Failure, Mode
from arena.records.errors import BackendError, InputError
from arena.store import Store
from arena.store.leases import new_owner

# A server has a day for a batch; what is not collected in a week is free to be asked again.
LEASE_SECONDS = 7 * 24 * 3600.0
HANDING_IN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Collection:
    """What became of one batch. status: the server's word. missing: rows it has no result for."""

    name: str
    status: str
    stored: int = 0
    unparsed: int = 0
    failed: int = 0
    missing: int = 0
    done: int = 0
    total: int = 0

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return bool(self.stored or self.failed or self.missing)


def submit(plan: Plan, budget: Budget | None = None) -> list[Batch]:
    """Hand in every row that is missing; other runs leave those rows alone until then.

    budget: what does not fit into it, at its worst, is left. Raises InputError where the judge
    is not on a server or reads odds, BackendError where the server refuses; nothing stays
    claimed then, nor where the process dies before the server has the batch.
    """
    _check(plan.card)
    tasks = {task.key: task for task in plan.tasks}
    store, table = plan.store, plan.mode.table(plan.store).table
    store.leases.release_dead()
    here, later = new_owner(), f"batch:{uuid4().hex}"
    owned = store.leases.claim(here, list(tasks), table, seconds=HANDING_IN_SECONDS)
    requests = {key: plan.request(task) for key, task in tasks.items() if key in owned}
    plan.prepare()
    handed_in = []
    try:
        for lines in batches.parts(plan.card.model, requests, budget or Budget()):
            name = batches.submit(plan.card.model, lines)
            content = json.dumps([_written(tasks[key]) for key in lines])
            batch = Batch(name, plan.card.name, plan.kind, later, content)
            store.batches.add([batch])
            store.leases.hand_over(here, later, list(lines), LEASE_SECONDS)
            handed_in.append(batch)
    finally:
        store.leases.release(here)
    return handed_in


def collect(store: Store, card: JudgeCard) -> Iterator[Collection]:
    """Fetch what the judge's batches have, store it, and free what they left out.

    A row is stored under its own name, in whatever order results come. Killed half-way, it
    is done again from the start, and nothing is stored twice.
    """
    _check(card)
    for batch in list(store.batches.where(judge=card.name)):
        found = batches.collect(card.model, batch.key)
        if found.replies is None:
            yield Collection(batch.key, found.status, done=found.done, total=found.total)
            continue
        tasks = _tasks(store, card, batch)
        rows, failures = [], []
        for key, reply in found.replies.items():
            if key in tasks and isinstance(reply, Reply):
                rows.append(tasks[key].mode.from_reply(tasks[key], reply))
            elif key in tasks:
                failures.append(Failure(batch.mode, key, "rejected", str(reply)))
        table = next(iter(tasks.values())).mode.table(store)
        table.add(rows)
        store.add_failures(failures)
        store.batches.remove([batch.key])
        store.leases.release(batch.owner, tasks)
        yield Collection(
            batch.key,
            found.status,
            stored=len(rows),
            unparsed=sum(bool(row.reason) for row in rows),
            failed=len(failures),
            missing=len(tasks) - len(rows) - len(failures),
        )


def _check(card: JudgeCard) -> None:
    if card.model.backend is not BackendKind.OPENAI or not card.is_written:
        raise InputError(
            f"{card.path}: --batch and --collect need a judge that writes, on a server "
            "(use: openai:NAME, reading: reasoned)"
        )


def _written(task: Task) -> dict[str, Any]:
    return {
        "judge_key": task.mode.judge_key,
        "prompt": task.prompt.key,
        "answers": [answer.key for answer in task.answers],
        "turn": task.turn,
        "sample": task.sample,
        "request": task.request,
        "cut": task.cut,
        "attempt": task.attempt,
    }


def _tasks(store: Store, card: JudgeCard, batch: Batch) -> dict[str, Task]:
    """The tasks of a batch by key, from what the store has of their prompts and answers."""
    mode = judge_mode(card, Mode(batch.mode), Wanted())
    written = json.loads(batch.tasks)
    if any(row["judge_key"] != mode.judge_key for row in written):
        raise BackendError(
            f"the batch {batch.key} was handed in with another card of {card.name}; put that card "
            "back to collect it"
        )
    prompts = store.prompts.get(row["prompt"] for row in written)
    answers = store.answers.get(key for row in written for key in row["answers"])
    tasks = (
        Task(
            mode,
            prompts[row["prompt"]],
            tuple(answers[key] for key in row["answers"]),
            row["turn"],
            row["sample"],
            row["request"],
            row["cut"],
            row["attempt"],
        )
        for row in written
    )
    return {task.key: task for task in tasks}
