"""How likely given texts are, of tokens as lm-eval splits them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from arena.backends.base import Message, TextRequest
from arena.backends.local.chat import Chat, ChatText
from arena.backends.local.tree import Tokens
from arena.records.errors import BackendError


@dataclass(frozen=True, slots=True)
class Scored:
    """The tokens of a text and of what comes before it, at least one.

    truncated: whether the context lost its beginning. folded: whether its system text is in a
    user's turn.
    """

    context: Tokens
    text: Tokens
    truncated: bool = False
    folded: bool = False

    @property
    def read(self) -> Tokens:
        """What the model has to see: the last token is only looked up in what it foretells."""
        return self.context + self.text[:-1]


def encode(
    chat: Chat, tokenizer: Any, request: TextRequest, system: str | None, window: int
) -> Scored:
    """A request's tokens; a context that does not fit the window loses its beginning.

    Messages are written as for a reply, which begins with the last one where that is the
    model's own. Raises BackendError where the text alone does not fit, or where it has no
    context and the tokenizer no token that begins a document.
    """
    folded = False
    if request.before:
        written = _written(chat, request.before, system)
        before, after = _after(chat, tokenizer, written, request.text)
        folded = written.folded
    else:
        before, after = _split(tokenizer, request.context, request.text, chat.lead)
    if len(after) > window:
        raise BackendError(f"a text of {len(after)} tokens does not fit a window of {window}")
    extra = max(0, len(before) + len(after) - (window + 1))
    return Scored(before[min(extra, len(before) - 1) :], after, extra > 0, folded)


def _written(chat: Chat, before: Sequence[Message], system: str | None) -> ChatText:
    """Messages up to where a text follows them: the last one where that is the model's own."""
    if before[-1].role == "assistant":
        return chat.write(before[:-1], system, before[-1].content)
    return chat.write(before, system)


def _after(chat: Chat, tokenizer: Any, written: ChatText, text: str) -> tuple[Tokens, Tokens]:
    lead = () if chat.has_template else chat.lead
    if written.ids == (*lead, *tokenizer.encode(written.text, add_special_tokens=False)):
        return _split(tokenizer, written.text, text, lead)
    # Control tokens within the messages are text, which one string of all would not tell.
    return written.ids, tuple(tokenizer.encode(text, add_special_tokens=False))


def _split(tokenizer: Any, context: str, text: str, lead: Tokens) -> tuple[Tokens, Tokens]:
    """Split a text from its context where lm-eval does, so that both read the same tokens.

    Spaces at the end of the context go to the text; both are encoded as one, and the text's
    tokens are those beyond the context's own. A template that writes what begins a document
    itself is put no second one before it.
    """
    bare = context.rstrip()
    text = context[len(bare) :] + text
    before = tuple(tokenizer.encode(bare, add_special_tokens=False)) if bare else ()
    after = tuple(tokenizer.encode(bare + text, add_special_tokens=False))[len(before) :]
    start = lead or tuple(
        [i for i in (tokenizer.bos_token_id, tokenizer.eos_token_id) if i is not None][:1]
    )
    if not bare:
        if not start:
            raise BackendError(
                "the tokenizer has no token that begins a document, so a text without a context "
                "has no likelihood"
            )
        return start, after[len(start) :] if after[: len(start)] == start else after
    return (before if before[: len(lead)] == lead else lead + before), after


def of(logits: torch.Tensor, text: Tokens) -> tuple[float, bool]:
    """The sum of a text's log-probabilities, and whether each token is the likeliest.

    logits: (at least the text's length, vocabulary), the last ones foretelling the text's tokens.
    """
    if not text:
        return 0.0, True
    wanted = torch.tensor(text, device=logits.device)
    odds = torch.log_softmax(logits[-len(text) :].float(), -1)
    likeliest = bool((odds.argmax(-1) == wanted).all())
    return float(odds.gather(1, wanted[:, None]).sum()), likeliest
