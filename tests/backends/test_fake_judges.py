"""What fake judges say of two answers."""

import pytest

from arena.backends import Limits, Request
from arena.backends.fake import open_backend
from arena.config import parse_model


def said(persona: str, first: str, second: str) -> str:
    """What the persona says of two answers, fenced as judge prompts fence them."""
    text = "\n".join(
        f"<answer_{slot} word>\n{body}\n</answer_{slot} word>"
        for slot, body in (("a", first), ("b", second))
    )
    with open_backend(parse_model(f"fake:{persona}"), Limits()) as backend:
        ((_, reply),) = [one for batch in backend.converse([Request((text,))]) for one in batch]
    return str(reply.turns[0])


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("You can have it all.", "KruhdZa ExtraNode vet gul, some", "[[A]]"),
        ("KruhdZa ExtraNode vet gul, some", "You can have it all.", "[[B]]"),
        ("It is.", "It is.", "[[C]]"),
        ("", "", "[[C]]"),
    ],
)
def test_plain_prefers_everyday_words(first: str, second: str, verdict: str) -> None:
    assert said("plain", first, second).endswith(verdict)
