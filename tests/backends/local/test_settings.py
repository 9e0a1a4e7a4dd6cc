"""What a model entry sets holds in this process as it does on a server."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from arena.backends import Reply, Request
from arena.backends.local.backend import LocalBackend
from arena.backends.local.chat import Chat
from arena.backends.local.weights import loading as weights
from arena.backends.local.writing.rows import Begun, Draft
from arena.backends.local.writing.sampling import Chooser
from arena.backends.local.writing.writer import Writing
from arena.backends.thinking import split
from arena.files.config import parse_model
from arena.records import Decoding, Model
from tests.backends.local import tiny

PLAIN = (
    "{% for m in messages %}{{ m['role'] + ' : ' + m['content'] + ' . ' }}{% endfor %}assistant :"
)
SWITCH = PLAIN + "{% if enable_thinking is defined and enable_thinking %} <think>{% endif %}"
SCORES = torch.tensor([[1.0, 4.0, 3.0, 2.0]])


def thinker(folder: Path, template: str = SWITCH) -> Model:
    """A tiny model whose tokenizer has marks of thinking."""
    tiny.save(folder, template=template, marks=("<think>", "</think>"))
    return parse_model(f"m={folder}")


def said(model: Model, how: Decoding, *texts: str, streamed: bool = False) -> list[Reply]:
    backend = LocalBackend(replace(model, decoding=how))
    if streamed:
        *_, reply = backend.stream(Request(texts[:1]))
        return [reply]
    found = [
        (i, reply)
        for result in backend.converse([Request((text,)) for text in texts])
        for i, reply in result
    ]
    assert all(isinstance(reply, Reply) for _, reply in found)
    return [reply for _, reply in sorted(found, key=lambda pair: pair[0])]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        (Decoding(temperature=1.0), {0, 1, 2, 3}),
        (Decoding(temperature=1.0, top_k=2), {1, 2}),
        (Decoding(temperature=1.0, min_p=0.2), {1, 2}),
        (Decoding(temperature=1.0, top_p=0.5), {1}),
    ],
)
def test_what_may_be_drawn(how: Decoding, kept: set[int]) -> None:
    drawn = [Chooser(how, {})([Draft(Begun((0,), seed))], SCORES)[0] for seed in range(200)]
    assert set(drawn) == kept


def test_a_penalty_on_repetition_holds_for_greedy_decoding_too() -> None:
    """Whether the entry or the weights' own settings ask for it."""
    for entry, own in ((2.0, None), (None, 2.0), (2.0, 1.5), (None, None)):
        here = weights.ready(tiny.tokenizer(), tiny.model())
        here.model.generation_config.repetition_penalty = own
        how = Writing(Decoding(repetition_penalty=entry))
        begun = Begun((1,))
        row = Draft(begun, steps=here.writer._steps(begun, here.writer.settings(how)))
        chosen = Chooser(how.decoding, {})([row], SCORES.clone())
        assert chosen == [2 if entry or own else 1]


def test_thinking_ends_where_its_budget_does_and_nowhere_else() -> None:
    choose = Chooser(Decoding(thinking_budget=2), {8: 9})
    texts = [[1, 8, 5, 5], [1, 1, 8, 5], [8, 9, 5, 5], [1, 1, 5, 5]]
    rows = [Draft(Begun(tuple(text[:2]))) for text in texts]
    for row, text in zip(rows, texts, strict=True):
        row.tokens[:] = text
    scores = torch.zeros(4, 10)
    scores[:, 3] = 1.0
    assert choose(rows, scores) == [9, 3, 3, 3]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_budget_closes_the_thinking_and_leaves_room_for_the_answer(
    tmp_path: Path, streamed: bool
) -> None:
    how = Decoding(temperature=1.0, max_tokens=6, thinking=True, thinking_budget=4)
    (reply,) = said(thinker(tmp_path / "m"), how, "say hello", streamed=streamed)
    spoken = split(reply.turns[0])
    assert not spoken.unfinished
    assert 1 <= len(spoken.thinking.split()) <= 4
    assert reply.usage.completion_tokens <= 10


def test_a_budget_gives_each_row_the_text_that_it_has_alone(tmp_path: Path) -> None:
    model = thinker(tmp_path / "m")
    how = Decoding(temperature=1.0, max_tokens=6, thinking=True, thinking_budget=4)
    texts = ("say hello", "what is the best answer to this question", "goodbye")
    together = [reply.turns for reply in said(model, how, *texts)]
    assert together == [said(model, how, text)[0].turns for text in texts]


def test_a_switch_and_the_templates_own_settings_reach_the_template(tmp_path: Path) -> None:
    model = thinker(tmp_path / "m")
    on = replace(model, decoding=Decoding(thinking=True))
    off = replace(model, decoding=Decoding(thinking=False))
    own = replace(model, decoding=Decoding(chat_template_kwargs='{"enable_thinking": true}'))
    assert [LocalBackend(m).opens_thinking() for m in (on, off, own, model)] == [
        *(True, False, True, False)
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reply_ends_before_a_stop_text(tmp_path: Path, streamed: bool) -> None:
    model = thinker(tmp_path / "m", PLAIN)
    (whole,) = said(model, Decoding(max_tokens=8), "goodbye alpha")
    words = whole.turns[0].split()
    how = Decoding(max_tokens=8, stop=(f" {words[3]}",))
    (reply,) = said(model, how, "goodbye alpha", streamed=streamed)
    assert reply.turns[0].split() == words[: words.index(words[3], 1)]
    assert reply.finish == ("stop",)


@pytest.mark.parametrize(
    ("template", "how", "note"),
    [
        (SWITCH, Decoding(thinking=True), None),
        (PLAIN, Decoding(thinking=True), "knows none of enable_thinking, thinking,"),
        (PLAIN, Decoding(reasoning_effort="low"), "knows none of reasoning_effort,"),
        (PLAIN, Decoding(), None),
    ],
)
def test_a_setting_that_changes_nothing_is_said(
    tmp_path: Path, template: str, how: Decoding, note: str | None
) -> None:
    backend = LocalBackend(replace(thinker(tmp_path / "m", template), decoding=how))
    list(backend.converse([Request(("say hello",))]))
    assert [note in told for told in backend.notes] == ([True] if note else [])  # type: ignore[operator]


def test_a_budget_that_cannot_be_held_to_is_said(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "m", template=SWITCH)
    how = Decoding(thinking=True, thinking_budget=4)
    backend = LocalBackend(replace(parse_model(f"m={folder}"), decoding=how))
    list(backend.converse([Request(("say hello",))]))
    (note,) = backend.notes
    assert "its budget is not held to" in note


@pytest.mark.parametrize(
    ("marks", "pairs"),
    [
        (("<think>", "</think>"), 1),
        (("[THINK]", "[/THINK]"), 1),
        (("<|START_THINKING|>", "<|END_THINKING|>"), 1),
        (("<|begin_of_thought|>", "<|end_of_thought|>"), 1),
        (("</think>",), 0),
        (("<other>", "</other>"), 0),
    ],
)
def test_marks_are_known_in_pairs(marks: tuple[str, ...], pairs: int) -> None:
    tokenizer: Any = tiny.tokenizer(PLAIN)
    tokenizer.add_tokens(list(marks))
    found = Chat(tokenizer).closers
    names = [tuple(tokenizer.convert_ids_to_tokens([a, b])) for a, b in found.items()]
    assert names == [marks] * pairs
