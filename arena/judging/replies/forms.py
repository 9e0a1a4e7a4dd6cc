"""The forms that a verdict, a score or an order may have: named by a card, asked for, enforced."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any


class ReplyFormat(StrEnum):
    """How a written verdict looks.

    brackets: `[[A]]`, `[[A>>B]]`, `[[7]]`, `[[7分]]`, `[[clarity: 7]]`, `[[B > A = C]]`.
    choice: a line `Choice: A`, `选择：A`, `Score: 7` or `评分：7`. json: an object with `choice`,
    `score` (or a number for each criterion) or `ranking`. compassjudger: the bare option as
    the last line, or a dictionary with `综合得分`. prometheus: `[RESULT] A` or `[RESULT] 4`
    (github.com/prometheus-eval/prometheus-eval).
    """

    BRACKETS = "brackets"
    CHOICE = "choice"
    JSON = "json"
    COMPASSJUDGER = "compassjudger"
    PROMETHEUS = "prometheus"


def wanted(
    form: ReplyFormat,
    *,
    options: Mapping[str, str] | None = None,
    scale: tuple[int, int] | None = None,
    criteria: Mapping[str, float] | None = None,
    labels: Sequence[str] | None = None,
) -> str:
    """The form that a verdict must have, without words of any language around it."""
    if options is not None:
        return " / ".join(_SHAPES[form].format(word) for word in options.values())
    if labels is not None:
        order = " > ".join(labels)
        return json.dumps({"ranking": list(labels)}) if form is ReplyFormat.JSON else f"[[{order}]]"
    assert scale is not None
    span = f"{scale[0]}–{scale[1]}"
    if not criteria:
        return _SCORE_SHAPES[form].format(span)
    if form is ReplyFormat.JSON:
        return "{" + ", ".join(f'"{name}": {span}' for name in criteria) + "}"
    return " ".join(f"[[{name}: {span}]]" for name in criteria)


_SHAPES = {
    ReplyFormat.BRACKETS: "[[{}]]",
    ReplyFormat.CHOICE: "Choice: {}",
    ReplyFormat.JSON: '{{"choice": "{}"}}',
    ReplyFormat.COMPASSJUDGER: "{}",
    ReplyFormat.PROMETHEUS: "[RESULT] {}",
}
_SCORE_SHAPES = {
    ReplyFormat.BRACKETS: "[[{}]]",
    ReplyFormat.CHOICE: "Score: {}",
    ReplyFormat.JSON: '{{"score": {}}}',
    ReplyFormat.COMPASSJUDGER: "{{'综合得分': {}}}",
    ReplyFormat.PROMETHEUS: "[RESULT] {}",
}


def response_schema(
    form: ReplyFormat,
    *,
    options: Mapping[str, str] | None = None,
    scale: tuple[int, int] | None = None,
    criteria: Mapping[str, float] | None = None,
    labels: Sequence[str] | None = None,
) -> dict[str, Any] | None:
    """The JSON schema of a structured reply, the reasons first; None for other forms."""
    if form is not ReplyFormat.JSON:
        return None
    fields: dict[str, Any] = {"reason": {"type": "string"}}
    if options is not None:
        fields["choice"] = {"type": "string", "enum": list(options.values())}
    elif labels is not None:
        place = {"type": "array", "items": {"type": "string", "enum": list(labels)}}
        fields["ranking"] = {"type": "array", "items": place}
    else:
        assert scale is not None
        number = {"type": "integer", "enum": list(range(scale[0], scale[1] + 1))}
        fields |= dict.fromkeys(criteria or ["score"], number)
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
