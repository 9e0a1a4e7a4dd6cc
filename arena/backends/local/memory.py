"""How much of the machine's memory a batch may take."""

from pathlib import Path
from typing import Any

# Of what is free, so much is for the attention of one pass; the rest is for all else.
SHARE = 0.25
# And so much for the state of rows that are written.
SHARE_OF_STATE = 0.5
# Scores and their softmax, four bytes each.
BYTES_A_SCORE = 8
# Where the system does not say what is free: enough for one row of 4,096 tokens and 16 heads.
UNKNOWN = 2**33


def attention_room(model: Any) -> int:
    """How many (token, token before it) pairs a pass of this model may look at, at least one.

    A model that keeps all of them at once, as some do, then fits in what is free now.
    """
    config = model.config.get_text_config()
    heads = getattr(config, "num_attention_heads", None) or 1
    return max(1, int(SHARE * free_bytes(model.device) / (heads * BYTES_A_SCORE)))


def rows_that_fit(device: Any, bytes_a_row: float) -> int:
    """How many rows have room for their state: a power of two, at least one.

    A little more or less that is free makes no other batches, and so no other rounding.
    """
    rows = int(SHARE_OF_STATE * free_bytes(device) / max(1.0, bytes_a_row))
    return 1 << max(0, rows.bit_length() - 1)


def free_bytes(device: Any) -> int:
    """The bytes that can be had now on a torch device."""
    import torch

    if getattr(device, "type", "") == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return UNKNOWN
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else UNKNOWN


def gpus() -> int:
    """How many graphics cards torch sees on this machine."""
    import torch

    return int(torch.cuda.device_count())
