"""What is asked of a judge: tasks, and what every mode of asking has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

from arena.backends import Odds, Reply, Rewards
from arena.judging.cards.card import JudgeCard
from arena.judging.cards.fitting import FittedAnswers
from arena.judging.cards.templates import Template
from arena.judging.replies.finding import hear
from arena.judging.replies.forms import ReplyFormat, response_schema, wanted
from arena.records import (
    REPAIRED,
    Answer,
    Mode,
    Probe,
    Prompt,
    Ranking,
    Score,
    Usage,
    Verdict,
    content_key,
)
from arena.records.errors import InputError
from arena.store import Store
from arena.store.rows import Rows

R = TypeVar("R", Verdict, Score, Ranking, Probe)
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
    form = ReplyFormat.BRACKETS

    def __init__(
        self, card: JudgeCard, mode: Mode, asked: Wanted, author: JudgeCard | None = None
    ) -> None:
        self.card = card
        self.author = author or card
        self.mode = mode
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
    def from_text(self, task: Task, text: str, finish: str = "", usage: Usage | None = None) -> R:
        """The row for what the judge wrote.

        finish: how the text ended, empty where that is not known. usage: nothing where the
        text was paid for before.
        """

    @abstractmethod
    def from_odds(self, task: Task, odds: Odds) -> R:
        """The row for the odds of the first word."""

    def from_rewards(self, task: Task, rewards: Rewards) -> R:
        """The row for a reward model's numbers."""
        raise InputError(f"{self.card.path}: rewards are read with `reading: reward` alone")

    @property
    def template(self) -> Template:
        """The template of the mode."""
        return self.card.template(self.mode)

    def schema(self, task: Task) -> dict[str, Any] | None:
        """The JSON schema that the server is to hold the reply to, where the card asks for it."""
        if not self.card.file.structured:
            return None
        return response_schema(self.form, **self.offered(len(task.answers)))

    def cut_at(self, finish: str) -> int | None:
        """The tokens at which a reply with this finish was cut off; None where it was not."""
        return self.card.model.decoding.room if finish == "length" else None

    def repair(self, task: Task, text: str, finish: str) -> str | None:
        """What to say to a judge whose reply has no verdict; None where it has one.

        None as well where max_tokens went into thinking alone: a second reply, which thinks
        again, would end like the first.
        """
        if not self.from_text(task, text, finish).reason:
            return None
        if finish == "length" and hear(text, self.cut_at(finish)).is_missing:
            return None
        form = wanted(self.form, **self.offered(len(task.answers)))
        return _REPAIR.get(task.prompt.language, _REPAIR["en"]).format(form)

    def from_reply(self, task: Task, reply: Reply) -> R:
        """The row for a reply; after a repair it is the repaired one that counts."""
        row = self.from_text(task, REPAIRED.join(reply.turns), reply.finish[-1], reply.usage)
        return replace(row, adjustments=reply.adjustments)

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

    def fit(self, prompt: Prompt, answers: Sequence[Sequence[str]]) -> FittedAnswers:
        """The judge prompt, its answers cut alike where the context is too short for it."""
        if self.card.file.reference == "hidden":
            prompt = replace(prompt, references=())
        room = self.card.room
        return FittedAnswers.within(room, answers, lambda texts: self.render(prompt, texts))

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


def shown(
    prompt: Prompt, answers: Sequence[Answer], turn: int
) -> tuple[Prompt, list[tuple[str, ...]]]:
    """The conversation as far as a turn; 0 is all of it."""
    if not turn:
        return prompt, [answer.turns for answer in answers]
    return prompt.until(turn), [answer.turns[:turn] for answer in answers]
