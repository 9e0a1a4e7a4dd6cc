"""A judge and a candidate of InternLM2-20B's shape on a GPU, with random weights.

    python -m bench.gpu [--tiny] [--json]

One command that runs wherever a GPU is: 32 questions with 6 answers of 400 tokens each, both orders
of every pair. Verdicts by the tree beside plain batches, with the share of the GPU's measured
peak; answers beside the static batches of transformers and its own continuous batching; and what
becomes of a run whose memory runs out. --tiny does all of it with a small model, on a processor as
well. Random weights take as long as trained ones.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import torch

from arena.backends.local.speed import peak_of, seconds, weights_of
from arena.backends.local.tree import TreeRow, computed
from arena.backends.local.weights.loading import Loaded, ready
from arena.backends.local.writing import Begun, Writing
from arena.records import Decoding
from arena.records.errors import BackendError

# internlm/internlm2-chat-20b, whose weights are mapped onto Llama's modules.
SHAPE = {
    "vocab_size": 92_544,
    "hidden_size": 6144,
    "intermediate_size": 16_384,
    "num_hidden_layers": 48,
    "num_attention_heads": 48,
    "num_key_value_heads": 8,
    "max_position_embeddings": 32_768,
}
SMALL = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
BIG = {"questions": 32, "candidates": 6, "answer": 400, "asked": 160, "written": 128, "rows": 256}
TINY = {"questions": 2, "candidates": 3, "answer": 30, "asked": 12, "written": 16, "rows": 8}
INSTRUCTIONS, QUESTION, ROUNDS = 200, 60, 3


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a small model, on whatever is there")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args(words)
    if not options.tiny and not torch.cuda.is_available():
        parser.exit(2, "torch sees no GPU here; --tiny runs all of it on a processor\n")
    size = TINY if options.tiny else BIG
    here = built(SMALL if options.tiny else SHAPE)
    found = {
        "machine": machine(here),
        "verdicts": verdicts(here, size),
        "answers": answers(here, size),
        "memory": starved(here, size),
    }
    if options.json:
        print(json.dumps(found))
        return
    print("| what | value |\n|---|---|")
    for group, values in found.items():
        for name, value in values.items():
            shown = value if isinstance(value, str) else f"{value:.4g}"
            print(f"| {group}: {name.replace('_', ' ')} | {shown} |")


def built(shape: dict[str, int]) -> Loaded:
    """A model of that shape, made where it runs: in bfloat16 on a GPU, in float32 elsewhere."""
    from transformers import LlamaConfig, LlamaForCausalLM

    cuda = torch.cuda.is_available()
    config = LlamaConfig(**shape, bos_token_id=1, eos_token_id=None, pad_token_id=0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if cuda else torch.float32)
    try:
        with torch.device("cuda" if cuda else "cpu"):
            model = LlamaForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)
    return ready(words(shape["vocab_size"]), model)


def words(count: int) -> Any:
    """A tokenizer of so many words that stand for nothing."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    known = {f"w{i}": i for i in range(count)}
    raw = Tokenizer(models.WordLevel(known, unk_token="w0"))
    return PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="w0")


def machine(here: Loaded) -> dict[str, Any]:
    device = here.model.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
    return {
        "device": name,
        "dtype": str(here.model.dtype).removeprefix("torch."),
        "torch": torch.__version__,
        "weights_in_billions": sum(p.numel() for p in here.model.parameters()) / 1e9,
        "peak_tflops": peak_of(device, here.model.dtype) / 1e12,
    }


def some(count: int, start: int, known: int) -> tuple[int, ...]:
    """So many tokens that another start has otherwise."""
    return tuple(1 + (start * 104_729 + 7919 * k) % (known - 1) for k in range(count))


def judged(size: dict[str, int], known: int) -> list[TreeRow]:
    """What a judge reads of both orders of every pair."""
    instructions, rows = some(INSTRUCTIONS, 1, known), []
    for q in range(size["questions"]):
        question = instructions + some(QUESTION, 100 + q, known)
        said = [
            some(size["answer"] + 4 * c, 1000 + 50 * q + c, known)
            for c in range(size["candidates"])
        ]
        rows += [TreeRow(question + a + b) for a in said for b in said if a is not b]
    return rows


def verdicts(here: Loaded, size: dict[str, int]) -> dict[str, float]:
    """By the tree, and each prompt whole."""
    rows, device = judged(size, here.known), here.model.device
    assert here.reader.shares
    tree = read(here, rows)
    here.reader.shares = False
    plain = read(here, rows)
    here.reader.shares = True
    tokens = computed(rows, here.reader.reading(rows).passes)
    body, _ = weights_of(here.model)
    peak = peak_of(device, here.model.dtype)
    return {
        "count": len(rows),
        "a_second": len(rows) / tree,
        "times_batched": plain / tree,
        "tokens_computed": tokens,
        "share_of_peak": 2 * body * tokens / tree / peak,
        "share_of_peak_batched": 2 * body * sum(len(r.tokens) for r in rows) / plain / peak,
    }


def read(here: Loaded, rows: Sequence[TreeRow]) -> float:
    """The median of the seconds that it takes to read all of them."""

    def once() -> None:
        faults = [found for found in here.reader.read(rows) if isinstance(found, BackendError)]
        assert not faults, faults[0]

    return median(seconds(once, here.model.device) for _ in range(ROUNDS))


def answers(here: Loaded, size: dict[str, int]) -> dict[str, float]:
    """Tokens a second of what is refilled, of static batches, and of transformers' own way."""
    begun = [Begun(some(40 + 5 * (k % 30), k, here.known)) for k in range(size["asked"])]
    device = here.model.device
    refilled = [timed(here, begun, size, device) for _ in range(ROUNDS)]
    total = size["asked"] * size["written"]
    found = {"refilled": total / median(refilled)}
    static = seconds(lambda: static_batches(here, begun, size), device)
    found |= {"static_batches": total / static, "times_static": static / median(refilled)}
    if device.type == "cuda":
        found["generate_batch"] = total / seconds(lambda: paged(here, begun, size), device)
    return found


def timed(here: Loaded, begun: Sequence[Begun], size: dict[str, int], device: Any) -> float:
    return seconds(lambda: written(here, begun, size), device)


def written(here: Loaded, begun: Sequence[Begun], size: dict[str, int]) -> list[int]:
    """How many tokens each text has got; a fault is raised."""
    counts: list[int] = []

    def then(_: int, tokens: list[int] | BackendError) -> None:
        if isinstance(tokens, BackendError):
            raise tokens
        counts.append(len(tokens))

    how = Writing(Decoding(max_tokens=size["written"], temperature=0), size["rows"])
    here.writer.write(begun, how, then)
    return counts


def static_batches(here: Loaded, begun: Sequence[Begun], size: dict[str, int]) -> None:
    """Batches of like length that `generate` writes to the end."""
    order = sorted((row.tokens for row in begun), key=len)
    for k in range(0, len(order), 48):
        rows = order[k : k + 48]
        gaps = [len(rows[-1]) - len(row) for row in rows]
        batch = {
            "inputs": [[1] * gap + [*row] for row, gap in zip(rows, gaps, strict=True)],
            "attention_mask": [[0] * gap + [1] * (len(rows[-1]) - gap) for gap in gaps],
        }
        with torch.inference_mode():
            here.model.generate(
                **{n: torch.tensor(v, device=here.model.device) for n, v in batch.items()},
                max_new_tokens=size["written"],
                do_sample=False,
                pad_token_id=0,
            )


def paged(here: Loaded, begun: Sequence[Begun], size: dict[str, int]) -> None:
    """transformers' own continuous batching."""
    from transformers import GenerationConfig

    how = GenerationConfig(max_new_tokens=size["written"], do_sample=False, pad_token_id=0)
    here.model.generate_batch([[*row.tokens] for row in begun], generation_config=how)


def starved(here: Loaded, size: dict[str, int]) -> dict[str, float]:
    """How many texts are whole where memory runs out on the way, and what that costs."""
    begun = [Begun(some(40, k, here.known)) for k in range(size["asked"])]
    whole = seconds(lambda: written(here, begun, size), here.model.device)
    with little_memory(here, size) as faults:
        counts: list[int] = []
        short = seconds(lambda: counts.extend(written(here, begun, size)), here.model.device)
    assert counts == [size["written"]] * size["asked"]
    return {"texts": len(counts), "out_of_memory": len(faults), "times_as_long": short / whole}


@contextmanager
def little_memory(here: Loaded, size: dict[str, int]) -> Iterator[list[int]]:
    """Let a pass of more than a quarter of the rows find no memory; yields the rows of those."""
    forward, most = here.model.forward, max(1, size["rows"] // 4)
    faults: list[int] = []

    def small(*given: Any, **named: Any) -> Any:
        rows = len(named["input_ids"])
        if rows > most:
            faults.append(rows)
            if here.model.device.type == "cuda":
                torch.empty(2**50, dtype=torch.uint8, device=here.model.device)  # it raises
            raise torch.OutOfMemoryError("out of memory")
        return forward(*given, **named)

    here.model.forward = small
    try:
        yield faults
    finally:
        here.model.forward = forward


if __name__ == "__main__":
    main()
