"""A prompt hidden from its own page, by whoever has opened the admin page in this visit."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import gradio as gr

from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.words import WORDS, Say

ADMIN_SECONDS = 8 * 3600
# Kept by the browser until its tab is closed; no other page can read it.
KEEP = "(pass) => { if (pass) sessionStorage.setItem('arena_admin', pass); }"
TAKE = "() => [sessionStorage.getItem('arena_admin') || '']"


def admin_pass(services: Services) -> str:
    """What shows for some hours that the password was given; another password makes it void."""
    return services.voters.token("admin", _digest(services), "admin")


def is_admin(services: Services, given: str | None) -> bool:
    """Whether this is such a pass, and still good."""
    if not services.password or not given:
        return False
    found = services.voters.read_token("admin", _digest(services), given)
    return found is not None and found[1] <= ADMIN_SECONDS


def hide(services: Services, visitor: Visitor, given: str, key: str, on: bool) -> str:
    """Hide a prompt or show it again; the sentence that says so, or why not."""
    words = WORDS[visitor.language]
    if not is_admin(services, given):
        return words["admin_over"]
    if not services.store.prompts.present([key]):
        return words["no_prompt"]
    services.store.withhold("prompt", key, on)
    return words["now_hidden" if on else "now_shown"]


@dataclass(frozen=True, slots=True)
class Hiding:
    """What the page of a prompt has for whoever runs the arena, and for nobody else."""

    given: gr.Textbox
    whole: gr.Column
    said: gr.Markdown
    buttons: tuple[gr.Button, gr.Button]


def draw_hiding(say: Say) -> Hiding:
    """It is there once `on_hiding` has seen a pass."""
    given = gr.Textbox(visible="hidden", elem_id="admin-pass")
    with gr.Column(visible=False, elem_id="hiding") as whole:
        said = gr.Markdown(elem_id="hiding-said", elem_classes="note")
        hide_it, show_it = (
            gr.Button(say(word), elem_id=word, size="sm", visible=False, elem_classes="small")
            for word in ("hide", "unhide")
        )
    return Hiding(given, whole, said, (hide_it, show_it))


def on_hiding(root: gr.Blocks, services: Services, parts: Hiding, event: dict[str, Any]) -> None:
    """Let the parts do what they are for."""

    def state(key: str) -> list[Any]:
        hidden = key in services.store.withheld("prompt")
        return [gr.update(visible=not hidden), gr.update(visible=hidden)]

    def begin(given: str, request: gr.Request) -> list[Any]:
        key = request.query_params.get("prompt", "")
        if not is_admin(services, given) or not services.store.prompts.present([key]):
            return [gr.skip()] * 5
        words = WORDS[services.voters.visitor(request).language]
        hidden = key in services.store.withheld("prompt")
        said = words["now_hidden"] if hidden else ""
        return [given, gr.update(visible=True), said, *state(key)]

    outputs = [parts.given, parts.whole, parts.said, *parts.buttons]
    root.load(begin, [parts.given], outputs, js=TAKE, **event)
    for button, on in zip(parts.buttons, (True, False), strict=True):

        def change(given: str, request: gr.Request, on: bool = on) -> list[Any]:
            key = request.query_params.get("prompt", "")
            said = hide(services, services.voters.visitor(request), given, key, on)
            return [said, *state(key)]

        button.click(change, [parts.given], [parts.said, *parts.buttons], **event)


def _digest(services: Services) -> str:
    return sha256(services.password.encode()).hexdigest()
