"""What was said of the same two answers, together: for formats with a row a pair."""

from collections.abc import Iterator
from dataclasses import dataclass

from arena.interchange.exchange.entries import Compared, SaidText, Turns
from arena.interchange.exchange.outgoing import Written
from arena.interchange.exchange.source import Outgoing
from arena.records import Prompt, Winner, content_key

FOR_FIRST = {Winner.MODEL_A: 1.0, Winner.TIE: 0.5, Winner.BOTH_BAD: 0.5, Winner.MODEL_B: 0.0}


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
