"""What somebody looks at in Browse, as the address of the page has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from arena.web.catalogue import Filter

PROMPTS, OUTCOMES = "prompts", "outcomes"
ONLY = ("split", "turned")


@dataclass(frozen=True, slots=True)
class Looking:
    """A page of the list of prompts, or a benchmark's outcomes. page: counted from 1."""

    what: str = PROMPTS
    wanted: Filter = field(default_factory=Filter)
    benchmark: str = ""
    page: int = 1

    def address(self) -> str:
        """The query of an address; what is as usual is left out."""
        wanted = self.wanted
        parts = {
            "what": "" if self.what == PROMPTS else self.what,
            "search": wanted.search,
            "model": wanted.model,
            "judge": wanted.judge,
            "category": wanted.category,
            "language": wanted.language,
            "only": ",".join(wanted.only),
            "benchmark": "" if self.what == PROMPTS else self.benchmark,
            "page": "" if self.page == 1 else str(self.page),
        }
        return urlencode({name: value for name, value in parts.items() if value})


def looking_at(query: Mapping[str, str]) -> Looking:
    """What an address asks for; what it asks for in vain is passed over."""
    names = ("search", "model", "judge", "category", "language")
    search, model, judge, category, language = (query.get(name, "") for name in names)
    only = tuple(name for name in ONLY if name in query.get("only", "").split(","))
    wanted = Filter(search, model, judge, category, language, only)
    page = query.get("page", "")
    return Looking(
        OUTCOMES if query.get("what") == OUTCOMES else PROMPTS,
        wanted,
        query.get("benchmark", ""),
        page_of(page),
    )


def page_of(text: str) -> int:
    """The number of a page; the first where the text is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
