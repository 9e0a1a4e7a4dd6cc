"""What rankings and benchmarks say reads in Chinese; each sentence comes from where it is made."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from string import Formatter

import pytest

import arena
from arena.benchmarks.contamination import FRESH, REWORDED, VERBATIM, warning
from arena.benchmarks.items.dimensions import Dimension
from arena.judging.report_card.measures import share_of
from arena.judging.report_card.orders import JudgeReport
from arena.leaderboard.board import Policy, describe
from arena.leaderboard.evidence.counted_judges import chosen_judges, describe_panel
from arena.leaderboard.evidence.counted_votes import counted_votes
from arena.leaderboard.evidence.gathering import Gathered
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import rank_comparisons
from arena.ratings import STYLE_NAMES, Comparisons, Settings, bradley_terry, panel
from arena.records import (
    COMMAND_LINE,
    Check,
    Interval,
    Method,
    Note,
    Ties,
    counted,
    counted_rows,
    setting,
)
from arena.records.errors import ArenaError, DisconnectedError, GateError, TooFewError
from arena.records.notes import load_sentences, name_of
from arena.store import Store

ENGLISH = re.compile(r"[A-Za-z]{3,},? [a-z]{2,}")


# What the Chinese sentence has no use for.
SILENT = {"method.weighting": {"by"}}


def chinese(note: Note | None) -> str:
    """The note in Chinese, of which nothing is left in English but names."""
    assert note is not None
    found = note.text("zh")
    assert found != str(note)
    assert not ENGLISH.search(found), found
    return found


def test_both_languages_have_the_same_sentences_of_the_same_values() -> None:
    english, chinese = load_sentences("en"), load_sentences("zh")
    assert set(english) == set(chinese)
    for code, template in english.items():
        assert fields(template) == fields(chinese[code]) | SILENT.get(code, set()), code


def fields(template: str) -> set[str]:
    """The values that a sentence names."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_every_sentence_is_said_somewhere() -> None:
    codes, said = set(load_sentences("en")), set()
    for path in Path(arena.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        said |= {code for code in codes if f'"{code}"' in text}
        for start in re.findall(r'f"([a-z]+(?:\.[a-z]+)*[._])\{', text):
            said |= {code for code in codes if code.startswith(start)}
    assert {code for code in codes if code.partition("@")[0] not in said} == set()


def test_a_number_has_its_noun_and_a_place_its_words() -> None:
    one, many = (Note.of("cases.prompts", n=1200, prompts=k) for k in (1, 1200))
    assert (str(one), str(many)) == ("n = 1,200 on 1 prompt", "n = 1,200 on 1,200 prompts")
    assert str(setting("ties", Ties.HALF)) == "ties='half'"
    assert setting("prior", 400).text(place=COMMAND_LINE) == "--prior 400"
    with pytest.raises(DisconnectedError) as error:
        bradley_terry(Comparisons.from_columns(["a", "c"], ["b", "d"], outcome=[1.0, 1.0]))
    assert "prior=400 (a standard deviation" in str(error.value)
    assert "--prior 400 (a standard deviation" in error.value.text(place=COMMAND_LINE)
    assert "从未比较过：a、b；c、d" in chinese(error.value.reason)


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
    found = describe(settings).text("zh")
    assert found.endswith("风格相同：长度、粗体，m 固定为 1 分")


def test_what_is_said_of_judges() -> None:
    flipped, never, even = (share_of([True] * k + [False] * (300 - k)) for k in (150, 0, 150))
    report = JudgeReport("j", 300, 0, flipped, even, never, even)
    some, few = share_of([True] * 5 + [False] * 5), share_of([True, True, False])
    for doubt in (
        replace(report, flips=never, agreement=few),
        replace(report, flips=some, agreement=share_of([True] * 40)),
    ):
        assert doubt.objection is None
        assert "尚不清楚" in chinese(doubt.doubt)
    many = share_of([True, False] * 5000)
    for flips in (flipped, never, many):
        objection = replace(report, flips=flips).objection
        assert "裁判 j" in chinese(objection)
        assert "未计入" in chinese(Note.of("judge.left_out", why=objection))
    few_prompts = share_of([True] * 300, [k % 9 for k in range(300)])
    some_here = replace(report, flips=few_prompts, group=Note.of("group.category", name="maths"))
    assert "on 9 prompts" in str(some_here.objection)
    assert str(some_here.objection).startswith("Category maths: The judge j")
    assert "类别 maths：裁判 j" in chinese(some_here.objection)

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
        (said,) = rank_comparisons(columns, Policy(min_comparisons=1)).notes
        return chinese(said)

    assert note("ab", "bc", "cb").endswith("a 从未输过。")
    assert note("ab", "bc").endswith("a 从未输过，c 从未赢过。")
    assert note("ab", "ba", "ac", "bd", "cd", "dc").endswith("a、b 对其余模型全胜。")


def test_what_is_said_where_too_little_is_known() -> None:
    few = Comparisons.from_columns(["a"], ["b"], outcome=[1.0])
    with pytest.raises(TooFewError) as error:
        rank_comparisons(few, Policy(min_comparisons=5))
    assert chinese(error.value.note).endswith("目前比较最多的是 a（1 次）、b（1 次）")
    judges = {"j": few, "k": few, "l": few}
    nothing = Gathered(None, judges, judges, {}, {}, (), (), (), frozenset(), {})
    (note,) = chosen_judges(nothing, ["k", "m"]).notes
    assert chinese(note) == "j、l 的判断未计入：这里只计入 k、m。"


def test_what_is_said_of_votes(answered: Store) -> None:
    _, notes = counted_votes(answered, VoteRules(cap=0.1))
    assert [chinese(note) for note in notes] == ["任何投票人的票最多占一个模型得票的 10%。"]


@pytest.mark.parametrize("measure", [VERBATIM, REWORDED, FRESH])
def test_signs_of_contamination(measure: str) -> None:
    check = Check("my model", "gsm8k", measure, 0.31, 0.2, 0.4, 50)
    said = warning(check)
    assert said is not None
    found = said.text("zh")
    assert "my model" in found
    assert "gsm8k" in found
    assert "0.200 至 0.400，n = 50" in found
    assert not ENGLISH.search(found.replace("my model", ""))


@pytest.mark.parametrize(
    ("kind", "value", "english", "chinese"),
    [
        ("category", "writing", "Category writing", "类别 写作"),
        ("category", "knowledge", "Category knowledge", "类别 知识"),
        ("category", "my own", "Category my own", "类别 my own"),
        ("language", "zh", "Language Chinese", "语言 中文"),
        ("dimension", "long context", "Dimension long context", "能力 长文本"),
        ("benchmark", "sums", "Benchmark sums", "评测 sums"),
    ],
)
def test_groups_are_named_in_the_language_of_the_note(
    kind: str, value: str, english: str, chinese: str
) -> None:
    note = Group(kind, value).note
    assert (note.text("en"), note.text("zh")) == (english, chinese)


def test_every_capability_has_a_chinese_name() -> None:
    for one in Dimension:
        name = name_of("dimension", one)
        assert isinstance(name, Note)
        assert name.text("zh") != name.text("en") == one


def test_what_rounds_to_nothing_has_no_sign() -> None:
    values = {"panel": "P", "share": 0.5, "low": 0.4, "high": 0.6, "alpha": -0.001}
    for language in ("en", "zh"):
        assert "-0.00" not in Note.of("panel.agree", **values).text(language)
    assert (
        Note.of("compare.power.detectable", prompts=2, points=-0.01)
        .text()
        .endswith("difference of +0.0 points.")
    )


def test_nouns_go_with_their_numbers() -> None:
    assert [counted(k, "vote") for k in (0, 1, 1200)] == ["0 votes", "1 vote", "1,200 votes"]
    assert counted(2, "reply", "replies") == "2 replies"
    assert [counted_rows(1, kind) for kind in ("verdicts", "policies")] == ["1 verdict", "1 policy"]
    assert counted_rows(3, "policies") == "3 policies"
    assert str(Note.of("votes.leaked", count=1)).startswith("1 vote is left out")


@pytest.mark.parametrize(
    "error",
    [
        DisconnectedError(Note.of("votes.none"), Note.of("votes.none")),
        GateError(Note.of("votes.none"), Note.of("votes.none")),
    ],
)
def test_two_sentences_are_joined_as_their_language_joins_them(error: ArenaError) -> None:
    assert "." not in error.text("zh")
    assert " " not in error.text("zh")
