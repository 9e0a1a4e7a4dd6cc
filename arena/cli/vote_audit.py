"""`arena audit votes`: whose votes do not look honest, and what they do to the ranking."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import RANKING, ConfigFile, Db, Output, open_store, settings
from arena.cli.output import Format, emit, say
from arena.records import counted

if TYPE_CHECKING:  # numpy stays out of `arena --help`
    from arena.leaderboard.vote_audit import VoteReport
    from arena.ratings import VoterReport

SHOWN = 10
SHORT = 8
MOVES = "The rankings by votes alone: with all votes, and without the flagged voters"
_HASH = re.compile(r"[0-9a-f]{16,}")
# What the columns of the table say, under it.
COLUMNS = {
    "again": "how many of the votes are on a battle that the voter had voted on before",
    "honest": "the probability that the voter is honest, from all that is known of the votes",
    "p": "how often an honest voter would look as bad as this one by chance alone",
    "q": "the share of honest voters to expect among this one and all who look worse",
}


def votes(
    file: Annotated[
        Path | None,
        typer.Argument(help="A battles file with a voter column; without one, the database."),
    ] = None,
    level: Annotated[
        float,
        typer.Option(
            min=0.001,
            max=0.5,
            help="How many of the flagged voters may be honest, as a share: 0.1 flags so that "
            "about one in ten of them is. A smaller number flags fewer.",
        ),
    ] = 0.1,
    cap: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1.0,
            help="For the ranking without the flagged voters: the largest share of one model's "
            "votes that a single voter may have. 0.05 counts no voter for more than a "
            "twentieth.",
            show_default="no limit",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="List every voter, and not only the flagged ones.")
    ] = False,
    form: Output = Format.TABLE,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Report on voters: who does not look honest and why, and the ranking without them.

    Nobody is deleted: arena rank --without-flagged leaves out whom this flags. The ranking that is
    shown is by votes alone, as arena rank --evidence human has it.

    \b
    arena audit votes                      the votes of the database
    arena audit votes battles.csv --all    a file, with every voter listed
    """
    from arena.leaderboard.board import Policy, policy_of
    from arena.leaderboard.vote_audit import record_flags, report_on, vote_report

    if file is not None:
        from arena.interchange.battles import read_ballots

        comparisons, seconds = read_ballots(file)
        whole = Policy(min_comparisons=1)  # as arena rank FILE has it
        report = report_on(comparisons, whole, seconds=seconds, level=level, cap=cap)
    else:
        conf = settings(config, RANKING)
        store = open_store(db, conf)
        report = vote_report(store, policy_of(store, conf), level=level, cap=cap)
        record_flags(store, report)
    if form is Format.JSON:
        sys.stdout.write(
            json.dumps(report.as_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        )
        return
    shown = report.integrity.voters if every else report.integrity.flagged
    emit([_voter(v, form) for v in shown], form, title=_summary(report))
    if form is Format.TABLE:
        if shown:
            for column, meaning in COLUMNS.items():
                say(f"{column}: {meaning}.")
        if report.flagged:
            emit(_moves(report), form, title=MOVES)
            say(_about_moves(file, cap))
        _say(report)


def _about_moves(file: Path | None, cap: float | None) -> str:
    """Which models are shown, and which command prints the same rankings."""
    said = f"Shown are the first {SHOWN} and who moves."
    if file is not None:
        return said if cap is None else f"{said} Without: as --cap {cap:g} has it, too."
    limit = "" if cap is None else f" --cap {cap:g}"
    whole = "arena rank --evidence human"
    return f"{said} {whole} prints the one, and {whole} --without-flagged{limit} the other."


def _named(voter: str, form: Format = Format.TABLE) -> str:
    """A voter in few letters for people: of a hash its beginning tells voters apart."""
    is_hash = _HASH.fullmatch(voter) and form is Format.TABLE
    return f"{voter[:SHORT]}…" if is_hash else voter


def _voter(v: "VoterReport", form: Format) -> dict[str, Any]:
    cells: dict[str, Any] = {"voter": _named(v.voter, form), "votes": v.votes, "again": v.again}
    cells["flagged for"] = ", ".join(v.kinds) or None
    cells |= {"honest": f"{v.honest:.3f}", "p": f"{v.p:.2g}", "q": f"{v.q:.3f}"}
    for finding in v.findings:
        about = (
            f" ({_named(finding.about, form)})" if finding.about and finding.kind in v.kinds else ""
        )
        known = finding.value is not None
        cells[str(finding.kind)] = f"{finding.value:z.2f}{about}" if known else None
    return cells


def _moves(report: "VoteReport") -> list[dict[str, Any]]:
    moves = [m for m in report.moves() if m.rank <= SHOWN or m.rank_after != m.rank]
    return [
        {
            "model": m.model,
            "rank": m.rank,
            "without": m.rank_after,
            "rating": m.rating,
            "rating without": m.rating_after,
        }
        for m in moves
    ]


def _summary(report: "VoteReport") -> str:
    whole = report.integrity
    votes, voters = counted(whole.votes, "vote"), counted(len(whole.voters), "voter")
    return f"{votes} of {voters}; flagged: {len(report.flagged)}"


def _say(report: "VoteReport") -> None:
    from arena.ratings import MEANINGS

    if report.flagged:
        kinds = dict.fromkeys(kind for v in report.integrity.flagged for kind in v.kinds)
        for kind in kinds:
            say(f"{kind}: {MEANINGS[kind]}.")
        say(
            f"Of the flagged about {report.integrity.level:.0%} or fewer are honest. A flag "
            "deletes nothing: arena rank counts their votes, and --without-flagged does not."
        )
    if report.leaked:
        votes = counted(report.leaked, "vote is", "votes are")
        say(f"{votes} not counted: an answer says which model wrote it.")
    if found := report.influence:
        whose = ", ".join(f"{_named(voter)} ({n})" for voter, n in found.voters[:SHOWN])
        others = len(found.voters) - SHOWN
        more = f" and {counted(others, 'other')}" if others > 0 else ""
        votes = counted(len(found.rows), "vote")
        say(
            f"Without {votes}, cast by {whose}{more}, {found.successor} would be first, not "
            f"{found.first}."
        )
