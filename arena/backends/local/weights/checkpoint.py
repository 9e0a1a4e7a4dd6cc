"""What is wrong with a folder of weights, in words that name the file."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CONFIG = "config.json"
SMALL_JSON = (CONFIG, "generation_config.json", "tokenizer_config.json")
LFS_POINTER = b"version https://git-lfs.github.com/spec"
TOKENIZERS = ("tokenizer.*", "vocab.*", "merges.txt", "*.model", "*.tiktoken", "tekken.json")
LARGE_FILES = ("*.safetensors", "*.bin", "tokenizer.model", "tokenizer.json")
# What transformers reads weights with, by how they are quantised; each as pip names it.
READ_WITH = {
    "gptq": ("optimum", "gptqmodel"),
    "awq": ("gptqmodel", "accelerate"),
    "bitsandbytes": ("bitsandbytes", "accelerate"),
    "compressed-tensors": ("compressed-tensors",),
    "torchao": ("torchao",),
    "auto-round": ("auto-round",),
    "hqq": ("hqq",),
}


def fault_of(folder: Path) -> str:
    """What is plainly wrong, read from small files; empty where nothing is."""
    if any(folder.glob("adapter_model.*")):
        return (
            "the folder holds an adapter: name its base model in `use` and this folder in `adapter`"
        )
    if not (folder / CONFIG).is_file():
        if files := sorted(path.name for path in folder.glob("*.gguf")):
            return f"the folder holds GGUF files; name one of them, such as {folder / files[0]}"
        return f"the folder holds no model: there is no {CONFIG} in it"
    found = (json_fault(folder / name) for name in SMALL_JSON if (folder / name).exists())
    return next(filter(None, found), "")


def missing_for(config: Mapping[str, Any]) -> str:
    """Which libraries weights of this config.json need and are not here; empty where none."""
    quantised = config.get("quantization_config")
    kind = str(quantised.get("quant_method", "")) if isinstance(quantised, dict) else ""
    needed = READ_WITH.get(kind, ())
    missing = [name for name in needed if find_spec(name.replace("-", "_")) is None]
    if not missing:
        return ""
    return (
        f"they are quantised by {kind}, which needs {' and '.join(missing)}: pip install "
        f"{' '.join(missing)}; vLLM reads most of them by itself (use: vllm:…)"
    )


def missing_for_folder(folder: Path) -> str:
    """The same of the config.json of a folder that has no plain fault."""
    return missing_for(json.loads((folder / CONFIG).read_bytes()))


def damage_of(folder: Path) -> str:
    """Which file is missing or cannot be read, and why; empty where all can."""
    if not any(any(folder.glob(kind)) for kind in TOKENIZERS):
        return "the folder holds no tokenizer, such as tokenizer.json"
    files = sorted(found for kind in LARGE_FILES for found in folder.glob(kind))
    for path in files:
        if fault := _beginning_fault(path):
            return fault
    for path in (folder / "tokenizer.json", *sorted(folder.glob("*.index.json"))):
        if path.exists() and (fault := json_fault(path)):
            return fault
    return next(filter(None, (_tensors_fault(p) for p in files if p.suffix == ".safetensors")), "")


def tensors_fault(path: Path) -> str:
    """Why a file of tensors cannot be read; empty where it can, or is no safetensors."""
    tensors = path.suffix == ".safetensors"
    return _beginning_fault(path) or (_tensors_fault(path) if tensors else "")


def json_fault(path: Path) -> str:
    """Why a file of JSON cannot be read; empty where it can."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})"
    except json.JSONDecodeError as error:
        return f"{path.name} is not JSON: {error}"
    except UnicodeDecodeError:
        return f"{path.name} is not JSON: it is no text in UTF-8"
    return "" if isinstance(value, dict) else f"{path.name} has to hold a JSON object"


def _beginning_fault(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(len(LFS_POINTER))
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})"
    if not head:
        return f"{path.name} is empty"
    if head == LFS_POINTER:
        return f"{path.name} only points to the real file; get that with `git lfs pull`"
    return ""


def _tensors_fault(path: Path) -> str:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt"):
            return ""
    except (SafetensorError, OSError) as error:
        return f"{path.name} is damaged or cut off ({error}); download it again"
