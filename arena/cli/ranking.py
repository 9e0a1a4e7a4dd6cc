"""The ranking, printed."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import RANKING, ConfigFile, Db, Output, open_store, settings
from arena.cli.options.bundles import bundled
from arena.cli.options.ranking import HowToCombine, HowToRate, WhatCounts, WhichVotes
from arena.cli.output import Format, say, table
from arena.records import COMMAND_LINE, GroupBy, Method
from arena.records.errors import InputError

if TYPE_CHECKING:  # numpy stays out of `arena --help`
    from arena.leaderboard.board import Leaderboard


@bundled
def rank(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A file of battles (CSV, JSON or Parquet) with the columns model_a, model_b and "
            "winner. Without one the database is ranked."
        ),
    ] = None,
    by: Annotated[
        GroupBy | None,
        typer.Option(
            help="Print a ranking for each category of the prompts, for each of their languages, "
            "for each capability (dimension), or for each benchmark."
        ),
    ] = None,
    form: Output = Format.TABLE,
    db: Db = None,
    config: ConfigFile = None,
    *,
    counts: WhatCounts,
    votes: WhichVotes,
    combining: HowToCombine,
    how: HowToRate,
) -> None:
    """Rank the models of the database, or those of a file of battles.

    Ratings are in Elo points: a model that is 100 points above another wins about 64 of 100
    comparisons with it. Each rating has an interval, and a range of ranks that it may have.

    \b
    arena rank                     by all the evidence of the database
    arena rank --evidence human    by people's votes alone
    arena rank --by category       a ranking for each category of prompts
    arena rank battles.csv         a file of battles from elsewhere
    """
    from arena.interchange.battles import read_battles
    from arena.leaderboard.board import Policy, policy_of
    from arena.leaderboard.ranking import grouped_rankings, rank_comparisons, ranking

    conf = settings(config, RANKING)
    if file is not None:
        _refuse_with_file(combining, counts, votes, by)
        policy = votes.least(how.applied(Policy.configured(conf)))
        print_boards([rank_comparisons(read_battles(file, policy.fit.style), policy)], form)
        return
    store = open_store(db, conf)
    policy = combining.applied(how.applied(counts.applied(store, policy_of(store, conf))))
    if policy.fit.style and not store.evidence.answers().model:
        raise InputError("no answer here has a text, so no style of it can be held equal")
    policy = votes.applied(store, policy)
    if by is None:
        print_boards([ranking(store, policy)], form)
        return
    found = grouped_rankings(store, by, policy)
    print_boards(found.boards, form, grouped=True)
    for note in found.left_out:
        say(f"Note: {note.text(place=COMMAND_LINE)}")


def _refuse_with_file(
    combining: HowToCombine, counts: WhatCounts, votes: WhichVotes, by: GroupBy | None
) -> None:
    """Options that are about a database are refused beside a file, which has nothing for them."""
    combined = combining.method is not Method.AUTO or combining.panel is not None
    if counts.evidence is not None or by is not None or combined:
        raise InputError("--evidence, --by, --method and --panel go with the database, not a file")
    if votes.needs_database or counts.judges:
        raise InputError(
            "--without-flagged, --keep-leaked, --cap and --judges go with the database, not a "
            "file; arena audit votes FILE ranks a file without those it flags"
        )


def print_boards(boards: list["Leaderboard"], form: Format, *, grouped: bool = False) -> None:
    """Print rankings in one format; JSON holds a list only where groups were asked for."""
    from arena.leaderboard.formats import to_csv, to_grouped_csv, to_json, to_markdown

    if form is Format.JSON:
        parts = [to_json(board) for board in boards]
        whole = parts if grouped else parts[0]
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
        return
    if form is Format.CSV and grouped:
        sys.stdout.write(to_grouped_csv(boards))
        return
    for board in boards:
        if form is Format.TABLE:
            print_board(board)
        else:
            if grouped:
                sys.stdout.write(f"# {board.group}\n")
            text = to_csv(board) if form is Format.CSV else to_markdown(board)
            sys.stdout.write(text.rstrip("\n") + "\n")


def print_board(board: "Leaderboard") -> None:
    """The table of one ranking, and what must be said with it."""
    from arena.leaderboard.formats import lacking, not_rated, rank_range, score, shown_scores

    shown = shown_scores(board)
    scores = {(s.model, s.title): s for s in shown}
    names = list(dict.fromkeys(s.title for s in shown))
    whole = {row.model: row for row in board.overall}
    rows, places = [], board.places
    for row in board.rows:
        cells: dict[str, Any] = {
            "rank": places[row.model],
            "model": row.model,
            "rating": row.rating,
            f"{board.confidence:.0%} interval": f"{row.ci_low:.1f} – {row.ci_high:.1f}",
            "range": rank_range(row),
            board.counted: row.comparisons,
        }
        if row.predicted is not None:
            cells["judges predict"] = row.predicted
        if whole:
            there = whole.get(row.model)
            cells["overall"] = there and f"{there.rating:.0f} ± {there.ci_high - there.rating:.0f}"
        for name in names:
            cells[name] = score(found) if (found := scores.get((row.model, name))) else None
        rows.append(cells | _taken(board, row.model))
    stands = ", ".join(f"{count} from {source}" for source, count in board.counts.items())
    group = f" · {board.group}" if board.group else ""
    table(rows, title=f"{board.label}{group} · comparisons: {stands}\n{board.method}")
    if board.weighting is not None:
        say(str(board.weighting))
    if board.unrated:
        say(not_rated(board))
        for one in board.unrated:
            say(f"  {one.model}: {lacking(board, one)}")
    old = [f"{m} (of {board.replaced[m]})" for m in places if m in board.replaced]
    if old:
        say(f"Old versions: {', '.join(old)}.")
    for effect in board.effects:
        spread = (
            "" if effect.ci_low is None else f" ({effect.ci_low:+z.3f} to {effect.ci_high:+z.3f})"
        )
        say(f"{effect.name}: {effect.value:+z.3f}{spread} in log-odds")
    for note in board.notes:
        say(f"Note: {note.text(place=COMMAND_LINE)}")


def _taken(board: "Leaderboard", model: str) -> dict[str, Any]:
    """What answers of a model take, where that is known of any model."""
    shown = {
        "first_token": "first token (s)",
        "seconds": "answer (s)",
        "cost_per_1000": "$ / 1,000",
    }
    known = [
        name for name in shown if any(getattr(f, name) is not None for f in board.facts.values())
    ]
    facts = board.facts.get(model)
    return {shown[name]: getattr(facts, name, None) for name in known}


COMMANDS = (rank,)
