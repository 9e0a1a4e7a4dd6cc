"""A reply token by token: the model runs in a thread of its own and is stopped if nobody reads."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from arena.backends.base import Reply
from arena.backends.local.sampling import logits_processors
from arena.errors import BackendError
from arena.records import Decoding, Usage


def stream(
    tokenizer: Any, model: Any, ids: list[int], stops: Sequence[int], decoding: Decoding, seed: int
) -> Iterator[Reply]:
    """Replies that grow; the last one has its finish and usage."""
    from transformers import GenerationConfig, TextIteratorStreamer

    text, started, abandoned = "", time.perf_counter(), threading.Event()
    written: list[int] = []
    faults: list[BaseException] = []
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    settings = GenerationConfig(
        max_new_tokens=decoding.max_tokens,
        do_sample=False,
        eos_token_id=list(stops),
        pad_token_id=tokenizer.pad_token_id,
    )

    def write() -> None:
        batch = torch.tensor([ids], device=model.device)
        try:
            with torch.inference_mode():
                output = model.generate(
                    input_ids=batch,
                    attention_mask=torch.ones_like(batch),
                    generation_config=settings,
                    logits_processor=logits_processors(decoding, [seed]),
                    stopping_criteria=[lambda rows, _: _all(rows, abandoned.is_set())],
                    streamer=streamer,
                )
            written.extend(output[0, len(ids) :].tolist())
        except Exception as error:  # the thread's edge: it is raised again where replies are read
            faults.append(error)
            streamer.end()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        for piece in streamer:
            text += piece
            if piece:
                yield Reply((text.lstrip(),), ("",))
    finally:
        abandoned.set()
        thread.join()
    if faults:
        raise BackendError(f"the model failed: {faults[0]}") from faults[0]
    finish = "stop" if written and written[-1] in stops else "length"
    usage = Usage(len(ids), len(written), time.perf_counter() - started)
    yield Reply((text.strip(),), (finish,), usage)


def _all(rows: Any, stop: bool) -> torch.Tensor:
    return torch.full((rows.shape[0],), stop, dtype=torch.bool, device=rows.device)
