"""Results as other tools write them, by item; written by us in exactly their shapes."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

TIME = "2025-01-01T12-00-00.000001"
LM_EVAL = {
    f"m/results_{TIME}.json": {
        "results": {"sums": {"exact_match,none": 0.5}},
        "versions": {"sums": 3},
        "configs": {"sums": {"output_type": "generate_until"}},
        "n-shot": {"sums": 5},
        "higher_is_better": {"sums": {"exact_match": True}},
        "model_name": "org/m",
    },
    f"m/samples_sums_{TIME}.jsonl": [
        {
            "doc": {"question": "q"},
            "doc_hash": f"h{k}",
            "target": f"#### {k}",
            "arguments": [["q", {}]],
            "resps": [["It is 1."]],
            "filter": "none",
            "metrics": ["exact_match"],
            "exact_match": float(k),
        }
        for k in (0, 1)
    ],
}
SCORE = {
    "value": {"acc": 1.0},
    "prediction": "B",
    "extracted_prediction": "B",
    "main_score_name": "acc",
    "judge_summary": {"judge_models": ["j"]},
}
EVALSCOPE = {
    "reports/m/sums.json": {
        "model_name": "org/m",
        "dataset_name": "sums",
        "metrics": [
            {
                "identity": {"name": "acc"},
                "score": 1.0,
                "categories": [{"name": ["x"], "subsets": [{"name": "main", "num": 2}]}],
                "semantics": {"direction": "higher_is_better"},
            }
        ],
    },
    "reviews/m/sums_main.jsonl": [
        {
            "index": k,
            "target": ["B"],
            "messages": [{"role": "user", "content": "q"}],
            "sample_score": {"sample_id": k, "group_id": k, "score": SCORE},
        }
        for k in (0, 1)
    ],
}
OPENCOMPASS = {
    "20250101_120000/predictions/m/sums.json": {
        str(k): {"origin_prompt": [{"prompt": f"q{k}"}], "prediction": ["B", "A"], "gold": ["B", 2]}
        for k in (0, 1)
    },
    "20250101_120000/results/m/sums.json": {
        "accuracy": 50.0,
        "details": {"type": "GEN", "0": {"correct": True}, "1": {"correct": [False]}},
    },
}


def write(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        is_lines = name.endswith(".jsonl") and isinstance(content, list)
        path.write_text("\n".join(map(json.dumps, content)) if is_lines else json.dumps(content))


# A run of OpenCompass whose judge compared answers.
QUESTIONS = ("Name a river.", "为什么天空是蓝色的？")
MODELS = ("qwen-7b", "internlm_7b")
Files = dict[str, dict[str, Any]]


def answers(model: str) -> dict[str, Any]:
    return {
        str(k): {
            "origin_prompt": [
                {"role": "SYSTEM", "prompt": "Be brief."},
                {"role": "HUMAN", "prompt": question},
            ],
            "prediction": f"{model} says {k}.",
            "gold": "",
        }
        for k, question in enumerate(QUESTIONS)
    }


def judged(*words: str) -> dict[str, Any]:
    """Both orders: the second half has the other one."""
    return {
        str(k): {
            "origin_prompt": [{"role": "HUMAN", "prompt": "Which is better? …"}],
            "prediction": text,
            "gold": {
                "capability": "knowledge",
                "others": {},
                "answer1": MODELS[k >= len(QUESTIONS)],
                "answer2": MODELS[k < len(QUESTIONS)],
            },
        }
        for k, text in enumerate(words)
    }


def subjective(folder: Path, change: Callable[[Files], object] = lambda _: None) -> Path:
    files: Files = {f"predictions/{model}/corebench.json": answers(model) for model in MODELS}
    judge = f"results/{'_'.join(MODELS)}_judged-by--gpt-4o"
    files[f"{judge}/corebench.json"] = judged("[[A>>B]]", "[[A=B]]", "So: [[B>A]]", "Hm.")
    files = deepcopy(files)
    change(files)
    write(folder / "20260101_120000", files)
    return folder
