"""The ranking: printed, or published."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import RANKING, ConfigFile, Db, Format, Output, open_store, settings, split
from arena.cli.output import say, table
from arena.errors import InputError, UnknownNameError
from arena.records import Evidence, alike

if TYPE_CHECKING:  # numpy stays out of `arena --help`
    from arena.board import Fit, Leaderboard
    from arena.groups import Group
    from arena.store import Store

EvidenceOption = Annotated[
    Evidence | None, typer.Option(help="What to rank by.", show_default="combined")
]
AllowWeak = Annotated[
    bool,
    typer.Option(
        "--allow-weak-judges",
        help="Rank by judges that follow the order of the answers or agree with people by chance.",
    ),
]

JudgesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--judges",
        metavar="NAMES",
        help="Count the verdicts of these judges only, as in --judges a,b. Without it those under "
        "judges: in arena.yaml count, or all where none is there.",
    ),
]


def rank(
    file: Annotated[
        Path | None, typer.Argument(help="A battles file; without one, the database.")
    ] = None,
    evidence: EvidenceOption = None,
    by: Annotated[
        str | None,
        typer.Option(help="A ranking for each category, language, dimension or benchmark."),
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(min=0.5, max=0.9999, help="Of the intervals.")
    ] = None,
    interval: Annotated[
        str, typer.Option(metavar="sandwich|bootstrap", help="How intervals are made.")
    ] = "sandwich",
    cluster: Annotated[
        str,
        typer.Option(
            metavar="auto|prompt|voter|battle|source|none",
            help="Whose comparisons are not independent of each other.",
        ),
    ] = "auto",
    ties: Annotated[
        str, typer.Option(metavar="half|davidson|rao-kupper", help="What a tie counts as.")
    ] = "half",
    style: Annotated[
        list[str] | None,
        typer.Option(help="Hold equal: length, headers, lists, bold, code; or columns of FILE."),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="auto|hierarchical|ppi|joint|human",
            help="How judges and benchmarks help people's votes.",
        ),
    ] = "auto",
    panel: Annotated[
        str | None,
        typer.Option(metavar="majority|mean", help="Let the judges count as one."),
    ] = None,
    min_valid: Annotated[
        int, typer.Option(min=1, help="Judges that a battle needs, with --panel.")
    ] = 1,
    neutral: Annotated[
        bool, typer.Option("--neutral", help="No judge has a say on models of its own family.")
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="human=0.5,judge=0.25,objective=0.25",
            help="Of each kind of evidence in the overall column.",
        ),
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(metavar="MODEL=POINTS", help="Fix the scale at one model.")
    ] = None,
    prior: Annotated[
        float | None,
        typer.Option(min=1, help="Standard deviation in points of a normal prior on ratings."),
    ] = None,
    allow_weak_judges: AllowWeak = False,
    judges: JudgesOption = None,
    min_comparisons: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="A model with fewer comparisons stands below the table, not rated yet.",
            show_default="5",
        ),
    ] = None,
    without_flagged: Annotated[
        bool,
        typer.Option("--without-flagged", help="Leave out voters whom arena audit votes flags."),
    ] = False,
    keep_leaked: Annotated[
        bool,
        typer.Option("--keep-leaked", help="Count votes on answers that say who wrote them."),
    ] = False,
    cap: Annotated[
        float | None,
        typer.Option(min=0.001, max=1.0, help="Most of a model's votes that one voter may have."),
    ] = None,
    form: Output = Format.TABLE,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Rank the models of the database, or those of a battles file."""
    from arena.board import Policy, policy_of
    from arena.leaderboard import leaderboards, rank_comparisons, ranking

    conf = settings(config, RANKING)
    asked: dict[str, Any] = {
        "prior": "auto" if prior is None else prior,
        "interval": interval,
        "ties": ties,
        "cluster": None if cluster == "none" else cluster,
        "style": tuple(split(style)),
        "anchor": _anchor(anchor),
        "method": method,
        "panel": panel,
        "min_valid": min_valid,
        "neutral": neutral,
    }
    if confidence is not None:
        asked["confidence"] = confidence
    if min_comparisons is not None:
        asked["min_comparisons"] = min_comparisons
    if weights:
        asked["weights"] = _weights(weights)
    if file is not None:
        if evidence is not None or by is not None or method != "auto" or panel is not None:
            raise InputError(
                "--evidence, --by, --method and --panel go with the database, not a file"
            )
        if without_flagged or keep_leaked or cap is not None or judges:
            raise InputError(
                "--without-flagged, --keep-leaked, --cap and --judges go with the database, not a "
                "file; arena audit votes FILE ranks a file without those it flags"
            )
        from arena.interchange.battles import read_battles

        fit = replace(Policy.configured(conf).fit, **asked)
        board_ = rank_comparisons(read_battles(file, fit.style), fit)
        notes = (*board_.notes, *alike(row.model for row in board_.rows))
        boards = [replace(board_, notes=notes)]
    else:
        store = open_store(db, conf)
        policy = policy_of(store, conf)
        fit = replace(policy.fit, **asked)
        if fit.style and not store.evidence.answers().model:
            raise InputError("no answer here has a text, so no style of it can be held equal")
        if judges:
            fit = replace(fit, judges=_known_judges(store, split(judges)))
        policy = replace(
            policy,
            evidence=evidence or policy.evidence,
            allow_weak_judges=allow_weak_judges or policy.allow_weak_judges,
            fit=_ruled(store, fit, keep_leaked, without_flagged, cap),
        )

        def board(group: "Group | None" = None) -> "Leaderboard":
            return ranking(store, policy, group)

        boards = leaderboards(store, by, board) if by else [board()]
    print_boards(boards, form, grouped=by is not None)


def publish(
    folder: Annotated[Path, typer.Argument(help="Where to write index.html and the data.")],
    evidence: EvidenceOption = None,
    allow_weak_judges: AllowWeak = False,
    judges: JudgesOption = None,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Write the ranking as a static site, with the data beside it."""
    from arena.board import policy_of
    from arena.leaderboard import ranking
    from arena.publish import publish_ranking

    conf = settings(config, RANKING)
    store = open_store(db, conf)
    policy = policy_of(store, conf)
    policy = replace(
        policy,
        evidence=evidence or policy.evidence,
        allow_weak_judges=allow_weak_judges or policy.allow_weak_judges,
        fit=replace(policy.fit, judges=_known_judges(store, split(judges)))
        if judges
        else policy.fit,
    )
    store.describe(conf.candidates().values())
    page = publish_ranking(store, folder, ranking(store, policy), policy)
    say(f"Published: {page}")


def _known_judges(store: "Store", names: list[str]) -> tuple[str, ...]:
    """Names of judges that have said something here; an error for any other."""
    known = {judge.name for judge in store.judges.where()}
    for name in names:
        if name not in known:
            raise UnknownNameError("judge", name, known)
    return tuple(dict.fromkeys(names))


def print_boards(boards: list["Leaderboard"], form: Format, *, grouped: bool = False) -> None:
    """Print rankings in one format; JSON holds a list only where groups were asked for."""
    from arena.publish.formats import to_csv, to_json, to_markdown

    if form is Format.JSON:
        parts = [to_json(board) for board in boards]
        whole = parts if grouped else parts[0]
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
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
    from arena.publish.formats import lacking, not_rated, rank_range, score, shown_scores

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
            "comparisons": row.comparisons,
        }
        if row.predicted is not None:
            cells["judges predict"] = row.predicted
        if whole:
            there = whole.get(row.model)
            cells["overall"] = there and f"{there.rating:.0f} ± {there.ci_high - there.rating:.0f}"
        for name in names:
            cells[name] = score(found) if (found := scores.get((row.model, name))) else None
        rows.append(cells)
    stands = ", ".join(f"{count} from {source}" for source, count in board.counts.items())
    group = f" · {board.group}" if board.group else ""
    table(rows, title=f"{board.label}{group} · comparisons: {stands}\n{board.method}")
    if board.weights:
        shares = ", ".join(f"{kind} {share:.0%}" for kind, share in board.weights)
        say(f"Overall: the mean of the ratings by each kind of evidence, weights {shares}.")
    if board.unrated:
        say(not_rated(board))
        for one in board.unrated:
            say(f"  {one.model}: {lacking(one)}")
    for effect in board.effects:
        spread = (
            "" if effect.ci_low is None else f" ({effect.ci_low:+.3f} to {effect.ci_high:+.3f})"
        )
        say(f"{effect.name}: {effect.value:+.3f}{spread} in log-odds")
    for note in board.notes:
        say(f"Note: {note}")


def _ruled(
    store: "Store", fit: "Fit", keep_leaked: bool, without_flagged: bool, cap: float | None
) -> "Fit":
    """The fit with what the options say of the votes that count."""
    from arena.integrity import vote_report

    rules = replace(fit.rules, keep_leaked=keep_leaked or fit.rules.keep_leaked)
    if cap is not None:
        rules = replace(rules, cap=cap)
    if without_flagged:
        flagged = vote_report(store, keep_leaked=rules.keep_leaked).flagged
        rules = replace(rules, without=flagged)
    return replace(fit, rules=rules)


def _weights(text: str) -> tuple[tuple[str, float], ...]:
    """`KIND=SHARE,…` as the configuration would have it."""
    from pydantic import ValidationError

    from arena.config import Weights

    given = dict(part.partition("=")[::2] for part in text.split(","))
    absent = dict.fromkeys(Weights.model_fields, 0.0)
    try:
        return tuple(Weights.model_validate(absent | given).model_dump().items())
    except ValidationError as error:
        raise InputError(
            f"--weights {text!r}; it takes human=N,judge=N,objective=N, with N of 0 or more"
        ) from error


def _anchor(text: str | None) -> tuple[str, float] | None:
    """`MODEL=POINTS`; a model's name may hold an equals sign itself."""
    if text is None:
        return None
    model, _, points = text.rpartition("=")
    try:
        rating = float(points)
    except ValueError:
        rating = math.nan
    if not model or not math.isfinite(rating):
        raise InputError(f"--anchor {text!r}; it takes MODEL=POINTS, as in gpt-4=1200")
    return model, rating


COMMANDS = (rank, publish)
