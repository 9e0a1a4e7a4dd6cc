"""Loading weights: the tokenizer, the model and what both can do, or one sentence why not.

The embedded model and local files never ask a hub; `hf:` weights do, when they are not in
its cache. Set HF_HUB_OFFLINE=1 to forbid that too. Code that comes with weights is never run,
and no question is asked on the terminal.
"""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from arena.backends.base import Availability
from arena.backends.local.attempts import first_line, is_out_of_memory
from arena.backends.local.chat import Chat
from arena.backends.local.quiet import quiet_transformers
from arena.backends.local.weights import adapters, internlm2
from arena.backends.local.weights.checkpoint import (
    damage_of,
    fault_of,
    missing_for,
    missing_for_folder,
)
from arena.backends.local.weights.gguf import converted, gguf_file
from arena.records import BackendKind, Model
from arena.records.errors import UnavailableError

if TYPE_CHECKING:  # they import torch
    from arena.backends.local.reading import Reader
    from arena.backends.local.rewarding import Rewarder
    from arena.backends.local.writing import Writer

_LOADING = threading.Lock()
_last: set[tuple[str, str | None, str | None]] = set()  # what `_load` and `_adapted` keep


@dataclass(frozen=True)
class Loaded:
    """A model in evaluation mode. known: how many tokens it has embeddings for."""

    tokenizer: Any
    model: Any
    chat: Chat
    reader: "Reader"
    writer: "Writer"
    known: int


@dataclass(frozen=True)
class LoadedReward:
    """A reward model in evaluation mode. known: how many tokens it has embeddings for."""

    tokenizer: Any
    model: Any
    chat: Chat
    rewarder: "Rewarder"
    known: int


def load(weights: str, revision: str | None) -> tuple[Any, Any]:
    """The tokenizer and the model, in evaluation mode; the last pair loaded is kept."""
    found = loaded(weights, revision)
    return found.tokenizer, found.model


def loaded(weights: str, revision: str | None, adapter: str | None = None) -> Loaded | LoadedReward:
    """What `load` gives, with the ways to use it; the last one is kept.

    It is forgotten before other weights are loaded, so that two need never fit at once; all
    adapters of the same weights share them. Raises UnavailableError with what is wrong.
    """
    with _LOADING:  # two threads that need the same weights load them once
        if not is_loaded(weights, revision):
            _forget()
        found = _load(weights, revision)
        _last.add((weights, revision, None))
        if adapter:
            found = _adapted(weights, revision, adapter)
            _last.add((weights, revision, adapter))
        return found


def writer_of(weights: str, found: Loaded | LoadedReward) -> Loaded:
    """What was loaded, which has to be a model that writes; raises UnavailableError."""
    if isinstance(found, LoadedReward):
        raise UnavailableError(writes_nothing(weights))
    return found


def reward_model_of(weights: str, found: Loaded | LoadedReward) -> LoadedReward:
    """What was loaded, which has to be a reward model; raises UnavailableError."""
    if isinstance(found, Loaded):
        raise UnavailableError(
            f"{weights!r} is no reward model: it writes, and has no number for an answer; it can "
            "judge with `reading: reasoned` or `reading: logit`"
        )
    return found


def writes_nothing(weights: str) -> str:
    """What to say where a reward model is asked to write or to choose a word."""
    return (
        f"{weights!r} is a reward model: it has a number for an answer and writes nothing; it can "
        "judge with `reading: reward`"
    )


def is_loaded(weights: str, revision: str | None, adapter: str | None = None) -> bool:
    """Whether these weights, and the adapter on them, are in memory now."""
    return (weights, revision, adapter) in _last


def release() -> None:
    """Forget the weights that were loaded last, and give their memory back."""
    with _LOADING:
        _forget()


def _forget() -> None:
    _last.clear()
    _adapted.cache_clear()
    _load.cache_clear()
    gc.collect()
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()


@dataclass(frozen=True)
class Checkpoint:
    """Where weights are, a folder or a hub's name, and their tokenizer.

    is_reward: whether they are of a model that has a number for a text, and writes none.
    """

    place: str
    settings: dict[str, Any]
    tokenizer: Any
    is_reward: bool = False


def checkpoint_of(weights: str, revision: str | None) -> Checkpoint:
    """Where weights are and the tokenizer that goes with them.

    Raises UnavailableError with what is wrong with them.
    """
    folder = _folder(weights)
    if folder is not None and (fault := fault_of(folder)):
        raise _cannot(weights, "weights", fault)
    return _checkpoint(weights, folder, revision)


def tokenizer_of(weights: str, revision: str | None, *, fetch: bool) -> Any:
    """The tokenizer alone; raises UnavailableError where it is not here and cannot be fetched."""
    return _checkpoint(weights, _folder(weights), revision, fetch=fetch).tokenizer


def _folder(weights: str) -> Path | None:
    with _refusing(weights, "weights"):
        folder = ready_folder(weights)
    if folder is None and _is_path(weights):
        raise UnavailableError(f"no such folder: {weights}")
    return folder


def _checkpoint(
    weights: str, folder: Path | None, revision: str | None, *, fetch: bool = True
) -> Checkpoint:
    settings = {
        "revision": revision,
        "local_files_only": folder is not None or not fetch,
        "trust_remote_code": False,
    }
    place = str(folder) if folder else weights
    with quiet_transformers():
        with _refusing(weights, "weights", folder):
            kind, is_reward = _kind(weights, place, settings)
        with _refusing(weights, "tokenizer", folder):
            own = internlm2.tokenizer(place, settings) if kind == internlm2.MODEL_TYPE else None
            found = own or _tokenizer(weights, place, settings)
            return Checkpoint(place, settings, found, is_reward)


@lru_cache(maxsize=1)
def _load(weights: str, revision: str | None) -> Loaded | LoadedReward:
    source = checkpoint_of(weights, revision)
    folder = Path(source.place) if source.settings["local_files_only"] else None
    with quiet_transformers(), _refusing(weights, "weights", folder):
        model = _model(weights, source)
        if source.is_reward:
            return _ready_reward(weights, source.tokenizer, model)
        return ready(source.tokenizer, model)


@cache
def _adapted(weights: str, revision: str | None, adapter: str) -> Loaded | LoadedReward:
    base = _load(weights, revision)
    with quiet_transformers():
        model = adapters.attached(base.model, weights, adapter)
        with _refusing(weights, "weights"):
            is_reward = isinstance(base, LoadedReward)
            return (ready_reward if is_reward else ready)(base.tokenizer, model)


def _tokenizer(weights: str, source: str, settings: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    try:
        return AutoTokenizer.from_pretrained(source, padding_side="left", **settings)
    except ValueError:
        if get_tokenizer_config(source, **settings).get("auto_map"):
            raise _own_code(weights, "tokenizer") from None
        raise


def _model(weights: str, source: Checkpoint) -> Any:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoModelForSequenceClassification,
        PreTrainedConfig,
    )

    config, _ = PreTrainedConfig.get_config_dict(source.place, **source.settings)
    if fault := missing_for(config):
        raise _cannot(weights, "weights", fault)
    cuda = torch.cuda.is_available()
    kind = AutoModelForSequenceClassification if source.is_reward else AutoModelForCausalLM
    model, told = kind.from_pretrained(
        source.place,
        dtype="auto" if cuda else torch.float32,
        device_map="auto" if cuda else None,
        ignore_mismatched_sizes=True,  # what does not fit is said in our own words below
        output_loading_info=True,
        **source.settings,
    )
    # transformers fills in what is missing with random numbers.
    if missing := sorted({*told["missing_keys"], *(key for key, *_ in told["mismatched_keys"])}):
        fault = (
            f"{len(missing)} of the model's tensors are missing or of another shape than "
            f"config.json says, among them {missing[0]}"
        )
        raise _cannot(weights, "weights", fault)
    model.eval()
    return model


def ready(tokenizer: Any, model: Any) -> Loaded:
    """A loaded model with the ways to use it, after a short trial of what its layers can do."""
    from arena.backends.local.reading import Reader
    from arena.backends.local.writing import Writer

    known, ordinary = _tokens(tokenizer, model)
    reader = Reader(model, ordinary)
    writer = Writer(tokenizer, model, reader, ordinary)
    return Loaded(tokenizer, model, Chat(tokenizer), reader, writer, known)


def ready_reward(tokenizer: Any, model: Any) -> LoadedReward:
    """A loaded reward model with the way to use it, after a short trial of it."""
    from arena.backends.local.rewarding import Rewarder

    known, ordinary = _tokens(tokenizer, model)
    return LoadedReward(tokenizer, model, Chat(tokenizer), Rewarder(model, ordinary), known)


def _ready_reward(weights: str, tokenizer: Any, model: Any) -> LoadedReward:
    if (labels := model.config.num_labels) != 1:
        fault = f"they sort texts into {labels} classes, and a reward model has one number"
        raise _cannot(weights, "weights", fault)
    if not tokenizer.chat_template:
        fault = "it has no chat template, so that it is not known how the model reads an answer"
        raise _cannot(weights, "tokenizer", fault)
    return ready_reward(tokenizer, model)


def _tokens(tokenizer: Any, model: Any) -> tuple[int, list[int]]:
    """How many tokens a model has embeddings for, and those of them that stand for text."""
    embedded = model.get_input_embeddings()
    known = int(embedded.weight.shape[0]) if embedded is not None else len(tokenizer)
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    return known, [i for i in range(min(known, len(tokenizer))) if i not in special]


@contextmanager
def _refusing(weights: str, what: str, folder: Path | None = None) -> Iterator[None]:
    """Turn whatever loading raises into one sentence: damaged files fail in many ways."""
    try:
        yield
    except UnavailableError:
        raise
    except Exception as error:  # the edge of what other libraries do with other people's files
        if is_out_of_memory(error):
            fault = "they do not fit in the memory of this machine"
        elif isinstance(error, UnpicklingError):
            fault = "a .bin file is damaged, or holds more than tensors"
        else:
            fault = (folder and damage_of(folder)) or first_line(error)
        raise _cannot(weights, what, fault) from error


def _cannot(weights: str, what: str, fault: str) -> UnavailableError:
    return UnavailableError(f"the {what} of {weights!r} cannot be loaded: {fault}")


def _kind(weights: str, source: str, settings: dict[str, Any]) -> tuple[str, bool]:
    """The model type of weights, and whether they are of a reward model.

    Refuses those that need code of their own, as those named a `…RewardModel` do.
    """
    from transformers import AutoConfig, PreTrainedConfig
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    )

    internlm2.register()
    config, _ = PreTrainedConfig.get_config_dict(source, **settings)
    names = [str(name) for name in config.get("architectures") or ()]
    is_reward = any(name.endswith("ForSequenceClassification") for name in names)
    writers = {*MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, internlm2.MODEL_TYPE}
    known = {*MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES} if is_reward else writers
    is_unknown = config.get("model_type") not in known
    if config.get("auto_map") and (is_unknown or any(n.endswith("RewardModel") for n in names)):
        raise _own_code(weights, "weights")
    return str(AutoConfig.from_pretrained(source, **settings).model_type), is_reward


def _own_code(weights: str, what: str) -> UnavailableError:
    fault = (
        "it needs Python code that comes with it, which Arena does not run; serve the model "
        "with a tool that may run it (such as vLLM) and name it openai:NAME@URL, or take a "
        "version of it that transformers knows"
    )
    return _cannot(weights, what, fault)


def ready_folder(weights: str) -> Path | None:
    """A folder that transformers can load, or None for a hub's name; converts a GGUF first."""
    file = gguf_file(weights)
    if file is not None:
        return converted(file)
    path = Path(weights)
    return path if path.is_dir() else None


def _is_path(weights: str) -> bool:
    """Whether that is a place on this machine, and not a name of the hub."""
    return weights.startswith((".", "/", "~"))


def availability(model: Model) -> Availability:
    """Whether the libraries, the weights and an adapter are here; loads nothing."""
    here = model.backend is BackendKind.LOCAL
    if model.adapter and (fault := adapters.fault_of(model.adapter, by_peft=here)):
        return Availability(False, f"the adapter {model.adapter!r}: {fault}")
    if missing := [name for name in ("torch", "transformers") if find_spec(name) is None]:
        return Availability(False, f"not installed: {', '.join(missing)}")
    try:
        file = gguf_file(model.weights)
    except UnavailableError as error:
        return Availability(False, str(error))
    if file is not None:
        return Availability(True, f"{file.name}, {file.stat().st_size / 2**20:.0f} MB")
    if (folder := Path(model.weights)).is_dir():
        fault = fault_of(folder) or (missing_for_folder(folder) if here else "")
        return Availability(not fault, fault or "local folder")
    if _is_path(model.weights):
        return Availability(False, f"no such folder: {model.weights}")
    return _hub_cache(model.weights)


def _hub_cache(weights: str) -> Availability:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{weights.replace('/', '--')}" / "snapshots"
    if folder.is_dir() and any(folder.iterdir()):
        return Availability(True, "in the hub's cache")
    if constants.HF_HUB_OFFLINE:
        return Availability(False, "not in the hub's cache, and HF_HUB_OFFLINE is set")
    return Availability(False, "not here yet: the first use downloads it from the hub")
