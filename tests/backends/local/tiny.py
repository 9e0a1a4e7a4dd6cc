"""Tiny random models of many architectures, saved as folders that load like any other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
)

WORDS = [
    *("<unk>", "<s>", "</s>", "A", "B", "yes", "no", "maybe", "what", "is", "the", "best"),
    *("answer", "to", "this", "question", "system", "user", "assistant", ":", ".", ","),
    *("be", "brief", "say", "hello", "goodbye", "omega", "alpha"),
    *(f"w{i}" for i in range(60)),
]
WINDOW = 24
CHAT = (
    "{% for m in messages %}{{ m['role'] }} : {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}assistant : {% endif %}"
)
_HEADS = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
}
_EXPERTS = {
    "num_experts": 4,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
}
_GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512, "n_ctx": 512}
_TWO_KINDS = {"layer_types": ["sliding_attention", "full_attention"] * 2}
_LONG = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "original_max_position_embeddings": 48,
    "short_factor": [1.0] * 4,
    "long_factor": [4.0] * 4,
}
FAMILIES: dict[str, Mapping[str, Any]] = {
    "llama": _HEADS,
    "mistral": _HEADS | {"sliding_window": WINDOW},
    "mixtral": _HEADS | _EXPERTS | {"sliding_window": WINDOW},
    "gemma": _HEADS,
    "gemma2": _HEADS | {"sliding_window": WINDOW},
    "gemma3_text": _HEADS | {"sliding_window": WINDOW},
    "gpt_oss": _HEADS | _EXPERTS | _TWO_KINDS | {"sliding_window": WINDOW},
    "phi": _HEADS,
    "phi3": _HEADS
    | {"sliding_window": WINDOW, "rope_parameters": _LONG, "original_max_position_embeddings": 48},
    "qwen2": _HEADS
    | {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 2},
    "qwen3": _HEADS,
    "qwen3_moe": _HEADS | _EXPERTS,
    "olmo2": _HEADS,
    "cohere2": _HEADS | {"sliding_window": WINDOW},
    "granite": _HEADS,
    "stablelm": _HEADS,
    "starcoder2": _HEADS | {"sliding_window": WINDOW},
    "glm4": _HEADS,
    "smollm3": _HEADS,
    "exaone4": _HEADS | _TWO_KINDS | {"sliding_window": WINDOW},
    "gpt2": _GPT2,
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": WINDOW,
        "max_position_embeddings": 512,
    },
    "gpt_neox": _HEADS,
    "gptj": _GPT2 | {"rotary_dim": 4},
    "opt": _HEADS | {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
    "mpt": {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 512},
    "falcon": {k: v for k, v in _HEADS.items() if k != "head_dim"}
    | {"new_decoder_architecture": True, "num_kv_heads": 2},
    "mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8},
    "mamba2": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "state_size": 8,
        "num_heads": 8,
        "head_dim": 8,
        "expand": 2,
        "chunk_size": 8,
        "n_groups": 1,
    },
    "falcon_h1": _HEADS
    | {
        "mamba_d_ssm": 32,
        "mamba_chunk_size": 8,
        "mamba_n_heads": 4,
        "mamba_d_head": 8,
        "mamba_d_state": 8,
        "mamba_n_groups": 1,
    },
    "qwen3_next": _HEADS
    | _EXPERTS
    | {
        "shared_expert_intermediate_size": 32,
        "linear_num_value_heads": 4,
        "linear_num_key_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "decoder_sparse_step": 1,
    },
    "jamba": _HEADS
    | {
        "mamba_d_state": 8,
        "num_experts": 2,
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "use_mamba_kernels": False,
    },
    "bamba": _HEADS
    | {
        "mamba_n_heads": 8,
        "mamba_d_head": 8,
        "mamba_d_state": 8,
        "attn_layer_indices": [1],
        "mamba_chunk_size": 8,
    },
    "recurrent_gemma": _HEADS
    | {"lru_width": 32, "attention_window_size": WINDOW, "block_types": ["recurrent", "attention"]},
    "rwkv": {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32},
    "lfm2": _HEADS | {"layer_types": ["conv", "full_attention"] * 2, "block_ff_dim": 48},
    "zamba2": _HEADS
    | {
        "mamba_d_state": 8,
        "mamba_ngroups": 1,
        "chunk_size": 8,
        "n_mamba_heads": 8,
        "mamba_headdim": 8,
        "layers_block_type": ["mamba", "hybrid"] * 2,
    },
    "granitemoehybrid": _HEADS
    | _EXPERTS
    | {
        "mamba_n_heads": 8,
        "mamba_d_head": 8,
        "mamba_d_state": 8,
        "layer_types": ["mamba", "attention"] * 2,
        "shared_intermediate_size": 32,
        "mamba_chunk_size": 8,
    },
    "nemotron_h": _HEADS
    | {
        "mamba_num_heads": 8,
        "mamba_head_dim": 8,
        "ssm_state_size": 8,
        "chunk_size": 8,
        "n_groups": 1,
    },
    "llama4_text": _HEADS
    | _EXPERTS
    | {"attention_chunk_size": WINDOW, "intermediate_size_mlp": 48},
    "deepseek_v3": _HEADS
    | {
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "kv_lora_rank": 8,
        "q_lora_rank": 8,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 4,
        "v_head_dim": 8,
        "head_dim": 4,
        "num_key_value_heads": 4,
        "n_group": 1,
        "topk_group": 1,
        "moe_intermediate_size": 32,
        "first_k_dense_replace": 1,
    },
    "minimax": _HEADS | _EXPERTS | {"layer_types": ["linear_attention", "full_attention"] * 2},
    "xglm": {
        "d_model": 32,
        "ffn_dim": 48,
        "num_layers": 2,
        "attention_heads": 4,
        "max_position_embeddings": 512,
    },
    "codegen": _GPT2 | {"rotary_dim": 4},
}


def tokenizer(
    template: str | None = None,
    *,
    special: bool = True,
    bos: bool = False,
    marks: tuple[str, ...] = (),
) -> Any:
    """A tokenizer of whole words. special: whether it has <s> and </s>. bos: it puts <s> first.

    marks: tokens of its own, in place of the last words.
    """
    words = [*WORDS[: len(WORDS) - len(marks)], *marks]
    raw = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    if bos:
        raw.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    ends = {"bos_token": "<s>", "eos_token": "</s>"} if special else {}
    fast = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", **ends)
    fast.chat_template = template
    fast.add_tokens(list(marks))
    return fast


def model(kind: str = "llama", auto: Any = AutoModelForCausalLM, **settings: Any) -> Any:
    """A model whose random weights are large enough for its numbers to differ."""
    torch.manual_seed(0)
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    sizes = {**FAMILIES[kind], **ids, **settings}
    config = AutoConfig.for_model(kind, vocab_size=len(WORDS), **sizes)
    made = auto.from_config(config).eval().float()
    for weight in made.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.15)
    return made


def reward_model(kind: str = "llama", **settings: Any) -> Any:
    """A model with one number for a text."""
    return model(kind, AutoModelForSequenceClassification, **({"num_labels": 1} | settings))


def save_reward(
    folder: Path, kind: str = "llama", template: str | None = CHAT, **settings: Any
) -> str:
    """Write a reward model and its tokenizer, and give its path as a model is named by."""
    reward_model(kind, **settings).save_pretrained(folder)
    tokenizer(template).save_pretrained(folder)
    return str(folder)


def save(
    folder: Path, kind: str = "llama", template: str | None = None, **of_tokenizer: Any
) -> str:
    """Write both to a folder, and give its path as a model is named by."""
    model(kind).save_pretrained(folder)
    tokenizer(template, **of_tokenizer).save_pretrained(folder)
    return str(folder)
