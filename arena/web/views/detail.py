"""One prompt with all that was said of it, as the page shows it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from arena.records import Preference, Score, Verdict, Vote, Winner
from arena.store import Store
from arena.web.catalogue import Detail
from arena.web.views.board_table import template
from arena.web.views.markdown import brief
from arena.web.views.words import WORDS, Words

MOST_ROWS = 60
_SIDES = {Winner.MODEL_A: "A", Winner.MODEL_B: "B"}


def render(store: Store, found: Detail, language: str, back: str = "") -> str:
    """Votes, verdicts in both orders with their explanations, scores and grades.

    back: the query of the list from which somebody came.
    """
    words = WORDS[language]
    names = answer_names(found)
    remarks = store.remarks.get([vote.battle for vote in found.votes[-MOST_ROWS:]])
    grades: defaultdict[str, list[str]] = defaultdict(list)
    for grade in found.grades:
        grades[names.get(grade.answer, "–")].append(str(grade.value))
    return template("detail.html").render(
        words=words,
        key=found.prompt.key,
        back=f"?{back}" if back else "",
        references=[brief(text, words["cut"]) for text in found.prompt.references],
        votes=[_vote(v, names, remarks, words) for v in found.votes[-MOST_ROWS:][::-1]],
        more_votes=max(0, len(found.votes) - MOST_ROWS),
        verdicts=_verdicts(found.verdicts, names, words)[:MOST_ROWS],
        more_verdicts=max(0, len(found.verdicts) - MOST_ROWS),
        scores=[_score(score, names, words) for score in found.scores[:MOST_ROWS]],
        grades=[(model, ", ".join(values)) for model, values in sorted(grades.items())],
    )


def answer_names(found: Detail) -> dict[str, str]:
    """What each answer is called: its model, and which one where a model has several."""
    several: defaultdict[str, int] = defaultdict(int)
    names = {}
    for answer in found.answers:
        several[answer.model] += 1
        count = several[answer.model]
        names[answer.key] = answer.model if count == 1 else f"{answer.model} ({count})"
    return names


def as_json(found: Detail) -> str:
    """All of it as a file; of a voter it has nothing."""
    whole: dict[str, Any] = {
        "prompt": asdict(found.prompt) | {"key": found.prompt.key},
        "answers": [asdict(a) | {"key": a.key} for a in found.answers],
        "votes": [_anonymous(asdict(vote)) for vote in found.votes],
        "verdicts": [asdict(verdict) for verdict in found.verdicts],
        "scores": [asdict(score) for score in found.scores],
        "grades": [_anonymous(asdict(grade)) for grade in found.grades],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _anonymous(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("voter", "battle", "key")}


def _vote(
    vote: Vote, names: Mapping[str, str], remarks: Mapping[str, Any], words: Words
) -> dict[str, str]:
    remark = remarks.get(vote.battle)
    why = [words[f"reason_{reason}"] for reason in remark.reasons] if remark else []
    if remark and remark.comment:
        why.append(f"“{remark.comment}”")
    return {
        "first": names.get(vote.first, "–"),
        "second": names.get(vote.second, "–"),
        "winner": _SIDES.get(vote.winner, words.get(str(vote.winner), "–")),
        "why": " · ".join(why),
    }


def _verdicts(
    verdicts: Sequence[Verdict], names: Mapping[str, str], words: Words
) -> list[dict[str, Any]]:
    """Both orders of a pair beneath each other; turned: where they disagree."""
    pairs: defaultdict[tuple[str, frozenset[str], int], dict[str, Verdict]] = defaultdict(dict)
    for verdict in verdicts:
        pair = verdict.judge, frozenset((verdict.first, verdict.second)), verdict.turn
        pairs[pair][verdict.first] = verdict
    rows = []
    for (judge, _, _), orders in pairs.items():
        winners = {_winner(verdict) for verdict in orders.values()}
        rows += [
            {
                "judge": judge,
                "first": names.get(verdict.first, "–"),
                "second": names.get(verdict.second, "–"),
                "said": _said(verdict, names, words),
                "turned": len(winners) > 1,
                "text": brief(verdict.text, words["cut"]),
                "odds": _odds(verdict),
            }
            for verdict in orders.values()
        ]
    return rows


def _winner(verdict: Verdict) -> str:
    if verdict.preference is Preference.A:
        return verdict.first
    return verdict.second if verdict.preference is Preference.B else str(verdict.preference)


def _said(verdict: Verdict, names: Mapping[str, str], words: Words) -> str:
    winner = _winner(verdict)
    return names.get(winner) or words.get(winner, winner)


def _odds(verdict: Verdict) -> str:
    if verdict.p_first is None or verdict.p_second is None:
        return ""
    tie = "" if verdict.p_tie is None else f" · {verdict.p_tie:.0%}"
    return f"{verdict.p_first:.0%} · {verdict.p_second:.0%}{tie}"


def _score(score: Score, names: Mapping[str, str], words: Words) -> dict[str, str]:
    value = words["unparsed"] if score.value is None else f"{score.value:g}"
    return {
        "judge": score.judge,
        "model": names.get(score.answer, "–"),
        "value": value,
        "text": brief(score.text, words["cut"]),
    }
