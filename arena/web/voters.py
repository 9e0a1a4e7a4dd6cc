"""Who votes: a random number in a signed cookie, stored only as a keyed hash."""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer

from arena.errors import InputError

COOKIE = "arena_voter"
SECONDS = 365 * 24 * 3600
_LEAST = 16


def load_secret(db: Path) -> str:
    """ARENA_SECRET, else the file beside the database, made once and readable by its owner."""
    if given := os.environ.get("ARENA_SECRET"):
        if len(given) < _LEAST:
            raise InputError(f"ARENA_SECRET has {len(given)} characters; it needs {_LEAST}")
        return given
    path = db.with_name(f"{db.name}.secret")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    found = path.read_text(encoding="ascii").strip()
    if len(found) < _LEAST:
        raise InputError(f"{path}: too short for a secret; remove it, and a new one is made")
    return found


class Voters:
    """Makes and reads the cookies of one database."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._cookies = URLSafeSerializer(secret, salt="arena.voter")

    def new_cookie(self) -> str:
        """A cookie for somebody who has none."""
        return str(self._cookies.dumps(secrets.token_urlsafe(16)))

    def identify(self, cookie: str | None) -> str | None:
        """The voter behind a cookie as stored, or None where it is not one of ours."""
        try:
            number = self._cookies.loads(cookie or "")
        except BadSignature:
            return None
        return hmac.new(self._secret, str(number).encode(), sha256).hexdigest()[:32]
