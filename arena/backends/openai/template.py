"""The chat template of a model on a server, applied here, where its tokenizer is at hand."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from arena.backends.base import Message
from arena.records import Model
from arena.records.errors import BackendError, UnavailableError


def written_here(model: Model, messages: Sequence[dict[str, str]], prefill: str) -> list[int]:
    """The tokens of a conversation up to a begun reply; raises UnavailableError without them."""
    said = [Message(message["role"], message["content"]) for message in messages]
    return list(_chat(model).write(said, prefill=prefill).ids)


def _chat(model: Model) -> Any:
    from arena.backends.local.chat import Chat

    try:
        tokenizer = _tokenizer(model.tokenizer or model.weights, fetch=bool(model.tokenizer))
    except BackendError as error:
        raise UnavailableError(
            f"{model.name}: this server cannot go on from a begun reply, and to write it here "
            f"takes the model's tokenizer, which is not at hand ({error}); name it in arena.yaml, "
            "as in tokenizer: FOLDER or hf:ORG/NAME, or leave `prefill` out of the judge card"
        ) from error
    return Chat(tokenizer, model.decoding.template_settings or None)


@lru_cache(maxsize=4)
def _tokenizer(name: str, *, fetch: bool) -> Any:
    from arena.backends.local.weights.loading import tokenizer_of

    return tokenizer_of(name, None, fetch=fetch)
