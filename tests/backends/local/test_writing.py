"""Rows that are written together: who is beside whom changes no text, and none waits long."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from arena.backends import Intake, Reply, Request
from arena.backends.base import cut_at
from arena.backends.local import backend
from arena.backends.local.backend import LocalBackend
from arena.backends.local.weights import loading as weights
from arena.backends.local.writing import batch as batches
from arena.backends.local.writing import caches, run
from arena.config import parse_model
from arena.records import Decoding
from arena.records.errors import BackendError
from tests.backends.local import tiny

ROOM = 40  # tokens; with the question far beyond the windows of tiny models
STOPS = ("w7", "w12", "w33", "w48", "maybe")
# Whose rows neither join others nor leave them: what the trial does not find the same is not done.
APART = {"rwkv", "minimax", "recurrent_gemma"}


def opened(kind: str, monkeypatch: pytest.MonkeyPatch, rows: int = 4, **how: Any) -> LocalBackend:
    """A tiny model of which at most so many texts are written together, without an end of text."""
    model = tiny.model(kind)
    model.generation_config.eos_token_id = None
    loaded = weights.ready(tiny.tokenizer(special=False), model)
    monkeypatch.setattr(backend, "loaded", lambda *_: loaded)
    decoding = Decoding(**{"max_tokens": ROOM, "temperature": 0, **how})
    return LocalBackend(replace(parse_model("tiny=./tiny"), decoding=decoding), batch_rows=rows)


def words(count: int, seed: int) -> str:
    return " ".join(random.Random(seed).choices(tiny.WORDS[3:], k=count))


def talks(count: int, *, stop: tuple[str, ...] = (), turns: int = 1) -> list[Request]:
    """Questions of very different lengths; stop: texts that end a reply."""
    return [
        Request(
            tuple(words(3 + 7 * (k % 5), k + 50 * turn) for turn in range(turns)),
            seed=k,
            stop=stop,
        )
        for k in range(count)
    ]


def replies(found: Iterator[Any]) -> list[Any]:
    rows = dict(row for result in found for row in result)
    assert not [reply for reply in rows.values() if isinstance(reply, BackendError)]
    return [rows[i] for i in range(len(rows))]


def by_transformers(model: LocalBackend, request: Request) -> str:
    """What `generate` of transformers writes of one text alone."""
    here = model._loaded()
    ids = torch.tensor([here.chat.plain(request.turns[0]).ids])
    with torch.inference_mode():
        output = here.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=ROOM, do_sample=False
        )
    return str(here.chat.said(output[0, ids.shape[1] :].tolist()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", tiny.FAMILIES)
def test_what_is_written_beside_others_is_what_transformers_writes_of_it_alone(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(kind, monkeypatch)
    asked = talks(11, stop=STOPS)
    found = [reply.turns[0] for reply in replies(model.converse(asked))]
    whole = [by_transformers(model, request) for request in asked]
    assert found == [cut_at(text, STOPS).strip() for text in whole]
    assert len(set(found)) > 2
    assert model._loaded().writer.able.joins is (kind not in APART)


class Seen:
    """The rows of each pass, by whether they had ended before it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[list[bool]] = []
        self.begun: list[list[int]] = []
        step, begin = batches.DraftBatch.step, batches.DraftBatch.begun

        def stepped(batch: batches.DraftBatch) -> torch.Tensor:
            self.steps.append([row.ended for row in batch.rows])
            return step(batch)

        def began(model: Any, settings: Any, rows: Any) -> Any:
            self.begun.append([row.place for row in rows])
            return begin(model, settings, rows)

        monkeypatch.setattr(batches.DraftBatch, "step", stepped)
        monkeypatch.setattr(batches.DraftBatch, "begun", began)


def test_a_row_that_ends_makes_room_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened("llama", monkeypatch)
    asked = talks(12, stop=STOPS)
    assert model._loaded().writer.able.joins
    seen = Seen(monkeypatch)
    found = replies(model.converse(asked))
    assert not any(ended for step in seen.steps for ended in step)
    lengths = [reply.usage.completion_tokens + (reply.finish == ("stop",)) for reply in found]
    assert len(set(lengths)) > 3
    waiting = sum(len(rows) for rows in seen.begun[1:])
    full = [step for step in seen.steps if len(step) == 4]
    assert waiting > 4
    assert len(seen.steps) < sum(sorted(lengths)[-3:]) + len(seen.begun)
    assert len(full) > len(seen.steps) / 2


def test_the_next_turn_is_put_while_others_still_answer_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = opened("llama", monkeypatch, rows=8)
    asked = talks(5, stop=STOPS, turns=2)
    assert model._loaded().writer.able.joins
    seen = Seen(monkeypatch)
    found = replies(model.converse(asked))
    assert sorted(place for rows in seen.begun for place in rows) == sorted([*range(5)] * 2)
    assert len(seen.begun) > 2
    monkeypatch.undo()
    model = opened("llama", monkeypatch, rows=1)
    assert [reply.turns for reply in found] == [r.turns for r in replies(model.converse(asked))]
    assert {len(reply.turns) for reply in found} == {2}


@pytest.mark.parametrize("how", [{}, {"temperature": 1.0, "top_p": 0.9}])
def test_what_does_not_fit_is_tried_again_in_smaller_batches_and_says_the_same(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    model = opened("llama", monkeypatch, rows=8, **how)
    asked = talks(12)
    whole = [reply.turns for reply in replies(model.converse(asked))]
    here = model._loaded().model
    forward, sizes = here.forward, []

    def small(*given: Any, **named: Any) -> Any:
        sizes.append(len(named["input_ids"]))
        columns = named["past_key_values"].get_seq_length()
        if sizes[-1] > 2 and columns > 30:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(*given, **named)

    monkeypatch.setattr(here, "forward", small)
    assert [reply.turns for reply in replies(model.converse(asked))] == whole
    assert max(sizes) == 8
    assert sizes.count(2) > sizes.count(8)


def test_a_row_that_fails_in_the_middle_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened("llama", monkeypatch, rows=8)
    asked = talks(12)
    whole = replies(model.converse(asked))
    here = model._loaded()
    forward = here.model.forward
    poison = here.tokenizer.encode(whole[3].turns[0])[20]
    others = [i for i, r in enumerate(whole) if poison not in here.tokenizer.encode(r.turns[0])]

    def touchy(*given: Any, **named: Any) -> Any:
        if (named["input_ids"][:, -1] == poison).any():
            raise IndexError("index out of range in self")
        return forward(*given, **named)

    monkeypatch.setattr(here.model, "forward", touchy)
    found = dict(row for result in model.converse(asked) for row in result)
    assert "index out of range" in str(found[3])
    assert others
    assert [found[i].turns for i in others] == [whole[i].turns for i in others]


@pytest.mark.slow
def test_a_run_that_is_taken_up_again_ends_in_the_same_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waves are those of the whole list, whatever of it is done."""

    class Rest(Intake):
        def __init__(self, done: set[int]) -> None:
            super().__init__()
            self.done = done

        def admit(self, positions: Sequence[int]) -> list[int]:
            return [i for i in positions if i not in self.done]

    monkeypatch.setattr(backend, "WAVE", 1)
    model = opened("llama", monkeypatch, temperature=1.0)
    asked = talks(14)
    whole = list(model.converse(asked))
    assert len(whole) > 2
    for cut in range(1, len(whole)):
        done = {i for result in whole[:cut] for i, _ in result}
        rest = list(model.converse(asked, Rest(done)))
        said = [[(i, r.turns) for i, r in result] for result in rest if not isinstance(result, str)]
        assert said == [[(i, r.turns) for i, r in result] for result in whole[cut:]]


def test_as_many_rows_as_have_room_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.backends.local import memory

    model = opened("llama", monkeypatch, rows=64)
    able = model._loaded().writer.able
    # Keys and values of four layers, two heads of eight numbers each, four bytes a number.
    assert able.bytes_of_row(10) == 10 * 2 * 4 * 2 * 8 * 4
    room = able.bytes_of_row(31 + ROOM)
    monkeypatch.setattr(memory, "free_bytes", lambda _: int(11 * room))
    seen = Seen(monkeypatch)
    replies(model.converse(talks(12)))
    assert max(map(len, seen.steps)) == 4  # half of what is free has room for five


def test_a_layer_grows_without_losing_what_it_holds() -> None:
    parts = [torch.randn(3, 2, n, 4) for n in (5, 1, 100, 1)]
    first = torch.cat([parts[0], torch.empty(3, 2, caches.ROOM, 4)], -2)
    layer = caches.RoomyLayer(first.clone(), -first)
    for part in parts[1:]:
        keys, values = layer.update(part, -part)
    assert torch.equal(keys, torch.cat(parts, -2))
    assert torch.equal(values, -keys)
    assert layer.get_seq_length() == 107


def test_where_the_tokens_of_a_pass_are_few_rows_are_begun_in_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = opened("llama", monkeypatch, rows=8)
    assert model._loaded().writer.able.joins
    whole = [reply.turns for reply in replies(model.converse(talks(8)))]
    monkeypatch.setattr("arena.backends.local.writing.writer.tokens_of_a_pass", lambda _: 40)
    seen = Seen(monkeypatch)
    assert [reply.turns for reply in replies(model.converse(talks(8)))] == whole
    assert len(seen.begun) > 3


def test_a_stream_is_what_the_whole_reply_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for how in ({}, {"temperature": 1.0, "top_k": 5}):
        model = opened("llama", monkeypatch, **how)
        (asked,) = talks(1)
        *begun, last = model.stream(asked)
        (whole,) = replies(model.converse([asked]))
        assert (last.turns, last.finish) == (whole.turns, whole.finish)
        assert len(begun) > 10
        assert all(last.turns[0].startswith(r.turns[0].strip()) for r in begun)
        assert last.usage.completion_tokens == whole.usage.completion_tokens


def test_a_stream_that_nobody_reads_on_costs_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened("llama", monkeypatch)
    seen = Seen(monkeypatch)
    stream = model.stream(talks(1)[0])
    for _ in range(3):
        next(stream)
    before = len(seen.steps)
    stream.close()  # type: ignore[attr-defined]
    assert len(seen.steps) == before < ROOM
    assert isinstance(replies(model.converse(talks(1)))[0], Reply)


def test_it_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    steps: list[int] = []

    class Listening(Intake):
        def tell(self, rows: float, again: int = 0) -> None:
            told.append(rows)
            steps.append(len(seen.steps))

    model = opened("llama", monkeypatch)
    assert model._loaded().writer.able.joins
    seen = Seen(monkeypatch)
    replies(model.converse(talks(12), Listening()))
    assert steps[0] == 0  # as soon as the first prompts are read
    assert told == sorted(told)
    assert 0 < told[0] < 2
    assert 10 < told[-1] <= 12
    assert len(told) >= 12 // 4 * ROOM // run.TELL_EVERY - 3
