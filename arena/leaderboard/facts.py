"""What is known of each model beside its rating: what it costs, how fast and how long it writes."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, median

import numpy as np

from arena.backends import cost_of
from arena.judging.report_card.orders import read_pairs
from arena.leaderboard.board import ModelFacts
from arena.leaderboard.open_models import UNKNOWN, open_model
from arena.ratings.factors import factorise, union
from arena.ratings.luck import Luck, own_luck
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
    luck = luck_of(store)
    return {
        name: facts_of(model, took[name], wasted[name], luck.get(name))
        for name, model in known.items()
    }


def luck_of(store: Store) -> dict[str, Luck]:
    """How much of the variance of what judges said of each model is its own luck, by its name.

    Both orders of a pair are one outcome, and so is what several judges say of it. Empty where
    no model has several answers to a prompt.
    """
    if not (later := store.evidence.later_samples()):
        return {}
    verdicts = store.evidence.verdicts()
    said: defaultdict[tuple[str, str, str, int], list[float]] = defaultdict(list)
    for pair in read_pairs(verdicts, range(len(verdicts.judge))):
        at, share = pair.index, pair.preference
        a, b = verdicts.model_a[at], verdicts.model_b[at]
        sample = later.get(verdicts.answer_a[at], 0)
        if sample == later.get(verdicts.answer_b[at], 0):
            a, b, share = (a, b, share) if a < b else (b, a, 1 - share)
            said[a, b, verdicts.prompt[at], sample].append(share)
    if not said:
        return {}
    columns = [factorise("", column) for column in zip(*said, strict=True)]
    names, (i, j) = union(columns[:2])
    prompts, samples = (column.codes for column in columns[2:])
    outcome = np.array([fmean(shares) for shares in said.values()])
    found = own_luck(i, j, prompts, samples, outcome)
    return {str(names[code]): luck for code, luck in found.items()}


def facts_of(
    model: Model,
    took: Sequence[Taken] = (),
    wasted: Sequence[Usage] = (),
    luck: Luck | None = None,
) -> ModelFacts:
    """The facts of a model. took: of each answer; wasted: of each reply that was none."""
    # What is known of weights is not known of what somebody has trained on top of them.
    price, public = model.price, UNKNOWN if model.adapter else open_model(model.weights)
    written = [row[2] for row in took]
    thoughts = [(row[4], row[2] - row[4]) for row in took if row[4] is not None]
    timed = [(row[3], row[2] / row[3]) for row in took if row[3] > 0]
    firsts = [row[5] for row in took if row[5] is not None]
    paid = sum(wasted, Usage(sum(row[1] for row in took), sum(written)))
    return ModelFacts(
        organization=model.organization or public.organization,
        license=model.license or public.license,
        released=model.released or public.released,
        context_length=model.context_length or public.context_length,
        input_price=price and price[0],
        output_price=price and price[1],
        cost_per_1000=PER * cost_of(paid, price) / len(took) if price and took else None,
        first_token=median(firsts) if firsts else None,
        seconds=median(seconds for seconds, _ in timed) if timed else None,
        tokens_per_second=median(rate for _, rate in timed) if timed else None,
        tokens=fmean(written) if took else None,
        thinking_tokens=fmean(thought for thought, _ in thoughts) if thoughts else None,
        answer_tokens=fmean(said for _, said in thoughts) if thoughts else None,
        luck=luck.share if luck else None,
        luck_low=luck.low if luck else None,
        luck_high=luck.high if luck else None,
        no_answer=len(wasted) / (len(took) + len(wasted)) if took or wasted else None,
    )
