"""How likely given texts are: tokens as lm-eval splits them, and each context read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """The tokens of a text and of what comes before it, at least one.

    truncated: whether the context lost its beginning.
    """

    context: Tokens
    text: Tokens
    truncated: bool = False


def encode_pair(tokenizer: Any, context: str, text: str, window: int) -> Scored:
    """Split a text from its context where lm-eval does, so that both read the same tokens.

    Spaces at the end of the context go to the text; both are encoded as one, and the text's
    tokens are those beyond the context's own. What does not fit loses its beginning. Empty
    contexts stand for the start of a document.
    """
    bare = context.rstrip()
    text = context[len(bare) :] + text
    if bare:
        before = tokenizer.encode(bare)
        after = tokenizer.encode(bare + text)[len(before) :]
    else:
        first = tokenizer.bos_token_id
        before = [tokenizer.eos_token_id if first is None else first]
        after = tokenizer.encode(text, add_special_tokens=False)
        if after[:1] == before:
            after = after[1:]
    extra = max(0, len(before) + len(after) - (window + 1))
    return Scored(tuple(before[min(extra, len(before) - 1) :]), tuple(after), extra > 0)


def batches(scored: Sequence[Scored], rows: int, tokens: int) -> Iterator[list[int]]:
    """Positions in batches of at most `rows` different contexts and about `tokens` in all."""
    order = sorted(range(len(scored)), key=lambda i: (len(scored[i].context), scored[i].context, i))
    batch: list[int] = []
    contexts = 0
    for context, group in groupby(order, key=lambda i: scored[i].context):
        here = list(group)
        size = len(context) + sum(len(scored[i].text) for i in here)
        if batch and (contexts == rows or size * (contexts + 1) > tokens):
            yield batch
            batch, contexts = [], 0
        batch += here
        contexts += 1
    if batch:
        yield batch


def logprobs(model: Any, scored: Sequence[Scored], pad: int) -> list[tuple[float, bool]]:
    """For each text the sum of its tokens' log-probabilities, and whether each is the likeliest.

    A context that several texts follow is read once; then each text's tokens, all but its
    last, after the context's last one. Texts that differ in their last token only are one row.
    """
    contexts = list(dict.fromkeys(s.context for s in scored))
    place = {context: k for k, context in enumerate(contexts)}
    fed = {(place[s.context], s.context[-1:] + s.text[:-1]): None for s in scored}
    row_of = {key: row for row, key in enumerate(fed)}
    width = max(len(context) for context in contexts) - 1
    heads = torch.tensor([_left_padded(c[:-1], width, pad) for c in contexts])
    seen = torch.tensor([_left_padded((1,) * (len(c) - 1), width, 0) for c in contexts])
    tails, length = [tail for _, tail in fed], max(len(tail) for _, tail in fed)
    rest = torch.tensor([[*tail, *[pad] * (length - len(tail))] for tail in tails])
    owners = torch.tensor([owner for owner, _ in fed])
    with torch.inference_mode():
        cache = None
        if width:
            output = model(
                input_ids=heads.to(model.device),
                attention_mask=seen.to(model.device),
                position_ids=(seen.cumsum(1) - 1).clamp(min=0).to(model.device),
                use_cache=True,
                logits_to_keep=1,
            )
            cache = output.past_key_values
            if len(owners) > len(contexts) or owners.tolist() != list(range(len(contexts))):
                cache.batch_select_indices(owners.to(model.device))
        mask = torch.cat([seen[owners], torch.ones_like(rest)], dim=1)
        start = seen[owners].sum(1, keepdim=True)
        output = model(
            input_ids=rest.to(model.device),
            attention_mask=mask.to(model.device),
            position_ids=(start + torch.arange(length)).to(model.device),
            past_key_values=cache,
            use_cache=cache is not None,
        )
        odds = torch.log_softmax(output.logits.float(), -1).cpu()
    return [_read(odds[row_of[place[s.context], s.context[-1:] + s.text[:-1]]], s) for s in scored]


def _read(odds: torch.Tensor, scored: Scored) -> tuple[float, bool]:
    count = len(scored.text)
    wanted = torch.tensor(scored.text)
    here = odds[:count]
    likeliest = bool((here.argmax(-1) == wanted).all())
    return float(here.gather(1, wanted[:, None]).sum()), likeliest


def _left_padded(tokens: Tokens, width: int, pad: int) -> list[int]:
    return [pad] * (width - len(tokens)) + list(tokens)
