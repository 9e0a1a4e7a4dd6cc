"""Everything that a publication shows, as tables: CSV, JSON and Parquet of the same rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from arena.benchmarks.scores import BenchmarkScore
from arena.interchange.exchange.outgoing import write_parquet, write_rows
from arena.leaderboard.board import Leaderboard, ModelFacts, Policy
from arena.leaderboard.evidence.counted_judges import chosen_judges
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.formats import to_json
from arena.leaderboard.judge_audit import JudgeAudit
from arena.publish.data.published import Published
from arena.ratings import Comparisons
from arena.store import Store

FOLDER = "data"
SUFFIXES = (".csv", ".json", ".parquet")
Row = dict[str, Any]
_BOARD: dict[str, type] = {"evidence": str, "label": str, "group": str}
_PLACE: dict[str, type] = {
    "model": str, "rank_by_upper_end": int, "rank": int, "rank_low": int, "rank_high": int,
    "rating": float, "ci_low": float, "ci_high": float, "comparisons": float, "p_best": float,
}  # fmt: skip
_TEXTS = ("organization", "license", "released")
_FACTS: dict[str, type] = {
    one.name: str if one.name in _TEXTS else float for one in fields(ModelFacts)
}
_MEASURE: dict[str, type] = {"value": float, "low": float, "high": float, "n": int}
_SCORE: dict[str, type] = {
    "benchmark": str, "variant": str, "dimension": str, "metric": str, "model": str,
    "mean": float, "stderr": float, "low": float, "high": float, "items": int,
}  # fmt: skip
_PAIR: dict[str, type] = {
    "source": str, "model_a": str, "model_b": str, "comparisons": float, "points_a": float,
}  # fmt: skip
# The columns of each table, with the type of their values.
TABLES: Mapping[str, Mapping[str, type]] = {
    "rankings": _BOARD | _PLACE,
    "models": {"model": str} | _FACTS,
    "judges": {"judge": str, "measure": str} | _MEASURE,
    "benchmarks": _SCORE,
    "pairs": _PAIR,
}
FILES = tuple(f"{FOLDER}/{table}{suffix}" for table in TABLES for suffix in SUFFIXES)


def table_rows(store: Store, shown: Published) -> dict[str, list[Row]]:
    """The rows of each table."""
    return {
        "rankings": list(_rankings(shown.rankings)),
        "models": list(_models(shown.board)),
        "judges": list(_judges(shown.audits)),
        "benchmarks": [_score(score) for score in shown.board.benchmarks],
        "pairs": list(_pairs(store, shown.policy)),
    }


def write_tables(store: Store, shown: Published, place: Path) -> None:
    """Write every table in each form, into a folder below `place`."""
    (place / FOLDER).mkdir()
    for name, rows in table_rows(store, shown).items():
        path, columns = place / FOLDER / name, TABLES[name]
        write_rows(path.with_suffix(".csv"), rows, list(columns), (".csv",))
        write_rows(path.with_suffix(".json"), rows, list(columns), (".json",))
        write_parquet(path.with_suffix(".parquet"), rows, columns)


def _rankings(boards: Iterable[Leaderboard]) -> Iterator[Row]:
    for board in boards:
        whole = to_json(board)
        about = {"evidence": whole["evidence"], "label": board.label, "group": board.group}
        for one in whole["models"]:
            yield about | {name: one[name] for name in _PLACE}


def _models(board: Leaderboard) -> Iterator[Row]:
    for name in sorted(board.facts):
        yield {"model": name} | asdict(board.facts[name])


def _judges(audits: Iterable[JudgeAudit]) -> Iterator[Row]:
    for audit in audits:
        for name, measure in audit.measures():
            yield {"judge": audit.judge, "measure": name} | asdict(measure)


def _score(score: BenchmarkScore) -> Row:
    return {name: getattr(score, name) for name in _SCORE}


def _pairs(store: Store, policy: Policy) -> Iterator[Row]:
    """How often two models met by each source, and how many of these wins went to the first."""
    found = chosen_judges(gather(store, rules=policy.rules, ways=policy.ways), policy.judges)
    sources = {"human": found.human, **found.judges, **found.objective}
    for source, comparisons in sources.items():
        if comparisons is not None:
            yield from _met(source, comparisons)


def _met(source: str, comparisons: Comparisons) -> Iterator[Row]:
    counts, names = comparisons.pair_counts, comparisons.models
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            if counts.played[i, j] > 0:
                yield {
                    "source": source,
                    "model_a": first,
                    "model_b": names[j],
                    "comparisons": float(counts.played[i, j]),
                    "points_a": float(counts.points[i, j]),
                }
