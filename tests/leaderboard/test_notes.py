"""What rankings and benchmarks say reads in Chinese; each sentence comes from where it is made."""

import re
from dataclasses import replace
from itertools import product

import pytest

from arena.benchmarks.contamination import FRESH, REWORDED, VERBATIM, warning
from arena.errors import TooFewError
from arena.judging.report_card.measures import share_of
from arena.judging.report_card.orders import JudgeReport
from arena.leaderboard.board import Fit, describe
from arena.leaderboard.evidence.counted_votes import VoteRules, counted_votes
from arena.leaderboard.evidence.gathering import Gathered
from arena.leaderboard.notes import translated
from arena.leaderboard.ranking import chosen_judges, describe_panel, rank_comparisons
from arena.ratings import STYLE_NAMES, Comparisons, Settings, panel
from arena.ratings.bradley_terry import Interval, Ties
from arena.ratings.combined.combined_result import Method
from arena.records import Check
from arena.store import Store

ENGLISH = re.compile(r"[A-Za-z]{3,},? [a-z]{2,}")


def chinese(sentence: str) -> str:
    """The sentence in Chinese, of which nothing is left in English but names."""
    found = translated(sentence, "zh")
    assert found != sentence
    assert not ENGLISH.search(found), found
    assert translated(sentence, "en") == sentence
    return found


METHODS = ["bradley-terry", *(m for m in Method if m is not Method.AUTO)]


@pytest.mark.parametrize(
    ("method", "ties", "cluster"), [*product(METHODS, Ties, (None, "prompt", "voter", "source"))]
)
def test_how_a_ranking_was_made(method: str, ties: str, cluster: str | None) -> None:
    for interval, prior, style, weighting, anchor in product(
        (None, *Interval), (None, 400.0), ((), STYLE_NAMES), (None, "propensity"), (None, 1)
    ):
        settings = Settings(
            method,
            ties=ties,
            interval=interval,
            cluster=cluster,
            prior=prior,
            style=style,
            weighting=weighting,
            anchor=("gpt-4", 1200.0) if anchor else None,
        )
        found = chinese(describe(settings))
        assert ("400" in found) == (prior is not None)
        assert ("gpt-4 固定为 1200 分" in found) == (anchor is not None)
        assert ("按问题聚类" in found) == (interval is not None and cluster == "prompt")
        assert ("长度、标题、列表、粗体、代码" in found) == (style == STYLE_NAMES)


def test_a_choice_of_styles_keeps_the_names_that_options_have() -> None:
    settings = Settings("bradley-terry", style=("length", "bold"), anchor=("m", 1.0))
    found = translated(describe(settings), "zh")
    assert found.endswith("风格相同：length, bold，m 固定为 1 分")


def test_what_is_said_of_judges() -> None:
    flipped, never, even = (share_of([True] * k + [False] * (300 - k)) for k in (150, 0, 150))
    report = JudgeReport("j", 300, 0, flipped, even, never, even)
    some, few = share_of([True] * 5 + [False] * 5), share_of([True, True, False])
    for doubt in (
        replace(report, flips=never, agreement=few),
        replace(report, flips=some, agreement=share_of([True] * 40)),
    ):
        assert doubt.objection is None
        assert "尚不清楚" in chinese(f"{doubt.doubt}.")
    many = share_of([True, False] * 5000)
    for flips in (flipped, never, many):
        objection = str(replace(report, flips=flips).objection)
        assert "裁判 j" in chinese(objection)
        assert "未计入" in chinese(f"{objection}; it was left out.")
        assert "应要求" in chinese(f"{objection}; it was let in on request.")
    few_prompts = share_of([True] * 300, [k % 9 for k in range(300)])
    some_here = replace(report, flips=few_prompts, group="category maths")
    assert "on 9 prompts" in str(some_here.objection)
    assert str(some_here.objection).startswith("Category maths: The judge j")
    assert "类别 maths：裁判 j" in chinese(f"{some_here.objection}; it was left out.")

    def judged(*prompts: str) -> Comparisons:
        won = [1.0, 0.5]
        return Comparisons.from_columns(["a", "b"], ["b", "c"], outcome=won, prompt=prompts)

    one, other = judged("p", "q"), judged("r", "s")
    for judges in ({"x": one, "y": one}, {"x": one, "y": other}):
        assert "裁判团共 2 个裁判" in chinese(describe_panel(2, panel(judges), 1))


def test_what_is_said_of_ratings_that_the_data_does_not_determine() -> None:
    def note(*wins: str) -> str:
        columns = Comparisons.from_columns(
            [w[0] for w in wins], [w[1] for w in wins], outcome=[1.0] * len(wins)
        )
        (said,) = rank_comparisons(columns, Fit(min_comparisons=1)).notes
        return chinese(said)

    assert note("ab", "bc", "cb").endswith("a 从未输过。")
    assert note("ab", "bc").endswith("a 从未输过，c 从未赢过。")
    assert note("ab", "ba", "ac", "bd", "cd", "dc").endswith("a, b 对其余模型全胜。")


def test_what_is_said_where_too_little_is_known() -> None:
    few = Comparisons.from_columns(["a"], ["b"], outcome=[1.0])
    with pytest.raises(TooFewError) as error:
        rank_comparisons(few, Fit(min_comparisons=5))
    assert chinese(str(error.value)).endswith("目前比较最多的是 a (1), b (1)")
    nothing = Gathered(None, {"j": few, "k": few, "l": few}, {}, {}, (), (), ())
    (note,) = chosen_judges(nothing, ["k", "m"]).notes
    assert chinese(note) == "j, l 的判断未计入：这里只计入 k, m。"
    said = "Comparisons by people's votes that are too few to rate any model, and do not count: 1."
    assert chinese(said).startswith("人类投票只有 1 次比较")
    asked = "sums ranks models as the configuration asks it (gen); b answered it another way "
    asked += "and is not compared on it."
    assert chinese(asked).startswith("sums 只比较按配置的问法（gen）")


def test_what_is_said_of_models_away_from_their_prediction() -> None:
    said = "Votes put these models away from what judges predict: "
    found = chinese(f"{said}a (x) (12 points above), b, c (3 points below), d (9 points above).")
    assert found.endswith("a (x)（高 12 分）、b, c（低 3 分）、d（高 9 分）。")


def test_what_is_said_of_votes(answered: Store) -> None:
    _, notes = counted_votes(answered, VoteRules(cap=0.1))
    assert [chinese(note) for note in notes] == ["任何投票人的票最多占一个模型得票的 10%。"]
    assert chinese("3 votes of voters who were flagged are left out.").startswith("被标记")
    leaked = "2 votes are left out because an answer says which model wrote it."
    assert "2 票" in chinese(leaked)


@pytest.mark.parametrize("measure", [VERBATIM, REWORDED, FRESH])
def test_signs_of_contamination(measure: str) -> None:
    check = Check("my model", "gsm8k", measure, 0.31, 0.2, 0.4, 50)
    found = translated(warning(check), "zh")
    assert "my model" in found
    assert "gsm8k" in found
    assert "0.200 至 0.400，n = 50" in found
    assert not ENGLISH.search(found.replace("my model", ""))


def test_what_is_not_known_stays_as_it_is() -> None:
    assert translated("Something new.", "zh") == "Something new."
