"""What is known of each model beside its rating: what it costs, how fast and how long it writes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from arena.backends import cost_of
from arena.leaderboard.board import ModelFacts
from arena.records import Model, Usage
from arena.store import Store

PER = 1000  # answers, for which a cost is given


@dataclass(frozen=True, slots=True)
class Took:
    """What one stored answer took. thought: tokens of thinking, None where not known."""

    usage: Usage
    thought: int | None


def model_facts(store: Store, models: Sequence[Model] = ()) -> dict[str, ModelFacts]:
    """The facts of each stored model, by name.

    models: as arena.yaml describes them now, for what may have changed there since.
    """
    took: defaultdict[str, list[Took]] = defaultdict(list)
    for model, usage, thought in store.evidence.taken():
        took[model].append(Took(usage, thought))
    wasted: defaultdict[str, list[Usage]] = defaultdict(list)
    for row in store.standing_unanswered().values():
        wasted[row.model].append(row.usage)
    known = {model.name: model for model in store.models()}
    known |= {model.name: model for model in models if model.name in known}
    return {name: _facts(model, took[name], wasted[name]) for name, model in known.items()}


def _facts(model: Model, took: list[Took], wasted: list[Usage]) -> ModelFacts:
    price = model.price
    thoughts = [one for one in took if one.thought is not None]
    paid = sum((one.usage for one in took), Usage())
    for usage in wasted:
        paid += usage
    timed = [one.usage for one in took if one.usage.seconds > 0]
    return ModelFacts(
        organization=model.organization,
        license=model.license,
        released=model.released,
        context_length=model.context_length,
        input_price=price and price[0],
        output_price=price and price[1],
        cost_per_1000=PER * cost_of(paid, price) / len(took) if price and took else None,
        seconds=median(u.seconds for u in timed) if timed else None,
        tokens_per_second=median(u.completion_tokens / u.seconds for u in timed) if timed else None,
        tokens=fmean(t.usage.completion_tokens for t in took) if took else None,
        thinking_tokens=fmean(t.thought or 0 for t in thoughts) if thoughts else None,
        answer_tokens=(
            fmean(t.usage.completion_tokens - (t.thought or 0) for t in thoughts)
            if thoughts
            else None
        ),
        no_answer=len(wasted) / (len(took) + len(wasted)) if took or wasted else None,
    )
