"""A tokenizer of a SentencePiece file, as transformers' fast tokenizers are made of it.

The file says itself whether a text begins with a blank and whether bytes stand in for rare
characters; both are tried on it, so that nothing of the model's own code is needed.
"""

from pathlib import Path
from typing import Any

FILE = "tokenizer.model"
_SPACE = "▁"


def tokenizer(path: Path, settings: dict[str, Any]) -> Any:
    """A fast tokenizer, padded on the left, that puts a BOS before a document.

    path: a SentencePiece file of byte-pair encoding.
    settings: what tokenizer_config.json says.

    Raises ImportError where sentencepiece is missing, and what it raises for a damaged file.
    """
    from sentencepiece import SentencePieceProcessor
    from tokenizers import AddedToken, processors
    from transformers import PreTrainedTokenizerFast

    pieces = SentencePieceProcessor(model_file=str(path))
    added = {int(i): token for i, token in (settings.get("added_tokens_decoder") or {}).items()}
    core = _core(pieces, {i: _content(token) for i, token in added.items()})
    core.add_special_tokens(
        [
            *(pieces.id_to_piece(i) for i in range(len(pieces)) if pieces.is_control(i)),
            *(AddedToken(_content(t), normalized=False, special=True) for t in added.values()),
        ]
    )
    bos = pieces.id_to_piece(pieces.bos_id())
    if settings.get("add_bos_token", True):
        core.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, pieces.bos_id())]
        )
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    roles = {name: _content(settings[name]) for name in names if settings.get(name)}
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        chat_template=settings.get("chat_template"),
        extra_special_tokens=[_content(t) for t in added.values() if _is_special(t)],
        **roles,
    )


def _core(pieces: Any, renamed: dict[int, str]) -> Any:
    """The file's pieces and merges; `renamed` pieces are those that added tokens stand on."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers.convert_slow_tokenizer import generate_merges

    ids = range(len(pieces))
    mergeable = {
        pieces.id_to_piece(i): pieces.get_score(i)
        for i in ids
        if not (pieces.is_control(i) or pieces.is_unused(i) or pieces.is_byte(i) or i in renamed)
    }
    vocabulary = {renamed.get(i, pieces.id_to_piece(i)): i for i in ids}
    known = {piece: vocabulary[piece] for piece in mergeable}
    core = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=generate_merges(known, mergeable),
            unk_token=renamed.get(pieces.unk_id(), pieces.id_to_piece(pieces.unk_id())),
            fuse_unk=True,
            byte_fallback=any(pieces.is_byte(i) for i in ids),
        )
    )
    begins = pieces.encode_as_pieces("a")[0].startswith(_SPACE)
    core.normalizer = normalizers.Sequence(
        [*([normalizers.Prepend(_SPACE)] if begins else []), normalizers.Replace(" ", _SPACE)]
    )
    core.decoder = decoders.Sequence(
        [
            decoders.Replace(_SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            *([decoders.Strip(content=" ", left=1)] if begins else []),
        ]
    )
    return core


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, dict) else token)


def _is_special(token: Any) -> bool:
    return bool(token.get("special", True)) if isinstance(token, dict) else True
