"""What a judge can be asked: which of two answers is better, or how good one is.

Each mode knows its tasks, and how to make a row from words or from odds.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

from arena.backends import Odds, Reply
from arena.judging.cards import JudgeCard, PairwiseSettings, ScoreSettings
from arena.judging.parsing import parse_score, parse_verdict, read_score, read_verdict
from arena.records import Answer, Mode, Prompt, Score, Verdict, content_key
from arena.store import Store
from arena.store.rows import Rows

R = TypeVar("R", Verdict, Score)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to ask: the rendered text, what it is about, and the key of its row."""

    key: str
    prompt: Prompt
    answers: tuple[Answer, ...]
    text: str


class JudgeMode(ABC, Generic[R]):
    """One mode of one card.

    words: what is read, in the order of the odds. prefill: what the reply begins with.
    """

    words: tuple[str, ...]
    prefill: str

    def __init__(self, card: JudgeCard, mode: Mode) -> None:
        self.card = card
        self.template = card.template(mode)
        self.judge_key = card.key(mode)

    @abstractmethod
    def table(self, store: Store) -> Rows[R]:
        """Where its rows are kept."""

    @abstractmethod
    def tasks(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[Task]:
        """All that can be asked of one prompt's answers."""

    @abstractmethod
    def from_reply(self, task: Task, reply: Reply) -> R:
        """The row for a written reply."""

    @abstractmethod
    def from_odds(self, task: Task, odds: Odds) -> R:
        """The row for the odds of the first word."""

    def _task(self, prompt: Prompt, answers: tuple[Answer, ...], text: str) -> Task:
        key = content_key(self.judge_key, [answer.key for answer in answers], text)
        return Task(key, prompt, answers, text)


class Pairwise(JudgeMode[Verdict]):
    """Ordered pairs; those with the same first answer follow each other."""

    def __init__(
        self, card: JudgeCard, settings: PairwiseSettings, baseline: str | None, both_orders: bool
    ) -> None:
        super().__init__(card, Mode.PAIRWISE)
        self._options = settings.options
        self._baseline = baseline
        self._both_orders = both_orders
        self.words = tuple(settings.options.values())
        self.prefill = settings.prefill

    def table(self, store: Store) -> Rows[Verdict]:
        """The verdicts."""
        return store.verdicts

    def tasks(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[Task]:
        """Every pair in both orders, or each answer against the baseline's."""
        pairs = [
            pair
            for pair in combinations(answers, 2)
            if self._baseline is None or self._baseline in (pair[0].model, pair[1].model)
        ]
        if self._both_orders:
            pairs = sorted(pairs + [(b, a) for a, b in pairs], key=lambda pair: pair[0].key)
        for first, second in pairs:
            text = self.template.pair(prompt, first.turns, second.turns, self._options)
            yield self._task(prompt, (first, second), text)

    def from_reply(self, task: Task, reply: Reply) -> Verdict:
        """The last verdict in the text."""
        parsed = parse_verdict(reply.turns[-1], self._options)
        first, second = task.answers
        return Verdict(
            task.key,
            self.card.name,
            self.judge_key,
            task.prompt.key,
            first.key,
            second.key,
            parsed.preference,
            text=reply.turns[-1],
            reason=parsed.reason,
            usage=reply.usage,
        )

    def from_odds(self, task: Task, odds: Odds) -> Verdict:
        """The likeliest verdict, with the odds of all."""
        parsed, read = read_verdict(odds, self._options)
        first, second = task.answers
        return Verdict(
            task.key,
            self.card.name,
            self.judge_key,
            task.prompt.key,
            first.key,
            second.key,
            parsed.preference,
            read.p_first,
            read.p_second,
            read.p_tie,
            read.mass,
            reason=parsed.reason,
            usage=odds.usage,
        )


class Scoring(JudgeMode[Score]):
    """One answer at a time, on the card's scale."""

    def __init__(self, card: JudgeCard, settings: ScoreSettings) -> None:
        super().__init__(card, Mode.SCORE)
        self._scale = settings.scale
        low, high = settings.scale
        self.words = tuple(str(number) for number in range(low, high + 1))
        self.prefill = settings.prefill

    def table(self, store: Store) -> Rows[Score]:
        """The scores."""
        return store.scores

    def tasks(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[Task]:
        """Every answer."""
        for answer in answers:
            text = self.template.single(prompt, answer.turns, self._scale)
            yield self._task(prompt, (answer,), text)

    def from_reply(self, task: Task, reply: Reply) -> Score:
        """The last number in the text."""
        parsed = parse_score(reply.turns[-1], self._scale)
        return Score(
            task.key,
            self.card.name,
            self.judge_key,
            task.prompt.key,
            task.answers[0].key,
            parsed.value,
            text=reply.turns[-1],
            reason=parsed.reason,
            usage=reply.usage,
        )

    def from_odds(self, task: Task, odds: Odds) -> Score:
        """The expected number."""
        parsed = read_score(odds, self._scale)
        return Score(
            task.key,
            self.card.name,
            self.judge_key,
            task.prompt.key,
            task.answers[0].key,
            parsed.value,
            mass=odds.mass,
            reason=parsed.reason,
            usage=odds.usage,
        )
