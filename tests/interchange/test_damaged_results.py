"""Results by item that are damaged: ten kinds and more for each tool, refused in a sentence."""

import copy
from pathlib import Path
from typing import Any

import pytest

from arena.interchange.formats import FORMATS, named
from arena.interchange.results import import_results
from arena.records.errors import ArenaError
from arena.store import Store
from tests.interchange.formats import test_damage, test_results, test_store
from tests.interchange.test_opencompass_subjective import DAMAGE as SUBJECTIVE
from tests.result_files import EVALSCOPE, LM_EVAL, OPENCOMPASS, TIME, write

GONE = object()
# Of each tool: its files, then what is put where; by the names that lead to a place.
PREDICTED, MARKED = (f"20250101_120000/{part}/m/sums.json" for part in ("predictions", "results"))
RESULTS, SAMPLES = f"m/results_{TIME}.json", f"m/samples_sums_{TIME}.jsonl"
REPORT, REVIEWS = "reports/m/sums.json", "reviews/m/sums_main.jsonl"
DAMAGE: dict[str, tuple[dict[str, Any], list[tuple[tuple[Any, ...], Any]]]] = {
    "opencompass": (OPENCOMPASS, [
        ((PREDICTED,), []), ((PREDICTED,), {}), ((PREDICTED,), "x"), ((PREDICTED,), None),
        ((PREDICTED, "0"), GONE), ((PREDICTED, "0"), "x"), ((PREDICTED, "0"), None),
        ((PREDICTED, "0"), []), ((PREDICTED, "0", "prediction"), GONE), ((PREDICTED, "1"), 7),
        ((MARKED,), []), ((MARKED,), "x"),
    ]),
    "lm-eval": (LM_EVAL, [
        ((RESULTS,), []), ((RESULTS,), "x"), ((RESULTS,), GONE), ((SAMPLES,), []),
        ((SAMPLES,), GONE), ((SAMPLES, 0), "x"), ((SAMPLES, 0), []), ((SAMPLES, 0, "doc"), GONE),
        ((SAMPLES, 0, "exact_match"), "x"), ((SAMPLES, 0, "exact_match"), 2.5),
        ((SAMPLES, 0, "exact_match"), float("nan")), ((RESULTS, "results"), 5),
    ]),
    "evalscope": (EVALSCOPE, [
        ((REPORT,), []), ((REPORT,), "x"), ((REPORT, "model_name"), GONE), ((REPORT, "metrics"), 5),
        ((REVIEWS,), GONE), ((REVIEWS, 0), "x"), ((REVIEWS, 0), []),
        ((REVIEWS, 0, "sample_score"), GONE), ((REVIEWS, 0, "sample_score"), "x"),
        ((REVIEWS, 0, "sample_score", "score"), 5),
        ((REVIEWS, 0, "sample_score", "score", "value"), {"acc": 87.5}),
        ((REPORT, "dataset_name"), GONE),
    ]),
}  # fmt: skip
CASES = [(tool, place, value) for tool, (_, found) in DAMAGE.items() for place, value in found]


def damaged(files: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(files)
    inner: Any = changed
    for name in place[:-1]:
        inner = inner[name]
    if value is GONE:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return changed


@pytest.mark.parametrize(("tool", "place", "value"), CASES)
def test_damage_is_refused_and_nothing_is_stored(
    tool: str, place: tuple[Any, ...], value: Any, tmp_path: Path, store: Store
) -> None:
    write(tmp_path / "files", damaged(DAMAGE[tool][0], place, value))
    read = named(tool).results
    assert read is not None
    with pytest.raises(ArenaError) as caught:
        import_results(store, read(tmp_path / "files"))
    assert "\n" not in str(caught.value)
    assert store.is_empty()


def test_every_format_refuses_ten_kinds_of_damage() -> None:
    kinds = {tool: len(found) for tool, (_, found) in DAMAGE.items()}
    for cases in (test_damage.ROWS, test_damage.CELLS):
        kinds |= {example: len(found) for example, found in cases.items()}
    kinds |= {"inspect": len(test_results.DAMAGE), "store": len(test_store.DAMAGE)}
    kinds |= {"opencompass-subjective": len(SUBJECTIVE)}
    assert {
        one.name: kinds.get(one.name, 0) for one in FORMATS if kinds.get(one.name, 0) < 10
    } == {}
