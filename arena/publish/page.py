"""The page: what the templates need, gathered, and the templates, rendered."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from arena.judging.report_card.measures import Measure
from arena.judging.report_card.orders import FLIP_LIMIT
from arena.leaderboard import formats
from arena.leaderboard.board import Leaderboard, Row
from arena.leaderboard.judge_audit import JudgeAudit
from arena.publish.chart import Axis, axis_of
from arena.publish.costs import costs
from arena.publish.data.publication import weights_of
from arena.publish.examples import examples
from arena.publish.stats import figures
from arena.records import Model, name_of
from arena.store import Store
from arena.store.versions import replaced

if TYPE_CHECKING:  # jinja2 is imported when a page is made
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class RankingPanel:
    """One ranking as the page shows it; decimals: of its ratings."""

    board: Leaderboard
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    scores: formats.Scores
    axis: Axis
    decimals: int
    overall: dict[str, Row]
    places: dict[str, int]


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of a model beside its rating; mean_length: characters of one turn."""

    model: Model
    weights: str
    answers: int
    mean_length: float | None


def render(
    store: Store,
    board: Leaderboard,
    *,
    title: str,
    others: Sequence[Leaderboard] = (),
    groups: Sequence[Leaderboard] = (),
    audits: Sequence[JudgeAudit] = (),
) -> str:
    """The whole page as one self-contained HTML document. audits: of the board's judges."""
    names = [row.model for row in formats.ranked(board)]
    template = environment().get_template("page.html")
    return template.render(
        title=title,
        panels=[_panel(one) for one in (board, *others)],
        groups=[_panel(one) for one in groups],
        figures=figures(store, board),
        reports=board.reports,
        flip_limit=FLIP_LIMIT,
        measures={audit.judge: _measures(audit) for audit in audits},
        details=_details(store, names),
        replaced=replaced(store),
        costs=costs(board, store.models()),
        has_benchmarks=bool(board.benchmarks),
        examples=examples(store, names),
        **script_of_pages(),
    )


def script_of_pages() -> dict[str, str]:
    """The script that every page has, and its digest, without which a browser runs none."""
    from markupsafe import Markup

    script = (files("arena.publish") / "page.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return {"script": Markup(script), "script_digest": digest}


def _measures(audit: JudgeAudit) -> list[tuple[str, str, Measure]]:
    """What is known of a judge beside its card's four figures, named in both languages."""
    found = dict(audit.measures())
    if _COST in found:
        found[_COST] = _thousandfold(found[_COST])
    return [
        (english, chinese, found[name])
        for name, (english, chinese) in _MEASURES.items()
        if name in found and found[name].n
    ]


def _thousandfold(one: Measure) -> Measure:
    value, low, high = (None if x is None else 1000.0 * x for x in (one.value, one.low, one.high))
    return replace(one, value=value, low=low, high=high)


_COST = "cost_per_verdict"
_MEASURES = {
    "agreement": ("Agreement with the majority, ties counted", "与多数意见一致（平局也算）"),
    "kappa": ("Cohen’s κ with the majority", "与多数意见的 Cohen κ"),
    "human_agreement": ("People with each other: the ceiling", "人与人之间的一致：上限"),
    "longest_agreement": ("The rule “the longer answer wins”", "“长的赢”这条规则"),
    "tie_rate": ("Ties", "平局"),
    "length_preference": ("Leaning to the longer answer; none is 0.5", "偏向长回答；无偏为 0.5"),
    "length_matched_agreement": ("Agreement at like length", "长度相近时的一致率"),
    "markdown_preference": ("Leaning to more markup; none is 0.5", "偏向排版多的；无偏为 0.5"),
    "self_preference": ("Favour to its own answers; none is 0", "偏袒自己的回答；无偏为 0"),
    "family_preference": ("Favour to its family; none is 0", "偏袒同系模型；无偏为 0"),
    "canaries_won": (
        "Bad answers that talked it into choosing them",
        "劣质回答靠操纵裁判胜出",
    ),
    "plain_canaries_won": (
        "The same answers without a trick",
        "同样的回答不加操纵时胜出",
    ),
    _COST: ("Dollars for 1,000 verdicts", "每 1,000 次判断的费用（美元）"),
    "brier": ("Brier score of its probabilities", "概率的 Brier 分数"),
    "ece": ("Expected calibration error", "期望校准误差"),
}


def environment() -> "Environment":
    """Templates of this package, with what rounds numbers for reading."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("arena.publish", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "points": formats.points,
        "spread": formats.spread,
        "rank_range": formats.rank_range,
        "percent": formats.percent,
        "confidence": formats.confidence,
        "score": formats.score,
        "interval": formats.interval,
        "signed": "{:+z.0f}".format,
        "signed_percent": "{:+z.1%}".format,
        "count": "{:,}".format,
        "decimal": lambda value, digits: f"{value:z.{digits}f}",
        "name_of": _name_of,
    }
    return environment


def _name_of(value: str, kind: str, language: str) -> str:
    """What a category, language or capability is called, in one language.

    kind: as `name_of` has it, or `group` for what may be a language or a category.
    """
    kinds = ("language", "category") if kind == "group" else (kind,)
    names = [name_of(one, value) for one in kinds]
    return next((name.text(language) for name in names if not isinstance(name, str)), value)


def _panel(board: Leaderboard) -> RankingPanel:
    rows = tuple(formats.ranked(board))
    scores, columns = formats.shown(board)
    return RankingPanel(
        board,
        rows,
        tuple(columns),
        scores,
        axis_of(rows),
        formats.decimals(board),
        {row.model: row for row in board.overall},
        board.places,
    )


def _details(store: Store, names: Sequence[str]) -> list[Details]:
    models = {model.name: model for model in store.models()}
    lengths = store.evidence.answers()
    said = dict(
        zip(lengths.model, zip(lengths.answers, lengths.mean_length, strict=True), strict=True)
    )
    silent: tuple[int, float | None] = (0, None)
    return [
        Details(models[name], weights_of(models[name]), *said.get(name, silent))
        for name in names
        if name in models
    ]
