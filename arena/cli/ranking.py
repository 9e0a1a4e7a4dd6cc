"""The ranking: printed, or published."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import RANKING, ConfigFile, Db, Output, open_store, settings, split
from arena.cli.output import Format, say, table
from arena.errors import GateError, InputError, RatingError, UnknownNameError
from arena.records import COMMAND_LINE, Evidence, alike

if TYPE_CHECKING:  # numpy stays out of `arena --help`
    from arena.leaderboard.board import Fit, Leaderboard, Policy
    from arena.leaderboard.evidence.groups import Group
    from arena.store import Store

EvidenceOption = Annotated[
    Evidence | None,
    typer.Option(
        help="The evidence that ranks: people's votes, judges' verdicts, benchmarks, or all of it "
        "(combined).",
        show_default="combined",
    ),
]
AllowWeak = Annotated[
    bool,
    typer.Option(
        "--allow-weak-judges",
        help="Let judges count that are left out otherwise, because they follow the order of the "
        "answers, or agree with people no more often than by chance.",
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
        Path | None,
        typer.Argument(
            help="A file of battles (CSV, JSON or Parquet) with the columns model_a, model_b and "
            "winner. Without one the database is ranked."
        ),
    ] = None,
    evidence: EvidenceOption = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="category|language|dimension|benchmark",
            help="Print a ranking for each category of the prompts, for each of their languages, "
            "for each capability, or for each benchmark.",
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            max=0.9999,
            help="The share of intervals that hold the true rating, as in 0.95.",
        ),
    ] = None,
    interval: Annotated[
        str,
        typer.Option(
            metavar="sandwich|bootstrap",
            help="How intervals are made: from a formula, or by ranking resampled votes a thousand "
            "times.",
        ),
    ] = "sandwich",
    cluster: Annotated[
        str,
        typer.Option(
            metavar="auto|prompt|voter|battle|source|none",
            help="What comparisons have in common, so that they count as less than "
            "independent ones: "
            "with --cluster voter, two votes of one person tell less than votes of two people. "
            "auto takes the prompt where there are more prompts than models, else the pair of "
            "answers.",
        ),
    ] = "auto",
    ties: Annotated[
        str,
        typer.Option(
            metavar="half|davidson|rao-kupper",
            help="What a tie counts as: half a win for each side, or what one of two models "
            "of ties "
            "says.",
        ),
    ] = "half",
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="Rate the models as if their answers were alike in this: length, headers, lists, "
            "bold or code, as in --style length,lists. With FILE, a column of it."
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="auto|hierarchical|ppi|joint|human",
            help="How judges and benchmarks are combined with people's votes; human takes "
            "the votes "
            "alone. docs/judging.md explains them.",
        ),
    ] = "auto",
    panel: Annotated[
        str | None,
        typer.Option(
            metavar="majority|mean",
            help="Let all judges together count as one judge, who says what most of them "
            "say, or their "
            "mean.",
        ),
    ] = None,
    min_valid: Annotated[
        int,
        typer.Option(
            min=1, help="With --panel: leave out pairs of answers that fewer judges compared."
        ),
    ] = 1,
    neutral: Annotated[
        bool,
        typer.Option("--neutral", help="Leave out what a judge says of models of its own family."),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="human=0.5,judge=0.25,objective=0.25",
            help="How much each kind of evidence counts in the overall column.",
        ),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL=POINTS",
            help="Shift all ratings so that this model has so many points, as in "
            "gpt-4=1200. Without it "
            "the mean is 1000.",
        ),
    ] = None,
    prior: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Draw ratings towards the mean: the standard deviation, in points, that they are "
            "expected to have, as in 400. Without it one of 400 is used where a model won or lost "
            "everything.",
        ),
    ] = None,
    allow_weak_judges: AllowWeak = False,
    judges: JudgesOption = None,
    min_comparisons: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="A model with fewer comparisons stands below the table, not rated yet.",
            show_default="5, or 1 where no model has 5, and in a file",
        ),
    ] = None,
    without_flagged: Annotated[
        bool,
        typer.Option(
            "--without-flagged",
            help="Leave out the votes of people whom `arena audit votes` flags.",
        ),
    ] = False,
    keep_leaked: Annotated[
        bool,
        typer.Option(
            "--keep-leaked",
            help="Count votes on answers that say which model wrote them, too. They are left out "
            "otherwise, as nobody was blind.",
        ),
    ] = False,
    cap: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1.0,
            help="The largest share of a model's votes that one voter may have; with 0.1, votes of "
            "one person beyond a tenth count for less.",
        ),
    ] = None,
    form: Output = Format.TABLE,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Rank the models of the database, or those of a battles file."""
    from arena.leaderboard.board import Policy, policy_of
    from arena.leaderboard.ranking import leaderboards, rank_comparisons, ranking

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
        # What the policy says unless an option does.
        **({} if confidence is None else {"confidence": confidence}),
        **({} if min_comparisons is None else {"min_comparisons": min_comparisons}),
        **({} if weights is None else {"weights": _weights(weights)}),
    }
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
        everybody = [row.model for row in board_.rows] + [one.model for one in board_.unrated]
        notes = (*board_.notes, *alike(everybody))
        boards = [replace(board_, notes=notes)]
    else:
        store = open_store(db, conf)
        policy = _asked(store, policy_of(store, conf), evidence, allow_weak_judges, judges)
        fit = replace(policy.fit, **asked)
        if fit.style and not store.evidence.answers().model:
            raise InputError("no answer here has a text, so no style of it can be held equal")
        fit = _ruled(store, fit, keep_leaked, without_flagged, cap)
        policy = replace(policy, fit=fit)

        def board(group: "Group | None" = None) -> "Leaderboard":
            return ranking(store, policy, group)

        boards = leaderboards(store, by, board) if by else [board()]
    print_boards(boards, form, grouped=by is not None)


def publish(
    folder: Annotated[
        Path, typer.Argument(help="The folder to write index.html and its data into.")
    ],
    evidence: EvidenceOption = None,
    allow_weak_judges: AllowWeak = False,
    judges: JudgesOption = None,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Write the ranking as a static site, with the data beside it.

    Where there is no ranking yet, the site has the scores and report cards that there are, and says
    why. With --evidence, nothing is written where that evidence makes no ranking.
    """
    from arena.leaderboard.board import policy_of
    from arena.leaderboard.unranked import ranked_or_not
    from arena.publish import publish_ranking

    conf = settings(config, RANKING)
    store = open_store(db, conf)
    policy = _asked(store, policy_of(store, conf), evidence, allow_weak_judges, judges)
    store.describe(conf.candidates().values())
    board, refused = ranked_or_not(store, policy)
    if refused is not None and evidence is not None:
        raise refused
    page = publish_ranking(store, folder, board, policy)
    if refused is not None:
        say(f"There is no ranking yet: {refused.text(place=COMMAND_LINE)}")
    say(f"Published{'' if board.rows else ' without a ranking'}: {page}")
    if isinstance(refused, GateError | RatingError):
        sys.exit(1)


def _asked(
    store: "Store",
    policy: "Policy",
    evidence: Evidence | None,
    allow_weak_judges: bool,
    judges: list[str] | None,
) -> "Policy":
    """The policy of a database, with what the options of a command change in it."""
    names, known = split(judges), {judge.name for judge in store.judges.where()}
    for name in names:
        if name not in known:
            raise UnknownNameError("judge", name, known)
    return replace(
        policy,
        evidence=evidence or policy.evidence,
        allow_weak_judges=allow_weak_judges or policy.allow_weak_judges,
        fit=replace(policy.fit, judges=tuple(names) or policy.fit.judges),
    )


def print_boards(boards: list["Leaderboard"], form: Format, *, grouped: bool = False) -> None:
    """Print rankings in one format; JSON holds a list only where groups were asked for."""
    from arena.leaderboard.formats import to_csv, to_json, to_markdown

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
        say(f"Note: {note.text(place=COMMAND_LINE)}")


def _ruled(
    store: "Store", fit: "Fit", keep_leaked: bool, without_flagged: bool, cap: float | None
) -> "Fit":
    """The fit with what the options say of the votes that count."""
    from arena.leaderboard.vote_audit import vote_report

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
