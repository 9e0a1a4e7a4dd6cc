"""What a judge can be asked: which of two answers is better, how good one is, which order.

Each mode knows its tasks, and how to make a row from words or from odds.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any, Generic, TypeVar

from arena.backends import Odds, Reply
from arena.errors import InputError
from arena.judging.cards import JudgeCard, PairwiseSettings, RankSettings, ScoreSettings
from arena.judging.fitting import Fitted
from arena.judging.parsing import (
    Format,
    parse_ranking,
    parse_score,
    parse_verdict,
    read_score,
    read_verdict,
    response_schema,
    wanted,
)
from arena.records import (
    REPAIRED,
    Answer,
    Mode,
    Preference,
    Probe,
    Prompt,
    Ranking,
    Score,
    Usage,
    Verdict,
    content_key,
)
from arena.store import Store
from arena.store.rows import Rows

R = TypeVar("R", Verdict, Score, Ranking, Probe)
_SIDES = (Preference.A, Preference.B)
_REPAIR = {
    "en": "Your reply ends without a verdict in the form asked for. Reply with nothing but {}.",
    "zh": "你的回复没有按要求的格式给出结论。请只回复结论本身，格式为：{}。",
}


@dataclass(frozen=True)
class Wanted:
    """Which of all that could be asked is asked.

    baseline: pairs that include this model only. battles: these only, each a prompt's key and
    two models in sorted order; None is all. samples: readings of each.
    """

    baseline: str | None = None
    battles: frozenset[tuple[str, str, str]] | None = None
    both_orders: bool = True
    samples: int = 1

    def includes(self, prompt: Prompt, a: str, b: str) -> bool:
        """Whether these models' answers to a prompt are to be compared."""
        if self.baseline is not None and self.baseline not in (a, b):
            return False
        return self.battles is None or (prompt.key, min(a, b), max(a, b)) in self.battles


@dataclass(frozen=True)
class Task:
    """One thing to ask. Its text is rendered when it is needed: a long list stays small.

    request: digest of what is asked. cut: whether answers are shortened in it. attempt: 0,
    and one more each time it is asked again.
    """

    mode: "JudgeMode[Any]"
    prompt: Prompt
    answers: tuple[Answer, ...]
    turn: int
    sample: int
    request: str
    cut: bool = False
    attempt: int = 0

    @cached_property
    def key(self) -> str:
        """Digest of the judge, the answers and what is asked: the key of the row."""
        again = [self.attempt] if self.attempt else []
        answers = [answer.key for answer in self.answers]
        return content_key(self.mode.judge_key, answers, self.request, *again)

    @property
    def text(self) -> str:
        """What is asked."""
        return self.mode.fit(*shown(self.prompt, self.answers, self.turn)).text


class JudgeMode(ABC, Generic[R]):
    """One mode of one card.

    words: what is read, in the order of the odds. prefill: what the reply begins with.
    form: how a written verdict looks. author: the card in whose name the rows are, which in
    a cascade is not the one that is asked.
    """

    words: tuple[str, ...] = ()
    prefill: str = ""
    form: Format

    def __init__(
        self, card: JudgeCard, mode: Mode, asked: Wanted, author: JudgeCard | None = None
    ) -> None:
        self.card = card
        self.author = author or card
        self.template = card.template(mode)
        self.judge_key = self.author.key(mode)
        self.asked = asked

    @abstractmethod
    def table(self, store: Store) -> Rows[R]:
        """Where its rows are kept."""

    @abstractmethod
    def groups(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[tuple[Answer, ...]]:
        """The answers to one prompt that are shown together, in the order shown."""

    @abstractmethod
    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """The judge prompt for these texts, each a text a turn."""

    @abstractmethod
    def offered(self, answers: int) -> dict[str, Any]:
        """What a verdict on so many answers may say, as arguments for `parsing`."""

    @abstractmethod
    def from_text(self, task: Task, text: str, usage: Usage | None = None) -> R:
        """The row for what the judge wrote; usage: nothing where the text was paid for before."""

    @abstractmethod
    def from_odds(self, task: Task, odds: Odds) -> R:
        """The row for the odds of the first word."""

    def schema(self, task: Task) -> dict[str, Any] | None:
        """The JSON schema that the server is to hold the reply to, where the card asks for it."""
        if not self.card.file.structured:
            return None
        return response_schema(self.form, **self.offered(len(task.answers)))

    def repair(self, task: Task, text: str) -> str | None:
        """What to say to a judge whose reply has no verdict; None where it has one."""
        reason = self.from_text(task, text).reason
        if not reason:
            return None
        form = wanted(self.form, **self.offered(len(task.answers)))
        return _REPAIR.get(task.prompt.language, _REPAIR["en"]).format(form)

    def from_reply(self, task: Task, reply: Reply) -> R:
        """The row for a reply; after a repair it is the repaired one that counts."""
        return self.from_text(task, REPAIRED.join(reply.turns), reply.usage)

    def tasks(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[Task]:
        """All that is asked of one prompt's answers."""
        if self.card.file.reference == "needed" and not prompt.references:
            return
        turns = range(1, len(prompt.turns) + 1) if self.card.file.turns == "each" else (0,)
        for group in self.groups(prompt, answers):
            for turn in turns:
                fitted = self.fit(*shown(prompt, group, turn))
                for sample in range(self.asked.samples):
                    request = self.request(fitted.text, sample)
                    yield Task(self, prompt, group, turn, sample, request, fitted.cut)

    def again(self, task: Task) -> Task:
        """What another mode asks, put as this one does."""
        fitted = self.fit(*shown(task.prompt, task.answers, task.turn))
        request = self.request(fitted.text, task.sample)
        return replace(task, mode=self, request=request, cut=fitted.cut, attempt=0)

    def fit(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> Fitted:
        """The judge prompt, its answers cut alike where the context is too short for it."""
        model = self.card.model
        if self.card.file.reference == "hidden":
            prompt = replace(prompt, references=())
        room = model.context_length and model.context_length - model.decoding.max_tokens
        return Fitted.within(room, answers, lambda texts: self.render(prompt, texts))

    def request(self, text: str, sample: int) -> str:
        """Digest of what is asked."""
        form: list[Any] = [self.words, self.prefill] if self.words else []
        form += [self.offered(2)] if self.card.file.structured else []
        return content_key("request", self.card.model.key, text, *form, *([sample] * bool(sample)))

    def _row(self, task: Task) -> dict[str, Any]:
        """What the rows of all modes have."""
        return {
            "key": task.key,
            "judge": self.author.name,
            "judge_key": self.judge_key,
            "prompt_key": task.prompt.key,
            "truncated": task.cut,
            "request": task.request,
            "turn": task.turn,
            "sample": task.sample,
        }


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

    def from_text(self, task: Task, text: str, usage: Usage | None = None) -> Verdict:
        """The last verdict in the text."""
        parsed = parse_verdict(_counting(text), self._options, self.form)
        return Verdict(
            **self._row(task),
            first=task.answers[0].key,
            second=task.answers[1].key,
            preference=parsed.preference,
            slight=self._is_five_step and not parsed.strong and parsed.preference in _SIDES,
            text=text,
            reason=parsed.reason,
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
        )


class Scoring(JudgeMode[Score]):
    """One answer at a time, on the card's scale."""

    def __init__(self, card: JudgeCard, settings: ScoreSettings, asked: Wanted) -> None:
        if asked.baseline is not None or asked.battles is not None:
            raise InputError(
                "--baseline and --pairs go with --mode pairwise: a score looks at one answer"
            )
        super().__init__(card, Mode.SCORE, asked)
        self._scale, self._criteria = settings.scale, settings.criteria
        self.form = settings.format
        low, high = settings.scale
        if card.is_logit:
            self.words = tuple(str(number) for number in range(low, high + 1))
            self.prefill = settings.prefill

    def table(self, store: Store) -> Rows[Score]:
        """The scores."""
        return store.scores

    def groups(self, prompt: Prompt, answers: Sequence[Answer]) -> Iterator[tuple[Answer, ...]]:
        """Every answer alone."""
        return ((answer,) for answer in answers)

    def render(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
        """The template with the answer."""
        return self.template.single(prompt, answers[0], self._scale)

    def offered(self, answers: int) -> dict[str, Any]:
        """The scale and the criteria."""
        return {"scale": self._scale, "criteria": self._criteria}

    def from_text(self, task: Task, text: str, usage: Usage | None = None) -> Score:
        """The last number in the text, or the weighted mean of one for each criterion."""
        parsed = parse_score(_counting(text), self._scale, self.form, self._criteria)
        return Score(
            **self._row(task),
            answer=task.answers[0].key,
            value=parsed.value,
            parts=parsed.parts,
            text=text,
            reason=parsed.reason,
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
        )


class Ordering(JudgeMode[Ranking]):
    """Several answers at once, shuffled, and once more in reverse: each pair in both orders."""

    def __init__(self, card: JudgeCard, settings: RankSettings, asked: Wanted) -> None:
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

    def from_text(self, task: Task, text: str, usage: Usage | None = None) -> Ranking:
        """The last order in the text."""
        parsed = parse_ranking(_counting(text), _labels(len(task.answers)), self.form)
        return Ranking(
            **self._row(task),
            answers=tuple(answer.key for answer in task.answers),
            ranks=parsed.ranks or (),
            text=text,
            reason=parsed.reason,
            usage=usage or Usage(),
        )

    def from_odds(self, task: Task, odds: Odds) -> Ranking:
        """An order has no odds: a card with `rank:` must read what is written."""
        raise InputError(f"{self.card.path}: rank: goes with `reading: reasoned`, not logit")


def judge_mode(card: JudgeCard, mode: Mode, asked: Wanted) -> JudgeMode[Any]:
    """The mode of the card, or an error naming those that it has."""
    card.template(mode)
    file = card.file
    if mode is Mode.PAIRWISE and file.pairwise:
        return Pairwise(card, file.pairwise, asked)
    if mode is Mode.SCORE and file.score:
        return Scoring(card, file.score, asked)
    assert file.rank is not None
    return Ordering(card, file.rank, asked)


def shown(
    prompt: Prompt, answers: Sequence[Answer], turn: int
) -> tuple[Prompt, list[tuple[str, ...]]]:
    """The conversation as far as a turn; 0 is all of it."""
    if not turn:
        return prompt, [answer.turns for answer in answers]
    return prompt.until(turn), [answer.turns[:turn] for answer in answers]


def _labels(count: int) -> list[str]:
    return [chr(ord("A") + i) for i in range(count)]


def _counting(text: str) -> str:
    """What counts of a stored text: all of it, or what was written to repair it."""
    return text.rsplit(REPAIRED, 1)[-1]
