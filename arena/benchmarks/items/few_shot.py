"""Which items are shown as examples before an item."""

import random
from typing import Any

from lm_eval.api.samplers import ContextSampler


class OtherItems(ContextSampler):
    """Examples for an item: others, drawn by its name, so its rotations have the same ones."""

    def sample(
        self, n: int, eval_doc: dict[str, Any] | None = None, df: Any = None, **_: Any
    ) -> list[dict[str, Any]]:
        """`n` documents that are not `eval_doc`, in whatever rotation it comes."""
        name = eval_doc["id"] if eval_doc else ""
        drawn = random.Random(f"examples/{name}").sample(self.df, n + 1)
        return [doc for doc in drawn if doc["id"] != name][:n]
