"""What several pages are made of: how their events run, the boxes and buttons of a vote."""

from typing import Any

import gradio as gr

from arena.records import REASONS, Winner
from arena.web.views.texts import draw_switch, text_box
from arena.web.views.words import Say

CHOICES = (
    (Winner.MODEL_A, "a_better"),
    (Winner.TIE, "tie"),
    (Winner.BOTH_BAD, "both_bad"),
    (Winner.MODEL_B, "b_better"),
)
EVENT: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    # Few at once finish sooner: threads would only take turns with each other.
    "concurrency_limit": 24,
    "concurrency_id": "quick",
}

# For what waits for others, such as servers of models: whoever waits holds up nobody.
PATIENT = EVENT | {"concurrency_limit": None, "concurrency_id": None}
# The address has what is looked at, so that Back, a reload and a link bring it again.
KEEP_ADDRESS = """(query) => {
  const here = new URL(location), theme = here.searchParams.get("__theme");
  here.search = query || "";
  if (theme) here.searchParams.set("__theme", theme);
  history.replaceState(null, "", here);
}"""


def draw_prompt() -> gr.Markdown:
    """What was asked."""
    with gr.Group():
        return text_box("prompt", ["asked"])


def draw_answers(say: Say) -> tuple[gr.Markdown, gr.Markdown]:
    """Two answers side by side."""
    draw_switch(say)
    with gr.Row(elem_classes="sides", equal_height=True):
        sides = []
        for word, name in (("answer_a", "answer-a"), ("answer_b", "answer-b")):
            with gr.Column(min_width=240):
                gr.Markdown(say(word), elem_classes="slot")
                sides.append(text_box(name))
    return sides[0], sides[1]


def draw_choices(say: Say) -> tuple[gr.Row, list[gr.Button]]:
    """The four buttons of a vote, in a row that is hidden until there is something to vote on."""
    with gr.Row(elem_classes="ballot", visible=False) as row:
        buttons = [
            gr.Button(
                say(word),
                elem_id=f"vote-{winner}",
                min_width=80,
                variant="primary" if "better" in word else "secondary",
            )
            for winner, word in CHOICES
        ]
    return row, buttons


def draw_skip(say: Say) -> gr.Button:
    """For what somebody cannot judge, such as a language that they do not read."""
    return gr.Button(say("skip"), elem_id="skip", visible=False, size="sm", elem_classes="small")


def draw_reasons(say: Say) -> tuple[gr.CheckboxGroup, gr.Textbox]:
    """Why, for those who want to say."""
    with gr.Accordion(say("why"), open=False, elem_id="why"):
        reasons = gr.CheckboxGroup(
            [(say(f"reason_{reason}"), reason) for reason in REASONS],
            label=say("why"),
            show_label=False,
            elem_id="reasons",
        )
        comment = gr.Textbox(
            label=say("comment"), placeholder=say("comment_place"), elem_id="comment"
        )
    return reasons, comment
