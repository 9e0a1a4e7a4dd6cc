"""Whether a card asks for its verdict in the form that it reads."""

from collections.abc import Callable
from typing import Any

import pytest

from arena.judging import list_cards, load_card
from arena.judging.cards.check import check
from arena.records.errors import TemplateError
from arena.store import Store

PAIR = "{{ question }}\n{{ reference }}\n{{ answer_a }}\n{{ answer_b }}\n"
SEVERAL = "{{ question }}\n{{ reference }}\n{{ answers }}\n"
ONE = "{{ question }}\n{{ reference }}\n{{ answer }}\n"


@pytest.fixture
def card(store: Store) -> Callable[..., Any]:
    def write(mode: str, template: str, settings: str = "", reading: str = "reasoned") -> Any:
        folder = store.home / "judges"
        folder.mkdir(exist_ok=True)
        (folder / "t.md").write_text(template)
        (folder / "j.yaml").write_text(
            f"model: fake:longer\nreading: {reading}\n{mode}: {{template: t.md{settings}}}\n"
        )
        return load_card("j", store.home)

    return write


@pytest.mark.parametrize(
    ("mode", "template", "settings"),
    [
        ("pairwise", PAIR + "End with [[A]], [[B]] or [[C]].", ""),
        ("pairwise", PAIR + "End with a line Choice: A, B or C.", ", format: choice"),
        ("pairwise", PAIR + 'Reply with {"choice": "A"}.', ", format: json"),
        ("pairwise", PAIR + "[RESULT] A or B", ", format: prometheus"),
        ("pairwise", PAIR + "Verdict: A", ""),  # which is read for brackets, too
        ("score", ONE + "[[7]]", ""),
        ("score", ONE + '{"clarity": 7}', ", format: json, criteria: {clarity: 1}"),
    ],
)
def test_a_form_that_is_read_is_fine(
    card: Callable[..., Any], mode: str, template: str, settings: str
) -> None:
    assert [sample.unshown for sample in check(card(mode, template, settings))] == ["", ""]


@pytest.mark.parametrize(
    ("mode", "template", "settings", "asked", "read"),
    [
        ("pairwise", PAIR + "End with [[A]].", ", format: json", "[[A]]", '{"choice": "A"}'),
        ("score", ONE + "[[7]]", ", format: json", "[[10]]", '{"score": 1–10}'),
        ("rank", SEVERAL + "[[A > B > C]]", ", format: json", "[[A > B > C]]", '{"ranking"'),
    ],
)
def test_a_form_that_is_not_read_is_refused_with_both(
    card: Callable[..., Any], mode: str, template: str, settings: str, asked: str, read: str
) -> None:
    with pytest.raises(TemplateError) as error:
        check(card(mode, template, settings))
    assert asked in str(error.value)
    assert read in str(error.value)
    assert "(format: json)" in str(error.value)


def test_a_template_that_shows_no_form_is_told(card: Callable[..., Any]) -> None:
    english, chinese = check(card("pairwise", PAIR + "Which is better?"))
    assert english.unshown == chinese.unshown == "[[A]] / [[B]] / [[C]]"
    assert not any(sample.unshown for sample in check(card("pairwise", PAIR, reading="logit")))


def test_every_built_in_card_shows_what_it_reads(store: Store) -> None:
    for found in list_cards(store.home):
        assert [sample.unshown for sample in check(found) if sample.unshown] == [], found.name
