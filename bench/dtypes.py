"""In which numbers a processor runs a model fastest, and what that does to verdicts and texts.

    OMP_NUM_THREADS=1 python -m bench.dtypes [--weights smollm2] [--rounds 5]

Three ways to keep the same weights: float32, as the arena loads them on a processor; bfloat16; and
the linear layers in int8 with a scale for each row (weight-only), computed in bfloat16. The ways
take turns, and the fastest of the rounds counts, since other work can only slow one down. Verdict
odds: the probability of the first slot among the words of a verdict, beside float32's. Texts:
greedy ones to the first built-in prompts, beside float32's, and alone beside together.
"""

import argparse
import copy
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from arena.backends import Message, OddsRequest, open_backend
from arena.backends.local.backend import first_tokens
from arena.backends.local.speed import READ, WRITTEN, once
from arena.backends.local.tree import TreeRow
from arena.backends.local.weights.loading import Loaded, loaded, ready
from arena.backends.local.writing import Begun, Writing
from arena.config import parse_model
from arena.generation.prompts import load_prompts
from arena.records import Decoding
from arena.records.errors import BackendError
from bench.inference import asked, judged

FEW = 8  # rows up to which the kernel for int8 is faster than a product with unpacked weights
ROWS, TEXTS, TOKENS = 16, 12, 32
COLUMNS = (
    *("numbers", "tokens read a second", "written a second", "written a second, one text"),
    *("MB", "largest difference of odds", "verdicts for the other side"),
    *("texts as float32's", "texts alone as together"),
)
Tokens = tuple[int, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="smollm2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=2, help="questions that are judged")
    options = parser.parse_args()
    model = parse_model(options.weights)
    base = loaded(model.weights, model.revision)
    ways = {
        "float32": base,
        "bfloat16": in_half(base, lambda model: model),
        "int8 weights, bfloat16": in_half(base, packed),
    }
    speeds = fastest(ways, options.rounds)
    judge = asked(options.weights, 1)
    with tempfile.TemporaryDirectory() as folder, open_backend(judge) as backend:
        requests = judged(Path(folder), backend, options.prompts, 4)
    prompts = load_prompts(["core"], Path())[:TEXTS]
    begun = [base.chat.write([Message("user", one.turns[0])]).ids for one in prompts]
    exact, written = odds(base, requests), texts(base, begun)
    threads, kind = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
    print(f"{threads} threads, {kind}; {ROWS} texts together; {len(requests)} verdicts\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for name, here in ways.items():
        found, said = odds(here, requests), texts(here, begun)
        alone = [texts(here, [row])[0] for row in begun]
        cells = (
            name,
            *(f"{rate:,.0f}" for rate in speeds[name]),
            f"{size(here.model) / 2**20:,.0f}",
            f"{float((found - exact).abs().max()):.1g}",
            f"{int(((found > 0.5) != (exact > 0.5)).sum())}",
            f"{same(said, written)} of {len(begun)}",
            f"{same(alone, said)} of {len(begun)}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)


def in_half(base: Loaded, change: Callable[[Any], Any]) -> Loaded:
    """The model in bfloat16, changed."""
    return ready(base.tokenizer, change(copy.deepcopy(base.model).to(torch.bfloat16)))


def fastest(ways: Mapping[str, Loaded], rounds: int) -> dict[str, tuple[float, float, float]]:
    """Tokens a second of each way: read, written together, written alone."""
    found = {name: [0.0, 0.0, 0.0] for name in ways}
    for k in range(rounds):
        for name, here in ways.items():
            (read, together), (_, alone) = once(here, ROWS), once(here, 1)
            rates = ROWS * READ / read, ROWS * WRITTEN / together, WRITTEN / alone
            found[name] = [max(pair) for pair in zip(found[name], rates, strict=True)]
        print(f"round {k + 1} of {rounds}", file=sys.stderr, flush=True)
    return {name: (rates[0], rates[1], rates[2]) for name, rates in found.items()}


class Packed(torch.nn.Module):
    """A linear layer whose weights are int8, (out, in), with a scale for each row of them."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        exact = layer.weight.detach().float()
        scale = exact.abs().amax(1).clamp(min=1e-12) / 127
        self.register_buffer("weight", (exact / scale[:, None]).round().to(torch.int8))
        self.register_buffer("scale", scale.to(layer.weight.dtype))
        self.bias = layer.bias

    def forward(self, found: torch.Tensor) -> torch.Tensor:
        rows = found.reshape(-1, found.shape[-1])
        if len(rows) <= FEW:
            made = torch._weight_int8pack_mm(rows, self.weight, self.scale)
        else:
            made = (rows @ self.weight.to(rows.dtype).T) * self.scale
        made = made if self.bias is None else made + self.bias
        return made.reshape(*found.shape[:-1], -1)


def packed(model: Any) -> Any:
    """The model with its linear layers packed, but for the head, which shares the embeddings."""
    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear) and layer is not model.get_output_embeddings():
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, Packed(layer))
    return model


def odds(here: Loaded, requests: Sequence[OddsRequest]) -> torch.Tensor:
    """The probability of the first word of a verdict among all of them: (requests,), in [0, 1]."""
    rows = [
        TreeRow(here.chat.write([Message("user", r.text)], None, r.prefill).ids) for r in requests
    ]
    found = []
    for request, logits in zip(requests, here.reader.read(rows), strict=True):
        if isinstance(logits, BackendError):
            raise logits
        logprobs = torch.log_softmax(logits[-1].float(), -1)
        heads = [first_tokens(here.tokenizer, option) for option in request.options]
        words = torch.stack([torch.logsumexp(logprobs[head], 0) for head in heads])
        found.append(words.softmax(0)[0])
    return torch.stack(found)


def texts(here: Loaded, begun: Sequence[Tokens]) -> list[Tokens]:
    """What the model writes greedily after each beginning, all together."""
    found: dict[int, Tokens] = {}

    def then(place: int, tokens: list[int] | BackendError) -> None:
        if isinstance(tokens, BackendError):
            raise tokens
        found[place] = tuple(tokens)

    here.writer.write(
        [Begun(row, 0) for row in begun], Writing(Decoding(max_tokens=TOKENS), TEXTS), then
    )
    return [found[place] for place in range(len(begun))]


def same(left: Sequence[Tokens], right: Sequence[Tokens]) -> int:
    return sum(one == other for one, other in zip(left, right, strict=True))


def size(model: Any) -> int:
    """The bytes of a model's tensors, each counted once."""
    tensors = {id(one): one for one in (*model.parameters(), *model.buffers())}.values()
    return sum(one.numel() * one.element_size() for one in tensors)


if __name__ == "__main__":
    main()
