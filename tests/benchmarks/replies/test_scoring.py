# ruff: noqa: E501
"""Answers found in replies as models write them, English and Chinese."""

import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.benchmarks.items.reading import final_answer, item_of
from arena.benchmarks.replies.letters import Unread
from arena.benchmarks.replies.numbers import value_of
from arena.benchmarks.replies.scoring import (
    METRICS,
    ReplyScore,
    contains,
    letter,
    mark_choice,
    mark_contains,
    mark_exact,
    mark_f1,
    mark_number,
    mark_recall,
    metric_for,
    number,
)

CITIES = ("Paris", "Rome", "New York", "York")


@pytest.mark.parametrize(
    ("reply", "picked"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(c)", "C"),
        ("B.", "B"),
        ("**B**", "B"),
        ("B. Rome", "B"),
        ("B) Rome", "B"),
        ("Ｂ", "B"),
        ("The correct answer is (B).", "B"),
        ("The answer is: **C. New York**", "C"),
        ("**Answer:** C", "C"),
        ("### Answer\nC", "C"),
        ("The correct option is D.", "D"),
        ("I would choose D here.", "D"),
        ("A is wrong, so the answer must be C.", "C"),
        ("Answer: A. No, wait.\nAnswer: D", "D"),
        ("$\\boxed{C}$", "C"),
        ("So it is \\boxed{\\text{D}}.", "D"),
        ("答案：B", "B"),
        ("答案是Ｃ。", "C"),
        ("选项B正确", "B"),
        ("正确答案应该是D", "D"),
        ("我选A。", "A"),
        ("因此，本题选B。", "B"),
        ("<think>Perhaps A? No.</think>\n\nC", "C"),
        ("It is Rome.", "B"),
        ("A city that I like is New York.", "C"),
        ("B\n\nQuestion: What is next?\nAnswer: C", "B"),
        ("I think A or B", None),
        ("The answer is A or B.", None),
        ("答案是A或B", None),
        ("The answer is not A; B and C are close.", None),
        ("Paris or Rome", None),
        ("<think>The answer is A, or", None),
        ("I do not know.", None),
        ("", None),
    ],
)
def test_the_letter_that_a_reply_picks(reply: str, picked: str | None) -> None:
    expected = None if picked is None else "ABCD".index(picked)
    assert letter(reply, CITIES) == expected


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("32", "32"),
        ("32 rolls", "32"),
        ("There are 32.", "32"),
        ("1,234.50", "1234.5"),
        ("Answer: $1,200", "1200"),
        ("x = 5", "5"),
        ("6 * 12 = 72, and 72 - 40 = 32", "32"),
        ("Answer: 6*12 - 40 = 32", "32"),
        ("Answer: 32 = 72 - 40", "32"),
        ("Answer: 32 (of the 72)", "32"),
        ("**Answer: 32**\nThat leaves 40 sold.", "32"),
        ("10-3", "3"),
        ("The answer is −3", "-3"),
        ("-3", "-3"),
        ("50%", "50"),
        ("1/2", "0.5"),
        ("\\frac{1}{2}", "0.5"),
        ("½", "0.5"),
        ("\\boxed{18}", "18"),
        ("The area is 32 m²", "32"),
        ("答案是32个。", "32"),
        ("答案：一共32个", "32"),
        ("答案：３２", "32"),
        ("三十二", "32"),
        ("答案是三百零五。", "305"),
        ("两万零三十个", "20030"),
        ("答案：负十二", "-12"),
        ("<think>maybe 9</think>12", "12"),
        ("Answer: 32\n\nQuestion: 3 and 4?\nAnswer: 7", "32"),
        ("<think>72 - 40 =", None),
        ("5/0", None),
        ("没有", None),
        ("", None),
    ],
)
def test_the_number_that_a_reply_gives(reply: str, value: str | None) -> None:
    assert number(reply) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("reply", "answer", "right"),
    [
        ("It is Paris.", "paris", True),
        ("Parisian", "Paris", False),
        ("答案是Paris吗", "Paris", True),
        ("42.", "42", True),
        ("142", "42", False),
        ("42.5", "42", False),
        ("3.42", "42", False),
        ("1,42", "42", True),
        ("1,420", "420", False),
        ("12,000", "12", False),
        ("-5", "5", False),
        ("the answer is -5", "5", False),
        ("(-5)", "-5", True),
        ("sixty-three", "three", True),
        ("四十二", "四十二", True),
        ("二十六", "十六", False),
        ("诗人李白一生好酒", "李白", True),
        ("在长江边", "长江", True),
        ("答案是４２。", "42", True),
        ("New\nYork", "New York", True),
        ("CO2", "CO₂", True),
        ("anything", " ", False),
        ("It is 5 km.", "5 km", True),
        ("It is 5km.", "5 km", True),
        ("It is 15 km.", "5 km", False),
        ("It is -5 km.", "5 km", False),
        ("It is 5 kmh.", "5 km", False),
        ("It was 5 °C.", "-5 °C", False),
        ("It was −5°C.", "-5 °C", True),
        ("It was –5 °C.", "−5 °C", True),
        ("$-5\\,^\\circ\\text{C}$", "-5 °C", True),
        ("共5公里。", "5 公里", True),
        ("Use C++ for it.", "C++", True),
        ("Use C++ for it.", "C", False),
        ("Use C# for it.", "C", False),
        ("Use C.", "C", True),
        ("Use **C**.", "C", True),
        (".NET", ".NET", True),
        ("It is not London.", "London", False),
        ("It isn't London.", "London", False),
        ("It is not London; no, London it is.", "London", True),
        ("不是北京。", "北京", False),
        ("Paris is not the capital.", "Paris", False),
        ("Paris is wrong.", "Paris", False),
        ("Paris cannot be right.", "Paris", False),
        ("anything but Paris", "Paris", False),
        ("London rather than Paris", "Paris", False),
        ("The answer is London. (Not: Paris)", "Paris", False),
        ("Neither Rome nor Paris", "Paris", False),
        ("It can't be Paris.", "Paris", False),
        ("不可能是北京。", "北京", False),
        ("首都不在北京", "北京", False),
        ("北京不是首都", "北京", False),
        ("我不同意", "同意", False),
        ("Paris is not only a city but the capital.", "Paris", True),
        ("It is Paris; London is wrong.", "Paris", True),
        ("It is not called London.", "London", False),
        ("Not Paris but London.", "London", True),
        ("\\boxed{\\text{London}}", "London", True),
        ("The colour is predicted to be blue.", "red", False),
        ("It is 'London'.", "London", True),
        ("LONDON", "London", True),
        ("Ｌｏｎｄｏｎ", "London", True),
        ("New   York", "New York", True),
        ("$x^2+1$", "x^2+1", True),
        ("London? No, Paris.", "London", False),
        ("London? No, Paris.", "Paris", True),
        ("I don't think it's London.", "London", False),
        ("It was O'Brien.", "O’Brien", True),
        ("$H_2O$", "H2O", True),
        ("x^{2}", "x²", True),
        ("~~Paris~~ London", "Paris", False),
    ],
)
def test_an_answer_stands_in_a_reply(reply: str, answer: str, right: bool) -> None:
    assert contains(reply, answer) is right


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("Yes.", True), ("yes", True), ("**Yes**", True), ("Yes, because no one else could.", True),
        ("Actually, no. Let me see. The answer is yes.", True), ("True", True), ("The answer is yes.", True), ("\\boxed{\\text{Yes}}", True), ('{"answer": true}', True),
        ("I thought about it. So yes.", True), ("是", True), ("是的。", True), ("答案：是", True), ("对", True), ("正确", True),
        ("Answer: Yes</s>", True), ("<think>No?</think>Yes", True), ("There is no doubt: yes.", True),
        ("The statement is true.", True), ("It is true.", True), ("First I said no... The answer is yes.", True),
        ("No.", False), ("NO", False), ("no, it is not", False), ("False", False), ("It is not true.", False),
        ("The answer is no.", False), ("The answer is: **No**", False), ("不是", False), ("否", False), ("不对", False),
        ("错误", False), ("答案是否", False), ("\\boxed{No}", False), ("The claim is false.", False), ("So, no.", False),
        ("It has been long.\n\nNo", False), ("Yes. Actually, no.", False), ("The answer is yes. Sorry, I meant no.", False),
        ("I do not know, nothing is certain.", None), ("Norway", None), ("I know it.", None), ("", None),
        ("\\boxed{Yes} or \\boxed{No}", None), ("Yes and no.", None), ("Yes or no?", None), ("No one knows.", None), ("No idea.", None), ("是否如此，很难说", None),
        ("是或否", None), ("Perhaps.", None), ("Nothing", None), ("<think>Yes", None), ("Yesterday", None), ("Nobody", None),
    ],
)  # fmt: skip
def test_a_yes_or_a_no(reply: str, says: bool | None) -> None:
    for gold in ("Yes", "true", "是"):
        mark = mark_contains(reply, [gold])
        assert (mark.value, mark.found) == (float(says is True), says is not None)
    assert mark_contains(reply, ["No"]).value == float(says is False)


def test_a_yes_among_other_answers() -> None:
    assert mark_contains("It is Norway.", ["No", "Norway"]).value == 1.0
    assert mark_contains("No.", ["No", "Norway"]).value == 1.0
    assert mark_contains("I do not know.", ["No", "Norway"]).value == 0.0


def test_thinking_is_not_said() -> None:
    assert METRICS["contains"]("<think>Paris?</think>Rome", ["Paris"]).value == 0.0
    assert not METRICS["contains"]("<think>Paris", ["Paris"]).found


@pytest.mark.parametrize(
    ("reply", "answer", "right"),
    [
        ("The Paris!", "paris", True),
        ("3.0", "3", True),
        ("-3", "3", False),
        ("Лондон", "Москва", False),
        ("Москва.", "москва", True),
        ("!!", "A", False),
        ("a", "A", True),
        ("北京。", "北京", True),
        ("C", "C++", False),
        ("C++", "c++", True),
        ("5 °C", "-5 °C", False),
        ("-5 °C", "−5 °C", True),
        ("\\boxed{London}", "London", True),
        ("So it is \\boxed{\\text{London}}.", "London", True),
        ("1,200", "1200", True),
        ("\\boxed{\\frac{x}{2}}", "\\dfrac{x}{2}", True),
        ("\\boxed{11\\sqrt2}", "11\\sqrt{2}", True),
        ("\\sqrt{2x}", "\\sqrt2x", False),
        ("x²", "x^{2}", True),
    ],
)
def test_exact(reply: str, answer: str, right: bool) -> None:
    assert mark_exact(reply, [answer]).value == float(right)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x+1", "x-1"), ("-x", "x"), ("x<3", "x>3"), ("x≤3", "x≥3"), ("3 > 2", "3 < 2"), ("2*3", "2+3"),
        ("x \\leq 3", "x \\geq 3"), ("A ∪ B", "A ∩ B"), ("a==b", "a!=b"), ("a=b", "a≠b"), ("!p", "p"), ("¬p", "p"),
        ("p & q", "p | q"), ("a/b", "a b"), ("a → b", "a ← b"), ("∀x", "∃x"), ("x^2", "x 2"), ("x^{2n}", "x^{2}n"),
        ("[0,1)", "(0,1]"), ("(0,1)", "[0,1]"), ("{1, 2}", "(1, 2)"), ("f(x)", "f x"), ("(-1, 2)", "(1, 2)"),
        ("v1.2", "v1 2"), ("12:30", "12 30"), ("$5", "5"), ("$5", "€5"), ("5%", "5"), ("$x+1$", "$x-1$"),
    ],
)  # fmt: skip
def test_signs_and_brackets_mean_something(one: str, other: str) -> None:
    assert mark_exact(one, [other]).value == mark_exact(other, [one]).value == 0.0
    assert mark_exact(one, [one]).value == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris, France.", "Paris France"), ("“Paris”", "Paris"), ("*Paris*.", "Paris"), ("- Paris", "Paris"),
        ("(Paris)", "Paris"), ("[B]", "B"), ("x >= 3", "x≥3"), ("a != b", "a≠b"), ("well-known", "well known"), ("well–known", "well-known"), ("Paris!", "Paris"),
        ("[1,2]", "[1, 2]"), ("x + 1", "x+1"), ("$x-1$", "x-1"), ("x^{2}", "x^2"), ("− x", "-x"), ("x ≤ 3", "$x \\le 3$"),
        ("$$18$$", "18"), ("$\\$18$", "$18"), ("18 €", "€18"), ("\\sqrt{2}", "\\sqrt 2"), ("《论语》", "论语"), ("(-5)", "-5"),
    ],
)  # fmt: skip
def test_marks_of_a_sentence_mean_nothing(one: str, other: str) -> None:
    assert mark_exact(one, [other]).value == mark_exact(other, [one]).value == 1.0


def test_several_boxes_are_no_exact_answer() -> None:
    assert not mark_exact("\\boxed{Paris} or \\boxed{London}", ["London"]).found
    assert mark_exact("\\boxed{Paris}. No, \\boxed{London}", ["London"]).value == 1.0


@pytest.mark.parametrize(
    "reply",
    [
        "It is Paris. Scratch that: London.",
        "Paris. Wait, no, London.",
        "Paris.\nCorrection: London",
        "巴黎 Paris。我说错了，是 London。",
    ],
)
def test_an_answer_that_is_taken_back_is_not_said(reply: str) -> None:
    assert mark_contains(reply, ["Paris"]) == ReplyScore(0.0, Unread.TAKEN_BACK)
    assert mark_contains(reply, ["London"]).value == 1.0


@pytest.mark.parametrize("mark", [mark_contains, mark_exact, mark_recall])
def test_what_follows_the_reply_is_not_marked(mark: Callable[..., ReplyScore]) -> None:
    for more in (
        "\n\nQ: And of Italy?\nA: Rome",
        "\nHuman: Rome?",
        "<|im_end|>\n<|im_start|>user\nRome",
    ):
        assert mark("Paris" + more, ["Paris"]).value == 1.0
        assert mark("Paris" + more, ["Rome"]).value == 0.0
    assert not mark_contains("Sure.\nQuestion: which?\nAnswer: Rome", ["Rome"]).found


def test_shares() -> None:
    assert mark_f1("the red house", ["red house here"]).value == pytest.approx(0.8)
    assert mark_f1("红色房子", ["红房子"]).value == pytest.approx(6 / 7)
    assert mark_recall("one and two", ["one", "two", "three"]).value == pytest.approx(2 / 3)
    assert mark_number("it is 0.5", ["1/2"]).value == 1.0


def test_the_metric_of_a_set() -> None:
    assert metric_for(["1", "2.5", "1/2"]) == "number"
    assert metric_for(["Paris", "2"]) == "contains"
    assert metric_for(["one two three " * 6]) == "f1"


PARTS = (
    *("answer is ", "The answer is B", "answer", "ANSWER: ", "答案是", "选", "不", "yes", "no ", "not "),
    *("\\boxed{", "\\text{", "\\frac{1}{2}", "\\frac", "{", "}", "(", ")", "[", "]", "$", "**", "_", "`"),
    *("<think>", "</think>", "<answer>", "</s>", "[THINK]", "####", "\n\n", "\nQuestion: ", " or ", "、"),
    *("A", "B. ", "c) ", "I ", "1,", "2 000", "−", "½", "1e9", "/", "^{", "%", "三十", "万", "km", "\u2028"),
)  # fmt: skip
SAID = st.one_of(st.text(), st.lists(st.sampled_from(PARTS) | st.text(max_size=2)).map("".join))
GOLDS = st.lists(st.sampled_from(["18", "5 km", "yes", "C++", "\\", "是", "(", "-"]) | st.text(min_size=1),
                 min_size=1, max_size=6)  # fmt: skip


@given(SAID, GOLDS)
def test_no_text_is_too_odd(reply: str, answers: list[str]) -> None:
    picked = letter(reply, answers)
    assert picked is None or 0 <= picked < len(answers)
    assert mark_choice(reply, answers, 0).found == (picked is not None)
    marks = [mark(reply, answers) for mark in METRICS.values()]
    assert all(0.0 <= mark.value <= 1.0 for mark in marks)
    assert all(mark.found or mark.value == 0.0 for mark in marks)
    value_of(reply)
    final_answer(reply)


@given(st.recursive(st.none() | st.booleans() | st.integers() | SAID, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["A", "B", "text", "label"]), inner)
)), SAID | st.integers())  # fmt: skip
def test_no_options_are_too_odd(choices: object, answer: object) -> None:
    item = item_of({"question": "q", "choices": choices, "answer": answer}, "set")
    assert item is None or item.answers[0] in item.choices


CITY = ("Paris", "London", "Rome", "Berlin")
MARKERS = {
    "choice": lambda reply: mark_choice(reply, CITY, 1),
    "polarity": lambda reply: mark_contains(reply, ["yes"]),
} | {
    name: lambda reply, mark=mark: mark(reply, ["London", "5 km"]) for name, mark in METRICS.items()
}


def took(mark: Callable[[str], object], text: str) -> float:
    """Seconds of this process's own time, the least of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        mark(text)
        seconds.append(time.process_time() - start)
    return min(seconds)


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKERS)
def test_no_reply_takes_more_than_linear_time(name: str) -> None:
    """Eight times the text may take twenty times as long; a quadratic rule takes 64 times."""
    parts = (
        *PARTS,
        "9",
        " ",
        "A or ",
        "A,",
        "1,11,",
        "*",
        "-",
        "London ",
        "is 1 ",
        "if the answer ",
    )
    for part in parts:
        short, long = ((part * n)[:n] for n in (1000, 8000))
        assert took(MARKERS[name], long) < 20 * took(MARKERS[name], short) + 0.05, part
