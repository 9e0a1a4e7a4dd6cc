"""Signs of contamination: on a model that knows a set by heart, and on one that does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_ind

from arena.backends import Request, TextRequest
from arena.benchmarks.contamination import (
    FRESH,
    REWORDED,
    VERBATIM,
    _halves,
    _paired,
    _welch,
    contamination,
    warning,
)
from arena.benchmarks.items.reading import Item
from arena.benchmarks.runs import run_benchmark
from arena.config import BenchmarkRun
from arena.generation.batch import Control
from arena.ratings.intervals.estimates import wilson
from arena.records import Check
from arena.records.errors import InputError
from arena.store import Store

THINGS = ("boats", "lamps", "stones", "hats", "keys", "bells", "maps", "coins")
ITEMS = [
    Item(
        str(k),
        f"A harbour has {k + 3} {thing}, and a storm carries {k + 1} of them away. How many stay?",
        ("2",),
        reworded=f"From {k + 3} {thing} in a harbour a storm takes {k + 1}. What is left of them?",
    )
    for k, thing in enumerate(THINGS)
]
NEW = [
    Item(f"n{k}", f"A shop sells {k + 2} {thing} on each of {k + 4} days. How many in all?", ("9",))
    for k, thing in enumerate(THINGS)
]


def words(text: str) -> int:
    return len(text.split())


def by_heart(request: TextRequest) -> float:
    """A nat a word for the items themselves and about three for all else."""
    known = request.text in {item.question for item in ITEMS}
    return -words(request.text) * (1.0 if known else 3.0 + len(request.text) % 3 / 10)


def unbiased(request: TextRequest) -> float:
    """About two nats a word, more for some things than for others, whatever the words."""
    thing = next(k for k, name in enumerate(THINGS) if name in request.text)
    return -words(request.text) * (2.0 + (thing - 3.5) * 0.1 + len(request.text) % 5 / 50)


def recites(request: Request) -> str:
    (whole,) = [item.question for item in ITEMS if item.question.startswith(request.turns[0])]
    return whole.removeprefix(request.turns[0]) + " And on it goes."


def test_a_model_that_knows_the_set_by_heart_gets_three_warnings(
    store: Store, scripted: Callable[..., Any]
) -> None:
    model, _ = scripted("parrot", likes=by_heart, say=recites)
    signs = contamination(store, model, "harbour", ITEMS, NEW)
    assert [check.measure for check in signs.checks] == [REWORDED, FRESH, VERBATIM]
    likelier, than_fresh, completed = map(str, signs.warnings)
    assert "likelier than the same items reworded, by 2.0" in likelier
    assert "likelier than fresh items, by 2." in than_fresh
    assert completed.startswith("parrot writes 100.0% of harbour's items on word for word (0.6")
    assert signs.skipped == ()
    assert set(store.checks.where()) == set(signs.checks)


def test_a_model_that_has_not_seen_it_gets_none(store: Store, scripted: Callable[..., Any]) -> None:
    model, backend = scripted("honest", likes=unbiased, say=lambda _: "I would not know.")
    signs = contamination(store, model, "harbour", ITEMS, NEW)
    assert len(signs.checks) == 3
    assert signs.warnings == []
    for check in signs.checks:
        assert check.low is not None
        assert check.high is not None
        assert check.low <= 0.0 <= check.high
    asked = len(backend.asked)
    again = contamination(store, model, "harbour", ITEMS, NEW)
    assert again.checks == signs.checks
    assert len(backend.asked) == asked


def test_what_cannot_be_measured_is_said(store: Store, scripted: Callable[..., Any]) -> None:
    model, _ = scripted(likes=lambda _: -3.0, say=lambda _: "no")
    bare = [Item("a", "Two and two?", ("4",)), Item("b", "One and one?", ("2",))]
    signs = contamination(store, model, "short", bare)
    assert signs.checks == ()
    assert signs.skipped == (
        "short: no rewordings (a column `reworded`), so none are compared",
        "short: no fresh items to compare with (--fresh FILE)",
        "short: no item is long enough to be completed from its first half",
    )
    with pytest.raises(InputError, match="short: its items are not known"):
        contamination(store, model, "short", [])


def test_the_paired_interval_in_closed_form() -> None:
    """Mean 2, standard deviation 1, three of them: 2 ± 4.302653 / √3."""
    found = _paired(np.array([1.0, 2.0, 3.0]), 0.95)
    assert found == pytest.approx((2.0, 2 - 2.484138, 2 + 2.484138, 3), abs=1e-6)


def test_welchs_interval_as_scipy_has_it() -> None:
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0, 8.0])
    expected = ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    mean, low, high, n = _welch(a, b, 0.9)
    assert (mean, n) == (-3.0, 4)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert _welch(np.ones(3), np.zeros(3), 0.9) == (1.0, 1.0, 1.0, 3)


def test_items_completed_by_chance_are_no_warning() -> None:
    """One of twenty: Wilson's interval goes from 0.9 % to 23.6 %, and 5 % lie in it."""
    share = wilson(1, 20, 0.95)
    few = Check("m", "set", VERBATIM, share.value, share.ci_low, share.ci_high, 20)
    assert (share.ci_low, share.ci_high) == pytest.approx((0.00888, 0.23613), abs=1e-4)
    assert warning(few) is None
    share = wilson(6, 20, 0.95)
    many = Check("m", "set", VERBATIM, share.value, share.ci_low, share.ci_high, 20)
    assert (
        str(warning(many))
        == "m writes 30.0% of set's items on word for word (0.145 to 0.519, n = 20)."
    )


def test_halves_make_up_the_text_and_part_at_a_space() -> None:
    assert _halves("one two three four") == ("one two three", " four")
    assert _halves("两个一百加起来是多少") == ("两个一百加", "起来是多少")
    first, second = _halves("word " * 400)
    assert ("word " * 400).startswith(first + second)
    assert len(second) == 96


def test_checks_are_of_the_items_that_were_asked(
    store: Store, scripted: Callable[..., Any], tmp_path: Any
) -> None:
    rows = [f'{item.name},"{item.question}",2,"{item.reworded}"' for item in ITEMS]
    path = tmp_path / "harbour.csv"
    path.write_text("\n".join(["id,question,answer,reworded", *rows]))
    model, _ = scripted("parrot", likes=by_heart, say=recites_or_answers)
    wanted = BenchmarkRun(data=str(path), limit=5, contamination=True)
    (result,) = run_benchmark(store, [model], wanted, lambda _: Control())
    assert result.signs is not None
    assert {check.n for check in result.signs.checks} == {5}
    assert len(result.outcomes) == 5
    assert any("reworded" in note for note in result.measured.notes)
    assert any("no fresh items" in note for note in result.measured.notes)


def recites_or_answers(request: Request) -> str:
    return recites(request) if request.plain else "2"


def test_a_model_that_only_writes_keeps_its_score(
    store: Store, scripted: Callable[..., Any], tmp_path: Any
) -> None:
    from arena.records.errors import NoLikelihoodError

    def mute(_: TextRequest) -> float:
        raise NoLikelihoodError("m: this server does not tell how likely a given text is")

    path = tmp_path / "sums.csv"
    path.write_text("question,answer\nTwo and two?,4\n")
    model, _ = scripted("m", likes=mute, say=lambda _: "4")
    wanted = BenchmarkRun(data=str(path), contamination=True)
    (result,) = run_benchmark(store, [model], wanted, lambda _: Control())
    assert [outcome.value for outcome in result.outcomes] == [1.0]
    assert result.measured.notes[-1].endswith("what it may have seen cannot be told.")
