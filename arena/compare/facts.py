"""What stands beside a comparison: cost, speed and length, and the prompts that moved most."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from arena.compare.differences.paired import Paired
from arena.leaderboard.facts import facts_of
from arena.records import Answer, Model, Prompt
from arena.store import Store
from arena.store.queries import Taken

SHOWN = 80  # characters of a prompt


@dataclass(frozen=True, slots=True)
class SideFacts:
    """One model's answers; None where nothing is known.

    characters: of a whole answer, mean. tokens, seconds: as in `ModelFacts`. dollars: a thousand
    answers at the model's price.
    """

    model: str
    answers: int
    characters: float | None
    tokens: float | None
    seconds: float | None
    dollars: float | None


@dataclass(frozen=True, slots=True)
class MovedPrompt:
    """A prompt and b's share of the win on it. said: comparisons behind that."""

    key: str
    name: str
    text: str
    share: float
    said: int


def facts_of_both(store: Store, a: str, b: str, against: Store | None) -> tuple[SideFacts, ...]:
    """Of both models, over the prompts that both answered, or over all where they share none."""
    old, new = _answers(against or store, a), _answers(store, b)
    shared = {x.prompt_key for x in old} & {x.prompt_key for x in new}
    models = {m.name: m for m in store.models()}
    before = {m.name: m for m in (against or store).models()}
    return tuple(
        _facts(known[name], [x for x in rows if not shared or x.prompt_key in shared])
        for name, rows, known in ((a, old, before), (b, new, models))
    )


def _answers(store: Store, model: str) -> list[Answer]:
    return [answer for answer in store.answers.where(model=model) if not answer.is_absent]


def _facts(model: Model, answers: Sequence[Answer]) -> SideFacts:
    found = facts_of(
        model, [_taken(answer) for answer in answers if answer.usage.completion_tokens]
    )
    lengths = [sum(map(len, answer.turns)) for answer in answers]
    return SideFacts(
        model.name,
        len(answers),
        fmean(lengths) if lengths else None,
        found.tokens,
        found.seconds,
        found.cost_per_1000,
    )


def _taken(answer: Answer) -> Taken:
    used = answer.usage
    tokens = used.prompt_tokens, used.completion_tokens
    return (answer.model, *tokens, used.seconds, answer.thinking_tokens, answer.first_token)


def movers(
    paired: Paired, stores: Sequence[Store], most: int
) -> tuple[tuple[MovedPrompt, ...], tuple[MovedPrompt, ...]]:
    """The prompts on which b did best, and those on which it did worst, the most telling first.

    Of equal shares, those that more comparisons stand behind come first, then by key.
    """
    prompts: dict[str, Prompt] = {}
    for store in stores:
        prompts |= {prompt.key: prompt for prompt in store.prompts.where()}
    means, times = paired.means, paired.times
    order = sorted(
        range(len(paired.names)),
        key=lambda k: (-abs(means[k] - 0.5), -times[k], paired.names[k]),
    )
    found = [
        _mover(paired.names[k], prompts.get(paired.names[k]), float(means[k]), int(times[k]))
        for k in order
        if means[k] != 0.5
    ]
    named = Counter(one.name for one in found)
    found = [  # prompts of several sets may have one name
        replace(one, name=f"{one.name} ({one.key[:8]})") if named[one.name] > 1 else one
        for one in found
    ]
    up, down = ([m for m in found if (m.share > 0.5) is side] for side in (True, False))
    return tuple(up[:most]), tuple(down[:most])


def _mover(key: str, prompt: Prompt | None, share: float, said: int) -> MovedPrompt:
    if prompt is None:
        return MovedPrompt(key, key, "", share, said)
    text = " ".join(prompt.turns[0].split())
    short = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    return MovedPrompt(key, prompt.name, short, share, said)
