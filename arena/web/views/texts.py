"""Texts of models and people as the pages show them: formatted, and as they were written."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from arena.records import Answer, Note, Prompt
from arena.web.views.markdown import DELIMITERS, harmless, shortened, with_raw
from arena.web.views.words import Say, Words, said

# Of a text that ended by itself; an answer of a file may have no more than that.
CUT_OFF = "length"


def text_box(name: str, classes: Sequence[str] = ()) -> gr.Markdown:
    """Where a text is shown; a line of it is a line on the page."""
    return gr.Markdown(
        elem_id=name,
        elem_classes=["spoken", *classes],
        container=True,
        line_breaks=True,
        latex_delimiters=DELIMITERS,
    )


def draw_switch(say: Say) -> None:
    """Between texts as Markdown and as they were written; `page.js` does it, for the visit."""
    gr.Button(say("as_written"), elem_id="as-written", size="sm", scale=0, min_width=80)


def draw_guidelines(guidelines: str, say: Say) -> None:
    """What whoever runs the arena asks of voters; nothing where they ask nothing."""
    if guidelines:
        with gr.Accordion(say("guidelines"), open=False, elem_id="guidelines"):
            gr.Markdown(harmless(guidelines), line_breaks=True, elem_classes="spoken")


def turns_text(
    parts: Sequence[str], words: Words, *, several: bool, finish: Sequence[str] = ()
) -> str:
    """Harmless Markdown of some turns, cut where it is too long, each also as it was written.

    several: with a heading for each turn. finish: how each turn of an answer ended, so that an
    answer that is empty or was cut off says so; empty for prompts and while a model is writing.
    """
    ends = [*finish, *[""] * (len(parts) - len(finish))]
    return "\n\n".join(
        _turn(part, end, words, number=k if several else 0)
        for k, (part, end) in enumerate(zip(parts, ends, strict=True), start=1)
    )


def writing_status(words: Words, thinking: int) -> str:
    """What two models are doing. thinking: as `Glimpse` has it."""
    return words["writing_thought"].format(count=thinking) if thinking else words["writing"]


def prompt_text(prompt: Prompt, words: Words) -> str:
    """A prompt as `turns_text` has it; of one without a text, that it has none."""
    if prompt.is_absent:
        return _ours("note", said(words, Note.of("prompt.absent", name=prompt.name)))
    return turns_text(prompt.turns, words, several=len(prompt.turns) > 1)


def answer_text(answer: Answer, words: Words) -> str:
    """An answer as `turns_text` has it."""
    several = len(answer.turns) > 1
    return turns_text(answer.turns, words, several=several, finish=answer.finish)


def way_on(sentence: str, words: Words) -> str:
    """A sentence for whoever has nothing to judge, and where there is something to look at."""
    return f"{sentence}\n\n[{words['leaderboard_tab']}](./leaderboard)"


def _turn(text: str, end: str, words: Words, number: int) -> str:
    parts = [_ours("turn", words["turn"].format(number=number))] if number else []
    if any(letter.isprintable() and not letter.isspace() for letter in text):
        parts.append(with_raw(shortened(text, words["cut"]), text))
    elif end:
        parts.append(_ours("note", words["empty_answer"]))
    if end == CUT_OFF:
        parts.append(_ours("note", words["cut_off"]))
    return "\n\n".join(parts)


def _ours(kind: str, sentence: str) -> str:
    """What the page says of a text: no text of a model can look like it."""
    return f'<p class="ours {kind}">{escape(sentence)}</p>'
