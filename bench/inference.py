"""Verdicts and answers a second of a local model, each in the ways that one could think of.

    python -m bench.inference [--only verdicts] [--weights smollm2] [--json]

Verdicts: all three ways read the same prompts, both orders of every pair, in one run: (a) one
prompt after the other with 64 new tokens each, as a script with `generate` does; (b) whole
prompts in batches of like length, one forward pass each; (c) what `arena judge` does, in which
every beginning that prompts share is read once. The tokens of (c) stand beside the fewest that any
order could do with, and its speed beside the fastest product of two matrices measured here.

Answers: greedy ones to the built-in prompts, (a) one by one, (b) in batches of like length that
`generate` writes to the end, (c) what `arena generate` does, where a row that ends makes room for
the next. The ways take turns, and what is told is the median of the rounds with their range,
since a machine may be busy with other work as well. On such a machine --threads 1 measures them by
the time that the processor gives this process.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from arena.backends import Backend, Message, OddsRequest, Reply, Request, open_backend
from arena.backends.local.backend import LocalBackend
from arena.backends.local.speed import peak_of, seconds, weights_of
from arena.backends.local.tree import TreeRow, computed
from arena.backends.local.weights.loading import Loaded, loaded
from arena.files.config import parse_model
from arena.generation.prompts import load_prompts
from arena.interchange.sample import load_sample
from arena.judging import load_card, plan
from arena.records import Answer, Decoding, Model
from arena.store import Store

NEW_TOKENS, ANSWER_TOKENS = 64, 150
WRITTEN, STATIC_ROWS = 128, 48
Figures = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("verdicts", "answers"))
    parser.add_argument("--prompts", type=int, default=6, help="questions that are judged")
    parser.add_argument("--candidates", type=int, default=6)
    parser.add_argument("--asked", type=int, default=160, help="prompts that are answered")
    parser.add_argument("--rounds", type=int, default=3, help="how often answers are written")
    parser.add_argument("--alone", type=int, default=12, help="how many one by one is timed on")
    parser.add_argument("--weights", default="smollm2")
    parser.add_argument("--threads", type=int, help="of the processor; all if not given")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    torch.set_num_threads(options.threads or torch.get_num_threads())
    found: Figures = {}
    if options.only != "answers":
        found |= verdicts(options)
    if options.only != "verdicts":
        found |= answers(options)
    if options.json:
        print(json.dumps(found))
        return
    print("| what | value |\n|---|---|")
    for group, values in found.items():
        for name, value in values.items():
            print(f"| {group.replace('_', ' ')}: {name.replace('_', ' ')} | {shown(value)} |")


def shown(value: Any) -> str:
    return " to ".join(f"{v:.4g}" for v in value) if isinstance(value, list) else f"{value:.4g}"


def verdicts(options: argparse.Namespace) -> Figures:
    model = asked(options.weights, NEW_TOKENS)
    with tempfile.TemporaryDirectory() as folder, open_backend(model) as backend:
        backend.start()
        requests = judged(Path(folder), backend, options.prompts, options.candidates)
        return measured(model, requests, options.alone)


def asked(weights: str, tokens: int) -> Model:
    return replace(parse_model(weights), decoding=Decoding(max_tokens=tokens, temperature=0))


def answers(options: argparse.Namespace) -> Figures:
    """Tokens a second of three ways to write the same answers, by turns."""
    model = asked(options.weights, WRITTEN)
    backend = LocalBackend(model)
    backend.start()
    here = loaded(model.weights, model.revision)
    prompts = load_prompts(["core"], Path())[: options.asked]
    requests = [Request(prompt.turns[:1]) for prompt in prompts]
    begun = [here.chat.write([Message("user", r.turns[0])]).ids for r in requests]
    part = begun[:: max(1, len(begun) // options.alone)][: options.alone]
    ways: dict[str, Callable[[], int]] = {
        "one_by_one": lambda: sum(static(here, [row]) for row in part),
        "static_batches": lambda: sum(static(here, rows) for rows in like_lengths(begun)),
        "refilled": lambda: refilled(backend, requests),
    }
    refilled(backend, requests[:2])  # the trial of what the model can do is no part of a run
    rounds = []
    for k in range(options.rounds):
        rounds.append({name: rate(way) for name, way in ways.items()})
        print(f"round {k + 1}: {rounds[-1]}", file=sys.stderr, flush=True)
    return {
        "written_tokens_per_second": {
            name: median(found[name] for found in rounds) for name in ways
        },
        "times_written": {
            f"of_{name}": spread([found["refilled"] / found[name] for found in rounds])
            for name in ways
            if name != "refilled"
        },
    }


def spread(values: Sequence[float]) -> list[float]:
    """The lowest, the median and the highest."""
    return [min(values), median(values), max(values)]


def rate(write: Callable[[], int]) -> float:
    """Tokens a second, of the processor's time where that is what this process has of it alone."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    started = clock()
    tokens = write()
    return tokens / (clock() - started)


def like_lengths(begun: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    order = sorted(begun, key=len)
    return [order[k : k + STATIC_ROWS] for k in range(0, len(order), STATIC_ROWS)]


def static(here: Loaded, rows: Sequence[Sequence[int]]) -> int:
    """The tokens of answers that `generate` writes until the last of them has ended."""
    width = max(map(len, rows))
    gaps = [width - len(row) for row in rows]
    output = here.model.generate(
        torch.tensor([[row[0]] * gap + [*row] for row, gap in zip(rows, gaps, strict=True)]),
        attention_mask=torch.tensor([[0] * gap + [1] * (width - gap) for gap in gaps]),
        max_new_tokens=WRITTEN,
        do_sample=False,
        pad_token_id=here.writer.filler,
    )
    ends = torch.isin(output[:, width:], torch.tensor(here.writer.stops)).cumsum(1)
    return int((ends == 0).sum())


def refilled(backend: LocalBackend, requests: Sequence[Request]) -> int:
    replies = [reply for result in backend.converse(requests) for _, reply in result]
    return sum(reply.usage.completion_tokens for reply in replies if isinstance(reply, Reply))


def judged(folder: Path, backend: Backend, prompts: int, candidates: int) -> list[OddsRequest]:
    """What the embedded judge is asked about so many candidates' answers."""
    sample, store = Store(folder / "sample.db"), Store(folder / "arena.db")
    load_sample(sample)
    asked = list(sample.prompts.where())[:prompts]
    store.prompts.add(asked)
    words = " ".join(turn for a in sample.answers.where() for turn in a.turns).split()
    for c in range(candidates):
        model = replace(parse_model("fake:echo"), name=f"candidate-{c}")
        store.put_model(model)
        for p, prompt in enumerate(asked):
            start = (p * candidates + c) * 211 % (len(words) // 2)
            text = of_length(backend, words[start:], ANSWER_TOKENS + 10 * (c - candidates // 2))
            store.answers.add([Answer(model.name, model.key, prompt.key, (text,), ("stop",))])
    planned = plan(store, load_card("smollm2", folder), asked)
    mode = planned.mode
    return [OddsRequest(task.text, mode.words, mode.prefill) for task in planned.tasks]


def of_length(backend: Backend, words: Sequence[str], tokens: int) -> str:
    count = tokens
    while backend.count_tokens(" ".join(words[:count])) > tokens:
        count -= 1
    return " ".join(words[:count])


def measured(model: Model, requests: Sequence[OddsRequest], alone: int) -> dict[str, Any]:
    """Figures of all three ways; (a) on a part of the requests, spread over all."""
    here = loaded(model.weights, model.revision)
    part = requests[:: max(1, len(requests) // alone)][:alone]
    written = seconds(lambda: [write(here, r) for r in part])
    tree = seconds(lambda: list(LocalBackend(model).odds(requests)))
    here.reader.shares = False
    plain = seconds(lambda: list(LocalBackend(model).odds(requests)))
    here.reader.shares = True
    rows = [
        TreeRow(here.chat.write([Message("user", r.text)], None, r.prefill).ids) for r in requests
    ]
    read = computed(rows, here.reader.reading(rows).passes)
    least = fewest(rows)
    flops = 2 * weights_of(here.model)[0] * read / tree
    peak = peak_of(here.model.device, here.model.dtype)
    return {
        "verdicts_per_second": {
            "one_by_one": len(part) / written,
            "batched": len(requests) / plain,
            "prefix_shared": len(requests) / tree,
        },
        "times": {
            "of_one_by_one": len(requests) / tree / (len(part) / written),
            "of_batched": plain / tree,
        },
        "tokens": {
            "plain": sum(len(row.tokens) for row in rows),
            "computed": read,
            "fewest": least,
            "share_of_fewest": least / read,
        },
        "hardware": {
            "threads": torch.get_num_threads(),
            "peak_gflops": peak / 1e9,
            "share_of_peak": flops / peak,
        },
    }


def write(here: Loaded, request: OddsRequest) -> None:
    """All the new tokens, as a judge that explains itself writes them."""
    ids = here.chat.write([Message("user", request.text)]).ids
    here.model.generate(
        torch.tensor([ids]),
        max_new_tokens=NEW_TOKENS,
        min_new_tokens=NEW_TOKENS,
        do_sample=False,
        pad_token_id=here.writer.filler,
    )


def fewest(rows: Sequence[TreeRow]) -> int:
    """The tokens of the whole tree: each beginning once, however short."""
    order = sorted(row.tokens for row in rows)
    return len(order[0]) + sum(len(b) - common(a, b) for a, b in pairwise(order))


def common(left: Sequence[int], right: Sequence[int]) -> int:
    return next((k for k, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)


if __name__ == "__main__":
    main()
