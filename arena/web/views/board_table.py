"""The leaderboard as a table: which columns it can have, and what stands in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from importlib.resources import files
from urllib.parse import urlencode

from jinja2 import Environment, Template

from arena.leaderboard.board import Leaderboard, ModelFacts, Policy, Row
from arena.leaderboard.contrasts import movers
from arena.leaderboard.facts import facts_of
from arena.leaderboard.formats import decimals, every_way, interval, points, rank_range, ranked
from arena.leaderboard.snapshot import JUDGE, Sheet, Slice
from arena.publish.chart import axis_of
from arena.web.views.words import WORDS, Words, sentences

# In the order of the table; those that are shown unless others are chosen.
COLUMNS = (
    "rank",
    "model",
    "interval",
    "rating",
    "overall",
    "win_rate",
    "comparisons",
    "length",
    "price",
    "cost",
    "first_token",
    "seconds",
    "speed",
    "thinking",
    "answer_tokens",
    "context",
    "organization",
    "license",
    "released",
    "satisfaction",
    "predicted",
    "p_best",
)
FIXED = ("model",)
_ON_DEMAND = (
    *("first_token", "speed", "thinking", "answer_tokens", "released"),
    *("satisfaction", "predicted", "p_best"),
)
SHOWN = tuple(name for name in COLUMNS if name not in (*FIXED, *_ON_DEMAND))
_TEXT = ("model", "organization", "license", "released")
NO_FACT = ModelFacts()
# By column: the field of `ModelFacts`, how it is written, and the word for its unit.
FACTS = {
    "price": ("output_price", "", ""),
    "cost": ("cost_per_1000", "${:,.3g}", "per_1000"),
    "first_token": ("first_token", "{:,.3g}", "seconds_unit"),
    "seconds": ("seconds", "{:,.3g}", "seconds_unit"),
    "speed": ("tokens_per_second", "{:,.3g}", ""),
    "thinking": ("thinking_tokens", "{:,.0f}", ""),
    "answer_tokens": ("answer_tokens", "{:,.0f}", ""),
    "context": ("context_length", "{:,}", "tokens"),
    "organization": ("organization", "{}", ""),
    "license": ("license", "{}", ""),
    "released": ("released", "{}", ""),
}


@dataclass(frozen=True, slots=True)
class TableCell:
    """What a cell shows; value: by which it sorts."""

    text: str
    value: float | str = ""
    small: str = ""


NOTHING = TableCell("–")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of the table."""

    name: str
    heading: str
    css: str
    cell: Callable[[Row], TableCell]


def environment() -> Environment:
    """Templates in which everything is escaped."""
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)


@cache
def template(name: str) -> Template:
    """A template beside this module."""
    return environment().from_string(
        (files("arena.web.templates") / name).read_text(encoding="utf-8")
    )


def note(sentence: str) -> str:
    """A sentence in place of a table."""
    return environment().from_string('<p class="note">{{ said }}</p>').render(said=sentence)


def render(
    sheet: Sheet,
    view: str,
    language: str,
    *,
    columns: Sequence[str] = SHOWN,
    search: str = "",
    made: float | None = None,
    old: bool = False,
) -> str:
    """A line a model, the best first, with its interval drawn on one axis.

    search: a part of the names that are shown. made: when, in seconds since the epoch. old:
    whether the store has changed since.
    """
    board, words = sheet.boards[view], WORDS[language]
    rows, wanted = ranked(board), {*FIXED, *columns}
    sought = search.strip().casefold()
    page = template("board.html")
    notes = [note.text(language) for note in board.general]
    digits = decimals(board)
    return page.render(
        board=board,
        notes=notes,
        notes_line=words["notes"].format(count=len(notes)),
        said_of=lambda subject: sentences(
            words, *(n.text(language) for n in board.marks_of(subject))
        ),
        method=board.method.text(language),
        rows=rows,
        hidden=[sought not in row.model.casefold() for row in rows],
        words=words,
        columns=[
            column
            for name in COLUMNS
            if name in wanted
            for column in [_column(name, sheet, view, words, digits)]
            if name in FIXED or any(column.cell(row) is not NOTHING for row in rows)
        ],
        place=axis_of(rows).place,
        points=partial(points, digits=digits),
        time=None if made is None else utc(made),
        old=old,
        links=links(sheet.slice, view),
        weighting=None if board.weighting is None else board.weighting.text(language),
        policy=policy_line(sheet.policy, words),
        replaced=sheet.replaced,
    )


def view_name(words: Words, view: str) -> str:
    """What a kind of evidence, or the ranking by one judge, is called."""
    if not view.startswith(JUDGE):
        return words[view]
    return words["named"].format(name=words["judge_name"], value=view.removeprefix(JUDGE))


def policy_line(policy: Policy, words: Words) -> str:
    """How the database is ranked, and where that is written."""
    parts = [
        words[f"policy_{policy.origin}"],
        words["policy_first"].format(view=words[str(policy.evidence)]),
        words["policy_least"].format(least=policy.least),
    ]
    parts += (
        [words["policy_judges"].format(names=", ".join(policy.judges))] if policy.judges else []
    )
    parts += [words["policy_weak"]] if policy.allow_weak_judges else []
    return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class Link:
    """Where something can be downloaded."""

    href: str
    text: str


def links(wanted: Slice, view: str) -> list[Link]:
    """The table and the win rates as files."""
    query = {"view": view, "by": wanted.by, "value": wanted.value}
    query |= {name: "1" for name in ("style", "weak") if getattr(wanted, name)}
    tail = urlencode({name: value for name, value in query.items() if value})
    return [
        Link(f"./data/{name}.{kind}?{tail}", f"{name}.{kind}")
        for name in ("leaderboard", "wins")
        for kind in ("csv", "json")
    ]


def _column(name: str, sheet: Sheet, view: str, words: Words, digits: int) -> TableColumn:
    css = "plot" if name == "interval" else "" if name in _TEXT else "number"
    if name not in ("rank", "model", "interval", "rating"):
        css += " wide"
    board = sheet.boards[view]
    is_votes = name == "comparisons" and board.counted == "votes"
    heading = words["vote_count" if is_votes else name].format(sure=f"{100 * board.confidence:g}%")
    cell = partial(_cell, name, sheet, view, words, digits, board.places)
    return TableColumn(name, heading, css.strip(), cell)


def _cell(
    name: str,
    sheet: Sheet,
    view: str,
    words: Words,
    digits: int,
    places: Mapping[str, int],
    row: Row,
) -> TableCell:
    """What stands in one column of a row."""
    board = sheet.boards[view]
    match name:
        case "rank":
            return TableCell(str(places[row.model]), places[row.model], rank_range(row))
        case "interval":
            return TableCell("")
        case "rating":
            interval = f"{points(row.ci_low, digits)} – {points(row.ci_high, digits)}"
            return TableCell(points(row.rating, digits), row.rating, interval)
        case "win_rate":
            wins = sheet.wins.get(view)
            rate = dict(zip(wins.models, wins.rate, strict=True)).get(row.model) if wins else None
            return (
                NOTHING if rate is None or rate != rate else TableCell(f"{rate:.0%}", float(rate))
            )
        case "comparisons":
            return TableCell(f"{row.comparisons:,}", row.comparisons)
        case "length":
            if (length := sheet.lengths.get(row.model)) is None:
                return NOTHING
            return TableCell(f"{length:,.0f}", length, words["characters"])
        case _ if name in FACTS:
            about = sheet.about.get(row.model)
            known = board.facts.get(row.model) or (facts_of(about) if about else NO_FACT)
            return fact_cell(name, known, words)
        case "satisfaction":
            grade = sheet.grades.get(row.model)
            return (
                NOTHING
                if grade is None
                else TableCell(f"{grade[0]:.2f}", grade[0], f"n = {grade[1]}")
            )
        case "overall":
            found = {other.model: other for other in board.overall}.get(row.model)
            if found is None:
                return NOTHING
            interval = f"{points(found.ci_low, digits)} – {points(found.ci_high, digits)}"
            return TableCell(points(found.rating, digits), found.rating, interval)
        case "predicted" if row.predicted is not None:
            return TableCell(points(row.predicted, digits), row.predicted)
        case "p_best":
            return TableCell(f"{row.p_best:.0%}", row.p_best)
    return NOTHING


def fact_cell(name: str, facts: ModelFacts, words: Words) -> TableCell:
    """What is known of a model beside its rating, in one column."""
    if name == "price":
        read, written = facts.input_price, facts.output_price
        if read is None or written is None:
            return NOTHING
        return TableCell(f"${read:g} / ${written:g}", written, words["per_million"])
    field, form, unit = FACTS[name]
    value = getattr(facts, field)
    return NOTHING if value is None else TableCell(form.format(value), value, words.get(unit, ""))


def tasks_table(board: Leaderboard, language: str, replaced: Mapping[str, str]) -> str:
    """Benchmarks by task: a row a task and way of asking it, a column a model: means.

    replaced: as `Sheet` has it.
    """
    scores = every_way(board)
    if not scores:
        return ""
    rated = [row.model for row in ranked(board)]
    models = [m for m in rated if any(s.model == m for s in scores)]
    models += sorted({s.model for s in scores} - set(models))
    found = {(s.title, s.model): s for s in scores}
    tasks = list(dict.fromkeys(s.title for s in scores))
    return template("tasks.html").render(
        words=WORDS[language],
        models=models,
        tasks=tasks,
        found=found,
        interval=interval,
        replaced=replaced,
    )


def movers_table(board: Leaderboard, language: str) -> str:
    """What moves each model up or down; empty where nothing is known to."""
    told = [mover for mover in movers(board) if mover.parts or mover.gaps]
    if not told:
        return ""
    return template("movers.html").render(words=WORDS[language], movers=told)


def utc(seconds: float) -> str:
    """A time since the epoch as pages show it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
