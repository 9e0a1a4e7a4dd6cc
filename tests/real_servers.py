"""Servers that others wrote, started for a test in a process of their own on a free port.

vLLM and llama.cpp need much beside what the arena needs, so they have environments of their
own: `make servers` makes them in .servers/, and tests that find none are skipped.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

HOME = Path(__file__).resolve().parents[1] / ".servers"
INSTALL = "make servers"
LONGEST = 600.0  # seconds until it must answer
LOADING = 503


@dataclass(frozen=True)
class Command:
    """How to start a server. name: of the model, to the server. health: a path that it answers.

    words: of the command line, with {port} where the port stands.
    """

    name: str
    words: Sequence[str]
    health: str = "/health"
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A server that answers."""

    url: str
    name: str


def transformers_serve(folder: str) -> Command:
    """The server that comes with transformers, on weights in a folder."""
    program = Path(sys.executable).with_name("transformers")
    where = ("--host", "127.0.0.1", "--port", "{port}")
    found = [str(program)] if program.exists() else [sys.executable, "-m", "transformers.cli"]
    return Command(folder, (*found, "serve", folder, *where, "--device", "cpu"))


def vllm(folder: str) -> Command | None:
    """vLLM's build for processors, where `make servers` has put it."""
    program = HOME / "vllm" / "bin" / "vllm"
    if not program.exists():
        return None
    options = ("--dtype", "float32", "--max-model-len", "2048", "--enforce-eager")
    where = ("--host", "127.0.0.1", "--port", "{port}", "--served-model-name", "m")
    variables = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    return Command("m", (str(program), "serve", folder, *options, *where), variables=variables)


def llama_cpp(file: str) -> Command | None:
    """llama.cpp's own server, which xllamacpp brings compiled, where `make servers` has put it.

    file: of weights. They are turned into numbers of 32 bits first, as this process computes with.
    """
    program = HOME / "llama" / "bin" / "python"
    if not program.exists():
        return None
    plain = HOME / "llama" / f"{Path(file).stem}-f32.gguf"
    if not plain.exists():
        unquantised(Path(file), plain)
    return Command("m", (str(program), "-c", LLAMA_SERVER, str(plain), "{port}"))


LLAMA_SERVER = """
import sys, threading, xllamacpp
wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.port, wanted.hostnames = sys.argv[1], int(sys.argv[2]), ["127.0.0.1"]
wanted.n_ctx, wanted.n_parallel, wanted.cpuparams.n_threads = 2048, 1, 1
wanted.cache_type_k = wanted.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
wanted.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(wanted)
threading.Event().wait()
"""


def unquantised(file: Path, to: Path) -> None:
    """Write a GGUF file with every tensor as numbers of 32 bits, and all else as it was."""
    from gguf import GGUFReader, GGUFWriter, dequantize

    read = GGUFReader(file)
    architecture = str(read.fields["general.architecture"].contents())
    part = to.with_suffix(".part")
    writer = GGUFWriter(part, architecture)
    for entry in read.fields.values():
        if not entry.name.startswith("GGUF.") and entry.name != "general.architecture":
            kinds = entry.types
            inner = kinds[-1] if len(kinds) > 1 else None
            writer.add_key_value(entry.name, entry.contents(), kinds[0], inner)
    for tensor in read.tensors:
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(to)


def record_vllm(packages: Path) -> None:
    """Make a distribution record named vllm, which vLLM looks for, beside that of vllm-cpu.

    packages: the folder of an environment's packages. By the end of its version, +cpu, vLLM knows
    that it is the build for processors.
    """
    (own,) = packages.glob("vllm_cpu-*.dist-info")
    version = own.name.removeprefix("vllm_cpu-").removesuffix(".dist-info")
    record = packages / f"vllm-{version}+cpu.dist-info"
    record.mkdir(exist_ok=True)
    head = f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n"
    (record / "METADATA").write_text(head, encoding="utf-8")
    for name in ("entry_points.txt", "top_level.txt"):
        if (own / name).exists():
            (record / name).write_bytes((own / name).read_bytes())


@contextmanager
def started(command: Command) -> Iterator[Started]:
    """The server while the block lasts; raises RuntimeError with its last words if it ends."""
    port = _free_port()
    words = [word.format(port=port) for word in command.words]
    variables = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_PROXY": "127.0.0.1"}
    with TemporaryFile() as log:
        process = subprocess.Popen(
            words, stdout=log, stderr=log, env=os.environ | variables | command.variables
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}{command.health}")
            yield Started(f"http://127.0.0.1:{port}/v1", command.name)
        except RuntimeError:
            log.seek(0)
            raise RuntimeError(log.read().decode(errors="replace")[-2000:]) from None
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", address: str) -> None:
    end = time.monotonic() + LONGEST
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < end and process.poll() is None:
        try:
            with opener.open(address, timeout=2):
                return
        except urllib.error.HTTPError as error:
            if error.code != LOADING:
                return  # it answers
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the server has not started")


if __name__ == "__main__":
    record_vllm(Path(sys.argv[1]))
