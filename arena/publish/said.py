"""What people and judges said of the answers that a page shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from arena.leaderboard.evidence.counted_judgements import current_cards
from arena.records import Answer, Preference, Prompt, Winner
from arena.store import Store
from arena.store.archive import Archivable

MOST = 30  # lines below one prompt
SIDES = ("first", "second", "tie", "both_bad", "unread")
_SIDES: Mapping[Winner | Preference, str] = {
    Winner.MODEL_A: "first",
    Winner.MODEL_B: "second",
    Winner.TIE: "tie",
    Winner.BOTH_BAD: "both_bad",
    Preference.A: "first",
    Preference.B: "second",
    Preference.TIE: "tie",
    Preference.UNPARSED: "unread",
}
_OTHER = {"first": "second", "second": "first"}
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Saying:
    """How often somebody said what of two models' answers.

    judge: empty for people. turn: the last turn that was judged, from 1; 0 is the whole
    conversation. counts: by each of SIDES.
    """

    first: str
    second: str
    judge: str
    turn: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Said:
    """All that was said of a prompt's answers. left_out: lines that are not here."""

    sayings: tuple[Saying, ...]
    left_out: int


class Sayings:
    """Reads what was said of answers: votes that stand, and verdicts by cards that count."""

    def __init__(self, store: Store) -> None:
        self._store = store
        aside = store.archive.names(Archivable.JUDGE)
        cards = current_cards(store.evidence.verdicts())
        self._cards = {key for judge, key in cards.items() if judge not in aside}

    def of(self, prompt: Prompt, answers: Sequence[Answer], shown: int) -> Said:
        """What was said of the first answers to a prompt, beside each other and all others.

        shown: how many they are. The pairs come in the order of the answers.
        """
        places = {answer.key: (place, answer.model) for place, answer in enumerate(answers)}
        found: dict[tuple[int, int, str, int], Counter[str]] = {}
        models = [model for _, model in places.values()]
        for (one, other), judge, turn, side in self._statements(prompt):
            if one not in places or other not in places:
                continue
            a, b = places[one][0], places[other][0]
            if min(a, b) >= shown:
                continue
            if a > b:
                a, b, side = b, a, _OTHER.get(side, side)
            found.setdefault((a, b, judge, turn), Counter())[side] += 1
        lines = [
            Saying(models[a], models[b], judge, turn, {side: counts[side] for side in SIDES})
            for (a, b, judge, turn), counts in sorted(found.items(), key=lambda one: one[0])
        ]
        return Said(tuple(lines[:MOST]), max(0, len(lines) - MOST))

    def _statements(self, prompt: Prompt) -> Iterable[tuple[Pair, str, int, str]]:
        """The pair, who, about which turn, and what; a verdict that was asked again once."""
        for vote in self._store.votes.where(prompt_key=prompt.key):
            yield (vote.first, vote.second), "", 0, _SIDES[vote.winner]
        latest = {
            (v.judge_key, v.first, v.second, v.turn, v.sample): v
            for v in self._store.verdicts.where(prompt_key=prompt.key)
            if v.judge_key in self._cards
        }
        for v in latest.values():
            yield (v.first, v.second), v.judge, v.turn, _SIDES[v.preference]
