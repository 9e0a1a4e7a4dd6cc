"""A program that tries what no program may do in a container; see `sandbox.container`.

It is a script that runs as a model's code would: nothing imports it.
"""

import errno
import os
import socket
from collections.abc import Callable


def holes(ours: str, memory: int) -> list[str]:
    """What could be done. ours: a folder of this machine; memory: the limit in bytes."""
    tried: dict[str, Callable[[], object]] = {
        "sees files": lambda: os.listdir(ours),
        "writes files": lambda: os.mkdir("/made"),
        "has old files": lambda: os.listdir("/tmp")[0],
        "has a network": _send,
        "starts processes": _fork,
        "takes memory": lambda: bytearray(memory),
        "is root": lambda: os.setuid(0),
    }
    return [name for name, attempt in tried.items() if _succeeds(attempt)]


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, IndexError, MemoryError):
        return False
    return True


def _send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))  # an address for documentation: nothing is sent


def _fork() -> None:
    if os.fork() == 0:
        os._exit(errno.EPERM)
