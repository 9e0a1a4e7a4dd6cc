"""What a judge can be asked: which of two answers is better, how good one is, which order.

Each mode knows its tasks, and how to make a row from words or from odds.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from arena.backends import Odds, Rewards
from arena.judging.cards.card import JudgeCard, PairwiseSettings, RankingSettings, ScoreSettings
from arena.judging.conversations import conversations
from arena.judging.replies.parsing import (
    parse_ranking,
    parse_score,
    parse_verdict,
    read_score,
    read_verdict,
)
from arena.judging.tasks import JudgeMode, Task, Wanted
from arena.records import (
    REPAIRED,
    Answer,
    Mode,
    Preference,
    Prompt,
    Ranking,
    Score,
    Usage,
    Verdict,
)
from arena.records.errors import InputError
from arena.store import Store
from arena.store.rows import Rows

_SIDES = (Preference.A, Preference.B)


class Pairwise(JudgeMode[Verdict]):
    """Ordered pairs; those with the same first answer follow each other."""

    def __init__(
        self,
        card: JudgeCard,
        settings: PairwiseSettings,
        asked: Wanted,
        author: JudgeCard | None = None,
    ) -> None:
        super().__init__(card, Mode.PAIRWISE, asked, author)
        self._options = settings.options
        self._is_five_step = "A>>B" in settings.options
        self.form = settings.format
        if card.is_logit:
            self.words, self.prefill = tuple(settings.options.values()), settings.prefill

    def table(self, store: Store) -> Rows[Verdict]:
        """The verdicts."""
        return store.verdicts

    def groups(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[tuple[Answer, ...]]:
        """Every pair that is asked for, in both orders unless told otherwise."""
        pairs = [
            (a, b) if a.key < b.key else (b, a)  # in one order no model is always the first
            for a, b in combinations(answers, 2)
            if self.asked.includes(prompt, a.model, b.model)
        ]
        if self.asked.both_orders:
            pairs += [(b, a) for a, b in pairs]
        return iter(sorted(pairs, key=lambda pair: pair[0].key))

    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """The template with both answers."""
        return self.template.pair(prompt, answers[0], answers[1], self._options)

    def offered(self, answers: int) -> dict[str, Any]:
        """The words for each verdict."""
        return {"options": self._options}

    def from_text(
        self, task: Task, text: str, finish: str = "", usage: Usage | None = None
    ) -> Verdict:
        """The last verdict in the text."""
        parsed = parse_verdict(
            _counting(text), self._options, self.form, cut_at=self.cut_at(finish)
        )
        return Verdict(
            **self._row(task),
            first=task.answers[0].key,
            second=task.answers[1].key,
            preference=parsed.preference,
            slight=self._is_five_step and not parsed.strong and parsed.preference in _SIDES,
            text=text,
            reason=parsed.reason,
            finish=finish,
            usage=usage or Usage(),
        )

    def from_odds(self, task: Task, odds: Odds) -> Verdict:
        """The likeliest verdict, with the odds of all."""
        parsed, read = read_verdict(odds, self._options)
        return Verdict(
            **self._row(task),
            first=task.answers[0].key,
            second=task.answers[1].key,
            preference=parsed.preference,
            p_first=read.p_first,
            p_second=read.p_second,
            p_tie=read.p_tie,
            mass=read.mass,
            reason=parsed.reason,
            usage=odds.usage,
            adjustments=odds.adjustments,
        )


class EachAnswer(JudgeMode[Score]):
    """One answer at a time."""

    def __init__(self, card: JudgeCard, asked: Wanted) -> None:
        if asked.baseline is not None or asked.battles is not None:
            raise InputError(
                "--baseline and --pairs go with --mode pairwise: a score looks at one answer"
            )
        super().__init__(card, Mode.SCORE, asked)

    def table(self, store: Store) -> Rows[Score]:
        """The scores."""
        return store.scores

    def groups(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[tuple[Answer, ...]]:
        """Every answer alone."""
        return ((answer,) for answer in answers)


class Scoring(EachAnswer):
    """One answer at a time, on the card's scale."""

    def __init__(self, card: JudgeCard, settings: ScoreSettings, asked: Wanted) -> None:
        super().__init__(card, asked)
        self._scale, self._criteria = settings.scale, settings.criteria
        self.form = settings.format
        low, high = settings.scale
        if card.is_logit:
            self.words = tuple(str(number) for number in range(low, high + 1))
            self.prefill = settings.prefill

    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """The template with the answer."""
        return self.template.single(prompt, answers[0], self._scale)

    def offered(self, answers: int) -> dict[str, Any]:
        """The scale and the criteria."""
        return {"scale": self._scale, "criteria": self._criteria}

    def from_text(
        self, task: Task, text: str, finish: str = "", usage: Usage | None = None
    ) -> Score:
        """The last number in the text, or the weighted mean of one for each criterion."""
        parsed = parse_score(
            _counting(text),
            self._scale,
            self.form,
            self._criteria,
            cut_at=self.cut_at(finish),
        )
        return Score(
            **self._row(task),
            answer=task.answers[0].key,
            value=parsed.value,
            parts=parsed.parts,
            text=text,
            reason=parsed.reason,
            finish=finish,
            usage=usage or Usage(),
        )

    def from_odds(self, task: Task, odds: Odds) -> Score:
        """The expected number."""
        parsed = read_score(odds, self._scale)
        return Score(
            **self._row(task),
            answer=task.answers[0].key,
            value=parsed.value,
            mass=odds.mass,
            reason=parsed.reason,
            usage=odds.usage,
            adjustments=odds.adjustments,
        )


class Rewarding(EachAnswer):
    """One answer at a time, by a reward model: its number as it is, on a scale of its own."""

    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """The conversation as JSON; the model's chat template writes it out."""
        return conversations(prompt, answers)

    def offered(self, answers: int) -> dict[str, Any]:
        """Nothing: the number is whatever it is."""
        return {}

    def from_text(
        self, task: Task, text: str, finish: str = "", usage: Usage | None = None
    ) -> Score:
        """A reward model writes nothing."""
        raise InputError(f"{self.card.path}: a reward model writes nothing to read")

    def from_odds(self, task: Task, odds: Odds) -> Score:
        """A reward model chooses no word."""
        raise InputError(f"{self.card.path}: a reward model has no odds of a word")

    def from_rewards(self, task: Task, rewards: Rewards) -> Score:
        """The number."""
        (value,) = rewards.values
        return Score(
            **self._row(task), answer=task.answers[0].key, value=value, usage=rewards.usage
        )


class Ordering(JudgeMode[Ranking]):
    """Several answers at once, shuffled, and once more in reverse: each pair in both orders."""

    def __init__(self, card: JudgeCard, settings: RankingSettings, asked: Wanted) -> None:
        if asked.baseline is not None or asked.battles is not None:
            raise InputError(
                "--baseline and --pairs go with --mode pairwise: a ranking looks at several answers"
            )
        super().__init__(card, Mode.RANK, asked)
        self._size, self.form = settings.size, settings.format

    def table(self, store: Store) -> Rows[Ranking]:
        """The rankings."""
        return store.rankings

    def groups(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[tuple[Answer, ...]]:
        """Groups that share an answer with the next, so that all are compared in the end."""
        if len(answers) < 2:
            return
        mixed = list(answers)
        random.Random(prompt.key).shuffle(mixed)
        size = min(self._size, len(mixed))
        starts = range(0, max(1, len(mixed) - 1), size - 1)
        for start in starts:
            first = max(0, min(start, len(mixed) - size))
            group = mixed[first : first + size]
            yield tuple(group)
            if self.asked.both_orders:
                yield tuple(reversed(group))

    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """The template with all answers of the group."""
        return self.template.ranking(prompt, answers, _labels(len(answers)))

    def offered(self, answers: int) -> dict[str, Any]:
        """A letter for each answer."""
        return {"labels": _labels(answers)}

    def from_text(
        self, task: Task, text: str, finish: str = "", usage: Usage | None = None
    ) -> Ranking:
        """The last order in the text."""
        parsed = parse_ranking(
            _counting(text), _labels(len(task.answers)), self.form, cut_at=self.cut_at(finish)
        )
        return Ranking(
            **self._row(task),
            answers=tuple(answer.key for answer in task.answers),
            ranks=parsed.ranks or (),
            text=text,
            reason=parsed.reason,
            finish=finish,
            usage=usage or Usage(),
        )

    def from_odds(self, task: Task, odds: Odds) -> Ranking:
        """An order has no odds: a card with `rank:` must read what is written."""
        raise InputError(f"{self.card.path}: rank: goes with `reading: reasoned`, not logit")


def judge_mode(card: JudgeCard, mode: Mode, asked: Wanted) -> JudgeMode[Any]:
    """The mode of the card, or an error naming those that it has."""
    card.require(mode)
    file = card.file
    if card.is_reward:
        return Rewarding(card, asked)
    if mode is Mode.PAIRWISE and file.pairwise:
        return Pairwise(card, file.pairwise, asked)
    if mode is Mode.SCORE and file.score:
        return Scoring(card, file.score, asked)
    assert file.rank is not None
    return Ordering(card, file.rank, asked)


def _labels(count: int) -> list[str]:
    return [chr(ord("A") + i) for i in range(count)]


def _counting(text: str) -> str:
    """What counts of a stored text: all of it, or what was written to repair it."""
    return text.rsplit(REPAIRED, 1)[-1]
