"""What the leaderboard shows where there is no ranking: why there is none, and the way to one."""

from dataclasses import dataclass
from urllib.parse import urlencode

from arena.leaderboard.snapshot import GRADED, JUDGE, Sheet
from arena.records import Evidence
from arena.web.views.board_table import template
from arena.web.views.words import WORDS


@dataclass(frozen=True, slots=True)
class NextStep:
    """Where one can go from here. href: a page of the app."""

    href: str
    text: str


def render(sheet: Sheet, view: str, language: str) -> str:
    """Why the sheet has no ranking by this kind of evidence, and what to do about it."""
    words, wanted = WORDS[language], sheet.slice
    title = words["no_ranking_here" if wanted.by else "no_ranking"]
    kind = str(Evidence.JUDGE) if view.startswith(JUDGE) else view
    problem = sheet.problems.get(view)
    ways: list[NextStep] = []
    hint = ""
    if view in sheet.errors:
        said = sheet.errors[view].text(language)
        hint = words["style_unheld"] if view in sheet.unheld else ""
    elif problem is not None:
        said, hint = problem.text(language), words["weak_way"]
        query = {"view": view, "by": wanted.by, "value": wanted.value, "weak": "1"}
        tail = urlencode({name: value for name, value in query.items() if value})
        ways = [*_ways(view, language), NextStep(f"./leaderboard?{tail}", words["weak"])]
    else:
        said, ways = words[f"why_no_{kind}"], _ways(view, language)
    return template("no_ranking.html").render(title=title, said=said, hint=hint, ways=ways)


def _ways(view: str, language: str) -> list[NextStep]:
    """The page on which people give this kind of evidence, where there is one."""
    words = WORDS[language]
    if view in (Evidence.COMBINED, Evidence.HUMAN):
        return [NextStep("./", words["to_vote"])]
    return [NextStep("./rate", words["to_rate"])] if view == GRADED else []
