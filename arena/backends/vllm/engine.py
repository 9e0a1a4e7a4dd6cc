"""vLLM's engine for one model: texts written and read, each request on its own.

The engine keeps what prompts begin with (prefix caching) and writes many texts at once. Requests
are tokens that the same code makes as for transformers, so that both are asked the same.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arena.backends.local.attempts import first_line
from arena.backends.local.chat import Chat
from arena.backends.local.weights import adapters
from arena.backends.local.weights.loading import Checkpoint, checkpoint_of, writes_nothing
from arena.backends.local.writing import Begun, Writing
from arena.backends.local.writing.writer import Then
from arena.records.errors import BackendError, UnavailableError

# What the engine would print or send home, and a second process of its own for what runs here.
QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}
_STARTING = threading.Lock()
_last: dict["Which", "Engine"] = {}


@dataclass(frozen=True, slots=True)
class Which:
    """What an engine is started for.

    window: tokens of prompt and reply together; the model's own if not given. gpus: graphics
    cards over which each layer is spread (tensor parallelism). adapter: as of `Model`.
    """

    weights: str
    revision: str | None = None
    window: int | None = None
    gpus: int = 1
    adapter: str | None = None


def engine(which: Which) -> "Engine":
    """The engine of these weights; the last one is kept, and ended before another is started.

    Raises UnavailableError with what is wrong with the weights, or that vLLM is missing.
    """
    with _STARTING:
        if which not in _last:
            _forget()
            _last[which] = _started(which)
        return _last[which]


def is_started(which: Which) -> bool:
    """Whether the engine of these weights is there now."""
    return which in _last


def release() -> None:
    """End the engine that was started last, and give its memory back."""
    with _STARTING:
        _forget()


def _forget() -> None:
    for one in _last.values():
        one.end()
    _last.clear()
    gc.collect()


def _started(which: Which) -> "Engine":
    if find_spec("vllm") is None:
        raise UnavailableError("vLLM is not installed: pip install 'arena-llm[vllm]'")
    source = checkpoint_of(which.weights, which.revision)
    if source.is_reward:
        raise UnavailableError(writes_nothing(which.weights))
    folder = adapters.folder_of(which.adapter, which.weights) if which.adapter else None
    lora = {"enable_lora": True, "max_lora_rank": adapters.room_for(folder)} if folder else {}
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from vllm import LLM
    from vllm.platforms import current_platform

    on_cpu = current_platform.is_cpu()
    try:
        llm = LLM(
            source.place,
            revision=which.revision,
            max_model_len=which.window,
            tensor_parallel_size=which.gpus,
            dtype="float32" if on_cpu else "auto",
            enforce_eager=on_cpu,  # compiling takes minutes there
            enable_prefix_caching=True,
            trust_remote_code=False,
            **lora,
        )
    except Exception as error:  # the edge of what another library does with a model
        raise UnavailableError(
            f"vLLM cannot run the weights of {which.weights!r}: {first_line(error)}"
        ) from error
    return Engine(llm, source, folder)


@dataclass(frozen=True, slots=True)
class Read:
    """Tokens to read. wanted: those whose odds as the next one are asked; else those of its own.

    own: how many of the last tokens are asked after.
    """

    tokens: tuple[int, ...]
    wanted: tuple[int, ...] = ()
    own: int = 0


class Engine:
    """What a backend needs of a loaded model, as `Loaded` has it for transformers.

    adapter: the folder of the one that every request is answered with.
    """

    def __init__(self, llm: Any, source: Checkpoint, adapter: Path | None = None) -> None:
        self.tokenizer = source.tokenizer
        self.chat = Chat(source.tokenizer)
        config = llm.model_config
        self.known = int(config.get_vocab_size())
        self.window = int(config.max_model_len)
        self.writer = self
        self._llm = llm
        self._lora = _lora(adapter) if adapter else None
        self._defaults = llm.get_default_sampling_params()
        configured = (config.try_get_generation_config() or {}).get("eos_token_id")
        own = configured if isinstance(configured, list) else [configured]
        ends = {*own, source.tokenizer.eos_token_id}
        self._stops = sorted(token for token in ends if token is not None)

    def ends(self, stop: Sequence[str]) -> list[int]:
        """The tokens that end a reply, and the special tokens that are among some texts."""
        added = {str(token): i for i, token in self.tokenizer.added_tokens_decoder.items()}
        return sorted({*self._stops, *(added[text] for text in stop if text in added)})

    def write(
        self,
        begun: Sequence[Begun],
        how: Writing,
        then: Then,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        """As `Writer.write` does; how many are written at once is the engine's own affair.

        What is told meanwhile is how many texts are whole.
        """
        with self._requests() as put:

            def go_on(place: int, row: Begun | None) -> None:
                while row is not None:
                    fault = put(place, row.tokens, self._params(how, row))
                    row = then(place, fault) if fault else None

            for place in sorted(range(len(begun)), key=lambda i: begun[i].tokens):
                go_on(place, begun[place])
            for place, output in put.ended():
                go_on(place, then(place, [*output.outputs[0].token_ids]))
                tell(0.0)

    def stream(self, begun: Begun, how: Writing) -> Iterator[int]:
        """The tokens of one text, which come when it is whole. Raises BackendError."""
        with self._requests() as put:
            if fault := put(0, begun.tokens, self._params(how, begun)):
                raise fault
            for _, output in put.ended():
                yield from output.outputs[0].token_ids

    def read(self, rows: Sequence[Read]) -> list[list[tuple[float, int]] | BackendError]:
        """For each row natural logarithms of probabilities, with the rank of each, from 1.

        Of `wanted` as the next token, or of each of its `own` last tokens after those before it.
        """
        from vllm import SamplingParams

        found: dict[int, list[tuple[float, int]] | BackendError] = {}
        with self._requests() as put:
            for k in sorted(range(len(rows)), key=lambda k: rows[k].tokens):
                wanted = [*rows[k].wanted]
                more = {"logprob_token_ids": wanted} if wanted else {"prompt_logprobs": 0}
                params = SamplingParams(max_tokens=1, temperature=0, detokenize=False, **more)
                if fault := put(k, rows[k].tokens, params):
                    found[k] = fault
            for k, output in put.ended():
                found[k] = _read(rows[k], output)
        return [found[k] for k in range(len(rows))]

    def end(self) -> None:
        """Let go of the model."""
        self._llm.llm_engine.engine_core.shutdown()

    def _params(self, how: Writing, row: Begun) -> Any:
        from vllm import SamplingParams

        decoding = how.decoding
        penalty = decoding.repetition_penalty or self._defaults.repetition_penalty
        return SamplingParams(
            max_tokens=decoding.room,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k or 0,
            min_p=decoding.min_p or 0.0,
            repetition_penalty=penalty,
            seed=row.seed % 2**63,
            stop=[text for text in how.stop if text],
            stop_token_ids=self.ends(how.stop),
            skip_special_tokens=False,
            detokenize=bool(how.stop),
        )

    @contextmanager
    def _requests(self) -> "Iterator[_Requests]":
        """What takes requests; those that are left when the block ends are given up."""
        requests = _Requests(self._llm.llm_engine, self._lora)
        try:
            yield requests
        finally:
            if requests.open:
                self._llm.llm_engine.abort_request([str(place) for place in requests.open])


class _Requests:
    """Requests of one call, by their places. open: those that have not ended."""

    def __init__(self, core: Any, lora: Any = None) -> None:
        self._core = core
        self._lora = lora
        self.open: set[int] = set()

    def __call__(self, place: int, tokens: Sequence[int], params: Any) -> BackendError | None:
        """Hand one in, or say why the engine refuses it; those alike should come together."""
        try:
            prompt = {"prompt_token_ids": [*tokens]}
            self._core.add_request(str(place), prompt, params, lora_request=self._lora)
        except ValueError as error:  # this one is refused, and the others are none the worse
            return BackendError(f"vLLM refuses it: {first_line(error)}")
        self.open.add(place)
        return None

    def ended(self) -> Iterator[tuple[int, Any]]:
        """Outputs as they end, of what is handed in meanwhile as well."""
        while self.open:
            for output in self._core.step():
                if output.finished:
                    place = int(output.request_id)
                    self.open.discard(place)
                    yield place, output


def _lora(folder: Path) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, str(folder))


def _read(row: Read, output: Any) -> list[tuple[float, int]]:
    if row.wanted:
        (odds,) = output.outputs[0].logprobs
        return [(float(odds[token].logprob), int(odds[token].rank or 0)) for token in row.wanted]
    kept = list(zip(row.tokens, output.prompt_logprobs, strict=True))[len(row.tokens) - row.own :]
    return [(float(odds[token].logprob), int(odds[token].rank)) for token, odds in kept]
