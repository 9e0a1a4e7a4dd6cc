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
}
