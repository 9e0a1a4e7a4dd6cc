"""Short replies: models that think first, and those that only begin to answer, get room."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from arena.backends import Reply, Request
from arena.backends.base import cut_at
from arena.benchmarks import Asking, ItemMode, bench
from arena.benchmarks.harness.adapter import ROOM_TO_ANSWER, ROOM_TO_THINK
from arena.benchmarks.items.reading import Item
from arena.benchmarks.items.tasks import item_benchmark
from arena.records import NOBODY, RULE, Decoding, Model
from arena.records.errors import BackendError
from arena.store import Store
from tests.benchmarks.conftest import Scripted

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")

CITIES = ("Paris", "London", "Rome")
LONG = "Step by step. " * 30
EVER = "Step by step. " * 3000


@pytest.fixture
def served(
    scripted: Callable[..., tuple[Model, Scripted]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Model, Scripted]]:
    """A model that says a text, up to a stop and to as many words as it may have tokens."""
    rooms: list[int] = []

    def converse(self: Scripted, requests: Any, intake: Any = None) -> Any:
        for index in intake.admit(range(len(requests))) if intake else range(len(requests)):
            request: Request = requests[index]
            self.asked.append(request)
            said, room = cut_at(self.say(request), request.stop), rooms[-1]
            words = said.split(" ")
            cut = len(words) > room
            text = " ".join(words[:room]) if cut else said
            yield [(index, Reply((text,), ("length" if cut else "stop",)))]

    from arena.benchmarks.harness import requests

    real = requests.open_backend

    def opened(model: Model, *rest: Any) -> Any:
        rooms.append(model.decoding.max_tokens)
        return real(model, *rest)

    monkeypatch.setattr(requests, "open_backend", opened)
    monkeypatch.setattr(Scripted, "converse", converse)
    return lambda text: scripted(say=lambda _: text)


def measured(store: Store, model: Model) -> Any:
    items = [Item("one", "Capital of England?", ("London",), CITIES)]
    asking = Asking(way=ItemMode.GEN)
    return bench(store, model, item_benchmark("set", "1", items, asking)).outcomes[0]


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("B", 1),
        ("The answer is B.\n\nThat is in England.", 1),
        ("<think>A?</think>B", 1),
        ("<think>\nA is Paris.\n\nB is London.\n</think>\n\nB", 2),
        (f"<think>{LONG}</think>\n\nThe answer is B.", 2),
        (f"<think>\n{LONG}\n\n{LONG}</think>\n\nI know it.\n\nThe answer is B.", 2),
        (f"{LONG}\n\nA?</think>\n\nThe answer is B.", 2),
        ("Let me think.\n\nThe answer is B.", 2),
        (f"{LONG} The answer is B.", 2),
    ],
)
def test_a_reply_that_was_cut_off_is_asked_for_again_with_room(
    store: Store, served: Callable[[str], tuple[Model, Scripted]], said: str, asked: int
) -> None:
    model, backend = served(said)
    outcome = measured(store, model)
    assert (outcome.value, outcome.marker, outcome.reason) == (1.0, RULE, "")
    assert "think>" not in outcome.text
    assert len(backend.asked) == asked
    assert measured(store, model) == outcome
    assert len(backend.asked) == asked  # both replies are stored


@pytest.mark.parametrize(
    ("said", "room", "reason"),
    [
        (f"<think>{EVER}", 512, f"the reply ends while thinking; max_tokens was {ROOM_TO_THINK}"),
        (f"<think>{EVER}", 5000, "the reply ends while thinking; max_tokens was 5000"),
        (EVER, 512, f"the reply was cut off; max_tokens was {ROOM_TO_ANSWER}"),
        (EVER, 64, "the reply was cut off; max_tokens was 64"),
        ("I do not know.", 512, "the reply names no option"),
        ("A or B.", 512, "the reply names several options"),
        ("", 512, "the reply is empty"),
        ("<think>It is B.</think>", 512, "the reply is empty"),
    ],
)
def test_what_is_unread_has_a_reason(
    store: Store,
    served: Callable[[str], tuple[Model, Scripted]],
    said: str,
    room: int,
    reason: str,
) -> None:
    model, _ = served(said)
    outcome = measured(store, replace(model, decoding=Decoding(max_tokens=room)))
    assert (outcome.value, outcome.marker, outcome.reason) == (0.0, NOBODY, reason)


def test_where_room_cannot_be_had_the_first_reply_stands(
    store: Store, served: Callable[[str], tuple[Model, Scripted]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = served(f"<think>{LONG}</think>B")
    converse = Scripted.converse

    def narrow(self: Scripted, requests: Any, intake: Any = None) -> Any:
        for results in converse(self, requests, intake):
            yield [
                (k, reply if requests[k].stop else BackendError("the context is too short"))
                for k, reply in results
            ]

    monkeypatch.setattr(Scripted, "converse", narrow)
    outcome = measured(store, model)
    assert outcome.marker == NOBODY
    assert outcome.reason == (
        "the reply ends while thinking; max_tokens was 48; asking again with room failed"
    )


def test_what_is_asked_of_models_that_do_not_think_is_as_it_was(
    store: Store, served: Callable[[str], tuple[Model, Scripted]]
) -> None:
    """Else replies that an earlier version has stored would be paid for again."""
    model, backend = served("B")
    measured(store, model)
    (request,) = backend.asked
    assert isinstance(request, Request)
    assert request.stop == ("\n\n",)
    (completion,) = store.completions.where()
    assert completion.model_key == replace(model, decoding=Decoding(max_tokens=48)).key
