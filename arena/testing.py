"""Assertions for a test suite: a release is tested as code is.

    from arena.testing import assert_not_worse

    def test_the_new_prompt_is_not_worse():
        assert_not_worse("arena.db", "bot-1.3", "bot-1.4", margin=5)

As a pytest plugin (`pytest_plugins = ["arena.testing"]` in the outermost conftest.py, or
`pytest -p arena.testing`), `--arena-report FILE` writes all comparisons as one Markdown comment.
"""

from pathlib import Path
from typing import Any

from arena.compare.formats import to_markdown
from arena.compare.question import Aim, Decision, Question
from arena.compare.report import CompareReport, compare
from arena.config import Config
from arena.leaderboard.board import policy_of
from arena.records import Evidence
from arena.store import Store

_reports: list[CompareReport] = []


def assert_not_worse(
    db: str | Path,
    old: str,
    new: str,
    *,
    margin: float = 2.0,
    confidence: float = 0.95,
    evidence: Evidence | str | None = None,
    against: str | Path | None = None,
    unsure_passes: bool = False,
) -> CompareReport:
    """Fail unless the new model is shown to be no worse than the old one.

    db: the database that holds the new model.
    old, new: names of the two models.
    margin: points of win rate that the new one may be worse, 0 to 50; see `arena.compare`.
    confidence: in (0.5, 1); one minus it bounds the chance to pass a model that is worse.
    evidence: "human", "judge", "objective" or "combined"; None is the most direct there is.
    against: the database that holds the old model; None is `db`.
    unsure_passes: whether to pass where there is too little to tell.

    Returns the whole comparison. Raises AssertionError with the comparison as text, and InputError
    where nothing compares the two.
    """
    question = Question(Aim.NOT_WORSE, margin, confidence)
    return _assert(db, old, new, question, evidence, against, unsure_passes)


def assert_better(
    db: str | Path,
    old: str,
    new: str,
    *,
    margin: float = 0.0,
    confidence: float = 0.95,
    evidence: Evidence | str | None = None,
    against: str | Path | None = None,
) -> CompareReport:
    """Fail unless the new model is shown to be better by more than `margin` points.

    Other arguments as in `assert_not_worse`.
    """
    question = Question(Aim.SUPERIOR, margin, confidence)
    return _assert(db, old, new, question, evidence, against, unsure_passes=False)


def _assert(
    db: str | Path,
    old: str,
    new: str,
    question: Question,
    evidence: Evidence | str | None,
    against: str | Path | None,
    unsure_passes: bool,
) -> CompareReport:
    store = Store(Path(db), create=False)
    other = None if against is None else Store(Path(against), create=False)
    try:
        report = compare(
            store,
            old,
            new,
            question,
            policy=policy_of(store, Config()),
            evidence=None if evidence is None else Evidence(evidence),
            against=other,
        )
    finally:
        store.close()
        if other is not None:
            other.close()
    _reports.append(report)
    passes = {Decision.SHIP} | ({Decision.CANNOT_TELL} if unsure_passes else set())
    if report.decision not in passes:
        raise AssertionError(to_markdown(report))
    return report


def pytest_addoption(parser: Any) -> None:
    """Add the plugin's option; pytest calls this."""
    parser.getgroup("arena").addoption(
        "--arena-report", metavar="FILE", help="Write all comparisons to this file, in Markdown."
    )


def pytest_sessionstart(session: Any) -> None:
    """Forget the comparisons of an earlier session; pytest calls this."""
    _reports.clear()


def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    """Write the comparisons that were made; pytest calls this."""
    path = session.config.getoption("--arena-report")
    if path:
        Path(path).write_text("\n".join(map(to_markdown, _reports)), encoding="utf-8")
