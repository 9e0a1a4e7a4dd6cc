"""A reply token by token: the model runs in a thread of its own and is stopped if nobody reads."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from arena.backends.base import Reply, cut_at
from arena.backends.local.attempts import failed
from arena.backends.local.chat import Chat
from arena.backends.local.sampling import logits_processors
from arena.backends.local.weights.loading import Loaded
from arena.backends.local.writing import Begun, StopTexts
from arena.records import Decoding, Usage


def stream(here: Loaded, chat: Chat, begun: Begun, decoding: Decoding) -> Iterator[Reply]:
    """Replies that grow; the last one has its finish and usage."""
    from transformers import TextIteratorStreamer

    text, started, abandoned = chat.opening, time.perf_counter(), threading.Event()
    stops = [StopTexts(here.tokenizer, decoding.stop, len(begun.tokens))] if decoding.stop else []
    written: list[int] = []
    faults: list[BaseException] = []
    streamer = TextIteratorStreamer(_Decoder(chat), skip_prompt=True)

    def write() -> None:
        batch = torch.tensor([begun.tokens], device=here.model.device)
        try:
            with torch.inference_mode():
                output = here.model.generate(
                    input_ids=batch,
                    attention_mask=torch.ones_like(batch),
                    generation_config=here.writer.settings(decoding.room, decoding.stop),
                    logits_processor=logits_processors(
                        decoding, [begun.seed], chat.closers, len(begun.tokens)
                    ),
                    stopping_criteria=[lambda rows, _: _all(rows, abandoned.is_set()), *stops],
                    streamer=streamer,
                )
            written.extend(output[0, len(begun.tokens) :].tolist())
        except Exception as error:  # the thread's edge: it is raised again where replies are read
            faults.append(error)
            streamer.end()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        for piece in streamer:
            text += piece
            if piece:
                yield Reply((cut_at(text, decoding.stop).lstrip(),), ("",))
    finally:
        abandoned.set()
        thread.join()
    if faults:
        raise failed(faults[0]) from faults[0]
    said = cut_at(text, decoding.stop)
    ended = bool(written) and written[-1] in here.writer.ends(decoding.stop)
    finish = "stop" if ended or said != text else "length"
    usage = Usage(len(begun.tokens), len(written), time.perf_counter() - started)
    yield Reply((said.strip(),), (finish,), usage)


class _Decoder:
    """What a streamer needs of a tokenizer."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def decode(self, tokens: Sequence[int], **_: object) -> str:
        """As the whole reply is decoded."""
        return self._chat.said(tokens)


def _all(rows: Any, stop: bool) -> torch.Tensor:
    return torch.full((rows.shape[0],), stop, dtype=torch.bool, device=rows.device)
