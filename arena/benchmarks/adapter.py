"""The bridge from lm-eval's requests to a function that completes texts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from lm_eval.api.model import LM

from arena.errors import InputError
from arena.records import Decoding

Ask = Callable[[Sequence[str], Decoding], list[str]]


class ArenaLM(LM):
    """Text in, text out, under the candidate's own decoding; the task sets length and stops."""

    def __init__(self, ask: Ask, decoding: Decoding) -> None:
        super().__init__()
        self._ask = ask
        self._decoding = decoding

    def generate_until(self, requests: list[Any]) -> list[str]:
        """Replies in the order of the requests, cut before the first stop string."""
        replies: list[str] = []
        for room, group in groupby(requests, key=self._room):
            batch = list(group)
            decoding = replace(self._decoding, max_tokens=room)
            texts = self._ask([request.args[0] for request in batch], decoding)
            replies += [_cut(text, r.args[1]) for text, r in zip(texts, batch, strict=True)]
        return replies

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        """Not offered yet: a chat model's decoding has no part in a log-likelihood."""
        raise InputError("this task compares log-likelihoods; only tasks that generate run here")

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
        """Not offered yet."""
        raise InputError("this task measures perplexity; only tasks that generate run here")

    def _room(self, request: Any) -> int:
        room = request.args[1].get("max_gen_toks", self._decoding.max_tokens)
        return min(int(room), self._decoding.max_tokens)


def _cut(text: str, settings: dict[str, Any]) -> str:
    until = settings.get("until") or []
    for stop in [until] if isinstance(until, str) else until:
        text = text.split(stop)[0] if stop else text
    return text
