"""What is publicly known of well-known open models, from `open_models.yaml` with its sources."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

# What those who shrink or convert weights put behind a model's name.
_CONVERTED = re.compile(
    r"[-_.](?:gguf|fp8|bf16|f16|f32|awq|gptq|int[48]|[48]bit|bnb|w\d+a\d+|i?q\d\w*)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class OpenModel:
    """One line of the table; None where its sources do not say. context_length: tokens."""

    organization: str | None = None
    license: str | None = None
    context_length: int | None = None
    released: str | None = None


UNKNOWN = OpenModel()


def open_model(weights: str) -> OpenModel:
    """What is known of weights by their name, whoever hosts or converted them."""
    name = weights.replace("\\", "/").rstrip("/").rpartition("/")[2].partition(":")[0]
    while (shorter := _CONVERTED.sub("", name)) != name:
        name = shorter
    return _table().get(name.casefold(), UNKNOWN)


@cache
def _table() -> dict[str, OpenModel]:
    return {
        name.casefold(): OpenModel(**{key: entry.get(key) for key in OpenModel.__slots__})
        for entry in entries()
        for name in entry["names"]
    }


def entries() -> list[dict[str, Any]]:
    """The table as it is written, with dates as text."""
    import yaml

    text = (files("arena.leaderboard") / "open_models.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.load(text, Loader=yaml.BaseLoader)
    for entry in found:
        if "context_length" in entry:
            entry["context_length"] = int(entry["context_length"])
    return found
