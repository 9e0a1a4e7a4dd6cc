"""LoRA adapters on weights that are loaded once.

A model with an adapter has modules of its own over the tensors of its base: only what the adapter
adds takes memory, and the base stays as it is, for itself and for other adapters.
"""

import copy
import json
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arena.backends.local.attempts import first_line, is_out_of_memory
from arena.backends.local.weights.checkpoint import json_fault, tensors_fault
from arena.records.errors import UnavailableError

CONFIG = "adapter_config.json"
FILES = ("adapter_model.safetensors", "adapter_model.bin")
INSTALL = "pip install 'arena-llm[adapters]'"
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # those that vLLM has room for


def fault_of(adapter: str, *, by_peft: bool = True) -> str:
    """What is plainly wrong, without asking a hub; empty where nothing is.

    by_peft: whether peft is to load it, and not an engine or a server of its own.
    """
    if by_peft and find_spec("peft") is None:
        return f"it needs peft, which is not installed: {INSTALL}"
    if not _is_place(adapter):
        return ""
    folder = Path(adapter)
    return _fault_in(folder) if folder.is_dir() else "there is no such folder"


def folder_of(adapter: str, weights: str) -> Path:
    """Where an adapter is, fetched from the hub where it is not here.

    Raises UnavailableError with what is wrong with it.
    """
    folder, fault = Path(adapter), fault_of(adapter, by_peft=False)
    if not _is_place(adapter):
        folder, fault = _fetched(adapter)
    if fault:
        raise _cannot(adapter, weights, fault)
    return folder


def room_for(folder: Path) -> int:
    """The rank that vLLM must have room for, the smallest of those that it offers."""
    said = _settings(folder)
    rank = max([said.get("r", 1), *said.get("rank_pattern", {}).values()])
    return next((room for room in RANKS if room >= rank), RANKS[-1])


def attached(base: Any, weights: str, adapter: str) -> Any:
    """A model over the tensors of `base` with an adapter; the base is not changed.

    Raises UnavailableError with what is wrong with the adapter, as where it is for another model.
    """
    if fault := fault_of(adapter):
        raise _cannot(adapter, weights, fault)
    folder = folder_of(adapter, weights)
    made_for = _settings(folder).get("base_model_name_or_path")
    whose = f" (it says that it is for {made_for!r})" if made_for else ""
    model = _over_the_same_tensors(base)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = model.load_adapter(
                str(folder),
                adapter_state_dict=_tensors(folder),
                ignore_mismatched_sizes=True,  # what does not fit is said in our own words below
                adapter_kwargs={"local_files_only": True},
            )
    except Exception as error:  # the edge of what other libraries do with other people's files
        if is_out_of_memory(error):
            raise _cannot(adapter, weights, "it does not fit in memory beside them") from error
        raise _cannot(adapter, weights, f"{first_line(error)}{whose}") from error
    shapes = {key for key, *_ in told.mismatched_keys}
    if amiss := sorted({*told.missing_keys, *told.unexpected_keys, *shapes}):
        fault = (
            f"{len(amiss)} of its tensors are missing, too many or of another shape than these "
            f"weights take, among them {amiss[0]}{whose}"
        )
        raise _cannot(adapter, weights, fault)
    model.eval()
    return model


def _over_the_same_tensors(base: Any) -> Any:
    """The modules of a model once more, which share its tensors."""
    tensors = [*base.parameters(), *base.buffers()]
    model = copy.deepcopy(base, {id(tensor): tensor for tensor in tensors})
    if (head := model.get_output_embeddings()) is not None:
        head._forward_pre_hooks.clear()  # of another thread that is reading with the base
    return model


def _tensors(folder: Path) -> dict[str, Any]:
    """An adapter's tensors, by the names that transformers looks for.

    It does not find DoRA's magnitudes as peft saves them.
    """
    from peft import load_peft_weights

    found = load_peft_weights(str(folder), device="cpu")
    magnitude = "lora_magnitude_vector"
    return {f"{key}.weight" if key.endswith(magnitude) else key: found[key] for key in found}


def _fetched(adapter: str) -> tuple[Path, str]:
    """Where the files of a hub's adapter are, or what is wrong."""
    from huggingface_hub import snapshot_download

    name, _, revision = adapter.partition("@")
    try:
        found = snapshot_download(name, revision=revision or None, allow_patterns=[CONFIG, *FILES])
    except Exception as error:  # the edge of a library that fails in many ways
        return Path(), first_line(error)
    return Path(found), _fault_in(Path(found))


def _fault_in(folder: Path) -> str:
    if not (folder / CONFIG).is_file():
        return f"the folder holds no adapter: there is no {CONFIG} in it"
    if fault := json_fault(folder / CONFIG):
        return fault
    there = [folder / name for name in FILES if (folder / name).exists()]
    if not there:
        return f"there is no {FILES[0]} beside {CONFIG}"
    said = _settings(folder)
    if (kind := said.get("peft_type")) != "LORA" or said.get("alora_invocation_tokens"):
        return f"it is of the kind {kind if kind != 'LORA' else 'aLoRA'}, and only LoRA can be used"
    return tensors_fault(there[0])


def _settings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / CONFIG).read_bytes())
    return found


def _is_place(adapter: str) -> bool:
    """Whether that is a place on this machine, and not a name of the hub."""
    return adapter.startswith((".", "/", "~")) or Path(adapter).is_dir()


def _cannot(adapter: str, weights: str, fault: str) -> UnavailableError:
    return UnavailableError(f"the adapter {adapter!r} cannot be put on {weights!r}: {fault}")
