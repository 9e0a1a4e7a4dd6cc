"""Files as other tools write them, written by us in exactly their shapes; one folder a format."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
MODELS = ("vicuna-13b", "org/alpaca", "gpt-4-0314")
ASKED = ("Name a river.", "为什么天空是蓝色的？", "- Add 2 and 2.")


def lines(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def listed(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=2), encoding="utf-8")


def said(model: str, k: int, turn: int = 1) -> str:
    return f"{model} to {k}, turn {turn}: =1+1 is two.\n- And so on."


def talk(question: list[str], answers: list[str]) -> list[Row]:
    return [
        {"role": role, "content": text, "num_tokens": len(text.split())}
        for pair in zip(question, answers, strict=True)
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


def fastchat(folder: Path) -> Path:
    questions = [
        {"question_id": 81 + k, "category": "writing", "turns": [text, "Again, shorter."]}
        for k, text in enumerate(ASKED)
    ]
    questions[2]["reference"] = ["4", "4."]
    lines(folder / "question.jsonl", questions)
    for model in MODELS:
        name = model.replace("/", "--")
        answers = [
            {"question_id": 81 + k, "answer_id": f"{k}{name}", "model_id": model,
             "choices": [{"index": 0, "turns": [said(model, k), said(model, k, 2)]}],
             "tstamp": 1687849200.5}
            for k in range(3)
        ]  # fmt: skip
        lines(folder / "model_answer" / f"{name}.jsonl", answers)
    games = [
        {"question_id": 81 + k, "model_1": MODELS[0], "model_2": MODELS[1 + k % 2],
         "g1_winner": "model_1", "g2_winner": ("model_1", "tie", "error")[k],
         "judge": ["gpt-4", "pair-v2" if turn == 1 else "pair-v2-multi-turn"],
         "g1_user_prompt": "…", "g1_judgment": f"A is better [[A]] {k} {turn}",
         "g2_user_prompt": "…", "g2_judgment": f"Hm. {k} {turn}", "turn": turn, "tstamp": 1.0}
        for k in range(3)
        for turn in (1, 2)
    ]  # fmt: skip
    lines(folder / "model_judgment" / "gpt-4_pair.jsonl", games)
    scores = [
        {"question_id": 81 + k, "model": model, "judge": ["gpt-4", "single-v1"],
         "user_prompt": "…", "judgment": f"Rating: [[{k}]] {model}", "score": (8, 7.5, -1)[k],
         "turn": turn, "tstamp": 1.0}
        for k in range(3)
        for model in MODELS
        for turn in (1, 2)
    ]  # fmt: skip
    lines(folder / "model_judgment" / "gpt-4_single.jsonl", scores)
    return folder


def arena_log(folder: Path) -> Path:
    def state(model: str, k: int) -> Row:
        return {"template_name": "one_shot", "system_message": "", "roles": ["USER", "ASSISTANT"],
                "messages": [["USER", "before"], ["ASSISTANT", "the arena's own"],
                             ["USER", ASKED[k]], ["ASSISTANT", said(model, k)]],
                "offset": 2, "conv_id": f"c{k}", "model_name": model}  # fmt: skip

    kinds = ("leftvote", "bothbad_vote", "tievote")
    rows: list[Row] = [
        {"tstamp": 1.0 + k, "type": kind, "models": ["", ""],
         "states": [state(MODELS[0], k), state(MODELS[1], k)], "ip": f"10.0.0.{k % 2}"}
        for k, kind in enumerate(kinds)
    ]  # fmt: skip
    rows.insert(1, {"tstamp": 1.5, "type": "chat", "model": MODELS[0], "state": {}, "ip": "x"})
    lines(folder / "2023-06-22-conv.json", rows)
    return folder / "2023-06-22-conv.json"


def arena_hard(folder: Path) -> Path:
    lines(
        folder / "question.jsonl",
        [
            {"uid": f"u{k}", "category": "hard_prompt", "subcategory": "coding", "prompt": text}
            for k, text in enumerate(ASKED)
        ],
    )
    for model in MODELS:
        name = model.replace("/", "--")
        answers = [
            {"uid": f"u{k}", "ans_id": f"{k}{name}", "model": model,
             "messages": [{"role": "user", "content": ASKED[k]},
                          {"role": "assistant", "content": {"answer": said(model, k)}}],
             "tstamp": 1.0, "metadata": {"token_len": 9}}
            for k in range(3)
        ]  # fmt: skip
        lines(folder / "model_answer" / f"{name}.jsonl", answers)
    scores = (("A>>B", "B>A"), ("A=B", "A>B"), (None, "B>>A"))
    for model in MODELS[:2]:
        rows = [
            {"uid": f"u{k}", "category": "hard_prompt", "judge": "gpt-4.1", "model": model,
             "baseline": MODELS[2],
             "games": [{"score": score, "judgment": {"answer": f"I say {score} {k}"},
                        "prompt": [{"role": "user", "content": "…"}]} for score in scores[k]]}
            for k in range(3)
        ]  # fmt: skip
        lines(folder / "model_judgment" / "gpt-4.1" / f"{model.replace('/', '--')}.jsonl", rows)
    return folder


def arena_hard_first(folder: Path) -> Path:
    lines(
        folder / "question.jsonl",
        [
            {"question_id": f"q{k}", "category": "arena-hard-v0.1", "cluster": "x",
             "turns": [{"content": text}]}
            for k, text in enumerate(ASKED)
        ],
    )  # fmt: skip
    lines(
        folder / "model_answer" / "m.jsonl",
        [
            {"question_id": f"q{k}", "answer_id": "a", "model_id": "m",
             "choices": [{"index": 0, "turns": [{"content": said("m", k), "token_len": 3}]}],
             "tstamp": 1.0}
            for k in range(3)
        ],
    )  # fmt: skip
    lines(
        folder / "model_judgment" / "gpt-4-1106-preview" / "m.jsonl",
        [
            {"question_id": f"q{k}", "model": "m", "judge": "gpt-4-1106-preview",
             "games": [{"user_prompt": "…", "judgment": "[[A>B]]", "score": "A>B"},
                       {"user_prompt": "…", "judgment": "[[B>>A]]", "score": "B>>A"}]}
            for k in range(3)
        ],
    )  # fmt: skip
    return folder


def alpacaeval(folder: Path) -> Path:
    for model in MODELS[:2]:
        rows = [
            {"dataset": "helpful_base", "instruction": text, "output": said(model, k),
             "generator": model}
            for k, text in enumerate(ASKED)
        ]  # fmt: skip
        listed(folder / model.replace("/", "--") / "model_outputs.json", rows)
    rows = [
        {"dataset": "helpful_base", "instruction": text, "output_1": said(MODELS[0], k),
         "generator_1": MODELS[0], "output_2": said(MODELS[1], k), "generator_2": MODELS[1],
         "annotator": "weighted_gpt4", "preference": (1.0, 1.734, 1.5)[k],
         "raw_completion": {"logprobs": [k, -0.5]}}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    listed(folder / "org--alpaca" / "weighted_gpt4" / "annotations.json", rows)
    return folder


def chatbot_arena(folder: Path) -> Path:
    winners = ("model_a", "tie (bothbad)", "tie")
    rows = [
        {"question_id": f"c{k}", "model_a": MODELS[0], "model_b": MODELS[1 + k % 2],
         "winner": winners[k], "judge": f"arena_user_{k % 2}",
         "conversation_a": talk([text, "And?"], [said(MODELS[0], k), "a"]),
         "conversation_b": talk([text, "And?"], [said(MODELS[1 + k % 2], k), "b"]),
         "turn": 2, "anony": True, "language": ("English", "Chinese", "Klingon")[k],
         "tstamp": 1687849200.0 + k}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    listed(folder / "clean_battle.json", rows)
    return folder / "clean_battle.json"


def kaggle(folder: Path) -> Path:
    import csv

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "train.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["id", "model_a", "model_b", "prompt", "response_a", "response_b", "winner_model_a",
             "winner_model_b", "winner_tie"]
        )  # fmt: skip
        for k, text in enumerate(ASKED):
            sides = (json.dumps([said(model, k)]) for model in MODELS[:2])
            flags = (int(k == one) for one in range(3))
            writer.writerow([30192 + k, *MODELS[:2], json.dumps([text]), *sides, *flags])
    return folder / "train.csv"


def table(folder: Path) -> Path:
    rows: list[Row] = [
        {"prompt": f"p{k}", "question": text, "model_a": MODELS[0], "model_b": MODELS[1],
         "answer_a": said(MODELS[0], k), "answer_b": said(MODELS[1], k),
         "winner": ("model_a", "tie", "unparsed")[k], "source": ("human", "human", "gpt-4")[k],
         "voter": ("ann", "bob", None)[k], "category": "writing", "language": "en",
         "propensity": (0.25, None, None)[k]}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    lines(folder / "battles.jsonl", rows)
    return folder / "battles.jsonl"


def wildbench(folder: Path) -> Path:
    talks = [
        [{"role": "user", "content": ASKED[0], "language": "English", "toxic": False}],
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."},
         {"role": "user", "content": ASKED[1]}],
    ]  # fmt: skip
    tasks = [
        {"id": f"w{k}", "session_id": f"w{k}", "conversation_input": talk,
         "references": {"gpt-4": ""}, "length": 9, "checklist": ["Is it true?", "Is it short?"],
         "intent": "", "primary_tag": "Reasoning", "secondary_tags": []}
        for k, talk in enumerate(talks)
    ]  # fmt: skip
    lines(folder / "tasks.jsonl", tasks)
    for model in MODELS[:2]:
        rows = [
            {"session_id": f"w{k}", "chat_history": [one["content"] for one in talk],
             "model_input": "n/a", "output": [said(model, k)], "generator": model,
             "configs": {"engine": "vllm"}, "dataset": "wild_bench", "primary_tag": "Reasoning"}
            for k, talk in enumerate(talks)
        ]  # fmt: skip
        listed(folder / "result_dirs" / f"{model.replace('/', '--')}.json", rows)
    pairs = [
        {"session_id": f"w{k}", "parsed_result": {"choice": choice, "reason": f"Because {k}."},
         "meta_data": {"batch_req_id": "b", "usage": {}, "error": None},
         "model_A": MODELS[0], "model_B": MODELS[1], "winner": MODELS[0], "extent": 2,
         "model_outputs": {model: said(model, k) for model in MODELS[:2]}}
        for k, choice in enumerate(("A++", "B+"))
    ]  # fmt: skip
    listed(folder / "eval" / "eval=gpt-4-turbo" / "ref=vicuna" / "alpaca.json", pairs)
    scores = [
        {"session_id": f"w{k}",
         "parsed_result": {"strengths": "s", "weaknesses": "w", "score": "7"},
         "model_test": MODELS[1], "score": "7", "model_output": said(MODELS[1], k)}
        for k in range(2)
    ]  # fmt: skip
    listed(folder / "eval" / "eval=gpt-4o" / "z.json", scores)
    return folder


def alignbench(folder: Path) -> Path:
    rows = [
        {"question_id": k + 1, "category": "专业能力", "subcategory": "音乐", "question": text,
         "reference": "参考", "evidences": [], "model_id": MODELS[0], "answer_id": f"{k}_m",
         "answer": said(MODELS[0], k)}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    lines(folder / "model_answer" / "vicuna-13b.jsonl", rows)
    return folder / "model_answer" / "vicuna-13b.jsonl"


def judgearena(folder: Path) -> Path:
    import csv

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "alpaca-eval-annotations.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["instruction", "completion_A", "completion_B", "judge_completion", "judge_input",
             "prompt_preset", "instruction_index", "model_A", "model_B", "judge"]
        )  # fmt: skip
        for models in (MODELS[:2], MODELS[1::-1]):
            for k, text in enumerate(ASKED):
                told = ("score_A: 8\nscore_B: 4", "Score_A: 5 Score_B: 5", "Both fine.")[k]
                texts = [said(model, k) for model in models]
                writer.writerow([text, *texts, told, "…", "default", k, *models, "qwen"])
    return folder


def autoarena(folder: Path) -> Path:
    import csv

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "vicuna-13b.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["prompt", "response"])
        writer.writerows([text, said(MODELS[0], k)] for k, text in enumerate(ASKED))
    with (folder / "x-head-to-head.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        names = ["prompt", "model_a", "model_b", "response_a", "response_b", "judge", "winner"]
        writer.writerow(names)
        for k, text in enumerate(ASKED):
            texts = [said(model, k) for model in MODELS[:2]]
            writer.writerow([text, *MODELS[:2], *texts, ("Human", "gpt-4o", "gpt-4o")[k], "A-B"[k]])
    return folder


def label_studio(folder: Path) -> Path:
    pair = {"from_name": "pw", "to_name": "answer1", "type": "pairwise", "id": "x"}
    tie = {"from_name": "ch", "to_name": "prompt", "type": "choices", "id": "y"}
    results = [
        [pair | {"value": {"selected": "left"}}],
        [pair | {"value": {"selected": "right"}}],
        [tie | {"value": {"choices": ["Tie"]}}],
    ]
    rows = [
        {"id": 7 + k, "project": 3,
         "data": {"prompt": text, "answer1": said(MODELS[0], k), "answer2": said(MODELS[1], k),
                  "model1": MODELS[0], "model2": MODELS[1]},
         "annotations": [
             {"id": k, "completed_by": {"id": 5, "email": "ann@example.org"}, "result": results[k],
              "was_cancelled": False, "lead_time": 12.5},
             {"id": 90 + k, "completed_by": 6, "result": [], "was_cancelled": True}],
         "predictions": [{"model_version": "gpt-4", "result": results[0]}]}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    listed(folder / "export.json", rows)
    return folder / "export.json"


def argilla(folder: Path) -> Path:
    rows = [
        {"id": f"r{k}",
         "fields": {"prompt": text, "response_1": said(MODELS[0], k),
                    "response_2": said(MODELS[1], k)},
         "metadata": {"model_1": MODELS[0], "model_2": MODELS[1]},
         "suggestions": {"ranking": {"value": ["response_2", "response_1"], "score": None,
                                     "agent": "gpt-4"}},
         "responses": {"ranking": [{"value": ["response_1", "response_2"], "user_id": "u-1"},
                                   {"value": ["response_2", "response_1"], "user_id": "u-2"}]},
         "vectors": {}, "_server_id": None}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    listed(folder / "records.json", rows)
    return folder / "records.json"


def preference(folder: Path) -> Path:
    rows: list[Row] = [
        {"prompt": text, "chosen": said(MODELS[0], k), "rejected": said(MODELS[1], k),
         "chosen_model": MODELS[0], "rejected_model": MODELS[1], "subset": "chat", "id": k,
         "source": ("human", "gpt-4", "gpt-4")[k]}
        for k, text in enumerate(ASKED)
    ]  # fmt: skip
    rows[1] |= {
        "prompt": [{"role": "user", "content": ASKED[1]}],
        "chosen": [{"role": "assistant", "content": said(MODELS[0], 1)}],
        "rejected": talk([ASKED[1]], [said(MODELS[1], 1)]),
    }
    lines(folder / "pairs.jsonl", rows)
    return folder / "pairs.jsonl"


# name: (the format, what writes a good example and returns what to import)
EXAMPLES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "fastchat": ("fastchat", fastchat),
    "arena log": ("fastchat", arena_log),
    "arena-hard": ("arena-hard", arena_hard),
    "arena-hard 0.1": ("arena-hard", arena_hard_first),
    "alpacaeval": ("alpacaeval", alpacaeval),
    "chatbot-arena": ("chatbot-arena", chatbot_arena),
    "kaggle": ("chatbot-arena", kaggle),
    "table": ("table", table),
    "wildbench": ("wildbench", wildbench),
    "alignbench": ("alignbench", alignbench),
    "judgearena": ("judgearena", judgearena),
    "autoarena": ("autoarena", autoarena),
    "label-studio": ("label-studio", label_studio),
    "argilla": ("argilla", argilla),
    "preference": ("preference", preference),
}
