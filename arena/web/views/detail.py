"""One prompt with all that was said of it, as the page shows it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from arena.judging.replies.parsing import LEAST, below_least
from arena.records import LIVE, Note, Preference, Score, Verdict, Vote, Winner
from arena.store import Store
from arena.web.catalogue import Catalogue, Detail
from arena.web.views.board_table import template
from arena.web.views.markdown import brief
from arena.web.views.words import WORDS, Words, said

MOST_ROWS = 60


def render(
    store: Store,
    found: Detail,
    language: str,
    back: str = "",
    known: Catalogue | None = None,
) -> str:
    """Votes, verdicts in both orders with their explanations, scores and grades.

    back: the query of the list from which somebody came. known: tells what counts; None where
    nobody knows yet.
    """
    words = WORDS[language]
    names = answer_names(found)
    remarks = store.remarks.get([vote.battle for vote in found.votes[-MOST_ROWS:]])
    grades: defaultdict[str, list[str]] = defaultdict(list)
    for grade in found.grades:
        grades[names.get(grade.answer, "–")].append(str(grade.value))
    verdicts = _verdicts(found.verdicts, names, words, known)
    return template("detail.html").render(
        words=words,
        key=found.prompt.key,
        back=f"?{back}" if back else "",
        references=[brief(text, words["cut"]) for text in found.prompt.references],
        votes=[_vote(v, names, remarks, words) for v in found.votes[-MOST_ROWS:][::-1]],
        more_votes=max(0, len(found.votes) - MOST_ROWS),
        verdicts=verdicts[:MOST_ROWS],
        more_verdicts=max(0, len(verdicts) - MOST_ROWS),
        live=found.prompt.source == LIVE,
        absent=said(words, Note.of("answers.absent", count=len(found.absent)))
        if found.absent
        else "",
        scores=[_score(score, names, words, known) for score in found.scores[:MOST_ROWS]],
        grades=[(model, ", ".join(values)) for model, values in sorted(grades.items())],
    )


def answer_names(found: Detail) -> dict[str, str]:
    """What each answer is called: its model, and which one where a model has several."""
    several: defaultdict[str, int] = defaultdict(int)
    names = {}
    for answer in (*found.answers, *found.absent):
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
    winner = {Winner.MODEL_A: vote.first, Winner.MODEL_B: vote.second}.get(vote.winner)
    return {
        "first": names.get(vote.first, "–"),
        "second": names.get(vote.second, "–"),
        "winner": names.get(winner, "–") if winner else words[str(vote.winner)],
        "why": " · ".join(why),
    }


def _verdicts(
    verdicts: Sequence[Verdict],
    names: Mapping[str, str],
    words: Words,
    known: Catalogue | None,
) -> list[dict[str, Any]]:
    """Both orders of a pair beneath each other, those that count first; of each the last reading.

    turned: where the two orders disagree, as in `Catalogue`. aside: why they do not count.
    """
    pairs: defaultdict[tuple[Any, ...], dict[str, Verdict]] = defaultdict(dict)
    for verdict in verdicts:
        pair = frozenset((verdict.first, verdict.second)), verdict.turn, verdict.sample
        pairs[(verdict.judge, verdict.judge_key, *pair)][verdict.first] = verdict
    rows = []
    for (judge, card, *_), orders in pairs.items():
        winners = {_winner(verdict) for verdict in orders.values()}
        rows += [
            {
                "judge": judge,
                "first": names.get(verdict.first, "–"),
                "second": names.get(verdict.second, "–"),
                "said": _said(verdict, names, words),
                "turned": len(winners) > 1 and Preference.UNPARSED not in winners,
                "text": brief(verdict.text, words["cut"]),
                "odds": _odds(verdict, words),
                "aside": _aside(known, words, judge, card),
            }
            for verdict in orders.values()
        ]
    return sorted(rows, key=lambda row: row["aside"] != "")


def _aside(known: Catalogue | None, words: Words, judge: str, card: str = "") -> str:
    """Why what a judge says does not count; empty where it does, or nobody knows."""
    word = known.aside(judge, card) if known else ""
    return words[word] if word else ""


def _winner(verdict: Verdict) -> str:
    if verdict.preference is Preference.A:
        return verdict.first
    return verdict.second if verdict.preference is Preference.B else str(verdict.preference)


def _said(verdict: Verdict, names: Mapping[str, str], words: Words) -> str:
    winner = _winner(verdict)
    return names.get(winner) or words.get(winner, winner)


def _odds(verdict: Verdict, words: Words) -> str:
    """What a judge read in odds made of a pair, or why no verdict was read from them."""
    if verdict.preference is Preference.UNPARSED and verdict.mass is not None:
        return words["too_little"].format(share=below_least(verdict.mass), least=LEAST)
    odds = {"first": verdict.p_first, "second": verdict.p_second, "tie": verdict.p_tie}
    if verdict.p_first is None or verdict.p_second is None:
        return ""
    parts = (f"{words[name]} {share:.0%}" for name, share in odds.items() if share is not None)
    return words["odds"].format(parts=" · ".join(parts))


def _score(
    score: Score, names: Mapping[str, str], words: Words, known: Catalogue | None
) -> dict[str, str]:
    value = words["unparsed"] if score.value is None else f"{score.value:g}"
    return {
        "judge": score.judge,
        "aside": _aside(known, words, score.judge),
        "model": names.get(score.answer, "–"),
        "value": value,
        "text": brief(score.text, words["cut"]),
    }
