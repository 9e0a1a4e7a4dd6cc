"""A judge's run on two models that stops as soon as the answer is certain."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from arena.compare.contest import require_model
from arena.compare.differences.paired import between
from arena.compare.question import Decision, Question
from arena.compare.sequential import SureSoFar, standing
from arena.generation.batch import Progress, Watch, unwatched
from arena.judging import JudgeCard, plan
from arena.leaderboard.evidence.gathering import gather
from arena.records import Mode, Note, Prompt, counted
from arena.records.errors import GateError, InputError
from arena.store import Store

FIRST = 10
GROWTH = 5  # each further batch is this part of what was judged before it


@dataclass(frozen=True, slots=True)
class SequentialRun:
    """How a run ended that was free to stop at any time.

    standing: what it allows to say. judged: prompts that were put to the judge. total: that could
    have been. unread: of those judged, the ones in which no verdict was found. steps: the runs.
    """

    a: str
    b: str
    question: Question
    standing: SureSoFar
    judged: int
    total: int
    unread: int
    steps: tuple[Progress, ...]

    @property
    def decision(self) -> Decision:
        """What follows for a release."""
        return self.standing.decision

    @property
    def saved(self) -> float:
        """The part of the prompts that the judge did not have to see."""
        return 1.0 - self.judged / self.total

    @property
    def sentence(self) -> Note:
        """The result in plain words."""
        now = self.standing
        if now.share is None:
            return Note.of("compare.sequential.nothing", judged=self.judged)
        return Note.of(
            "compare.sequential",
            a=self.a,
            b=self.b,
            share=now.share,
            low=now.low,
            high=now.high,
            judged=self.judged,
            total=self.total,
            saved=self.saved,
            decision=Note.of(f"compare.decision.{now.decision}"),
        )


def judge_until_sure(
    store: Store,
    card: JudgeCard,
    prompts: Sequence[Prompt],
    a: str,
    b: str,
    question: Question,
    *,
    allow_weak: bool = False,
    watch: Watch = unwatched,
) -> SequentialRun:
    """Let a judge compare b with a on prompts in a random order, until it is sure or all are done.

    prompts: those that both answered are used; which come first depends on their texts alone, so
    that a run that was stopped goes on in the same order. Stored verdicts are not paid for again.
    allow_weak: whether a judge that the gate objects to may go on.

    Raises GateError where the judge turns out too weak, InputError where nothing can be judged.
    """
    for name in (a, b):
        require_model(store, name)
    order = _shuffled(store, prompts, a, b)
    steps: list[Progress] = []
    done, found = 0, standing([], question)
    while done < len(order) and found.decision is Decision.CANNOT_TELL:
        batch = order[done : done + max(FIRST, done // GROWTH)]
        todo = plan(store, card, batch, Mode.PAIRWISE, models=[a, b])
        steps += todo.run(watch)
        done += len(batch)
        values = _shares(store, card.name, order[:done], a, b, allow_weak)
        found = standing(values, question)
        if steps and steps[-1].stopped:
            break
    return SequentialRun(a, b, question, found, done, len(order), done - found.seen, tuple(steps))


def _shuffled(store: Store, prompts: Sequence[Prompt], a: str, b: str) -> list[Prompt]:
    """The prompts that both answered, in an order that has nothing to do with what was said."""
    shared = {key for key, _, _ in store.evidence.shared_prompts(a, b)}
    here = sorted({p.key: p for p in prompts if p.key in shared}.values(), key=lambda p: p.key)
    if not here:
        raise InputError(
            f"{store.path}: none of the {counted(len(prompts), 'prompt')} asked for has answers of "
            f"{a} and {b}"
        )
    Random(0).shuffle(here)
    return here


def _shares(
    store: Store, judge: str, prompts: Sequence[Prompt], a: str, b: str, allow_weak: bool
) -> list[float]:
    """B's share of the win on each of the prompts that could be read, in their order."""
    gathered = gather(store)
    report = gathered.reports.get(judge)
    if report is not None and report.objection is not None and not allow_weak:
        raise GateError(Note.of("judge.left_out", why=report.objection), Note.of("judge.override"))
    comparisons = gathered.judges.get(judge)
    paired = None if comparisons is None else between(comparisons, a, b)
    if paired is None:
        return []
    said = dict(zip(paired.names, paired.means.tolist(), strict=True))
    return [said[prompt.key] for prompt in prompts if prompt.key in said]
