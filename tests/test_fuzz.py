"""Whatever is in a file or a reply, only this package's own errors come out.

Files of every kind are damaged: a byte, a cell or a key changed, cut off, doubled, in another
encoding, of another type. In the suite a few hundred are tried. `ARENA_FUZZ=100000 pytest
tests/test_fuzz.py` tries so many of each kind of file and of text; `ARENA_FUZZ_SEED=N` tries
others. A failure names the input's number, which is its seed.
"""

import json
import os
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.backends.thinking import split
from arena.benchmarks.code.sandbox import code_of
from arena.benchmarks.items.reading import read_items
from arena.benchmarks.replies import scoring as marking
from arena.config import load_config
from arena.generation.prompts import read_prompts
from arena.interchange.battles import read_ballots, read_battles
from arena.interchange.evalscope import read_evalscope
from arena.interchange.imports import import_battles
from arena.interchange.lm_eval_results import read_lm_eval
from arena.interchange.opencompass import read_opencompass
from arena.interchange.results import import_results
from arena.interchange.sample import load_sample
from arena.judging.cards.card import load_card
from arena.judging.replies.forms import ReplyFormat
from arena.judging.replies.parsing import parse_ranking, parse_score, parse_verdict
from arena.judging.report_card.labelled import read_labelled
from arena.records.errors import ArenaError
from arena.store import Store

COUNT = int(os.environ.get("ARENA_FUZZ", "25"))
SEED = int(os.environ.get("ARENA_FUZZ_SEED", "0"))
Read = Callable[[Path, Store], object]
Files = dict[str, Any]

BATTLES = [
    {"model_a": "x", "model_b": "y", "winner": "model_a", "prompt": 1, "voter": "ann"},
    {"model_a": "y", "model_b": "z", "winner": "tie", "prompt": 2.0, "voter": "bob", "weight": 2},
    {"model_a": "模型", "model_b": "x", "winner": "both_bad", "voter": "ann", "seconds": 3.5},
]
TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
ITEMS = [
    {"id": "a", "question": "Sky?", "choices": ["red", "blue"], "answer": "B", "language": "en"},
    {"id": "b", "question": "天空？", "choices": ["红", "蓝", "绿"], "answer": 1},
]
CONFIG = """models: [fake:echo, {use: "fake:echo", temperature: 0.5, max_tokens: 8}]
prompts: {sets: [core], limit: 5}
judges: [smollm2]
rank: {evidence: human, weights: {human: 1, judge: 0, objective: 0}}
app: {requests_per_minute: 90, hosts: [example.org]}
"""
CARD = """model: {use: "fake:echo", context_length: 900}
reading: logit
pairwise: {template: c.md, prefill: It is, options: {A: A, B: B}}
"""


def table(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[json.dumps(str(row.get(n, ""))).replace('\\"', '""') for n in names] for row in rows]
    return "\n".join([",".join(names), *(",".join(row) for row in cells)]) + "\n"


def lines(rows: list[Any], *, escaped: bool = False) -> str:
    return "".join(json.dumps(row, ensure_ascii=escaped) + "\n" for row in rows)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    sink = pa.BufferOutputStream()
    write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


def as_card(path: Path, store: Store) -> None:
    load_card(path.stem, path.parent.parent)


def results(read: Callable[[Path], Any]) -> Read:
    return lambda path, store: import_results(store, read(path))


TIME = "2026-01-02T03-04-05.678901"
LM_EVAL = {
    "results": {"t": {"acc,none": 0.5, "alias": "t"}},
    "versions": {"t": 1.0},
    "configs": {"t": {"output_type": "multiple_choice"}},
    "n-shot": {"t": 0},
    "higher_is_better": {"t": {"acc": True}},
    "model_name": "m",
    "chat_template": None,
}
SAMPLES = [
    {"doc_id": k, "doc": {"q": k}, "target": "0", "arguments": {}, "resps": [[["-1.0", "False"]]],
     "filter": "none", "metrics": ["acc"], "doc_hash": f"h{k}", "acc": float(k)}
    for k in (0, 1)
]  # fmt: skip
REPORT = {
    "model_name": "m",
    "dataset_name": "arc",
    "metrics": [{"name": "mean_acc", "score": 0.5, "categories": [
        {"name": ["default"], "subsets": [{"name": "easy", "score": 0.5, "num": 2}]}]}],
}  # fmt: skip
REVIEWS = [
    {"index": k, "input": f"q{k}", "target": "A", "messages": [{"role": "user", "content": "q"}],
     "sample_score": {"sample_id": k, "group_id": k, "score": {
         "value": {"acc": float(k)}, "main_score_name": "acc", "prediction": "A",
         "extracted_prediction": "A"}}}
    for k in (0, 1)
]  # fmt: skip
PREDICTIONS = {
    str(k): {"origin_prompt": "q", "prediction": "The answer is 18.", "gold": "#### 18"}
    for k in (0, 1)
}
COMPASS = {
    "accuracy": 50.0,
    "details": {"type": "GEN", "0": {"predictions": "A", "references": "A"}},
}
SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"

# By name: the files, the one that is read, and how. The files of each are damaged in turn.
SUBJECTS: dict[str, tuple[Files, str, Read]] = {
    "battles.csv": ({"b.csv": table(BATTLES)}, "b.csv", lambda p, s: read_battles(p, ["seconds"])),
    "plain.csv": (
        {"b.csv": table(BATTLES).replace('"', "")}, "b.csv", lambda p, s: read_battles(p)
    ),
    "battles.jsonl": ({"b.jsonl": lines(BATTLES)}, "b.jsonl", lambda p, s: read_battles(p)),
    "battles.json": ({"b.json": BATTLES}, "b.json", lambda p, s: read_battles(p)),
    "battles.parquet": (
        {"b.parquet": parquet(BATTLES)}, "b.parquet", lambda p, s: read_battles(p)
    ),
    "ballots.csv": ({"b.csv": table(BATTLES)}, "b.csv", lambda p, s: read_ballots(p)),
    "import.csv": (
        {"b.csv": table([row | {"question": "Q", "answer_a": "A"} for row in BATTLES])},
        "b.csv", lambda p, s: import_battles(s, p),
    ),
    "import.jsonl": (
        {"b.jsonl": lines([row | {"conversation_a": TALK, "conversation_b": TALK}
                           for row in BATTLES])},
        "b.jsonl", lambda p, s: import_battles(s, p),
    ),
    "labels.csv": (
        {"l.csv": table([{"question": "Q", "answer_a": "a", "answer_b": "b", "label": "A"}] * 2)},
        "l.csv", lambda p, s: read_labelled(p),
    ),
    "items.csv": (
        {"i.csv": table([{"question": "天空？", "A": "红", "B": "蓝", "answer": "B"}] * 2)},
        "i.csv", lambda p, s: read_items(p),
    ),
    "items.jsonl": ({"i.jsonl": lines(ITEMS)}, "i.jsonl", lambda p, s: read_items(p)),
    "items.parquet": ({"i.parquet": parquet(ITEMS[:1])}, "i.parquet", lambda p, s: read_items(p)),
    "prompts.jsonl": (
        {"p.jsonl": lines([{"id": k, "turns": ["q", "r"], "references": ["x", "y"]}
                           for k in "ab"])},
        "p.jsonl", lambda p, s: read_prompts(p),
    ),
    "arena.yaml": ({"arena.yaml": CONFIG}, "arena.yaml", lambda p, s: load_config(p)),
    "card.yaml": (
        {"judges/c.yaml": CARD, "judges/c.md": "{{ question }}{{ answer_a }}{{ answer_b }}"},
        "judges/c.yaml", as_card,
    ),
    "sample": (
        {f"s/{file.name}": "".join(file.read_text("utf-8").splitlines(keepends=True)[:3])
         for file in sorted(SAMPLE.glob("*.jsonl"))},
        "s", lambda p, s: load_sample(s, p),
    ),
    "lm-eval": (
        {f"m/results_{TIME}.json": LM_EVAL, f"m/samples_t_{TIME}.jsonl": lines(SAMPLES)},
        "m", results(read_lm_eval),
    ),
    "evalscope": (
        {"reports/m/arc.json": REPORT, "reviews/m/arc_easy.jsonl": lines(REVIEWS),
         "configs/task_config.yaml":
             "evaluation_identity: {benchmarks: {arc: {evaluation_version: 1}}}"},
        "reports/m/arc.json", results(read_evalscope),
    ),
    "opencompass": (
        {"r/predictions/m/g.json": PREDICTIONS, "r/results/m/g.json": COMPASS,
         "r/summary/summary_1.csv": "dataset,version,metric,mode,m\ng,1d,accuracy,gen,50\n"},
        "r", results(read_opencompass),
    ),
}  # fmt: skip

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2.5, 10**400, float("nan"), float("inf"), "", " ", "x", "模型", "\ud83d",
    "nan", "1.0", "a,b", 'a"b', "a\nb", "\u2028", [], [[]], [None], {}, {"a": 1}, ["x", "y"],
    {"role": "user"}, "[" * 3000, "x" * 200_000, "0x1", "2024-99-99", "*a", "&a [*a]", "!!int x",
)  # fmt: skip
BYTES = (
    b"\0", b"\xff", b'"', b",", b";", b"\r", b"\n", b"\t", b"{", b"}", b"[", b"]", b"\\u", b":",
    b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"-", b"&a", b"*a", b"? ", b"1e999", b"%",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "gb18030", "utf-8-sig", "latin-1", "shift-jis")


def damaged(content: Any, chance: random.Random) -> bytes:
    """Bytes of a file with one or more things changed."""
    if isinstance(content, str) and content.startswith('{"') and chance.random() < 0.6:
        rows = [json.loads(line) for line in content.splitlines()]
        for _ in range(chance.choice((1, 1, 3))):
            change(rows, chance)
        data = lines(rows, escaped=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    elif isinstance(content, dict | list):
        whole = json.loads(json.dumps(content))
        for _ in range(chance.choice((1, 1, 3))):
            change(whole, chance)
        text = json.dumps(whole, ensure_ascii=chance.random() < 0.5)
        data = text.encode("utf-8", "surrogatepass")
    else:
        data = content if isinstance(content, bytes) else content.encode()
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5)) if not isinstance(content, str) else 1):
        data = bent(data, chance)
    return data


def change(value: Any, chance: random.Random) -> None:
    """Somewhere inside, a value is replaced, dropped, renamed or repeated."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = chance.choice(keys)
        inner = value[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.75:
            value = inner
            continue
        what = chance.randrange(5)
        if what == 0:
            del value[key]
        elif what == 1 and isinstance(value, dict):
            value[str(chance.choice(ODD))[:50]] = value.pop(key)
        elif what == 2 and isinstance(value, list):
            value.append(deepcopy(inner))
        else:
            value[key] = deepcopy(chance.choice(ODD))
        return


def bent(data: bytes, chance: random.Random) -> bytes:
    """One change of bytes."""
    at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    what = chance.randrange(9)
    if what == 0:
        return data[:at]
    if what == 1:
        return data[:at] + data[to:]
    if what == 2:
        return data + data
    if what == 3:
        return data[:to] + data[at:]
    if what == 4 and at < len(data):
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if what == 5:
        try:
            return data.decode().encode(chance.choice(ENCODINGS), "replace")
        except UnicodeDecodeError:
            return data[::-1]
    if what == 6:
        cell = str(chance.choice(ODD)).encode("utf-8", "surrogatepass")
        parts = data.split(b",")
        parts[chance.randrange(len(parts))] = cell
        return b",".join(parts)
    return data[:at] + chance.choice(BYTES) + data[at:]


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_damaged_file_is_read_or_refused(
    name: str, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files, read, reader = SUBJECTS[name]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    for number in range(SEED, SEED + COUNT):
        chance = random.Random(number)
        hurt = chance.choice(list(files))
        for file, content in files.items():
            plain = content if isinstance(content, str | bytes) else json.dumps(content)
            data = damaged(content, chance) if file == hurt else plain
            (tmp_path / file).write_bytes(data.encode() if isinstance(data, str) else data)
        try:
            reader(tmp_path / read, store)
        except ArenaError as error:
            assert "\n" not in str(error), f"{name} {number}: {error}"  # noqa: PT017
        except Exception as error:
            raise AssertionError(f"{name} {number}: {type(error).__name__}: {error}") from error


MARKS = (
    "<think>", "</think>", "[THINK]", "[[A]]", "[[B]]", "[[", "]]", "[[8]]", '{"choice": "A"}',
    '{"score":', "}", "Choice: A", "[RESULT]", "综合得分", "'", "\\boxed{", "}", "####", "\\text{",
    "答案是", "B", "(C)", "1,200", "-3.5e", "½", "９", "<|channel|>final<|message|>", "<|end|>",
    "Score: 8", "8/10", "A > B = C", "A=B", "```python\n", "```", "三百二十", "\n", "$", "%",
    "\ud83d", "**", "None", "NaN", "1e999", "9" * 5000,
)  # fmt: skip
REPLIES = st.lists(st.sampled_from(MARKS) | st.text(max_size=12), max_size=14).map("".join)
OPTIONS = {"A": "A", "B": "B", "tie": "C"}


@settings(
    max_examples=max(COUNT, 60),
    deadline=None,
    derandomize=SEED == 0,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(REPLIES)
def test_every_reply_is_parsed(reply: str) -> None:
    for form in ReplyFormat:
        parse_verdict(reply, OPTIONS, form)
        parse_score(reply, (1, 10), form)
        parse_ranking(reply, ("A", "B", "C"), form)
    split(reply)
    code_of(reply)
    marking.mark_choice(reply, ("red", "blue", "3"), 1)
    for mark in (marking.mark_number, marking.mark_contains, marking.mark_exact, marking.mark_f1):
        mark(reply, ("18", "½", "blue sky", "三百"))
