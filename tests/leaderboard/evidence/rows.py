"""Rows of people and judges, put into a store as the app and a judging run would."""

from itertools import count

from arena.records import (
    Answer,
    Grade,
    Judge,
    Preference,
    Prompt,
    Ranking,
    Score,
    Verdict,
    Vote,
    Winner,
)
from arena.store import Store

_NUMBER = count()


class Filled:
    """A store in which models have answered prompts, and the rows that are put on top."""

    def __init__(self, store: Store, prompts: list[Prompt]) -> None:
        self.store = store
        self.prompt = {prompt.name: prompt for prompt in prompts}

    def answer(self, model: str, prompt: str) -> Answer:
        """The model's answer to the prompt of that name."""
        key = self.prompt[prompt].key
        return next(a for a in self.store.answers.where(model=model, prompt_key=key))

    def vote(
        self,
        prompt: str,
        first: str,
        second: str,
        winner: Winner = Winner.MODEL_A,
        voter: str = "ann",
        propensity: float | None = None,
    ) -> None:
        """One vote."""
        keys = [self.answer(model, prompt).key for model in (first, second)]
        key = self.prompt[prompt].key
        self.store.votes.cast(
            Vote(f"b{next(_NUMBER)}", key, *keys, winner, voter, propensity=propensity)
        )

    def grade(self, prompt: str, model: str, value: int, voter: str = "ann") -> None:
        """One grade."""
        key = self.prompt[prompt].key
        row = Grade(f"g{next(_NUMBER)}", key, self.answer(model, prompt).key, voter, value)
        self.store.grades.add([row])

    def card(self, judge: str, card: str = "{}") -> str:
        """A judge's card; returns its key."""
        key = f"{judge}-{card}"
        self.store.judges.add([Judge(key, judge, card)])
        return key

    def verdict(
        self,
        card: str,
        prompt: str,
        first: str,
        second: str,
        preference: Preference,
        p: tuple[float, float] | None = None,
    ) -> None:
        """One reading of a pair in one order; p: of the first slot and of the second."""
        self.store.verdicts.add(
            [
                Verdict(
                    f"v{next(_NUMBER)}",
                    card.split("-")[0],
                    card,
                    self.prompt[prompt].key,
                    self.answer(first, prompt).key,
                    self.answer(second, prompt).key,
                    preference,
                    p_first=p[0] if p else None,
                    p_second=p[1] if p else None,
                    p_tie=1 - sum(p) if p else None,
                )
            ]
        )

    def both_orders(self, card: str, prompt: str, better: str, worse: str) -> None:
        """A judge that prefers one answer wherever it stands."""
        self.verdict(card, prompt, better, worse, Preference.A)
        self.verdict(card, prompt, worse, better, Preference.B)

    def score(self, card: str, prompt: str, model: str, value: float | None) -> None:
        """One score."""
        key, answer = self.prompt[prompt].key, self.answer(model, prompt).key
        row = Score(f"s{next(_NUMBER)}", card.split("-")[0], card, key, answer, value)
        self.store.scores.add([row])

    def order(self, card: str, prompt: str, models: list[str], ranks: tuple[int, ...]) -> None:
        """One order of several answers, shown in the order of `models`."""
        answers = tuple(self.answer(model, prompt).key for model in models)
        self.store.rankings.add(
            [
                Ranking(
                    f"r{next(_NUMBER)}",
                    card.split("-")[0],
                    card,
                    self.prompt[prompt].key,
                    answers,
                    ranks,
                )
            ]
        )
