"""The same gate as a test: pytest -p arena.testing --arena-report comment.md --junitxml gate.xml"""

from arena.testing import assert_not_worse


def test_the_candidate_is_not_worse() -> None:
    assert_not_worse("arena.db", "released", "candidate", margin=5)
