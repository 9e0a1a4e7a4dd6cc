"""Keys of rows: digests of what they depend on, and of nothing else."""

import json
from collections.abc import Callable
from hashlib import blake2b

KEY_BYTES = 16


def content_key(*parts: object) -> str:
    """Digest of JSON-able parts: 32 hexadecimal digits of BLAKE2b-128."""
    return blake2b(_text(parts).encode(), digest_size=KEY_BYTES).hexdigest()


def keys_after(*parts: object) -> Callable[[str], str]:
    """`content_key` of many rows whose parts begin with these, which are written once.

    It takes the JSON of the parts that follow, from the comma before them to the bracket that
    ends the list.
    """
    begun = blake2b(_text(parts)[:-1].encode(), digest_size=KEY_BYTES)

    def key(rest: str) -> str:
        whole = begun.copy()
        whole.update(rest.encode())
        return whole.hexdigest()

    return key


def _text(parts: tuple[object, ...]) -> str:
    return json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def seed_of(key: str) -> int:
    """A row's own seed, so that its text does not depend on what else is in the run."""
    return int(key[:12], 16)
