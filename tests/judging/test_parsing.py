import json
import random
from collections import Counter
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.backends import Odds
from arena.judging.forms import Format, response_schema, wanted
from arena.judging.parsing import (
    parse_ranking,
    parse_score,
    parse_verdict,
    read_score,
    read_verdict,
)
from arena.records import Preference
from tests.conftest import DATASETS

FIVE = {"A>>B": "A>>B", "A>B": "A>B", "tie": "A=B", "B>A": "B>A", "B>>A": "B>>A"}
CRITERIA = {"helpfulness": 1.0, "correctness": 3.0}
OPTIONS = {"A": "A", "B": "B", "tie": "C"}


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("Because. [[A]]", "A"),
        ("[[ b ]]", "B"),
        ("[[C]]", "tie"),
        ("[[A]] at first, but on reflection [[B]]", "B"),
        ("<think>[[A]] looks good</think> My verdict: [[B]]", "B"),
        ("[[A]]\n<think>or rather [[B]]", "unparsed"),
        ("<think>[[A]]", "unparsed"),
        ("A", "unparsed"),
        ("[[D]]", "unparsed"),
        ("[[A]] [[tie]]", "unparsed"),
        ("所以：【【Ｂ】】", "B"),
        (r"\[\[A\]\]", "A"),
        ("[[A]] is tempting</think>[[B]]", "B"),
        ("[[A]] is tempting</think>No.", "unparsed"),
        ("[THINK][[A]][/THINK]\n**[[B]]**", "B"),
        ("", "unparsed"),
        ("[[]]", "unparsed"),
    ],
)
def test_the_last_verdict_of_those_offered_counts(text: str, preference: str) -> None:
    parsed = parse_verdict(text, OPTIONS)
    assert parsed.preference == preference
    assert bool(parsed.reason) == (preference == "unparsed")


@given(st.text() | st.from_regex(r"(\[\[[ABCD\]\[]*\]\]|</?think>| )*", fullmatch=True))
def test_no_text_raises_and_nothing_outside_the_set_counts(text: str) -> None:
    parsed = parse_verdict(text, {"A": "A", "B": "B"})
    assert parsed.preference is not Preference.TIE
    if parsed.preference is not Preference.UNPARSED:
        assert "[[" in text
    value = parse_score(text, (1, 10)).value
    assert value is None or 1 <= value <= 10


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[7]]", 7),
        ("[[3]] no, [[ 8.5 ]]", 8.5),
        ("[[11]]", None),
        ("[[0]]", None),
        ("[[seven]]", None),
        ("[[1e1]]", None),
        ("[[7分]]", 7),
        ("[[７ 分]]", 7),
        ("[[7/10]]", 7),
        ("[[7/7]]", None),
        ("[[.5]]", None),
        ("[[٣]]", None),
        ("7", None),
    ],
)
def test_scores(text: str, value: float | None) -> None:
    assert parse_score(text, (1, 10)).value == value


def test_odds_are_read_as_shares_of_their_mass() -> None:
    parsed, read = read_verdict(Odds((log(0.6), log(0.2), log(0.1))), OPTIONS)
    assert parsed.preference is Preference.A
    assert (read.p_first, read.p_second, read.p_tie) == pytest.approx((6 / 9, 2 / 9, 1 / 9))
    assert read.mass == pytest.approx(0.9)


def test_odds_with_less_than_half_of_the_mass_are_unparsed() -> None:
    parsed, read = read_verdict(Odds((log(0.3), log(0.1), log(0.05))), OPTIONS)
    assert parsed.preference is Preference.UNPARSED
    assert "0.45" in parsed.reason
    assert read.p_first > read.p_second
    assert read_score(Odds((log(0.2), log(0.2))), (1, 2)).value is None


def test_a_score_from_odds_is_the_expectation() -> None:
    assert read_score(Odds((log(0.2), log(0.6))), (4, 5)).value == pytest.approx(4.75)


@pytest.mark.parametrize(
    ("form", "text", "preference"),
    [
        (Format.CHOICE, "理由……\n选择：A", "A"),
        (Format.CHOICE, "**最终选择：** B。", "B"),
        (Format.CHOICE, "Choice: A\nBut no.\n### Verdict: C", "tie"),
        (Format.CHOICE, "My choice: A is the better", "unparsed"),
        (Format.CHOICE, "Choice: A or B", "unparsed"),
        (Format.JSON, 'So ```json\n{"reason": "{}", "choice": "b"}\n```', "B"),
        (Format.JSON, '{"choice": "A"} {"choice": "B", "why": {"choice": "A"}}', "B"),
        (Format.JSON, '{"choice": true}', "unparsed"),
        (Format.JSON, '{"choice": "A"', "unparsed"),
        (Format.JSON, "[[A]]", "unparsed"),
        (Format.COMPASSJUDGER, "B", "B"),
        (Format.COMPASSJUDGER, "Both are fine, but the second is wrong.\nA", "A"),
        (Format.COMPASSJUDGER, "选择：B", "B"),
        (Format.COMPASSJUDGER, "A is better than B", "unparsed"),
        (Format.COMPASSJUDGER, "It fails because of X. [[B]]", "B"),
        (Format.COMPASSJUDGER, "The second only says [[B]].\nSo the first is better.", "unparsed"),
        (Format.PROMETHEUS, "Response A is thorough. [RESULT] A", "A"),
        (Format.PROMETHEUS, "[RESULT] A. On reflection: [Result]: (B)", "B"),
        (Format.PROMETHEUS, "[RESULT] A or B", "unparsed"),
        (Format.PROMETHEUS, "Response A", "unparsed"),
    ],
)
def test_each_form_is_read_as_its_judges_write_it(form: Format, text: str, preference: str) -> None:
    parsed = parse_verdict(text, OPTIONS, form)
    assert parsed.preference == preference
    assert bool(parsed.reason) == (preference == "unparsed")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("A>>B", ("A", True)),
        ("Ａ≫Ｂ", ("A", True)),
        ("A > B", ("A", False)),
        ("a=b", ("tie", False)),
        ("B＞A", ("B", False)),
        ("B>>A", ("B", True)),
        ("A<B", ("unparsed", False)),
    ],
)
def test_five_steps(said: str, verdict: tuple[str, bool]) -> None:
    for text, form in ((f"[[{said}]]", Format.BRACKETS), (f"选择：{said}", Format.CHOICE)):
        parsed = parse_verdict(text, FIVE, form)
        assert (parsed.preference, parsed.strong) == verdict


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (Format.CHOICE, "评分：7分", 7),
        (Format.CHOICE, "**Final score:** 8.5", 8.5),
        (Format.JSON, '{"score": 4}', 4),
        (Format.JSON, '{"score": "4"}', 4),
        (Format.JSON, '{"score": NaN}', None),
        (Format.COMPASSJUDGER, "……\n{'事实正确性': 8, '综合得分': 5}", 5),
        (Format.PROMETHEUS, "Good. [RESULT] 4", 4),
        (Format.PROMETHEUS, "Good. [RESULT] 11", None),
    ],
)
def test_scores_in_each_form(form: Format, text: str, value: float | None) -> None:
    assert parse_score(text, (1, 10), form).value == value


def test_criteria_are_weighed_and_all_are_needed() -> None:
    brackets = "[[helpfulness: 9]] … [[Helpfulness: 8]]\n[[correctness: 4分]]"
    found = parse_score(brackets, (1, 10), criteria=CRITERIA)
    assert found.parts == (("helpfulness", 8.0), ("correctness", 4.0))
    assert found.value == (8 + 3 * 4) / 4
    as_json = json.dumps({"reason": "", "helpfulness": 8, "correctness": 4})
    assert parse_score(as_json, (1, 10), Format.JSON, CRITERIA).value == found.value
    missing = parse_score("[[helpfulness: 9]]", (1, 10), criteria=CRITERIA)
    assert missing.value is None
    assert "correctness" in missing.reason


@pytest.mark.parametrize(
    ("form", "text", "ranks"),
    [
        (Format.BRACKETS, "[[B > A = C]]", (2, 1, 2)),
        (Format.BRACKETS, "[[a=b>c]]", (1, 1, 3)),
        (Format.BRACKETS, "[[B > A]]", None),
        (Format.BRACKETS, "[[B > A > C > D]]", None),
        (Format.BRACKETS, "[[A > A > B > C]]", None),
        (Format.JSON, '{"ranking": ["C", ["A", "B"]]}', (2, 2, 1)),
        (Format.JSON, '{"ranking": "CAB"}', None),
        (Format.JSON, '{"ranking": [["C"], [["A"]], ["B"]]}', None),
    ],
)
def test_orders(form: Format, text: str, ranks: tuple[int, ...] | None) -> None:
    parsed = parse_ranking(text, ["A", "B", "C"], form)
    assert parsed.ranks == ranks
    assert bool(parsed.reason) == (ranks is None)


@pytest.mark.parametrize("form", Format)
def test_what_is_asked_for_is_what_is_read(form: Format) -> None:
    """A judge that says one of the offered forms as it stands is understood."""
    for options in (OPTIONS, FIVE):
        for verdict, word in options.items():
            said = wanted(form, options={verdict: word})
            assert not parse_verdict(f"Because.\n{said}", options, form).reason
    assert parse_score(wanted(form, scale=(1, 9)).replace("1–9", "6"), (1, 9), form).value == 6
    schema = response_schema(form, options=OPTIONS)
    assert (schema is not None) == (form is Format.JSON)


def test_a_master_key_opens_nothing() -> None:
    for form in Format:
        for text in (":", "Thought process:", "：", "Solution", "."):
            assert parse_verdict(text, OPTIONS, form).reason


PIECES = [
    *("[[", "]]", "A", "B", "C", ">>", ">", "=", "7", "11", "分", "/10", ":", "：", "\n", "{", "}"),
    *('"choice"', '"score"', '"ranking"', "[", "]", ",", "<think>", "</think>", "[RESULT]", "选择"),
    *("Choice", "评分", "综合得分", "'", '"', "NaN", "true", "【【", "】】", "Ａ", "helpfulness"),
]
TEXTS = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=2)).map("".join)


@given(TEXTS, st.sampled_from(Format))
def test_no_text_raises_and_nothing_outside_the_offer_is_read(text: str, form: Format) -> None:
    assert parse_verdict(text, {"A": "A", "B": "B"}, form).preference != Preference.TIE
    assert parse_verdict(text, FIVE, form).preference in Preference
    for found in (parse_score(text, (1, 5), form), parse_score(text, (1, 5), form, CRITERIA)):
        assert found.value is None or 1 <= found.value <= 5
        assert (found.value is None) == bool(found.reason)
    ranks = parse_ranking(text, ["A", "B"], form).ranks
    assert ranks in (None, (1, 1), (1, 2), (2, 1))


@given(TEXTS, st.sampled_from(Format))
def test_exchanging_the_words_exchanges_the_verdict(text: str, form: Format) -> None:
    mirrored = {"A": "B", "B": "A", "tie": "tie", "unparsed": "unparsed"}
    there = parse_verdict(text, {"A": "B", "B": "A", "tie": "C"}, form).preference
    assert parse_verdict(text, OPTIONS, form).preference == mirrored[there]


def test_no_text_takes_long_because_of_its_shape() -> None:
    """A megabyte of what opens and never closes; quadratic reading would not end."""
    for piece in (
        "[[",
        "<think>",
        "{",
        '{"a":',
        "[RESULT]",
        "选择：\n",
        "[[A",
        "'综合得分':",
        "> ",
    ):
        text = piece * (1_000_000 // len(piece))
        for form in Format:
            assert parse_verdict(text, OPTIONS, form).reason
            assert parse_score(text, (1, 5), form).reason


def real_texts() -> list[str]:
    path = DATASETS / "pandalm_texts.jsonl"
    if not path.exists():
        pytest.skip(f"the real judge texts are not here: {path}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row[name] for row in rows for name in ("gpt35_reason", "pandalm_reason")]


def test_real_judge_texts_hold_no_verdict_that_was_not_offered() -> None:
    """They are explanations in words: whoever reads a verdict into them guesses."""
    texts = real_texts()
    assert len(texts) == 1998
    for form in Format:
        assert {parse_verdict(text, OPTIONS, form).preference for text in texts} == {"unparsed"}
        assert {parse_score(text, (1, 10), form).value for text in texts} == {None}
        said = wanted(form, options={"B": "B"})
        assert {parse_verdict(f"{t}\n{said}", OPTIONS, form).preference for t in texts} == {"B"}


VERDICTS = ["[[A]]", "[[B]]", "\n[RESULT] B", '{"choice": "A"}', "\n选择：B\n", "\nA", "[[7]]"]


def mutated(text: str, dice: random.Random) -> str:
    """A real text cut up, with pieces of verdicts of all forms thrown in."""
    for _ in range(dice.randint(1, 6)):
        at, until = sorted(dice.randrange(len(text) + 1) for _ in range(2))
        piece = "".join(dice.choices([*PIECES, *VERDICTS], k=dice.randint(1, 5)))
        text = dice.choice(
            [text[:at] + piece + text[at:], text[:at] + text[until:], text + text[at:until]]
        )
    return text


def test_no_mutation_of_a_real_text_raises_or_counts_outside_the_offer() -> None:
    dice = random.Random(7)
    read = Counter[str]()
    for text in real_texts():
        odd = mutated(text, dice)
        for form in Format:
            said = parse_verdict(odd, {"A": "A", "B": "B"}, form)
            read[said.preference] += 1
            assert said.preference in ("A", "B", "unparsed")
            assert bool(said.reason) == (said.preference == "unparsed")
            value = parse_score(odd, (1, 5), form).value
            assert value is None or 1 <= value <= 5
            assert parse_ranking(odd, ["A", "B"], form).ranks in (None, (1, 1), (1, 2), (2, 1))
    assert min(read["A"], read["B"]) > 0  # some mutations do end in a verdict
