"""The parts of the page of live battles, and what is there at each stage of one."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.web.views.components import draw_answers, draw_choices, draw_prompt, draw_reasons
from arena.web.views.words import Say
from arena.web.voting.reporting import EMPTY, ReportForm, draw_report
from arena.web.voting.undo import draw_undo


@dataclass(frozen=True, slots=True)
class BattleView:
    """What the page shows.

    status: what is true now, in a sentence. open: whether a vote may be cast; writing: the models
    are at it; full: no further turn can be asked; over: it was voted on. draft: what shall stand
    where the next turn is typed; None leaves there what somebody may be typing.
    """

    token: str = ""
    prompt: str = ""
    first: str = ""
    second: str = ""
    status: str = ""
    open: bool = False
    writing: bool = False
    full: bool = False
    over: bool = False
    draft: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """The page's components.

    page: those that follow a battle, as `updates` fills them; stages: those among them that
    come and go with what can be done now, as `stages_of` does it. fields: what a voter fills in,
    and `unfilled` what is in them before.
    """

    token: gr.Textbox
    page: list[Any]
    stages: list[Any]
    result: gr.Markdown
    status: gr.Markdown
    buttons: list[gr.Button]
    fields: list[Any]
    unfilled: list[Any]
    text: gr.Textbox
    send: gr.Button
    stop: gr.Button
    again: gr.Button
    following: gr.Button
    undo: gr.Button
    form: ReportForm
    examples: gr.Dropdown


def draw_battle(say: Say, token: gr.Textbox) -> Parts:
    """All parts, in the order of the page; must be called inside a Blocks.

    token: of the battle, drawn outside what is made visible, which would show it too.
    """
    with gr.Column():
        with gr.Column(visible=False) as talk:
            prompt = draw_prompt()
            first, second = draw_answers(say)
        status = gr.Markdown(elem_id="status", elem_classes="hint")
        with gr.Column(elem_classes="deciding"):
            result = gr.Markdown(elem_id="result", elem_classes="outcome")
            ballot, buttons = draw_choices(say)
            with gr.Row(elem_classes="steps"):
                stop, again, following = (
                    gr.Button(say(word), elem_id=name, visible=False, min_width=100)
                    for word, name in (
                        ("stop", "stop"),
                        ("regenerate", "again"),
                        ("new_battle", "next"),
                    )
                )
            undo = draw_undo(say)
        with gr.Column(visible=False) as why:
            given = [*draw_reasons(say)]
        with gr.Column(visible=False) as after:
            form = draw_report(say, pair=True)
    with gr.Column() as composer:
        text, send, examples = _draw_composer(say)
    stages = [ballot, why, after, composer, send, stop, again, following]
    page = [token, talk, prompt, first, second, status, text, *stages]
    fields = [*given, examples, *form.fields]
    unfilled: list[Any] = [[], "", None, *EMPTY]
    return Parts(
        token,
        page,
        stages,
        result,
        status,
        buttons,
        fields,
        unfilled,
        text,
        send,
        stop,
        again,
        following,
        undo,
        form,
        examples,
    )


def _draw_composer(say: Say) -> tuple[gr.Textbox, gr.Button, gr.Dropdown]:
    """Where a turn is typed or taken, and sent."""
    text = gr.Textbox(
        label=say("your_prompt"),
        placeholder=say("your_prompt_place"),
        lines=3,
        max_lines=12,
        elem_id="prompt-text",
    )
    gr.Markdown(say("send_keys"), elem_classes=["hint", "keys"])
    send = gr.Button(say("send"), variant="primary", elem_id="send")
    examples = gr.Dropdown(
        [], value=None, label=say("take_prompt"), elem_id="examples", interactive=True
    )
    return text, send, examples


def updates(view: BattleView, say: Say) -> list[Any]:
    """The parts of the page that follow a battle."""
    draft = gr.skip() if view.draft is None else view.draft
    texts = [view.prompt, view.first, view.second, view.status, draft]
    shown = gr.update(visible=bool(view.prompt))
    return [view.token, shown, *texts, *stages_of(view, say)]


def stages_of(view: BattleView, say: Say) -> list[Any]:
    """What can be done now is there, and nothing else; the next step is the primary one."""
    composing = not (view.writing or view.over or view.full)
    return [
        gr.update(visible=view.open),
        gr.update(visible=view.open),
        gr.update(visible=view.over),
        gr.update(visible=composing),
        gr.update(value=say("more" if view.open else "send")),
        gr.update(visible=view.writing),
        gr.update(visible=view.open),
        gr.update(visible=view.open or view.over, variant="primary" if view.over else "secondary"),
    ]
