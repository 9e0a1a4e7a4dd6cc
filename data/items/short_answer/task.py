"""The functions that `short_answer.yaml` names: reading the items, and marking a reply."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

ITEMS = Path(__file__).parent / "items.jsonl"
INSTRUCTIONS = {"en": "Answer in a few words.", "zh": "请用几个字回答。"}


def load(**_: object) -> Any:
    """The items, as the split that the task file names."""
    from datasets import Dataset

    rows = [json.loads(line) for line in ITEMS.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["instruction"] = INSTRUCTIONS[row["language"]]
    return {"test": Dataset.from_list(rows)}


def process_results(doc: dict[str, Any], results: list[str]) -> dict[str, float]:
    """1.0 where one of the accepted answers stands in the reply as a whole word."""
    return {"acc": float(any(contains(results[0], answer) for answer in doc["answers"]))}


def contains(reply: str, answer: str) -> bool:
    """Whether `answer` is in `reply`, by letters and digits as whole words, whatever the case."""
    text, wanted = (unicodedata.normalize("NFKC", s).casefold() for s in (reply, answer))
    if not wanted.isascii():
        return wanted in text
    return re.search(rf"(?<![a-z0-9.]){re.escape(wanted)}(?![a-z0-9]|\.[0-9])", text) is not None
