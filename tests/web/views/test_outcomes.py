"""Browse's benchmark outcomes: the question, and what each model made of it in each way."""

from dataclasses import replace
from pathlib import Path

import pytest

from arena.benchmarks import Asking, ItemMode, bench
from arena.benchmarks.items.known import known_items
from arena.benchmarks.items.reading import file_version
from arena.benchmarks.items.tasks import own_data
from arena.config import parse_model
from arena.records import Outcome
from arena.store import Store
from arena.web.catalogue import ItemOutcomes, outcomes
from arena.web.views.outcomes import outcomes_table
from arena.web.views.words import WORDS

EXAM = (
    "id,question,A,B,C,D,answer\n"
    "1,Which organ makes insulin?,the spleen,the pancreas,a nerve of the arm,bone,B\n"
    "2,法国的首都是哪里？,里昂,巴黎,马赛,尼斯,B\n"
)


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    path = tmp_path / "exam.csv"
    path.write_text(EXAM, encoding="utf-8")
    return path


def asked(store: Store, exam: Path, *ways: Asking) -> None:
    for name in ("echo", "first"):
        model = replace(parse_model(f"fake:{name}"), name=name)
        for way in ways:
            bench(store, model, own_data(exam, way))


def test_every_way_is_labelled_once_with_its_metric_and_the_question_is_told(
    tmp_path: Path, exam: Path
) -> None:
    store = Store(tmp_path / "arena.db")
    ways = (Asking(ItemMode.PPL), Asking(ItemMode.GEN), Asking(ItemMode.PPL, circular=True))
    asked(store, exam, *ways)
    found = outcomes(store, "exam")
    assert all(one.item for one in found)
    assert not [one.item for one in outcomes(store, "exam", None) if one.item]
    assert [one.name for one in found if one.has("巴黎") or one.has("法国")] == ["2"]
    text = outcomes_table(found, WORDS["en"])
    line = text[: text.index("</summary>")]
    assert "Which organ makes insulin?" in line
    for title in ("ppl · acc_norm", "gen · acc", "ppl circular · acc"):
        assert line.count(f"<small>{title} ") == 1
    assert line.count(">echo ") == line.count(">first ") == 3
    assert '<b>B. the pancreas</b> <span class="tag good">right answer' in text
    assert "not read: the reply names several options" in text
    assert "[-" not in text  # no raw likelihoods
    assert "未能判读：回复选了多个选项" in outcomes_table(found, WORDS["zh"])


def test_the_option_that_is_shown_is_the_one_that_lm_eval_marked(
    tmp_path: Path, exam: Path
) -> None:
    store = Store(tmp_path / "arena.db")
    item = known_items("exam", file_version(exam), store.home)["1"]
    text = "[-2.0, -9.0, -2.1, -8.0]"  # by acc the first, by acc_norm the longest, the third
    for metric, said in (("acc", "A. the spleen"), ("acc_norm", "C. a nerve of the arm")):
        outcome = Outcome("m", "k", "exam", "1", "1", metric, 0.0, text)
        one = ItemOutcomes("1", "1", (outcome,), item)
        assert f'<span class="said">{said}</span>' in outcomes_table([one], WORDS["en"])
    asked(store, exam, Asking(ItemMode.PPL))
    by_lm_eval = store.outcomes.where(benchmark="exam", metric="acc_norm", model="echo")
    right = {outcome.item: outcome.value == 1.0 for outcome in by_lm_eval}
    for one in outcomes(store, "exam"):
        mine = replace(one, outcomes=tuple(o for o in one.outcomes if o.model == "echo"))
        shown = outcomes_table([mine], WORDS["en"])
        assert right[one.name] == ('<span class="said">B. ' in shown)


def test_a_file_that_was_changed_since_is_not_taken_for_the_one_that_was_asked(
    tmp_path: Path, exam: Path
) -> None:
    store = Store(tmp_path / "arena.db")
    asked(store, exam, Asking(ItemMode.PPL))
    version = file_version(exam)
    exam.write_text(EXAM.replace("insulin", "bile"), encoding="utf-8")
    assert not known_items("exam", version, store.home)
    (unknown, _) = outcomes(store, "exam")
    assert unknown.item is None
    text = outcomes_table([unknown], WORDS["en"])
    assert WORDS["en"]["item_unknown"] in text
    assert "log-likelihoods: -" in text
    kept = tmp_path / "elsewhere" / "exam.csv"
    kept.parent.mkdir()
    kept.write_text(EXAM, encoding="utf-8")
    assert known_items("exam", version, store.home, [kept])["1"].answers == ("the pancreas",)


@pytest.mark.parametrize("name", ["knowledge_en", "instructions_en", "code_zh"])
def test_the_built_in_sets_are_known_by_their_task(name: str, tmp_path: Path) -> None:
    known = known_items(name, "1.1", tmp_path)
    assert known[f"{name}-01"].question
    assert not known_items(name, "0.9", tmp_path)
