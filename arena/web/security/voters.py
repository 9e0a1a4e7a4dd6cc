"""Who votes, and on what: signed cookies and tokens; a voter is stored only as a keyed hash."""

import hmac
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from arena.records.errors import InputError
from arena.web.views.words import language_of

COOKIE, LANGUAGE = "arena_voter", "arena_language"
SECONDS = 365 * 24 * 3600
TOKEN_SECONDS = 24 * 3600
TICKET_SECONDS = 300
_LEAST = 16


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. voter: None where the browser sent no cookie of ours. address: of the socket's
    other end, or of whom a trusted proxy names; it is counted and never stored.
    """

    voter: str | None
    language: str
    address: str = ""


def load_secret(db: Path) -> str:
    """ARENA_SECRET, else the file beside the database, made once and readable by its owner."""
    if given := os.environ.get("ARENA_SECRET"):
        if len(given) < _LEAST:
            raise InputError(f"ARENA_SECRET has {len(given)} characters; it needs {_LEAST}")
        return given
    path = _secret_of(db)
    with suppress(FileExistsError):
        _write_new(path, secrets.token_urlsafe(32))
    found = path.read_text(encoding="ascii").strip()
    if len(found) < _LEAST:
        raise InputError(f"{path}: too short for a secret; remove it, and a new one is made")
    return found


def copy_secret(db: Path, copy: Path) -> bool:
    """Let a copy of a database know the same voters; whether there was a secret to copy.

    Raises InputError where another one is there.
    """
    path, place = _secret_of(db), _secret_of(copy)
    if not path.is_file():
        return False
    found = path.read_text(encoding="ascii")
    try:
        _write_new(place, found)
    except FileExistsError as error:
        if place.read_text(encoding="ascii") != found:
            raise InputError(
                f"{place}: another secret is there, and stays; move it away"
            ) from error
    return True


def _secret_of(db: Path) -> Path:
    return db.with_name(f"{db.name}.secret")


def _write_new(path: Path, text: str) -> None:
    """Write what its owner alone may read into a file that is not there yet."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


class Voters:
    """Makes and reads the cookies and tokens of one database."""

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

    def visitor(self, request: Any) -> Visitor:
        """Who sent a request of Gradio's."""
        language = language_of(
            request.cookies.get(LANGUAGE), request.headers.get("accept-language")
        )
        voter = self.identify(request.cookies.get(COOKIE))
        return Visitor(voter, language, request.client.host if request.client else "")

    def token(self, kind: str, voter: str, key: str) -> str:
        """What allows `voter`, and nobody else, to vote on what was shown under `key`."""
        return str(self._tokens(kind, voter).dumps([key, time.time()]))

    def read_token(self, kind: str, voter: str, token: str) -> tuple[str, float] | None:
        """The key in a token and the seconds since it was made; None for any other token."""
        try:
            key, made = self._tokens(kind, voter).loads(token)
        except BadSignature:
            return None
        age = max(0.0, time.time() - float(made))
        return (str(key), age) if age <= TOKEN_SECONDS else None

    def ticket(self) -> str:
        """Lets whoever has it download what people said, for a few minutes."""
        return self.token("ticket", "", "export")

    def is_ticket(self, text: str) -> bool:
        """Whether a ticket is ours and still good."""
        found = self.read_token("ticket", "", text)
        return found is not None and found[1] <= TICKET_SECONDS

    def _tokens(self, kind: str, voter: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"arena.{kind}.{voter}")
