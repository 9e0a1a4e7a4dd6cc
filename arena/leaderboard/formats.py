"""A leaderboard as JSON, CSV and Markdown, and how its numbers are rounded for reading.

The files of the site, the command line and the page all say a ranking through here. JSON
and CSV keep every digit; Markdown and the page round.
"""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from operator import attrgetter
from typing import Any

from arena.benchmarks.scores import BenchmarkScore, MeanScore
from arena.files.spreadsheets import harmless
from arena.leaderboard.board import Leaderboard, ModelFacts, Row
from arena.ratings import Unrated
from arena.records import counted

Scores = dict[str, dict[str, BenchmarkScore]]
_MARKUP = re.compile(r"([\\|<>\[\]`*])")
# What stands beside the mean of a benchmark.
PARTS = ("stderr", "low", "high", "items")
# Intervals narrower than this, in points either side, would round to a misleading "± 0".
_NARROW = 5.0
# More columns of benchmarks than this, and a ranking shows their means by capability instead.
MOST_COLUMNS = 4


def to_json(board: Leaderboard) -> dict[str, Any]:
    """What `json.dumps` takes; a number that JSON cannot say is None.

    `benchmarks` is there only for models that have objective scores, and `group` only where
    the ranking is restricted to one. `unrated`: the models that are not rated yet. `facts`: of
    each model, where all prompts are ranked: what it costs, how fast and how long it writes.
    """
    scores, places = scores_by_model(board), board.places
    whole: dict[str, Any] = {
        "method": str(board.method),
        "evidence": board.evidence.value,
        "label": board.label,
        "settings": asdict(board.settings),
        "counts": dict(board.counts),
        "notes": [str(note) for note in board.notes],
        "models": [
            _entry(row, places[row.model], scores.get(row.model, {})) for row in ranked(board)
        ],
        "unrated": [asdict(one) for one in board.unrated],
        "min_comparisons": board.min_comparisons,
    }
    for entry in [*whole["models"], *whole["unrated"]]:
        if entry["model"] in board.facts:
            entry["facts"] = asdict(board.facts[entry["model"]])
    if board.overall:
        whole["overall"] = {
            "weights": dict(board.weights),
            "models": [
                {k: _finite(v) for k, v in asdict(row).items() if k != "predicted"}
                for row in board.overall
            ],
        }
    if board.dimensions:
        whole["dimensions"] = [asdict(score) for score in board.dimensions]
    if board.sources:
        whole["sources"] = [asdict(source) for source in board.sources]
    if board.effects:
        whole["effects"] = [asdict(effect) for effect in board.effects]
    return {"group": board.group, **whole} if board.group else whole


def to_grouped_csv(boards: Sequence[Leaderboard]) -> str:
    """Rankings of several groups in one table; its first column names the group."""
    rows = [
        {"group": harmless(board.group), **row}
        for board in boards
        for row in csv.DictReader(io.StringIO(to_csv(board)))
    ]
    out = io.StringIO()
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(out, [*columns], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def to_csv(board: Leaderboard) -> str:
    """A header and a line a model; a benchmark has its mean, stderr, low, high and items.

    Models that are not rated yet come last: without a rating, and with what they lack. The last
    columns are its `facts`, where all prompts are ranked.
    """
    scores, columns = scores_by_model(board), score_columns(board)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [f"{name}{part}" for name in columns for part in ("", *(f" {part}" for part in PARTS))]
    whole = {row.model: row for row in board.overall}
    sums = ["overall", "overall_ci_low", "overall_ci_high"] if whole else []
    names = [field.name for field in fields(Row)]
    places = board.places
    about = [field.name for field in fields(ModelFacts)] if board.facts else []
    tail = ["rank_by_upper_end", "lacks", *about]
    writer.writerow([*names, *sums, *(harmless(head) for head in heads), *tail])
    for row in ranked(board):
        model, *numbers = astuple(row)
        there = whole.get(model)
        sums_here = (there.rating, there.ci_low, there.ci_high) if there else (None,) * len(sums)
        scored = _score_cells(scores.get(model, {}), columns)
        line = [harmless(model), *map(_finite, (*numbers, *sums_here)), *scored]
        writer.writerow([*line, places[model], 0, *_fact_cells(board, model)])
    for one in board.unrated:
        cells: list[Any] = [None] * len(names)
        cells[0], cells[names.index("comparisons")] = harmless(one.model), one.comparisons
        scored = _score_cells(scores.get(one.model, {}), columns)
        known = _fact_cells(board, one.model)
        writer.writerow([*cells, *([None] * len(sums)), *scored, None, one.lacks, *known])
    return out.getvalue()


def to_markdown(board: Leaderboard) -> str:
    """A pipe table under its label, with every note."""
    (scores, columns), digits, places = shown(board), decimals(board), board.places
    heads = ["rank", "range", "model", "rating", f"{confidence(board)} interval", board.counted]
    heads += columns
    lines = [
        f"**{_plain(board.label)}** · {_plain(str(board.method))}",
        "",
        _pipes([_plain(head) for head in heads]),
        _pipes(["---:", "---:", "---", *["---:"] * (len(heads) - 3)]),
    ]
    for row in ranked(board):
        here = scores.get(row.model, {})
        cells = [str(places[row.model]), rank_range(row), _plain(row.model)]
        cells += [points(row.rating, digits)]
        cells += [f"{points(row.ci_low, digits)} to {points(row.ci_high, digits)}"]
        cells += [str(row.comparisons), *(score(here.get(name)) for name in columns)]
        lines.append(_pipes(cells))
    if board.unrated:
        lines += ["", f"{_plain(not_rated(board))}"]
        lines += [
            "",
            *(f"- {_plain(f'{one.model}: {lacking(board, one)}')}" for one in board.unrated),
        ]
    lines += [f"\n> {_plain(str(note))}" for note in board.notes]
    return "\n".join(lines) + "\n"


def not_rated(board: Leaderboard) -> str:
    """What stands above the models that are not rated yet."""
    least = counted(board.min_comparisons, board.placed_by.removesuffix("s"))
    return (
        f"Not rated yet. A model is rated once it has {least} or more with rated models, and a "
        "link to them:"
    )


def lacking(board: Leaderboard, one: Unrated) -> str:
    """What a model lacks to be rated."""
    what = board.placed_by.removesuffix("s")
    so_far, more = counted(one.comparisons, what), counted(one.lacks, what)
    how = ", none that links it to the rated models" if one.apart else ""
    return f"{so_far} so far{how}; it lacks {more} with rated models"


def ranked(board: Leaderboard) -> list[Row]:
    """The rows, the highest rating first; equal ones by name."""
    return sorted(board.rows, key=lambda row: (-row.rating, row.model))


def score_columns(board: Leaderboard) -> list[str]:
    """A heading for each benchmark; its metric is named only where it has several."""
    return list(dict.fromkeys(_headings(board).values()))


def scores_by_model(board: Leaderboard) -> Scores:
    """Objective scores by model, then by the heading of their column."""
    headings = _headings(board)
    scores: Scores = {}
    for item in board.benchmarks:
        heading = headings[item.benchmark, item.variant, item.metric]
        scores.setdefault(item.model, {})[heading] = item
    return scores


def shown(board: Leaderboard) -> tuple[Scores, list[str]]:
    """The scores that stand beside a rating, by model, and the headings of their columns."""
    scores: Scores = {}
    for item in shown_scores(board):
        scores.setdefault(item.model, {})[item.title] = item
    return scores, list(dict.fromkeys(item.title for item in shown_scores(board)))


def shown_scores(board: Leaderboard) -> list[BenchmarkScore]:
    """What stands beside a rating: a few benchmarks, or else their means by capability.

    Where there is room, a benchmark that was asked in several ways is there in each of them, the
    way that stands for it first.
    """
    ways = every_way(board)
    primary = [score for score in ways if score.primary]
    if len({score.title for score in ways}) <= MOST_COLUMNS:
        return ways
    few = len({score.benchmark for score in primary}) <= MOST_COLUMNS
    return primary if few or not board.dimensions else list(board.dimensions)


def every_way(board: Leaderboard) -> list[BenchmarkScore]:
    """The scores of each benchmark in each way it was asked, by the metric that leads there.

    By benchmark, and first the way that stands for it.
    """
    leading = [score for score in board.benchmarks if score.leading]
    return sorted(leading, key=lambda score: (score.benchmark, not score.primary, score.variant))


def rank_range(row: Row) -> str:
    """The places that the evidence allows: `1–3`, or `2` where it allows one."""
    same = row.rank_low == row.rank_high
    return str(row.rank_low) if same else f"{row.rank_low}–{row.rank_high}"


def decimals(board: Leaderboard) -> int:
    """How many decimals of a rating mean something: none, unless an interval is narrow."""
    sides = [side for row in board.rows for side in (row.ci_high - row.rating, _below(row))]
    return int(any(0 < side < _NARROW for side in sides))


def points(value: float, digits: int) -> str:
    """Elo points, rounded for reading."""
    return f"{value:z.{digits}f}" if math.isfinite(value) else "–"


def spread(row: Row, digits: int) -> str:
    """The interval around the rating: `± 12`, or `+14 / −11` where it leans."""
    up, down = points(row.ci_high - row.rating, digits), points(_below(row), digits)
    return f"± {up}" if up == down else f"+{up} / −{down}"


def confidence(board: Leaderboard) -> str:
    """The level of the intervals: `95%`."""
    return f"{100 * board.confidence:g}%"


def percent(value: float) -> str:
    """A share in [0, 1] with one decimal."""
    return f"{value:.1%}"


def score(item: BenchmarkScore | MeanScore | None) -> str:
    """A benchmark's mean and 95 % interval: `62.5% (30.6–86.3%)`."""
    if item is None:
        return "–"
    return percent(item.mean) + (f" ({between})" if (between := interval(item)) else "")


def interval(item: BenchmarkScore | MeanScore) -> str:
    """The 95 % interval of a share: `30.6–86.3%`; empty where there is none."""
    return "" if item.low is None or item.high is None else f"{100 * item.low:.1f}–{item.high:.1%}"


def _below(row: Row) -> float:
    return row.rating - row.ci_low


def _headings(board: Leaderboard) -> dict[tuple[str, str, str], str]:
    """A name for each benchmark with its way of asking, and its metric where it has several."""
    found = sorted({(item.benchmark, item.variant, item.metric) for item in board.benchmarks})
    several = Counter(benchmark for benchmark, _, _ in found)
    parts = {(b, v, m): [v, m if several[b] > 1 else ""] for b, v, m in found}
    return {
        place: f"{place[0]} ({', '.join(filter(None, more))})" if any(more) else place[0]
        for place, more in parts.items()
    }


def _entry(row: Row, place: int, scores: dict[str, BenchmarkScore]) -> dict[str, Any]:
    entry = {name: _finite(value) for name, value in asdict(row).items()}
    entry["rank_by_upper_end"] = place
    if row.predicted is None:
        del entry["predicted"]
    if scores:
        entry["benchmarks"] = {
            name: {part: getattr(s, part) for part in ("metric", "mean", *PARTS)}
            for name, s in sorted(scores.items())
        }
    return entry


def _score_cells(scores: dict[str, BenchmarkScore], columns: list[str]) -> list[float | None]:
    cells: list[float | None] = []
    for name in columns:
        item = scores.get(name)
        values = attrgetter("mean", *PARTS)(item) if item else [None] * (1 + len(PARTS))
        cells += values
    return cells


def _fact_cells(board: Leaderboard, model: str) -> list[Any]:
    """The facts of a model; text is no formula, and what is not known is empty."""
    found = astuple(board.facts.get(model, ModelFacts())) if board.facts else ()
    return [harmless(_finite(cell)) for cell in found]


def _finite(value: Any) -> Any:
    """The value, or None for an infinite one: no format here has a word for it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
