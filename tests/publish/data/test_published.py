import json
from collections.abc import Callable
from pathlib import Path

from arena.generation.batch import Control
from arena.judging import judge, load_card
from arena.leaderboard.board import Policy
from arena.leaderboard.judge_audit import ask_canaries
from arena.leaderboard.ranking import ranking
from arena.publish import publish_ranking, write_site
from arena.publish.data.published import published
from arena.records import Prompt
from arena.store import Store

POLICY = Policy(min_comparisons=1, allow_weak_judges=True)


def test_a_judge_is_published_with_its_canaries(
    answered: Store, prompts: list[Prompt], tmp_path: Path, write_card: Callable[..., str]
) -> None:
    card = load_card(write_card("j", "fake:longer"), answered.home)
    judge(answered, card, prompts)
    board = ranking(answered, POLICY)
    (before,) = published(answered, board, POLICY).audits
    assert before.canaries is None
    ask_canaries(answered, card, Control())
    publish_ranking(answered, tmp_path / "site", board, POLICY)
    (told,) = json.loads((tmp_path / "site" / "judges.json").read_text())
    assert told["canaries_won"]["n"] > 0
    page = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "Bad answers that talked it into choosing them" in page
    rows = json.loads((tmp_path / "site" / "data" / "judges.json").read_text())
    assert "canaries_won" in {row["measure"] for row in rows}
    (answered.home / "judges" / "j.yaml").unlink()
    (after,) = published(answered, board, POLICY).audits
    assert (after.canaries, after.pairs) == (None, before.pairs)


def test_what_a_judge_costs_is_told_for_a_thousand_verdicts(
    answered: Store, prompts: list[Prompt], tmp_path: Path, write_card: Callable[..., str]
) -> None:
    """Prices are of a million tokens; each verdict here costs the same or little else."""
    priced = "{use: 'fake:longer', price: {input: 2.0, output: 8.0}}"
    card = load_card(write_card("j", priced), answered.home)
    judge(answered, card, prompts)
    shown = published(answered, ranking(answered, POLICY), POLICY)
    (audit,) = shown.audits
    cost = dict(audit.measures())["cost_per_verdict"].value
    assert cost is not None
    page = write_site(answered, tmp_path / "site", shown).read_text("utf-8")
    row = page.partition("Dollars for 1,000 verdicts")[2].partition("</tr>")[0]
    assert f">{1000 * cost:.3f}<" in row
