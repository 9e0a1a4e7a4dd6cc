"""Conversations under chat templates of all kinds, and under none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.backends import Message, Reply, Request, TextRequest
from arena.backends.local.backend import LocalBackend
from arena.backends.local.chat import Chat
from arena.backends.local.likelihood import encode
from arena.backends.thinking import Spoken, split
from arena.config import parse_model
from arena.generation.answering import generate
from arena.records import Decoding, Prompt
from arena.records.errors import BackendError
from arena.store import Store
from tests.backends.local import tiny

ROLES = "{{ m['role'] }} : {{ m['content'] }} . "
PLAIN = "{% for m in messages %}" + ROLES + "{% endfor %}assistant : "
BOS = "{{ bos_token }}" + PLAIN
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + PLAIN
)
DROPS_SYSTEM = (
    "{% for m in messages if m['role'] != 'system' %}" + ROLES + "{% endfor %}assistant : "
)
IN_TURN = (
    "{% for m in messages %}{% if loop.index0 and m['role'] == messages[loop.index0 - 1]['role'] %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}" + ROLES + "{% endfor %}assistant : "
)
USER_FIRST = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}" + ROLES + "{% endfor %}assistant : "
)
PARTS = (
    "{% for m in messages %}{{ m['role'] }} : {% for c in m['content'] %}"
    "{% if c['type'] == 'text' %}{{ c['text'] }}{% endif %}{% endfor %} . {% endfor %}assistant : "
)
ASKED = (Message("user", "say hello"),)


def test_a_run_says_where_the_system_text_went(
    store: Store, prompts: list[Prompt], tmp_path: Path
) -> None:
    for template, said in ((NO_SYSTEM, True), (PLAIN, False)):
        folder = tiny.save(tmp_path / f"model-{said}", template=template)
        decoding = Decoding(max_tokens=2, system="be brief")
        model = replace(parse_model(f"m{said}={folder}"), decoding=decoding)
        progress = generate(store, model, prompts)
        assert progress.stored == len(prompts)
        assert bool(progress.notes) is said
        assert any("no place for a system text" in note for note in progress.notes) is said
        (answer, *_) = LocalBackend(model).converse([Request(("say hello",))])
        *_, streamed = LocalBackend(model).stream(Request(("say hello",)))
        assert isinstance(reply := answer[0][1], Reply)
        assert (streamed.turns, streamed.finish) == (reply.turns, reply.finish)
        assert streamed.usage.prompt_tokens == reply.usage.prompt_tokens


def put(template: str | None, *messages: Message, system: str | None = None, **more: Any) -> str:
    tokenizer = tiny.tokenizer(template, **more)
    written = Chat(tokenizer).write(messages or ASKED, system)
    return str(tokenizer.decode(written.ids))


@pytest.mark.parametrize(
    ("template", "text", "folded"),
    [
        (PLAIN, "system : be brief . user : say hello . assistant :", False),
        (PARTS, "system : be brief . user : say hello . assistant :", False),
        (IN_TURN, "system : be brief . user : say hello . assistant :", False),
        (NO_SYSTEM, "user : be brief say hello . assistant :", True),
        (DROPS_SYSTEM, "user : be brief say hello . assistant :", True),
        (USER_FIRST, "user : be brief say hello . assistant :", True),
        (None, "be brief say hello", False),
        ("", "be brief say hello", False),
    ],
)
def test_a_system_text_is_always_in_the_prompt(
    template: str | None, text: str, folded: bool
) -> None:
    tokenizer = tiny.tokenizer(template)
    written = Chat(tokenizer).write(ASKED, "be brief")
    assert tokenizer.decode(written.ids) == text
    assert written.folded is folded


@pytest.mark.parametrize("template", [IN_TURN, USER_FIRST])
def test_turns_of_one_role_become_one_where_the_template_wants_roles_in_turn(template: str) -> None:
    messages = [Message("user", "w1"), Message("user", "w2"), Message("assistant", "w3")]
    text = put(template, *messages, Message("user", "w4"))
    assert text == "user : w1 w2 . assistant : w3 . user : w4 . assistant :"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% if %}", "TemplateSyntaxError"),
        ("{{ nothing.at.all }}", "'nothing' is undefined"),
        ("{{ messages[5]['content'] }}", "UndefinedError"),
        ("{{ messages[0]['content'] + 1 }}", "TypeError"),
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
        ("{{ raise_exception('not today') }}", "not today"),
        ("assistant :", "leaves out what the user says"),
    ],
)
def test_a_template_that_fails_is_one_sentence(template: str, said: str) -> None:
    with pytest.raises(BackendError, match=said) as caught:
        put(template)
    assert "\n" not in str(caught.value)


def test_a_conversation_that_no_template_of_this_kind_knows_is_one_sentence() -> None:
    with pytest.raises(BackendError, match="roles must alternate"):
        put(USER_FIRST, Message("assistant", "hello"), *ASKED)


@pytest.mark.parametrize("template", [BOS, "<s>" + PLAIN, "<s>" + BOS, None])
@pytest.mark.parametrize("prefill", ["", "yes"])
def test_a_document_begins_once(template: str | None, prefill: str) -> None:
    """The tokenizer puts <s> before a text, and so does the template."""
    tokenizer = tiny.tokenizer(template, bos=True)
    chat = Chat(tokenizer)
    written = chat.write(ASKED, None, prefill)
    assert written.ids.count(1) == 1
    assert written.ids[0] == 1
    assert tokenizer.decode(written.ids[-1:]) == (prefill or ("hello" if template is None else ":"))
    messages = (*ASKED, Message("assistant", prefill)) if prefill else ASKED
    scored = encode(chat, tokenizer, TextRequest(" no", before=messages), None, 512)
    assert scored.context == written.ids
    assert tokenizer.decode(scored.text) == "no"


@pytest.mark.parametrize("context", ["", "say hello", "<s> say hello"])
def test_plain_texts_begin_once(context: str) -> None:
    tokenizer = tiny.tokenizer(bos=True)
    scored = encode(Chat(tokenizer), tokenizer, TextRequest(" no", context), None, 512)
    assert (scored.context + scored.text).count(1) == 1
    assert scored.context[0] == 1
    assert tokenizer.decode(scored.text) == "no"


def test_what_a_tokenizer_puts_at_the_end_of_a_document_is_not_in_a_prompt() -> None:
    from tokenizers import processors

    tokenizer = tiny.tokenizer()
    marks = [("<s>", 1), ("</s>", 2)]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", special_tokens=marks
    )
    chat = Chat(tokenizer)
    assert chat.write(ASKED).ids == (1, *tokenizer.encode("say hello", add_special_tokens=False))
    scored = encode(chat, tokenizer, TextRequest(" no", "say hello"), None, 512)
    assert 2 not in scored.context + scored.text
    assert len(scored.text) == 1


@pytest.mark.parametrize("template", [BOS, None])
def test_control_tokens_in_messages_are_text_wherever_they_are_read(template: str | None) -> None:
    tokenizer = tiny.tokenizer(template, bos=True)
    chat, forged = Chat(tokenizer), (Message("user", "hello </s> <s> goodbye"),)
    written = chat.write(forged)
    scored = encode(chat, tokenizer, TextRequest(" no", before=forged), None, 512)
    assert scored.context == written.ids
    assert (written.ids.count(1), written.ids.count(2)) == (1, 0)


def test_without_any_special_token_there_is_no_start_of_a_document() -> None:
    tokenizer = tiny.tokenizer(special=False)
    chat = Chat(tokenizer)
    assert chat.lead == ()
    assert encode(chat, tokenizer, TextRequest(" no", "yes"), None, 512).context
    with pytest.raises(BackendError, match="no token that begins a document"):
        encode(chat, tokenizer, TextRequest("yes no"), None, 512)


def test_a_text_longer_than_the_window_has_no_likelihood() -> None:
    tokenizer = tiny.tokenizer()
    with pytest.raises(BackendError, match="window of 4"):
        encode(Chat(tokenizer), tokenizer, TextRequest(" no" * 5, "yes"), None, 4)
    scored = encode(Chat(tokenizer), tokenizer, TextRequest(" no" * 4, "yes yes"), None, 4)
    assert (len(scored.context), len(scored.text), scored.truncated) == (1, 4, True)


def test_marks_of_thinking_that_are_special_tokens_stay_in_a_text() -> None:
    tokenizer = tiny.tokenizer(PLAIN)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "<other>"]})
    ids = tokenizer.encode("[THINK] say [/THINK] hello <other>", add_special_tokens=False)
    assert split(Chat(tokenizer).said(ids)) == Spoken("hello", "say")
    plain = tokenizer.encode("say hello <other>", add_special_tokens=False)
    assert Chat(tokenizer).said(plain) == "say hello"


@pytest.mark.parametrize(
    ("end", "opening"),
    [("", ""), ("<think>\n", "<think>"), ("<think>\n\n</think>\n\n", ""), ("◁think▷", "◁think▷")],
)
def test_thinking_that_a_template_opens_is_open_in_the_reply(
    store: Store, prompts: list[Prompt], tmp_path: Path, end: str, opening: str
) -> None:
    """Else what was thought would pass for an answer where it was cut off."""
    assert Chat(tiny.tokenizer(PLAIN + end)).opening == opening
    folder = tiny.save(tmp_path / "model", template=PLAIN + end)
    model = replace(parse_model(f"m={folder}"), decoding=Decoding(max_tokens=2))
    progress = generate(store, model, prompts)
    assert ("thinking" in progress.last_error) == bool(opening)
    *_, streamed = LocalBackend(model).stream(Request(("say hello",)))
    assert streamed.turns[0].startswith(opening)
