"""Both languages say the same things."""

import re

import pytest

from arena.web.views.plots import NAMES
from arena.web.views.words import WORDS, group_name, language_of

FIELD = re.compile(r"\{(\w+)\}")


def test_every_word_is_there_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert all(f"chart_{name}" in WORDS["en"] for name in NAMES)


@pytest.mark.parametrize("word", sorted(WORDS["en"]))
def test_a_word_takes_the_same_values_in_both(word: str) -> None:
    found = {language: sorted(FIELD.findall(words[word])) for language, words in WORDS.items()}
    assert found["en"] == found["zh"]


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
