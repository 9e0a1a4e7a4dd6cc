"""Both languages say the same things."""

import re

import pytest

from arena.ratings.voter_audit.suspicion import SuspicionKind
from arena.web.views.plots import NAMES
from arena.web.views.words import WORDS, group_name, language_of

FIELD = re.compile(r"\{(\w+)[^}]*\}")


def test_every_word_is_there_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert all(f"chart_{name}" in WORDS["en"] for name in NAMES)


@pytest.mark.parametrize("word", sorted(WORDS["en"]))
def test_a_word_takes_the_same_values_in_both(word: str) -> None:
    found = {language: sorted(FIELD.findall(words[word])) for language, words in WORDS.items()}
    assert found["en"] == found["zh"]


@pytest.mark.parametrize(
    ("word", "values", "one", "many"),
    [
        ("entries", {"count": 1}, "1 prompt", "1,200 prompts"),
        ("count_votes", {"count": 1}, "1 vote", "1,200 votes"),
        ("notes", {"count": 1}, "1 note", "1,200 notes"),
        ("chain_whole", {"count": 1}, "chain of 1 vote is", "chain of 1,200 votes is"),
        ("settle", {"votes": 1, "rank": 1, "next": 2}, "1 more vote between", "1,200 more votes"),
    ],
)
def test_a_number_has_its_noun(word: str, values: dict[str, int], one: str, many: str) -> None:
    number = next(iter(values))
    assert one in WORDS["en"][word].format(**values)
    assert many in WORDS["en"][word].format(**(values | {number: 1200}))
    assert "1,200" in WORDS["zh"][word].format(**(values | {number: 1200}))


NUMBERED = re.compile(r"\{(count|votes|pairs|models|prompts|items)\}(?! from)(?= [a-z])")
# After more than one of them, or where the noun does not stand for what was counted.
ALWAYS_SEVERAL = {
    "unrated_few_votes",
    "unrated_apart_votes",
    "unrated_few_comparisons",
    "unrated_apart_comparisons",
    "left_out",
    "correlation",
}


def test_no_number_has_a_noun_that_may_be_wrong() -> None:
    found = {word for word, said in WORDS["en"].items() if NUMBERED.search(said)}
    assert found <= ALWAYS_SEVERAL


def test_chinese_has_no_latin_stops() -> None:
    latin = re.compile(r"[\u4e00-\u9fff\u201d\uff09][,.;:?!]|[,.;:?!] ?[\u4e00-\u9fff]")
    assert not {word for word, said in WORDS["zh"].items() if latin.search(said)}


def test_all_that_may_be_wrong_with_a_voter_has_words() -> None:
    assert all(f"flag_{kind}" in WORDS["en"] for kind in SuspicionKind)


def test_chinese_is_chinese() -> None:
    """No sentence was left in English."""
    same = {word for word in WORDS["en"] if WORDS["en"][word] == WORDS["zh"][word]}
    assert same <= {"grade_2", "grade_3", "grade_4", "said_a", "said_b"}


@pytest.mark.parametrize(
    ("by", "value", "chinese", "english"),
    [
        ("category", "writing", "写作", "writing"),
        ("category", "maths", "数学", "maths"),
        ("category", "my own", "my own", "my own"),
        ("dimension", "long context", "长文本", "long context"),
        ("language", "zh", "中文", "Chinese"),
        ("model", "writing", "writing", "writing"),
    ],
)
def test_categories_are_named_in_the_language_of_the_page(
    by: str, value: str, chinese: str, english: str
) -> None:
    assert group_name(WORDS["zh"], by, value) == chinese
    assert group_name(WORDS["en"], by, value) == english


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9,zh;q=0.5", "en"),
        (None, "fr", "en"),
        (None, None, "en"),
        ("zh", "en", "zh"),
        ("xx", "zh", "zh"),
    ],
)
def test_the_choice_on_the_page_comes_before_the_browsers(
    chosen: str | None, accepted: str | None, language: str
) -> None:
    assert language_of(chosen, accepted) == language
