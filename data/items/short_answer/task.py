"""The functions that `short_answer.yaml` names: reading the items, and marking a reply."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

ITEMS = Path(__file__).parent / "items.jsonl"
NUMERAL = "[〇零一二两三四五六七八九十百千万0-9]"
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
    """Whether `answer` stands in `reply`: whole words and whole numbers, whatever the case."""
    text, wanted = (unicodedata.normalize("NFKC", s).casefold() for s in (reply, answer))
    if wanted.isascii():
        pattern = rf"(?<![a-z0-9.]){re.escape(wanted)}(?![a-z0-9]|\.[0-9])"
    else:
        pattern = rf"(?<!{NUMERAL}){re.escape(wanted)}(?!{NUMERAL})"
    return re.search(pattern, text) is not None
