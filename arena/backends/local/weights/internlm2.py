"""InternLM2 without code of its own: its weights under Llama's names, and its tokenizer.

An InternLM2 layer is a Llama layer. What differs is how a checkpoint keeps it: queries, keys
and values are one matrix, in which the queries of each key-value head stand before its key and
its value; the feed-forward matrices are called w1, w3 and w2. The mapping is applied tensor by
tensor while a checkpoint is read. Architecture: InternLM2 Technical Report, arXiv 2403.17297.
"""

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.backends.local.weights import sentencepieces

if TYPE_CHECKING:
    import torch

MODEL_TYPE = "internlm2"
_RENAMED = {
    r"tok_embeddings": "embed_tokens",
    r"attention\.wo": "self_attn.o_proj",
    r"feed_forward\.w1": "mlp.gate_proj",
    r"feed_forward\.w3": "mlp.up_proj",
    r"feed_forward\.w2": "mlp.down_proj",
    r"attention_norm": "input_layernorm",
    r"ffn_norm": "post_attention_layernorm",
    r"^output\.": "lm_head.",
}
_PROJECTIONS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]


@cache
def register() -> None:
    """Make InternLM2 known to transformers' auto classes."""
    from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
    from transformers.conversion_mapping import register_checkpoint_conversion_mapping
    from transformers.core_model_loading import ConversionOps, WeightConverter, WeightRenaming

    class InternLM2Config(LlamaConfig):
        """Llama's settings; a bias is one of the attention only."""

        model_type = MODEL_TYPE
        attribute_map = {"bias": "attention_bias"}  # noqa: RUF012 (transformers' own form)

    class InternLM2ForCausalLM(LlamaForCausalLM):
        """Llama's layers; the name finds the mapping below."""

        config_class = InternLM2Config

    class Ungroup(ConversionOps):
        """Takes queries, keys and values out of their groups."""

        def convert(
            self,
            input_dict: dict[str, Any],
            source_patterns: list[str],
            target_patterns: list[str],
            **known: Any,
        ) -> dict[str, "torch.Tensor"]:
            (found,) = input_dict.values()
            fused = found[0] if isinstance(found, list) else found
            return dict(zip(target_patterns, ungrouped(fused, known["config"]), strict=True))

    AutoConfig.register(MODEL_TYPE, InternLM2Config)
    AutoModelForCausalLM.register(InternLM2Config, InternLM2ForCausalLM)
    register_checkpoint_conversion_mapping(
        MODEL_TYPE,
        [
            *(WeightRenaming(old, new) for old, new in _RENAMED.items()),
            WeightConverter("attention.wqkv", _PROJECTIONS, [Ungroup()]),
        ],
    )


def tokenizer(source: str, settings: dict[str, Any]) -> Any:
    """The tokenizer of its SentencePiece file; None where there is a tokenizer.json.

    source: a folder, or a name of the hub. settings: how files are found there.

    Raises FileNotFoundError where there is neither.
    """
    from transformers.models.auto.tokenization_auto import get_tokenizer_config
    from transformers.utils import cached_file

    where = {key: settings[key] for key in ("revision", "local_files_only")}
    find = partial(cached_file, source, _raise_exceptions_for_missing_entries=False, **where)
    if find("tokenizer.json"):
        return None
    path = find(sentencepieces.FILE)
    if path is None:
        raise FileNotFoundError(f"there is neither a tokenizer.json nor a {sentencepieces.FILE}")
    return sentencepieces.tokenizer(Path(path), get_tokenizer_config(source, **settings))


def ungrouped(fused: "torch.Tensor", config: Any) -> "tuple[torch.Tensor, ...]":
    """Queries, keys and values of a fused weight or bias.

    fused: (key_value_heads × (queries a head + 2) × head_dim, …), by key-value head.

    Returns three tensors with the heads of each kind in order along the first axis.
    """
    heads, kinds = config.num_key_value_heads, config.num_attention_heads
    a_head = kinds // heads
    size = getattr(config, "head_dim", None) or config.hidden_size // kinds
    grouped = fused.reshape(heads, a_head + 2, size, *fused.shape[1:])
    parts = grouped[:, :a_head], grouped[:, a_head], grouped[:, a_head + 1]
    return tuple(part.reshape(-1, *fused.shape[1:]).contiguous() for part in parts)
