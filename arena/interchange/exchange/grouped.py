"""Formats with a row for two answers: how such rows are read, and what was said of a pair."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arena.interchange.exchange.entries import Compared, SaidText, Turns
from arena.interchange.exchange.outgoing import Written
from arena.interchange.exchange.reading import Fields, as_json
from arena.interchange.exchange.source import Outgoing
from arena.interchange.turns import read_lists, turns_of
from arena.records import Prompt, Winner, content_key
from arena.records.errors import said as shown

Names = tuple[str, str]
FOR_FIRST = {Winner.MODEL_A: 1.0, Winner.TIE: 0.5, Winner.BOTH_BAD: 0.5, Winner.MODEL_B: 0.0}


@dataclass(frozen=True, slots=True)
class PairShape:
    """Where a tool's row has a question, two answers and their models.

    kind: what a row is called. texts, about: the parts of a row that hold the texts, and the rest.
    questions, answers, models: the names that they may have, the usual one first.
    """

    kind: str
    texts: str
    about: str
    questions: tuple[str, ...]
    answers: tuple[Names, ...]
    models: tuple[Names, ...]

    def read(self, row: Fields, file: Path) -> tuple[Names, Prompt, SaidText, SaidText]:
        """The names of the two answers, the prompt and both answers; raises ValueError."""
        texts, about = row.part(self.texts), row.part(self.about)
        question = next((name for name in self.questions if name in texts), None)
        answers, models = _there(self.answers, texts), _there(self.models, about)
        if question is None or answers is None:
            raise ValueError(
                f"{self.texts}: a question ({', '.join(self.questions)}) and two answers "
                f"({' and '.join(self.answers[0])}) are needed; it has "
                f"{', '.join(map(str, texts.row))}"
            )
        if models is None:
            first, second = self.models[0]
            raise ValueError(
                f"{self.about}: it has no {first!r} and {second!r}, so nobody knows whose answers"
            )
        try:
            cells = [texts.text(name) for name in (question, *answers)]
            asked, *told = [turns_of(cell) for cell in read_lists(cells)]
        except ValueError as error:
            raise ValueError(f"{self.texts}: {error}") from error
        names = [about.label(name) for name in models]
        if names[0] == names[1]:
            raise ValueError(
                f"{self.about}: {models[1]}: {shown(names[1])}; a model cannot meet itself"
            )
        prompt = Prompt(
            about.label("prompt_id", f"{self.kind}-{content_key(asked)[:8]}"),
            asked,
            about.label("category", "imported"),
            about.label("language", "en"),
            source=str(file),
        )
        return answers, prompt, SaidText(names[0], told[0]), SaidText(names[1], told[1])


def _there(choices: tuple[Names, ...], fields: Fields) -> Names | None:
    return next((pair for pair in choices if pair[0] in fields and pair[1] in fields), None)


def cell_of(turns: Turns) -> str:
    """The turns of a text as one cell: several of them as JSON."""
    return turns[0] if len(turns) == 1 else as_json(list(turns))


@dataclass(frozen=True, slots=True)
class PairSaid:
    """Two answers to a prompt and all that people and judges said of them, in any order.

    first, second: in the order of the first statement. said: with these two as first and second,
    or the other way round.
    """

    prompt: Prompt
    first: SaidText
    second: SaidText
    said: tuple[Compared, ...]

    def is_forward(self, one: Compared) -> bool:
        """Whether a statement was made with the answers in this order."""
        return one.first == self.first

    def by_order(self) -> Iterator[list[Compared]]:
        """What was said of the two in each order in which somebody saw them."""
        for forward in (True, False):
            if said := [one for one in self.said if self.is_forward(one) == forward]:
                yield said

    def shares(self) -> list[float]:
        """What each statement that could be read gives the first answer, in [0, 1]."""
        read = [(one, FOR_FIRST[one.winner]) for one in self.said if one.winner is not None]
        return [share if self.is_forward(one) else 1 - share for one, share in read]


def pairs(source: Outgoing, written: Written, *, parts: bool = False) -> Iterator[PairSaid]:
    """All pairs of answers that were compared, in the order in which they first were.

    parts: with verdicts on a part of a conversation. What is left out is counted in `written`.
    """
    met: set[frozenset[str]] = set()
    store = source.store
    for rows in (store.votes.where(), store.verdicts.where()):
        for row in rows:
            pair = frozenset((row.first, row.second))
            if pair not in met and len(pair) == 2:
                met.add(pair)
                said = tuple(source.said_of(row.first, row.second))
                whole = said if parts else tuple(one for one in said if not one.turn)
                written.leave_out(len(said) - len(whole), "verdicts", "of a part of a conversation")
                if whole and _fits(whole[0], written):
                    yield PairSaid(whole[0].prompt, whole[0].first, whole[0].second, whole)


def _fits(one: Compared, written: Written) -> bool:
    """Whether both texts are here, and of two models."""
    if None in (one.first.turns, one.second.turns):
        written.leave_out(1, "pairs", "a text is not here")
        return False
    if one.first.model == one.second.model:
        written.leave_out(1, "pairs", "both answers are of one model")
        return False
    return True


def in_order(prompt: Turns, first: SaidText, second: SaidText) -> bool:
    """Which of two answers stands first where a file does not say: one in two, by their texts."""
    keys = [content_key(prompt, text.model, text.turns) for text in (first, second)]
    return keys[0] < keys[1]
