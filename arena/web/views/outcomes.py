"""A benchmark's items as the page shows them: the question, and what each model made of it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from arena.benchmarks.items.reading import Item
from arena.benchmarks.replies.letters import Unread
from arena.benchmarks.scores import primary_metric
from arena.records import NO_JUDGE, NOBODY, Outcome
from arena.web.catalogue import ItemOutcomes, beginning
from arena.web.views.board_table import template
from arena.web.views.markdown import brief
from arena.web.views.words import Words, sentences


@dataclass(frozen=True, slots=True)
class ShownMark:
    """What one model made of an item, asked in one way.

    mark: by the metric that stands for the way; others: by the way's other metrics. said: the
    option that the model found likeliest, or what it wrote. about: why that is unread, or who
    marked it.
    """

    mark: str
    is_right: bool
    others: str
    said: str
    about: str


@dataclass(frozen=True, slots=True)
class ShownWay:
    """A way of asking and its metric, and what the models made of the item asked so."""

    title: str
    marks: dict[str, ShownMark]


@dataclass(frozen=True, slots=True)
class ShownOption:
    """An option, with its letter where there are several."""

    text: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item on the page. options: as it was asked; answers: the texts that count, if it has none.

    models: those that were asked, a row each.
    """

    name: str
    line: str
    question: str
    options: tuple[ShownOption, ...]
    answers: tuple[str, ...]
    ways: tuple[ShownWay, ...]
    models: tuple[str, ...]


def outcomes_table(items: Sequence[ItemOutcomes], words: Words) -> str:
    """A line an item, with its marks by way of asking; opened, all that is known of it."""
    shown = [_shown(one, words) for one in items]
    return template("outcomes.html").render(items=shown, words=words)


def _shown(one: ItemOutcomes, words: Words) -> ShownItem:
    item = one.item
    variants = list(dict.fromkeys(outcome.variant for outcome in one.outcomes))
    options = tuple(
        ShownOption(_lettered(item.choices, k), choice in item.answers)
        for k, choice in enumerate(item.choices if item else ())
        if item
    )
    return ShownItem(
        one.name,
        beginning(item.question) if item else "",
        brief(item.question, words["cut_alone"]) if item else "",
        options,
        item.answers if item and not options else (),
        tuple(_way(one, variant, len(variants) > 1, words) for variant in variants),
        tuple(sorted({outcome.model for outcome in one.outcomes})),
    )


def _way(one: ItemOutcomes, variant: str, is_one_of_several: bool, words: Words) -> ShownWay:
    here = [outcome for outcome in one.outcomes if outcome.variant == variant]
    metric = primary_metric(list(dict.fromkeys(outcome.metric for outcome in here)))
    way = variant or (words["way_default"] if is_one_of_several else "")
    marks = {}
    for outcome in here:
        if outcome.metric != metric:
            continue
        others = [o for o in here if o.model == outcome.model and o.metric != metric]
        marks[outcome.model] = ShownMark(
            _number(outcome.value),
            outcome.value >= 0.5,
            " · ".join(f"{other.metric} {_number(other.value)}" for other in others),
            _said(outcome, one.item, words),
            _about(outcome, words),
        )
    return ShownWay(" · ".join(filter(None, (way, metric))), dict(sorted(marks.items())))


def _said(outcome: Outcome, item: Item | None, words: Words) -> str:
    """What a model wrote; of likelihoods the option that they choose, where options are known."""
    read = _likelihoods(outcome.text)
    if not read:
        return brief(outcome.text, words["cut_alone"])
    count = len(item.choices) if item else 0
    if item is None or not count or any(len(row) != count for row in read):
        rows = "; ".join(", ".join(f"{value:.2f}" for value in row) for row in read)
        return words["likelihoods"].format(values=rows)
    picked = Counter(_picked(item.rotated(by), row, outcome.metric) for by, row in enumerate(read))
    texts = [(_lettered(item.choices, item.choices.index(text)), n) for text, n in picked.items()]
    if len(read) == 1:
        return texts[0][0]
    lines = [f"{text} × {n}" for text, n in texts]
    return "\n".join([*lines, words["in_orders"].format(count=len(read))])


def _likelihoods(text: str) -> list[list[float]]:
    """Log-likelihoods of options, a list for each order in which they stood; empty for a reply."""
    found = []
    for part in text.split("\n\n"):
        try:
            row = json.loads(part)
        except ValueError:
            return []
        are_odds = isinstance(row, list) and all(isinstance(x, float) and x <= 0 for x in row)
        if not row or not are_odds:
            return []
        found.append(row)
    return found


def _picked(item: Item, odds: Sequence[float], metric: str) -> str:
    """The likeliest option; by `acc_norm`, as lm-eval has it, for each character of its text."""
    lengths = [len(text) if metric == "acc_norm" else 1 for text in item.choices]
    values = [value / length for value, length in zip(odds, lengths, strict=True)]
    return item.choices[values.index(max(values))]


def _about(outcome: Outcome, words: Words) -> str:
    """Why a reply is unread, who marked it if no rule did, and what our own rule gives."""
    known = {reason.value: words[f"unread_{reason.name.lower()}"] for reason in Unread}
    if outcome.marker == NOBODY:
        reason = known.get(outcome.reason, outcome.reason)
        told = words["named"].format(name=words["unread"], value=reason) if reason else ""
        return told or words["unread"]
    judged = outcome.marker not in NO_JUDGE
    ours = outcome.ours is not None
    return sentences(
        words,
        words["marked_by"].format(judge=outcome.marker) if judged else "",
        words["our_rule"].format(value=_number(outcome.ours or 0.0)) if ours else "",
    )


def _lettered(choices: Sequence[str], k: int) -> str:
    return f"{ascii_uppercase[k]}. {choices[k]}"


def _number(value: float) -> str:
    return f"{value:.2g}"
