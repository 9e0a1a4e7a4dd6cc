"""Results of other tools become outcomes. lm-eval's files are made by lm-eval itself."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.config import parse_model
from arena.interchange.evalscope import read_evalscope
from arena.interchange.lm_eval_results import read_lm_eval
from arena.interchange.opencompass import read_opencompass
from arena.interchange.results import import_results
from arena.leaderboard.evidence.gathering import gather
from arena.records import NOBODY
from arena.records.errors import InputError, UnknownNameError
from arena.store import Store


def dump(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


# OpenCompass: the shapes that icl_base_inferencer.py, openicl_eval.py and summarizers/default.py
# of open-compass/opencompass at a5acc4b write.
def predicted(*rows: tuple[Any, Any]) -> dict[str, Any]:
    return {
        str(i): {"origin_prompt": f"question {i}", "prediction": reply}
        | ({"gold": gold} if gold else {})  # as there: a gold of 0 is left out
        for i, (reply, gold) in enumerate(rows)
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "20250101_120000"
    right = ("So 4. The answer is 18.", "3 and 15\n#### 18")
    dump(folder / "predictions/m/gsm8k_0.json", predicted(right, ("It is 7.", "#### 8")))
    dump(folder / "predictions/m/gsm8k_1.json", predicted(("no idea", "#### 2")))
    dump(folder / "predictions/n/gsm8k.json", predicted(right, ("8", "#### 8"), ("2", "#### 2")))
    dump(folder / "results/m/gsm8k.json", {"accuracy": 33.33})
    summary = "dataset,version,metric,mode,m,n\ngsm8k,1d7fe4,accuracy,gen,33.33,-\n"
    dump(folder / "summary/summary_20250101_120000.csv", summary)
    return folder


def values(store: Store, model: str, benchmark: str) -> list[float]:
    return [o.value for o in store.outcomes.where(model=model, benchmark=benchmark)]


def test_predictions_are_marked_by_their_gold_and_compare_models(store: Store, run: Path) -> None:
    found = import_results(store, read_opencompass(run.parent))
    assert values(store, "m", "gsm8k") == [1, 0, 0]
    assert values(store, "n", "gsm8k") == [1, 1, 1]
    assert {(s.version, s.marked, len(s.items)) for s in found.sets} == {
        ("OpenCompass 1d7fe4", "here, number", 3)
    }
    assert (found.new, found.models, found.notes) == (6, 2, ())
    assert [o.marker for o in store.outcomes.where(model="m")] == ["rule", "rule", NOBODY]
    comparisons = gather(store).objective["gsm8k"]
    assert len(comparisons) == 2
    assert {o.dimension for o in store.outcomes.where()} == {"maths"}
    again = import_results(store, read_opencompass(run))
    assert (again.new, again.changed, again.same, again.models) == (0, 0, 6, 0)


def test_a_missing_part_ends_the_set_and_is_said(store: Store, run: Path) -> None:
    dump(run / "predictions/m/gsm8k_3.json", predicted(("1", "#### 1")))
    found = import_results(store, read_opencompass(run))
    assert values(store, "m", "gsm8k") == [1, 0, 0]
    assert any("gsm8k_2.json is missing: the 3 items before it" in note for note in found.notes)
    (run / "predictions/m/gsm8k_0.json").unlink()
    (left,) = read_opencompass(run).left_out
    assert (left.what, left.why) == ("gsm8k of m", "its first part, gsm8k_0.json, is missing")


def test_the_evaluators_verdicts_come_before_ours(store: Store, run: Path) -> None:
    dump(run / "predictions/m/mmlu.json", predicted(("B", "B"), ("C", "B")))
    listed = [{"example_abbr": f"mmlu_{i}", "pred": ["B"], "correct": [i == 1]} for i in (0, 1)]
    dump(run / "results/m/mmlu.json", {"accuracy": 50.0, "details": listed})
    formatted = {
        "type": "GEN",
        "0": {"predictions": "A", "references": "A"},
        "1": {"predictions": "", "references": "B"},
    }
    dump(run / "predictions/m/arc.json", predicted(("It is B and A", "A"), ("B", "B")))
    dump(run / "results/m/arc.json", {"accuracy": 50.0, "details": formatted})
    import_results(store, read_opencompass(run))
    assert values(store, "m", "mmlu") == [0, 1]
    assert values(store, "m", "arc") == [1, 0]


def test_letters_lists_thoughts_labels_and_a_gold_of_nought(store: Store, run: Path) -> None:
    rows = [("<think>B?</think>The answer is C.", "C"), ("<think>surely D", "D"), ("D", "A")]
    dump(run / "predictions/m/ceval.json", predicted(*rows))
    dump(run / "predictions/m/many.json", predicted((["5", "6"], "5"), (["1"], ["1", "one"])))
    dump(run / "predictions/m/zero.json", predicted(("it is 0", 0), ("3", 3)))
    label = {"origin_prompt": "q", "label: A": {"PPL": 1.0}, "prediction": "A"}
    dump(run / "predictions/m/copa.json", {"0": label | {"gold": "A"}, "1": label | {"gold": "B"}})
    repeated = predicted(("1", "1"), ("2", "2"), ("3", "1"), ("2", "2"))
    for i in (2, 3):
        repeated[str(i)]["origin_prompt"] = f"question {i - 2}"
    dump(run / "predictions/m/twice.json", repeated)
    import_results(store, read_opencompass(run))
    assert values(store, "m", "ceval") == [1, 0, 0]
    assert [o.marker == NOBODY for o in store.outcomes.where(benchmark="ceval")] == [0, 1, 0]
    assert values(store, "m", "many") == [0.5, 1]
    assert values(store, "m", "zero") == [1, 1]
    assert values(store, "m", "copa") == [1, 0]
    assert values(store, "m", "twice") == [0.5, 1]


def test_our_own_marks_are_kept_beside_the_evaluators(store: Store, run: Path) -> None:
    right, wrong = "The answer is B. A is in France.", "Answer: A"
    dump(run / "predictions/m/mmlu.json", predicted((right, "B"), (wrong, "B"), ("b", "B")))
    details = [{"correct": [False]}, {"correct": [False]}, {"correct": [True]}]
    dump(run / "results/m/mmlu.json", {"accuracy": 33.33, "details": details})
    shares = [{"correct": [0.5]}, {"correct": [1]}]
    dump(run / "predictions/m/part.json", predicted(("1", "1"), ("2", "2")))
    dump(run / "results/m/part.json", {"accuracy": 75.0, "details": shares})
    found = import_results(store, read_opencompass(run))
    outcomes = store.outcomes.where(model="m", benchmark="mmlu")
    assert [(o.value, o.ours) for o in outcomes] == [(0, 1), (0, 0), (1, 1)]
    assert {o.ours for o in store.outcomes.where(benchmark="gsm8k")} == {None}
    assert {o.ours for o in store.outcomes.where(benchmark="part")} == {None}
    told = {one.benchmark: (one.ours, one.differing) for one in found.sets if one.model == "m"}
    assert told == {"mmlu": (pytest.approx(2 / 3), 1), "gsm8k": (None, 0), "part": (None, 0)}
    assert any("1 mark is not as by our own rules (mmlu (acc) of m: 1 of 3)" in note
               for note in found.notes)  # fmt: skip


def test_a_set_that_was_asked_and_never_answered(store: Store, run: Path) -> None:
    dump(run / "predictions/m/none.json", predicted(([], "B"), ("", "A")))
    import_results(store, read_opencompass(run))
    reasons = [o.reason for o in store.outcomes.where(model="m", benchmark="none")]
    assert reasons == ["the reply is empty"] * 2


def test_other_items_under_the_same_numbers_are_not_compared(store: Store, run: Path) -> None:
    dump(run / "predictions/n/gsm8k.json", predicted(("18", "#### 18"), ("9", "#### 9")))
    found = import_results(store, read_opencompass(run))
    assert any(note.startswith("gsm8k: 1 item is the same for all 2") for note in found.notes)
    assert "gsm8k" not in gather(store).objective


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("predictions/m/x.json", '{"0": ', r"x.json:1: not JSON"),
        ("predictions/m/x.json", "[1]", "is not an object"),
        ("predictions/m/x.json", {}, "no items in it"),
        ("predictions/m/x.json", {"0": {"gold": "A"}}, "item 0: it has no 'prediction'"),
        ("predictions/m/x.json", {"1": {"prediction": "A"}}, "item '0' is missing"),
        ("predictions/m/x.json", {"0": "A"}, "'A' is not an object"),
    ],
)
def test_a_bad_prediction_file_is_named_and_stores_nothing(
    store: Store, run: Path, file: str, content: Any, said: str
) -> None:
    dump(run / file, content)
    with pytest.raises(InputError, match=said):
        import_results(store, read_opencompass(run))
    assert not any(store.counts().values())


def test_sums_alone_are_refused_and_say_where_the_items_are(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_opencompass(tmp_path / "none")
    with pytest.raises(InputError, match="no run of OpenCompass"):
        read_opencompass(tmp_path)
    dump(tmp_path / "results/m/mmlu.json", {"accuracy": 60.0})
    with pytest.raises(InputError, match="only its sum is here; its items are in predictions/"):
        import_results(store, read_opencompass(tmp_path))
    dump(tmp_path / "predictions/m/hard.json", predicted(("text", {"tests": 1})))
    with pytest.raises(InputError, match="no gold that is a text"):
        import_results(store, read_opencompass(tmp_path))


def test_a_model_that_is_here_gets_the_results_or_another_name(store: Store, run: Path) -> None:
    store.put_model(parse_model("m=fake:echo"))
    found = import_results(store, read_opencompass(run))
    assert any("m is in the store as fake:echo" in note for note in found.notes)
    import_results(store, read_opencompass(run), {"m": "m2"})
    assert sorted(model.name for model in store.models()) == ["m", "m2", "n"]
    with pytest.raises(UnknownNameError, match="OLD=NEW"):
        import_results(store, read_opencompass(run), {"x": "y"})
    with pytest.raises(InputError, match="one model"):
        import_results(store, read_opencompass(run), {"m": "n"})


def test_the_command_shows_both_figures_and_what_was_left_out(tmp_path: Path, run: Path) -> None:
    dump(run / "results/m/bbh.json", {"score": 12.0})
    dump(run / "results/m/gsm8k.json", {"accuracy": 66.67})
    args = ["import", "opencompass", str(run), "--db", str(tmp_path / "a.db"), "--format", "json"]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0
    row = next(r for r in json.loads(done.stdout) if r["model"] == "m")
    assert (row["percent"], row["in the file"]) == (33.33, "accuracy 66.67")
    assert "Left out: bbh of m: only its sum is here" in done.stderr
    assert "1 mean is not as in the file (gsm8k of m)" in done.stderr
    refused = CliRunner().invoke(app, [*args, "--rename", "m"])
    assert refused.exit_code != 0
    assert "--rename 'm'; it takes OLD=NEW" in refused.stderr


TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["."], max_gen_toks: 20}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 2.0}}
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of lm-eval's own dummy model, which replies `lol` to everything."""
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-eval is not installed: extra `bench`")
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    folder = tmp_path_factory.mktemp("lm-eval")
    answers = [{"question": "a?", "answer": "lol"}, {"question": "b?", "answer": "no"}]
    data = dump(folder / "items.jsonl", "\n".join(map(json.dumps, answers)))
    dump(folder / "mine.yaml", TASK.format(name="mine", data=data))
    tracker = EvaluationTracker(output_path=str(folder / "out"))
    with pytest.MonkeyPatch.context() as patched:
        # Half a minute of asking the machine's tools for their versions.
        patched.setattr("lm_eval.evaluator.add_env_info", lambda _: None)
        results = simple_evaluate(
            model="dummy",
            model_args="pretrained=org/tiny",
            tasks=["mine"],
            task_manager=TaskManager(include_path=str(folder), include_defaults=False),
            evaluation_tracker=tracker,
            log_samples=True,
            bootstrap_iters=0,
        )
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    tracker.save_results_samples(task_name="mine", samples=samples["mine"])
    return folder / "out" / "org__tiny"


def test_lm_evals_own_files_by_folder_by_results_and_by_samples(store: Store, logged: Path) -> None:
    paths = [logged, *logged.glob("results_*.json"), *logged.glob("samples_*.jsonl")]
    assert len(paths) == 3
    for path in paths:
        found = import_results(store, read_lm_eval(path))
        (one,) = found.sets
        assert (one.model, one.benchmark, one.version) == ("org/tiny", "mine", "2.0")
        assert (one.metric, one.variant, one.mean, one.agrees) == (
            "exact_match",
            "no chat",
            0.5,
            True,
        )
    assert found.new == 0
    assert values(store, "org/tiny", "mine") == [1, 0]
    first = next(iter(store.outcomes.where()))
    row = json.loads(next(logged.glob("samples_*")).read_text().splitlines()[0])
    assert (first.item, first.text) == (row["doc_hash"], "lol")
    assert [o.ours for o in store.outcomes.where()] == [1, 0]


SEPARATORS = "\u2028\u2029\u0085\x1c\x0b\x0c"


def test_lm_evals_filters_and_our_own_mark_beside_each(
    store: Store, logged: Path, tmp_path: Path
) -> None:
    """Each item once a filter; replies hold what str.splitlines takes for the ends of lines."""
    results, samples = next(logged.glob("results_*")), next(logged.glob("samples_*"))
    row = json.loads(samples.read_text().splitlines()[0])
    rows = [
        row
        | {"doc": {"q": k}, "doc_hash": f"h{k}", "target": f"1 + {k}\n#### {k}", "filter": name}
        | {"resps": [[f"So{SEPARATORS}the answer is {k}. That took 9 steps."]], "exact_match": mark}
        for name, marks in (("strict-match", (0.0, 0.0)), ("flexible-extract", (1.0, 0.0)))
        for k, mark in enumerate(marks)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    dump(tmp_path / samples.name, lines)
    dump(tmp_path / results.name, results.read_text())
    found = import_results(store, read_lm_eval(tmp_path))
    told = {one.metric: (one.mean, one.ours, one.differing) for one in found.sets}
    assert told == {
        "exact_match,strict-match": (0.0, 1.0, 2),
        "exact_match,flexible-extract": (0.5, 1.0, 1),
    }
    assert all(SEPARATORS in o.text for o in store.outcomes.where())


def test_lm_evals_files_that_do_not_serve(store: Store, logged: Path, tmp_path: Path) -> None:
    results, samples = next(logged.glob("results_*")), next(logged.glob("samples_*"))
    alone = dump(tmp_path / "a" / samples.name, samples.read_text())
    with pytest.raises(InputError, match="is not beside it"):
        read_lm_eval(alone)
    sums = dump(tmp_path / "b" / results.name, results.read_text())
    with pytest.raises(InputError, match="--log_samples writes the items"):
        import_results(store, read_lm_eval(sums))
    odd = samples.read_text().replace('"exact_match": 1.0', '"exact_match": NaN')
    dump(sums.parent / samples.name, odd)
    with pytest.raises(InputError, match="not all between 0 and 1"):
        import_results(store, read_lm_eval(sums))
    dump(sums.parent / samples.name, odd.replace('"doc":', '"document":'))
    with pytest.raises(InputError, match=r"jsonl:1: it has no 'doc'"):
        read_lm_eval(sums)
    with pytest.raises(InputError, match=r"named results_TIME\.json"):
        read_lm_eval(dump(tmp_path / "other.json", {}))


# evalscope: as evalscope 1.14.1 wrote them for its mock_llm on general_mcq, without what is not
# read; `target` and `input` are texts in 1.0 (api/evaluator/cache.py).
def review(index: int, target: Any, **score: Any) -> str:
    return json.dumps({
        "index": index,
        "target": target,
        "messages": [{"role": "user", "content": f"question {index}"}],
        "sample_score": {"score": score, "sample_id": index, "group_id": index},
    })  # fmt: skip


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    subsets = [{"name": name, "score": 0.5, "num": 2, "is_aggregate": False} for name in ("a", "b")]
    subsets.append({"name": "ALL", "score": 0.5, "num": 4, "is_aggregate": True})
    metric = {
        "identity": {"name": "accuracy", "aggregation": "mean", "dimensions": {}},
        "score": 0.6667,
        "categories": [{"name": ["default"], "subsets": subsets}],
        "semantics": {"direction": "higher_is_better"},
    }
    report = {"model_name": "org/m", "dataset_name": "mmlu", "metrics": [metric]}
    identity = "evaluation_identity: {benchmarks: {mmlu: {evaluation_version: v1.1}}}"
    dump(tmp_path / "out/run/configs/task_config.yaml", identity)
    right = {"value": {"accuracy": True}, "prediction": "B", "extracted_prediction": "B"}
    wrong = {"value": {"accuracy": 0.0}, "prediction": "hm", "extracted_prediction": ""}
    rows = [review(0, ["B"], **right), review(1, ["A"], **wrong)]
    dump(tmp_path / "out/run/reviews/m/mmlu_a.jsonl", "\n".join(rows))
    lost = review(1, "C", value={}, status="parse_error")
    dump(tmp_path / "out/run/reviews/m/mmlu_b.jsonl", "\n".join([review(0, "B", **right), lost]))
    return dump(tmp_path / "out/run/reports/m/mmlu.json", report)


def test_evalscopes_reviews_are_the_items_of_its_report(store: Store, scored: Path) -> None:
    found = import_results(store, read_evalscope(scored))
    (one,) = found.sets
    assert (one.model, one.version, one.agrees) == ("org/m", "evalscope v1.1", True)
    assert values(store, "org/m", "mmlu") == [1, 0, 1]
    assert [o.marker == NOBODY for o in store.outcomes.where()] == [False, True, False]
    assert [o.ours for o in store.outcomes.where()] == [1, 0, 1]
    assert [(o.what, o.why) for o in found.left_out] == [
        ("1 item of mmlu (accuracy) of org/m", "without a result")
    ]
    assert import_results(store, read_evalscope(scored.parents[3])).new == 0


def test_evalscopes_files_that_do_not_serve(store: Store, scored: Path) -> None:
    reviews = scored.parents[2] / "reviews/m"
    dump(reviews / "mmlu_a.jsonl", review(0, "B", value={"accuracy": 87.5}))
    with pytest.raises(InputError, match="not all between 0 and 1"):
        import_results(store, read_evalscope(scored))
    dump(reviews / "mmlu_a.jsonl", {"index": 0, "choices": []})
    with pytest.raises(InputError, match=r"mmlu_a.jsonl:1: it has no 'sample_score'"):
        read_evalscope(scored)
    for file in reviews.iterdir():
        file.unlink()
    with pytest.raises(InputError, match="only its sum is here"):
        import_results(store, read_evalscope(scored))
    with pytest.raises(InputError, match=r"no reports/MODEL/SET\.json"):
        read_evalscope(reviews)
