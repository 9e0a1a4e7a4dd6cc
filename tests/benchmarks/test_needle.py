"""Needles in haystacks: the map of a model that sees all of a text, and of one that does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.backends import Request, open_backend
from arena.backends.base import estimate_tokens
from arena.benchmarks.items.reading import Item
from arena.benchmarks.needle import (
    CHAT,
    REPLY,
    Haystack,
    NeedleCell,
    NeedleMap,
    needle_benchmark,
    needle_maps,
    parse_lengths,
)
from arena.benchmarks.runs import Result, run_benchmark
from arena.benchmarks.scores import item_values
from arena.config import BenchmarkRun, NeedleSettings, parse_model
from arena.generation.batch import Control
from arena.records import NOBODY, Model
from arena.records.errors import InputError
from arena.store import Store

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")

LONGEST_SENTENCE = 64  # tokens of smollm2's, for a made one


def run(store: Store, model: Model, hay: dict[str, Any], **wanted: Any) -> list[Result]:
    entry = BenchmarkRun(task="needle", needle=NeedleSettings(**hay), **wanted)
    return list(run_benchmark(store, [model], entry, lambda _: Control()))


def maps(results: list[Result]) -> list[NeedleMap]:
    return needle_maps([value for result in results for value in result.values])


def test_a_model_that_sees_all_has_a_full_map_and_one_that_does_not_has_a_hole(
    store: Store,
) -> None:
    hay = {"lengths": ["1k", "2k"], "samples": 2}
    for name, middle in (("reader", 1.0), ("edges", 0.0)):
        english, chinese = maps(run(store, parse_model(f"fake:{name}"), hay))
        assert english.title.startswith(f"{name}, en, made filler")
        assert chinese.title.startswith(f"{name}, zh, made filler")
        for found in (english, chinese):
            assert found.lengths == (1024, 2048)
            assert found.depths == (0.0, 0.25, 0.5, 0.75, 1.0)
            by_depth = dict(zip(found.depths, found.values, strict=True))
            assert by_depth[0.0] == by_depth[1.0] == (1.0, 1.0)
            assert by_depth[0.5] == (middle, middle)
    stored = needle_maps(item_values(store.evidence.outcomes()))
    assert len(stored) == 4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_several_needles_are_asked_for_at_once_and_count_by_the_share_found(
    store: Store, language: str
) -> None:
    hay = {"lengths": ["2k"], "needles": [1, 4], "depths": [50], "languages": [language]}
    _, many = maps(run(store, parse_model("fake:reader"), hay))
    assert "4 needles" in many.title
    assert many.values == ((1.0,),)
    # Needles lie at an eighth, three, five and seven eighths: the outer two are at the edges.
    one, many = maps(run(store, parse_model("fake:edges"), hay))
    assert (one.values, many.values) == (((0.0,),), ((0.5,),))


@pytest.mark.model
def test_a_text_has_the_asked_length_and_its_needle_the_asked_depth() -> None:
    backend = open_backend(parse_model("smollm2"))
    haystack = Haystack((512, 2048), (0.0, 0.3, 0.5, 0.9, 1.0))
    benchmark, notes = needle_benchmark(haystack, backend.count_tokens, backend.window())
    assert notes == []
    assert len(benchmark.items) == 20
    for item in benchmark.items:
        cell = NeedleCell.parse(item.name)
        assert cell is not None
        tokens = backend.count_tokens(item.question)
        assert -8 <= cell.length - REPLY - CHAT - tokens <= LONGEST_SENTENCE
        _, text, question = item.question.split("\n\n")
        assert item.answers[0] not in question
        assert text.count(item.answers[0]) == 1
        before = backend.count_tokens(text[: text.index(item.answers[0])])
        place = before / backend.count_tokens(text)
        assert abs(place - cell.depth) <= LONGEST_SENTENCE / backend.count_tokens(text)


@pytest.mark.model
def test_a_text_of_the_windows_own_length_leaves_room_for_the_reply(store: Store) -> None:
    model = replace(parse_model("smollm2"), context_length=512)
    hay = {"lengths": [512], "depths": [0, 100]}
    (result,) = run(store, model, hay)
    assert len(result.outcomes) == 4
    assert all(outcome.text for outcome in result.outcomes)


@pytest.mark.model
def test_lengths_are_bounded_by_the_window(store: Store) -> None:
    model = replace(parse_model("smollm2"), context_length=512)
    (result,) = run(
        store, model, {"lengths": [400, "4k", "1k"], "depths": [0], "languages": ["en"]}
    )
    assert list(result.measured.notes) == [
        "needle: 4096 tokens are left out, because the model's window has 512.",
        "needle: 1024 tokens are left out, because the model's window has 512.",
    ]
    assert [outcome.item for outcome in result.outcomes] == ["en 400 tokens 0% 1x #0"]
    with pytest.raises(InputError, match="--lengths 1024: the model's window has 512 tokens"):
        run(store, model, {"lengths": ["4k", "1k"]})


def items(haystack: Haystack) -> tuple[Item, ...]:
    return needle_benchmark(haystack, estimate_tokens, None)[0].items


def test_the_same_haystack_is_made_again_and_samples_differ() -> None:
    haystack = Haystack((512,), (0.5,), languages=("en",), samples=3)
    first = items(haystack)
    assert first == items(haystack)
    assert len({item.question for item in first}) == 3


def test_a_filler_of_ones_own(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "filler.txt"
    path.write_text("\ufeff" + " ".join(f"The river rose on day {n}." for n in range(400)))
    hay = {"lengths": [512], "depths": [0, 50], "languages": ["en"], "filler": str(path)}
    (found,) = maps(run(store, parse_model("fake:reader"), hay))
    assert "The river rose" in found.title
    assert found.values == ((1.0,), (1.0,))
    (outcome, *_) = store.outcomes.where()
    assert "filler 'The river rose on da'" in outcome.variant


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Too short. Really.", r"the filler ends \d+ tokens short of 1024; give a longer text"),
        (b"no sentence at all " * 500, r"the filler ends \d+ tokens short of 1024"),
        (b" \n", r"filler\.txt: no text in it"),
        ("河水上涨。".encode("gb18030"), r"filler\.txt:1: not UTF-8; save it as UTF-8"),
        (None, r"filler\.txt: no such file"),
    ],
)
def test_a_filler_that_does_not_do(
    store: Store, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "filler.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        run(store, parse_model("fake:reader"), {"lengths": ["1k"], "filler": str(path)})
    assert store.completions.count() == 0


@pytest.mark.parametrize("text", ["", "k", "0", "383", "-1k", "4m", "1.5k", "four"])
def test_lengths_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="it must be a number of tokens from 384, as 4k"):
        parse_lengths(["1k", text])


def test_lengths_in_thousands_and_tokens() -> None:
    assert parse_lengths(["1k", " 4K", "32768", "1024"]) == (1024, 4096, 32768)


def test_more_needles_than_a_length_holds() -> None:
    with pytest.raises(InputError, match="12 needles and the question leave no room"):
        needle_benchmark(Haystack((384,), needles=(12,)), lambda text: len(text) // 3, None)


def test_a_judge_marks_every_reply(
    store: Store, scripted: Callable[..., Any], write_card: Callable[..., str]
) -> None:
    """The judge disagrees with the rule on purpose: its word counts, in the map as well."""
    model, asked = scripted("m", say=lambda request: f"It is {len(request.turns[-1]) % 3}.")

    def judges(request: Request) -> str:
        return "It is right. [[Yes]]" if "It is 0." in request.turns[-1] else "Wrong. [[No]]"

    card = write_card("strict", "fake:echo")
    _, judge = scripted("strict", say=judges)
    hay = {"lengths": [512], "samples": 2, "languages": ["en"]}
    (result,) = run(store, model, hay, metric="judged", judge=card)
    assert len(judge.asked) == 10
    assert result.judged == len(result.outcomes) == 10
    assert (result.unread, {o.marker for o in result.outcomes}) == (0, {"strict"})
    assert [o.value for o in result.outcomes] == [
        float(o.text == "It is 0.") for o in result.outcomes
    ]
    assert len(asked.asked) == 10
    assert {o.marker for o in store.outcomes.where()} == {NOBODY, "strict"}
    (found,) = needle_maps(item_values(store.evidence.outcomes()))
    share = sum(value for row in found.values for value in row if value is not None) / 5
    assert share == pytest.approx(sum(o.value for o in result.outcomes) / 10)


def test_names_of_cells_are_read_back() -> None:
    cell = NeedleCell("zh", 4096, 0.33, 3, 7)
    assert NeedleCell.parse(cell.name) == cell
    assert NeedleCell.parse("fact-1") is None
