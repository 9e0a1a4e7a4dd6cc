"""Finding rows by the names that people use for them."""

from collections.abc import Iterator
from dataclasses import dataclass

from arena.records import Answer, Prompt, Ranking, Score, Verdict
from arena.records.errors import InputError, UnknownNameError
from arena.store import Store

LEAST_OF_A_KEY = 6
Judgement = Verdict | Score | Ranking


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that a judge said, and of what: answers in the order in which they were shown.

    latest: whether no later reading of the same took its place.
    """

    judgement: Judgement
    prompt: Prompt
    answers: tuple[Answer, ...]
    latest: bool

    @property
    def models(self) -> tuple[str, ...]:
        """Whose answers they are."""
        return tuple(answer.model for answer in self.answers)


def find_prompt(store: Store, text: str) -> Prompt:
    """The prompt with this name, key, or beginning of a key.

    Raises UnknownNameError where there is none, InputError where there are several.
    """
    prompts = list(store.prompts.where())
    found = [p for p in prompts if p.name == text] or [
        p for p in prompts if len(text) >= LEAST_OF_A_KEY and p.key.startswith(text)
    ]
    if not found:
        raise UnknownNameError("prompt", text, {p.name for p in prompts})
    if len(found) > 1:
        keys = ", ".join(f"{p.key[:8]} ({p.turns[0][:30]!r})" for p in found[:5])
        raise InputError(f"{len(found)} prompts are named {text!r}; take one by its key: {keys}")
    return found[0]


def find_answers(store: Store, prompt: Prompt, model: str | None = None) -> list[Answer]:
    """The answers to a prompt, of one model if one is named; raises UnknownNameError."""
    answers = sorted(store.answers.where(prompt_key=prompt.key), key=lambda a: (a.model, a.sample))
    if model is None:
        return answers
    names = {answer.model for answer in answers}
    if model not in names:
        raise UnknownNameError(f"model with an answer to {prompt.name!r}", model, names)
    return [answer for answer in answers if answer.model == model]


def judgements(
    store: Store,
    *,
    judge: str | None = None,
    prompt: Prompt | None = None,
    model: str | None = None,
    unparsed: bool = False,
) -> Iterator[Judged]:
    """What judges said, the latest first; raises UnknownNameError for a judge that said nothing.

    unparsed: only what could not be read of what the latest cards said, and was not read later.
    """
    known = {card.name for card in store.judges.where()}
    if judge is not None and judge not in known:
        raise UnknownNameError("judge with verdicts", judge, known)
    equal: dict[str, str | int] = {"judge": judge} if judge else {}
    equal |= {"prompt_key": prompt.key} if prompt else {}
    prompts = {p.key: p for p in store.prompts.where()}
    tables: list[tuple[str, Iterator[Judgement]]] = [
        ("verdicts", store.verdicts.where(**equal)),
        ("scores", store.scores.where(**equal)),
        ("rankings", store.rankings.where(**equal)),
    ]
    for table, rows in tables:
        cards = store.latest_cards(table)
        seen: set[tuple[object, ...]] = set()
        for row in reversed(list(rows)):
            keys = _answer_keys(row)
            about = (row.judge, keys, row.turn, row.sample)
            latest = about not in seen
            seen.add(about)
            if unparsed and not (row.reason and latest and row.judge_key in cards):
                continue
            answers = store.answers.get(keys)
            said = Judged(row, prompts[row.prompt_key], tuple(answers[key] for key in keys), latest)
            if model is None or model in said.models:
                yield said


def _answer_keys(row: Judgement) -> tuple[str, ...]:
    match row:
        case Verdict():
            return row.first, row.second
        case Score():
            return (row.answer,)
        case Ranking():
            return row.answers
