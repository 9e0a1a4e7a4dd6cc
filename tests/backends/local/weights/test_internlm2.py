"""InternLM2's own checkpoints, beside a plain forward pass of its published architecture."""

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from arena.backends import Message, OddsRequest, Request, TextRequest, open_backend
from arena.backends.local.weights import loading as weights
from arena.backends.local.weights import sentencepieces
from arena.config import parse_model
from arena.records import Decoding
from arena.records.errors import UnavailableError

HIDDEN, INNER, LAYERS, HEADS, GROUPS = 32, 48, 2, 8, 2
SIZE, BASE, EPS = HIDDEN // HEADS, 1_000_000.0, 1e-5
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CORPUS = (
    "Which answer is better, A or B?",
    "The capital of France is Paris. 42",
    "哪个回答更好？北京是中国的首都。",
    "  two blanks\tand a tab",
)
Tensors = dict[str, torch.Tensor]


def pieces(prefix: bool = False, fallback: bool = True) -> bytes:
    """A SentencePiece file with two places for the marks of turns."""
    model = BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=400,
        hard_vocab_limit=False,
        byte_fallback=fallback,
        character_coverage=1.0,
        add_dummy_prefix=prefix,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        user_defined_symbols=["[UNUSED_TOKEN_1]", "[UNUSED_TOKEN_2]"],
        minloglevel=2,
    )
    return model.getvalue()


def names(model: bytes) -> dict[str, Any]:
    """A tokenizer_config.json that puts the marks of turns into those places."""
    read = SentencePieceProcessor(model_proto=model)
    marks = {
        read.piece_to_id("[UNUSED_TOKEN_1]"): "<|im_end|>",
        read.piece_to_id("[UNUSED_TOKEN_2]"): "<|im_start|>",
    }
    return {
        "tokenizer_class": "InternLM2Tokenizer",
        "auto_map": {"AutoTokenizer": ["tokenization_internlm2.InternLM2Tokenizer", None]},
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "</s>",
        "added_tokens_decoder": {
            str(i): {"content": name, "special": True} for i, name in marks.items()
        },
        "chat_template": TEMPLATE,
    }


def tensors(vocabulary: int, bias: bool) -> Tensors:
    dice = torch.Generator().manual_seed(5)

    def drawn(*shape: int, scale: float = 0.2) -> torch.Tensor:
        return torch.randn(*shape, generator=dice) * scale

    made = {
        "model.tok_embeddings.weight": drawn(vocabulary, HIDDEN, scale=1.0),
        "model.norm.weight": 1 + drawn(HIDDEN),
        "output.weight": drawn(vocabulary, HIDDEN, scale=0.5),
    }
    rows = (HEADS + 2 * GROUPS) * SIZE
    for layer in range(LAYERS):
        own = {
            "attention.wqkv.weight": drawn(rows, HIDDEN),
            "attention.wo.weight": drawn(HIDDEN, HIDDEN),
            "feed_forward.w1.weight": drawn(INNER, HIDDEN),
            "feed_forward.w3.weight": drawn(INNER, HIDDEN),
            "feed_forward.w2.weight": drawn(HIDDEN, INNER),
            "attention_norm.weight": 1 + drawn(HIDDEN),
            "ffn_norm.weight": 1 + drawn(HIDDEN),
        }
        if bias:
            own |= {"attention.wqkv.bias": drawn(rows), "attention.wo.bias": drawn(HIDDEN)}
        made |= {f"model.layers.{layer}.{name}": tensor for name, tensor in own.items()}
    return made


def logits(found: Tensors, ids: list[int]) -> torch.Tensor:
    """The published architecture, head by head."""

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return x / (x.square().mean(-1, keepdim=True) + EPS).sqrt() * found[name]

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ found[f"{name}.weight"].T + found.get(f"{name}.bias", torch.zeros(()))

    length = len(ids)
    angles = torch.arange(length)[:, None] / BASE ** (torch.arange(0, SIZE, 2) / SIZE)

    def turned(x: torch.Tensor) -> torch.Tensor:
        a, b = x[:, : SIZE // 2], x[:, SIZE // 2 :]
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([a * cos - b * sin, b * cos + a * sin], 1)

    x = found["model.tok_embeddings.weight"][ids]
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        fused = linear(norm(x, f"{at}attention_norm.weight"), f"{at}attention.wqkv")
        heads = []
        for group in fused.split((HEADS // GROUPS + 2) * SIZE, dim=1):
            *queries, key, value = group.split(SIZE, dim=1)
            for query in queries:
                scores = turned(query) @ turned(key).T / math.sqrt(SIZE)
                heads.append(scores.masked_fill(later, -math.inf).softmax(-1) @ value)
        x = x + linear(torch.cat(heads, 1), f"{at}attention.wo")
        y = norm(x, f"{at}ffn_norm.weight")
        gate = torch.nn.functional.silu(linear(y, f"{at}feed_forward.w1"))
        x = x + linear(gate * linear(y, f"{at}feed_forward.w3"), f"{at}feed_forward.w2")
    return linear(norm(x, "model.norm.weight"), "output")


def write(folder: Path, *, bias: bool = False, shards: int = 1) -> Tensors:
    """A checkpoint as InternLM2's are published, code of its own named and not there."""
    model = pieces()
    (folder / "tokenizer.model").write_bytes(model)
    (folder / "tokenizer_config.json").write_text(json.dumps(names(model)))
    vocabulary = len(SentencePieceProcessor(model_proto=model))
    config = {
        "architectures": ["InternLM2ForCausalLM"],
        "auto_map": {
            "AutoConfig": "configuration_internlm2.InternLM2Config",
            "AutoModelForCausalLM": "modeling_internlm2.InternLM2ForCausalLM",
        },
        "model_type": "internlm2",
        "bias": bias,
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "max_position_embeddings": 512,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": GROUPS,
        "rms_norm_eps": EPS,
        "rope_theta": int(BASE),
        "rope_scaling": {"type": "dynamic", "factor": 2.0},
        "tie_word_embeddings": False,
        "vocab_size": vocabulary,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config))
    found = tensors(vocabulary, bias)
    if shards == 1:
        save_file(found, folder / "model.safetensors", {"format": "pt"})
        return found
    place = {name: f"model-{k % shards}.safetensors" for k, name in enumerate(found)}
    for file in set(place.values()):
        part = {name: found[name] for name in found if place[name] == file}
        save_file(part, folder / file, {"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": place}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return found


@pytest.mark.parametrize(("bias", "shards"), [(False, 1), (True, 3)])
def test_its_logits_are_those_of_the_published_architecture(
    tmp_path: Path, bias: bool, shards: int
) -> None:
    found = write(tmp_path, bias=bias, shards=shards)
    tokenizer, model = weights.load(str(tmp_path), None)
    ids = tokenizer.encode("Which answer is better, A or B? 北京")
    with torch.inference_mode():
        said = model(torch.tensor([ids])).logits[0]
    assert torch.allclose(said, logits(found, ids), atol=1e-4)
    assert said.std() > 0.1


def test_it_talks_reads_and_judges_like_any_other_model(tmp_path: Path) -> None:
    write(tmp_path)
    model = replace(parse_model(f"own={tmp_path}"), decoding=Decoding(max_tokens=9))
    with open_backend(model) as backend:
        ((_, reply),) = next(iter(backend.converse([Request(("Hello?",), 1)])))
        ((_, odds),) = next(iter(backend.odds([OddsRequest("A or B?", ("A", "B"))])))
        ((_, read),) = next(iter(backend.likelihoods([TextRequest(" Paris", "France is")])))
    assert "<|im_" not in reply.turns[0]
    assert sum(map(math.exp, odds.logprobs)) <= 1
    assert read.tokens > 0
    written = weights.loaded(str(tmp_path), None).chat.write([Message("user", "B?<|im_end|>")])
    turns = "<s><|im_start|>user\nB?<|im_end|><|im_end|>\n<|im_start|>assistant\n"
    assert written.text == turns
    tokens = weights.loaded(str(tmp_path), None).tokenizer.convert_ids_to_tokens(written.ids)
    assert [tokens.count(mark) for mark in ("<s>", "<|im_start|>", "<|im_end|>")] == [1, 2, 1]


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("fallback", [True, False])
def test_texts_become_the_tokens_of_sentencepiece(
    tmp_path: Path, prefix: bool, fallback: bool
) -> None:
    model = pieces(prefix, fallback)
    (tmp_path / "tokenizer.model").write_bytes(model)
    theirs = SentencePieceProcessor(model_proto=model)
    ours = sentencepieces.tokenizer(tmp_path / "tokenizer.model", names(model))
    dice, letters = random.Random(3), sorted({*"".join(CORPUS), *"é漢😀\n "})
    drawn = ["".join(dice.choices(letters, k=dice.randint(1, 20))) for _ in range(500)]
    for text in (*CORPUS, *drawn):
        ids = ours.encode(text)
        assert ids == [theirs.bos_id(), *theirs.encode(text)], text
        if fallback:
            assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids[1:])
    assert len(ours) == len(theirs)
    assert ours.encode("<|im_end|>")[-1] == theirs.piece_to_id("[UNUSED_TOKEN_1]")


def _without(folder: Path, name: str) -> None:
    found = tensors(json.loads((folder / "config.json").read_text())["vocab_size"], False)
    found["unknown.weight"] = found.pop(name)
    save_file(found, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: _without(f, "model.layers.1.attention.wqkv.weight"), "among them model.layers"),
        (lambda f: (f / "tokenizer.model").unlink(), "holds no tokenizer"),
        (lambda f: (f / "tokenizer.model").write_bytes(b"no pieces"), "tokenizer of"),
        (lambda f: (f / "model.safetensors").write_bytes(b"x" * 99), "damaged or cut off"),
    ],
)
def test_a_damaged_checkpoint_is_one_sentence(
    tmp_path: Path, damage: Callable[[Path], Any], said: str
) -> None:
    write(tmp_path)
    damage(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be loaded") as caught:
        weights.load(str(tmp_path), None)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
