"""What is said of rankings and benchmarks, in the language of a page; it is written in English."""

import re
from functools import cache
from importlib.resources import files

import yaml


def translated(note: str, language: str) -> str:
    """The note or method; in Chinese where its pattern is known, else as it is."""
    for pattern, template in _patterns(language):
        found = pattern.fullmatch(note)
        if found:
            return template.format(*(translated(part, language) for part in found.groups()))
    return note


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    file = files("arena.leaderboard") / f"notes.{language}.yaml"
    if not file.is_file():
        return []
    table = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [(re.compile(pattern), template) for pattern, template in table]
