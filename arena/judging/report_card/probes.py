"""Pairs that test a judge and rank no model: canaries, and pairs that people have labelled."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from arena.backends import Odds, Rewards
from arena.judging.cards.card import JudgeCard
from arena.judging.judge import Plan
from arena.judging.modes import judge_mode
from arena.judging.tasks import JudgeMode, Task, Wanted
from arena.records import (
    Answer,
    Mode,
    Preference,
    Probe,
    Prompt,
    Usage,
    Verdict,
    content_key,
)
from arena.records.errors import InputError
from arena.store import Store
from arena.store.rows import Rows

_FOR_B = {Preference.A: 0.0, Preference.B: 1.0, Preference.TIE: 0.5}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to a question, under a name that is unique in its suite."""

    item: str
    prompt: Prompt
    answer_a: str
    answer_b: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What a judge said of a pair with A shown first, and with B; None where it was not asked."""

    pair: Pair
    forward: Probe | None
    backward: Probe | None

    def wins_of_b(self) -> list[float]:
        """For each order that could be read: 1 where B won, 0 where A did, 0.5 for a tie."""
        return [
            1.0 - _FOR_B[probe.preference] if probe.swapped else _FOR_B[probe.preference]
            for probe in (self.forward, self.backward)
            if probe and probe.preference in _FOR_B
        ]


def probe(store: Store, card: JudgeCard, suite: str, pairs: Sequence[Pair]) -> Plan:
    """All that the judge is to be asked about a suite of pairs, each in both orders.

    A reward model sees each answer alone, so that a pair has no second order. Raises InputError
    where the judge neither compares pairs nor is a reward model.
    """
    mode = _Probing(card, suite)
    tasks = [mode.task(pair, swapped) for pair in pairs for swapped in _orders(card)]
    return Plan(store, card, mode, mode.mode, tasks)


def _orders(card: JudgeCard) -> tuple[bool, ...]:
    return (False,) if card.is_reward else (False, True)


def probed(plan: Plan, pairs: Sequence[Pair]) -> list[Probed]:
    """What is stored of a suite, in the order of its pairs."""
    rows = plan.rows()
    orders = len(_orders(plan.card))
    backward = rows[1::2] if orders > 1 else [None] * len(rows)
    return [Probed(*both) for both in zip(pairs, rows[::orders], backward, strict=True)]


@dataclass(frozen=True)
class _ProbeTask(Task):
    item: str = ""
    swapped: bool = False

    @cached_property
    def key(self) -> str:
        mode = self.mode
        assert isinstance(mode, _Probing)
        return content_key("probe", mode.suite, self.item, self.swapped, super().key)


class _Probing(JudgeMode[Probe]):
    """The judge's way with pairs, with rows of another table."""

    def __init__(self, card: JudgeCard, suite: str) -> None:
        mode = Mode.SCORE if card.is_reward else Mode.PAIRWISE
        super().__init__(card, mode, Wanted())
        self.suite = suite
        self._own = judge_mode(card, mode, Wanted())
        self.words, self.prefill, self.form = self._own.words, self._own.prefill, self._own.form

    def task(self, pair: Pair, swapped: bool) -> Task:
        """A pair in one order."""
        texts = (pair.answer_b, pair.answer_a) if swapped else (pair.answer_a, pair.answer_b)
        answers = tuple(Answer("", "", pair.prompt.key, (text,), ("stop",)) for text in texts)
        fitted = self.fit(pair.prompt, [(text,) for text in texts])
        request = self.request(fitted.text, 0)
        return _ProbeTask(
            self, pair.prompt, answers, 0, 0, request, fitted.cut, item=pair.item, swapped=swapped
        )

    def table(self, store: Store) -> Rows[Probe]:
        """The probes."""
        return store.probes

    def groups(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[tuple[Answer, ...]]:
        """None: its tasks come from a suite, not from stored answers."""
        raise InputError("a suite of pairs has no stored answers to draw from")

    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """Both answers, as the judge is shown them."""
        return self._own.render(prompt, answers)

    def offered(self, answers: int) -> dict[str, Any]:
        """The words for each verdict."""
        return self._own.offered(answers)

    def from_text(
        self, task: Task, text: str, finish: str = "", usage: Usage | None = None
    ) -> Probe:
        """The last verdict in the text."""
        return self._probe(task, self._own.from_text(task, text, finish, usage))

    def from_odds(self, task: Task, odds: Odds) -> Probe:
        """The likeliest verdict, with the odds of all."""
        return self._probe(task, self._own.from_odds(task, odds))

    def from_rewards(self, task: Task, rewards: Rewards) -> Probe:
        """The answer with the larger number, and the numbers as the text."""
        a, b = rewards.values
        better = Preference.TIE if a == b else Preference.A if a > b else Preference.B
        verdict = Verdict(
            **self._row(task),
            first=task.answers[0].key,
            second=task.answers[1].key,
            preference=better,
            text=f"{a} {b}",
            usage=rewards.usage,
        )
        return self._probe(task, verdict)

    def _probe(self, task: Task, verdict: Verdict) -> Probe:
        assert isinstance(task, _ProbeTask)
        said = asdict(verdict) | {"usage": verdict.usage}
        shared = {name: said[name] for name in Probe.__dataclass_fields__ if name in said}
        return Probe(**shared, suite=self.suite, item=task.item, swapped=task.swapped)
