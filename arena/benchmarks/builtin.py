"""What the task files in `data/items` name: the items of a set, and how a reply is marked.

lm-eval's own command runs these tasks as well: `lm_eval run --include_path data/items …`.
"""

import json
from typing import Any

from arena.benchmarks.code.sandbox import code_of, passes
from arena.benchmarks.items.reading import read_items
from arena.benchmarks.items.tasks import Docs, marked
from arena.benchmarks.replies import scoring as marking
from arena.benchmarks.replies.constraints import follows
from arena.files.assets import builtin

Doc = dict[str, Any]


def items(file: str, **_: object) -> dict[str, Any]:
    """A set of questions with options or answers, as the split that its task file names."""
    return {"test": Docs(read_items(builtin("data") / "items" / file))}


def rows(file: str, **_: object) -> dict[str, Any]:
    """A set of questions with something of their own beside them."""
    from datasets import Dataset

    lines = (builtin("data") / "items" / file).read_text(encoding="utf-8").split("\n")
    found = [json.loads(line) for line in lines if line]
    for row in found:  # objects of unlike keys make no column
        row["constraints"] = json.dumps(row.get("constraints", []), ensure_ascii=False)
    return {"test": Dataset.from_list(found)}


def contains(doc: Doc, results: list[str]) -> dict[str, float]:
    """Whether an accepted answer stands in the reply."""
    return marked(marking.mark_contains(results[0], doc["answers"]))


def number(doc: Doc, results: list[str]) -> dict[str, float]:
    """Whether the reply's number is the answer's."""
    return marked(marking.mark_number(results[0], doc["answers"]))


def constraints(doc: Doc, results: list[str]) -> dict[str, float]:
    """acc: whether every constraint is kept; kept: the share of them that is."""
    kept = follows(results[0], json.loads(doc["constraints"]))
    return {"acc": float(all(kept)), "kept": sum(kept) / len(kept)}


def code(doc: Doc, results: list[str]) -> dict[str, float]:
    """Whether the tests pass. Runs what the model wrote, in a container unless told otherwise."""
    return {"acc": float(passes(code_of(results[0]), doc["tests"]))}
