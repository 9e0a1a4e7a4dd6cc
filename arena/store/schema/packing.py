"""Digests as bytes, times as numbers, winners as places in a list; and the SQL that spells them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

WINNERS = ("model_a", "model_b", "tie", "both_bad")  # stored by their places, which stay
GENESIS = "0" * 64  # what the first row of a chain follows
OF_VOTES, OF_ROWS = "+00:00", "Z"  # how tables write the time zone, which is always UTC


def packed(text: str) -> bytes | str:
    """The bytes of a digest in hexadecimal digits; another text as it is."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return text
    return digest if digest.hex() == text else text


@lru_cache(1024)
def moment(text: str, zone: str) -> int | str:
    """A time in milliseconds since 1970; as it is where no table would write it so."""
    try:
        at = datetime.fromisoformat(text.removesuffix(zone)).replace(tzinfo=UTC)
    except ValueError:
        return text
    milliseconds = round(at.timestamp() * 1000)
    return milliseconds if _written(milliseconds, zone) == text else text


def _written(milliseconds: int, zone: str) -> str:
    at = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    return f"{at.isoformat()}.{milliseconds % 1000:03d}{zone}"


def as_text(column: str) -> str:
    """SQL of the text that `packed` has made a column's value of."""
    return f"CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE {column} END"


def as_time(column: str, zone: str) -> str:
    """SQL of the text that `moment` has made a column's value of."""
    time = f"strftime('%Y-%m-%dT%H:%M:%f', {column} / 1000.0, 'unixepoch') || '{zone}'"
    return f"CASE typeof({column}) WHEN 'integer' THEN {time} ELSE {column} END"


def as_winner(column: str) -> str:
    """SQL of the winner at a place in `WINNERS`."""
    cases = " ".join(f"WHEN {k} THEN '{winner}'" for k, winner in enumerate(WINNERS))
    return f"CASE {column} {cases} END"


def winner_place(column: str) -> str:
    """SQL of a winner's place in `WINNERS`."""
    cases = " ".join(f"WHEN '{winner}' THEN {k}" for k, winner in enumerate(WINNERS))
    return f"CASE {column} {cases} END"


def add_functions(connection: Any) -> None:
    """Let SQL on this connection call `packed` and `moment`."""
    connection.create_function("packed", 1, packed, deterministic=True)
    connection.create_function("moment", 2, moment, deterministic=True)
