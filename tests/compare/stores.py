"""Stores in which two models, old and new, were compared as a test says."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from arena.records import Judge, Outcome, Preference, Prompt, Verdict, Vote, Winner
from arena.store import Store
from tests.boards import fill

CATEGORIES = ("maths", "writing")


def prompts_of(count: int) -> list[Prompt]:
    """Prompts of two categories in turn, all in English."""
    return [Prompt(f"p{k:03d}", (f"Question {k}?",), CATEGORIES[k % 2], "en") for k in range(count)]


def answered_store(path: Path, count: int, models: tuple[str, ...] = ("old", "new")) -> Store:
    store = Store(path)
    fill(store, models, prompts_of(count), "so.")
    return store


def answers_of(store: Store, model: str) -> Mapping[str, str]:
    return {answer.prompt_key: answer.key for answer in store.answers.where(model=model)}


def vote(
    store: Store,
    winners: Callable[[int], Sequence[Winner]],
    sides: tuple[str, str] = ("old", "new"),
    voters: int = 3,
) -> None:
    """Votes on each prompt in turn, by number; the first of `sides` stands on the left."""
    first, second = (answers_of(store, side) for side in sides)
    store.votes.cast_all(
        Vote(f"{sides} {k} {n}", prompt.key, first[prompt.key], second[prompt.key], won, f"v{n}")
        for k, prompt in enumerate(store.prompts.where())
        for n, won in ((n % voters, won) for n, won in enumerate(winners(k)))
    )


def verdicts(
    store: Store,
    preferences: Callable[[int], Preference | None],
    judge: str = "j",
    sides: tuple[str, str] = ("old", "new"),
) -> None:
    """Verdicts in both orders, which agree; None leaves a prompt out."""
    first, second = (answers_of(store, side) for side in sides)
    store.judges.add([Judge(f"key of {judge}", judge, "{}")])
    mirrored = {Preference.A: Preference.B, Preference.B: Preference.A}
    for k, prompt in enumerate(store.prompts.where()):
        said = preferences(k)
        if said is None:
            continue
        a, b = first[prompt.key], second[prompt.key]
        for order, (x, y, z) in enumerate(((a, b, said), (b, a, mirrored.get(said, said)))):
            key = f"{judge} {sides} {k} {order}"
            store.verdicts.add([Verdict(key, judge, f"key of {judge}", prompt.key, x, y, z)])


def outcomes(store: Store, values: Mapping[str, Sequence[float]]) -> None:
    """What each model made of the items of one benchmark."""
    keys = {model.name: model.key for model in store.models()}
    store.outcomes.add(
        Outcome(name, keys[name], "sums", "1", f"item {k}", "acc", value)
        for name, row in values.items()
        for k, value in enumerate(row)
    )
