"""What is known of each model beside its rating: what it costs, how fast and how long it writes."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, median

from arena.backends import cost_of
from arena.leaderboard.board import ModelFacts
from arena.records import Model, Usage
from arena.store import Store
from arena.store.queries import Taken

PER = 1000  # answers, for which a cost is given


def model_facts(store: Store, models: Sequence[Model] = ()) -> dict[str, ModelFacts]:
    """The facts of each stored model, by name.

    models: as arena.yaml describes them now, for what may have changed there since.
    """
    took: defaultdict[str, list[Taken]] = defaultdict(list)
    for row in store.evidence.taken():
        took[row[0]].append(row)
    wasted: defaultdict[str, list[Usage]] = defaultdict(list)
    for silent in store.standing_unanswered().values():
        wasted[silent.model].append(silent.usage)
    known = {model.name: model for model in store.models()}
    known |= {model.name: model for model in models if model.name in known}
    return {name: facts_of(model, took[name], wasted[name]) for name, model in known.items()}


def facts_of(model: Model, took: Sequence[Taken], wasted: Sequence[Usage] = ()) -> ModelFacts:
    """The facts of a model. took: of each answer; wasted: of each reply that was none."""
    price = model.price
    written = [row[2] for row in took]
    thoughts = [(row[4], row[2] - row[4]) for row in took if row[4] is not None]
    timed = [(row[3], row[2] / row[3]) for row in took if row[3] > 0]
    paid = sum(wasted, Usage(sum(row[1] for row in took), sum(written)))
    return ModelFacts(
        organization=model.organization,
        license=model.license,
        released=model.released,
        context_length=model.context_length,
        input_price=price and price[0],
        output_price=price and price[1],
        cost_per_1000=PER * cost_of(paid, price) / len(took) if price and took else None,
        seconds=median(seconds for seconds, _ in timed) if timed else None,
        tokens_per_second=median(rate for _, rate in timed) if timed else None,
        tokens=fmean(written) if took else None,
        thinking_tokens=fmean(thought for thought, _ in thoughts) if thoughts else None,
        answer_tokens=fmean(said for _, said in thoughts) if thoughts else None,
        no_answer=len(wasted) / (len(took) + len(wasted)) if took or wasted else None,
    )
