"""Which capability a benchmark or a category of prompts shows, by name."""

from enum import StrEnum
from fnmatch import fnmatch
from functools import cache

import yaml

from arena.files.assets import builtin


class Dimension(StrEnum):
    """The capabilities that a report tells apart, as OpenCompass does and long context beside."""

    LANGUAGE = "language"
    KNOWLEDGE = "knowledge"
    UNDERSTANDING = "understanding"
    REASONING = "reasoning"
    MATHS = "maths"
    CODE = "code"
    INSTRUCTION = "instruction following"
    SAFETY = "safety"
    LONG_CONTEXT = "long context"


def dimension_of(name: str) -> str:
    """The dimension of the first pattern in `data/dimensions.yaml` that fits, empty if none."""
    return next((d for pattern, d in _patterns() if fnmatch(name.casefold(), pattern)), "")


@cache
def _patterns() -> tuple[tuple[str, str], ...]:
    text = (builtin("data") / "dimensions.yaml").read_text(encoding="utf-8")
    return tuple(
        (pattern, str(Dimension(dimension)))
        for dimension, patterns in yaml.safe_load(text).items()
        for pattern in patterns
    )
