"""Which capability a benchmark or a category of prompts shows, by name."""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatch
from functools import cache
from types import MappingProxyType

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


CHINESE: Mapping[str, str] = MappingProxyType(
    {
        Dimension.LANGUAGE: "语言",
        Dimension.KNOWLEDGE: "知识",
        Dimension.UNDERSTANDING: "理解",
        Dimension.REASONING: "推理",
        Dimension.MATHS: "数学",
        Dimension.CODE: "代码",
        Dimension.INSTRUCTION: "指令遵循",
        Dimension.SAFETY: "安全",
        Dimension.LONG_CONTEXT: "长文本",
    }
)


def in_chinese(dimension: str) -> str:
    """A dimension's Chinese name; another word as it is."""
    return CHINESE.get(dimension, dimension)


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
