"""Judges' verdicts and scores of files into the store, each once."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from arena.interchange.exchange.entries import Compared, ScoredAnswer
from arena.interchange.exchange.placing import Placed
from arena.records import Judge, Preference, Score, Verdict, Winner, content_key
from arena.records.errors import InputError
from arena.store import Store

PREFERENCES = {
    Winner.MODEL_A: Preference.A,
    Winner.MODEL_B: Preference.B,
    Winner.TIE: Preference.TIE,
    Winner.BOTH_BAD: Preference.TIE,
    None: Preference.UNPARSED,
}
UNREAD = "unparsed in the file"


@dataclass(slots=True)
class JudgeNames:
    """The judges that files name, and the stored ones of those names."""

    store: Store
    _keys: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """The judge's key; a name that is new is a judge from files."""
        if name not in self._keys:
            stored = list(self.store.judges.where(name=name))
            if stored:
                key, own = stored[-1].key, "imported" not in json.loads(stored[-1].card)
            else:
                key, own = content_key("judge", "imported", name), False
                self.store.judges.add([Judge(key, name, json.dumps({"imported": True}))])
            self._keys[name] = key, own
        return self._keys[name][0]

    def check(self, name: str) -> None:
        """Refuse to add to what a judge has said that is run here."""
        if self._keys[name][1]:
            raise InputError(
                f"{name} is a judge of this database, and these verdicts are not its own; "
                f"--rename {name}=NAME keeps them apart"
            )


def place_verdicts(
    store: Store,
    pairs: Sequence[tuple[str, Compared]],
    placed: Placed,
    judges: JudgeNames,
    same: dict[int, int],
) -> tuple[int, int]:
    """Store verdicts, each with its judge's name; returns how many are new, and of how many.

    What was said of a pair in the same words is there already; in other words it is another
    sample. same: how often a file has had a verdict without words, which are told by number.
    """
    fresh: defaultdict[tuple[str, str, str, int], list[Verdict]] = defaultdict(list)
    for name, pair in pairs:
        first, second = placed.keys(pair)
        judge_key = judges.key(name)
        new = fresh[name, first, second, pair.turn]
        there = store.verdicts.where(judge=name, first=first, second=second, turn=pair.turn)
        said = [*there, *new]
        skip = _times(pair, name, first, second, same)
        if sum(_is_this(verdict, pair) for verdict in said) <= skip:
            judges.check(name)
            prompt = placed.prompt_key(pair.prompt)
            new.append(_verdict(pair, prompt, name, judge_key, first, second, len(said)))
    return store.verdicts.add(v for new in fresh.values() for v in new), len(pairs)


def _times(pair: Compared, name: str, first: str, second: str, same: dict[int, int]) -> int:
    """How often the file has said this before; what has words is said once."""
    if pair.words:
        return 0
    digest = int(content_key(name, first, second, pair.turn, str(pair.winner), pair.odds)[:15], 16)
    same[digest] += 1
    return same[digest] - 1


def _is_this(verdict: Verdict, pair: Compared) -> bool:
    return (verdict.preference, verdict.text, _odds(verdict), verdict.slight) == (
        PREFERENCES[pair.winner],
        pair.words,
        pair.odds,
        pair.slight,
    )


def _odds(verdict: Verdict) -> tuple[float, float, float] | None:
    p, q, t = verdict.p_first, verdict.p_second, verdict.p_tie
    return None if p is None or q is None else (p, q, t or 0.0)


def _verdict(
    pair: Compared, prompt: str, judge: str, judge_key: str, first: str, second: str, sample: int
) -> Verdict:
    odds = pair.odds or (None, None, None)
    preference = PREFERENCES[pair.winner]
    turn = (pair.turn,) if pair.turn else ()
    return Verdict(
        # As `interchange.imports` has it, so that a file counts once either way.
        content_key(judge_key, first, second, sample, *turn),
        judge,
        judge_key,
        prompt,
        first,
        second,
        preference,
        odds[0],
        odds[1],
        odds[2],
        text=pair.words,
        reason=UNREAD if preference is Preference.UNPARSED else "",
        slight=pair.slight,
        turn=pair.turn,
        sample=sample,
    )


def place_scores(
    store: Store,
    scores: Sequence[tuple[str, ScoredAnswer]],
    placed: Placed,
    judges: JudgeNames,
) -> tuple[int, int]:
    """As `place_verdicts`, for scores."""
    fresh: defaultdict[tuple[str, str, int], list[Score]] = defaultdict(list)
    for name, one in scores:
        answer = placed.key(one.prompt, one.text)
        judge_key = judges.key(name)
        new = fresh[name, answer, one.turn]
        said = [*store.scores.where(judge=name, answer=answer, turn=one.turn), *new]
        if not any((s.value, s.text) == (one.value, one.words) for s in said):
            judges.check(name)
            new.append(_score(one, name, judge_key, answer, len(said)))
    return store.scores.add(s for new in fresh.values() for s in new), len(scores)


def _score(one: ScoredAnswer, judge: str, judge_key: str, answer: str, sample: int) -> Score:
    return Score(
        content_key("score", judge_key, answer, one.turn, sample),
        judge,
        judge_key,
        one.prompt.key,
        answer,
        one.value,
        text=one.words,
        reason=UNREAD if one.value is None else "",
        turn=one.turn,
        sample=sample,
    )
