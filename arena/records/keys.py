"""Keys of rows: digests of what they depend on, and of nothing else."""

import json
from hashlib import blake2b

KEY_BYTES = 16


def content_key(*parts: object) -> str:
    """Digest of JSON-able parts: 32 hexadecimal digits of BLAKE2b-128."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()


def seed_of(key: str) -> int:
    """A row's own seed, so that its text does not depend on what else is in the run."""
    return int(key[:12], 16)
