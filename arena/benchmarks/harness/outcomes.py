"""lm-eval's samples as outcomes: one for each item and metric."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from arena.benchmarks.code.code_eval import code_runs
from arena.benchmarks.harness.naming import by_item
from arena.benchmarks.harness.requests import ReplyText
from arena.benchmarks.items.tasks import FOUND, Benchmark, why_unread
from arena.records import NOBODY, RULE, UNSAFE, AllowCode, Model, Outcome, content_key


def outcomes_of(
    model: Model, benchmark: Benchmark, samples: Sequence[dict[str, Any]]
) -> tuple[list[Outcome], list[str]]:
    """One for each item and metric; and the metrics that are no number in [0, 1] for an item."""
    by_filter: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for sample in samples:
        by_filter[sample["filter"]].append(sample)
    rising = benchmark.task.higher_is_better()
    outcomes, unusual = [], dict[str, None]()
    rule = UNSAFE if code_runs(benchmark.task) is AllowCode.UNSAFE else RULE
    together = [(f, *one) for f, rows in by_filter.items() for one in by_item(rows).items()]
    for filtered, item, here in together:
        request = content_key(*[(s["arguments"], s["target"]) for s in here])
        for metric in here[0]["metrics"]:
            values = [_number(sample[metric]) for sample in here]
            if metric == FOUND:
                continue
            if None in values or rising.get(metric) is False:
                unusual[metric] = None
                continue
            unread = next((one for one in here if not one.get(FOUND, 1.0)), None)
            outcomes.append(
                Outcome(
                    model.name,
                    model.key,
                    benchmark.name,
                    benchmark.version,
                    item,
                    metric if filtered == "none" else f"{metric},{filtered}",
                    min(value for value in values if value is not None),
                    "\n\n".join(_said(sample) for sample in here),
                    benchmark.asking.variant,
                    benchmark.dimension,
                    rule if unread is None else NOBODY,
                    request,
                    "" if unread is None else _why(benchmark, unread),
                )
            )
    return outcomes, list(unusual)


def _why(benchmark: Benchmark, sample: Mapping[str, Any]) -> str:
    """Why nothing could be marked in a reply."""
    reply = sample["resps"][0][0]
    cut = reply.why if isinstance(reply, ReplyText) else ""
    return cut or why_unread(sample["doc"], reply, benchmark.asking.metric)


def _said(sample: Mapping[str, Any]) -> str:
    first = [responses[0] for responses in sample["resps"]]
    if all(isinstance(response, str) for response in first):
        return "\n".join(first)
    return json.dumps([r[0] if isinstance(r, tuple | list) else r for r in first])


def _number(value: Any) -> float | None:
    if isinstance(value, tuple | list | dict | str):
        return None
    number = float(value)
    return number if 0.0 <= number <= 1.0 else None


def of_the_whole_set(benchmark: Benchmark, metric: str, results: Any) -> str:
    """What lm-eval makes of a metric that only the whole set has."""
    found = results["results"].get(benchmark.name, {})
    value = next((v for name, v in found.items() if name.split(",")[0] == metric), None)
    said = f"{value:.4g}" if isinstance(value, float | int) else "not computed"
    return (
        f"{benchmark.name}: {metric} is {said} over the whole set; it is no share of an item that "
        "is the better the larger, so it is in no ranking."
    )
