"""The page on which everything can be looked up: prompts, answers, votes, verdicts, outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from arena.web.blind import Open
from arena.web.board_table import note, template
from arena.web.catalogue import PAGE, Entry, Filter, detail, outcomes
from arena.web.detail import answer_names, render
from arena.web.markdown import as_text, brief
from arena.web.services import Services
from arena.web.texts import answer_text, draw_switch, prompt_text, text_box
from arena.web.vote_page import EVENT
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say, Words, group_name

SLOTS = 6
ITEMS = 25
WAIT = 20.0


@dataclass(frozen=True, slots=True)
class DetailView:
    """One prompt on the page. names: what its answers are called, by key."""

    prompt: str
    answers: tuple[tuple[str, str], ...]
    about: str
    names: dict[str, str]


class BrowsePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listing(self, visitor: Visitor, wanted: Filter, page: int = 1) -> tuple[str, int]:
        """A page of the prompts that a filter lets through, and how many pages there are."""
        words = WORDS[visitor.language]
        if self._services.blind.is_closed:
            return note(words["browse_closed"]), 1
        known = self.entries()
        # What is open stands in the list, but no filter may tell who answered it.
        unsaid = self._services.blind.open_to(visitor) if wanted.names_somebody else Open()
        rows = [entry for entry in known if wanted.lets(entry) and not unsaid.has_entry(entry)]
        if "split" in wanted.only:
            rows.sort(key=lambda entry: -entry.split)
        pages = max(1, -(-len(rows) // PAGE))
        page = min(max(1, page), pages)
        here = rows[(page - 1) * PAGE : page * PAGE]
        text = template("browse.html").render(
            rows=here,
            count=len(rows),
            page=page,
            pages=pages,
            words=words,
            name=partial(group_name, words),
        )
        return text, pages

    def prompt(self, visitor: Visitor, key: str, chosen: Sequence[str] = ()) -> DetailView | None:
        """One prompt with everything. chosen: keys of the answers to show, the first few if none.

        None where there is no such prompt. Without answers and names where this visitor must
        not learn them now.
        """
        found = detail(self._services.store, key)
        if found is None:
            return None
        words = WORDS[visitor.language]
        prompt = prompt_text(found.prompt, words)
        if why := self._services.blind.why_not(visitor, found.prompt):
            return DetailView(prompt, (), note(words[why]) + _ways_on(words), {})
        self._services.blind.learned(visitor, key)
        names = answer_names(found)
        shown = [a for a in found.answers if not chosen or a.key in chosen][:SLOTS]
        return DetailView(
            prompt,
            tuple((names[a.key], answer_text(a, words)) for a in shown),
            render(self._services.store, found, visitor.language),
            names,
        )

    def outcomes(self, visitor: Visitor, benchmark: str, search: str = "") -> str:
        """A benchmark's items with what each model made of them."""
        words = WORDS[visitor.language]
        found = outcomes(self._services.store, benchmark) if benchmark else {}
        rows = [
            (item, here) for item, here in found.items() if search.casefold() in item.casefold()
        ]
        text = template("outcomes.html").render(items=rows[:ITEMS], words=words, brief=brief)
        if len(rows) > ITEMS:
            text += note(words["left_out"].format(count=len(rows) - ITEMS))
        return text

    def entries(self) -> tuple[Entry, ...]:
        """All prompts, as they were when last read."""
        return self._services.entries.get(WAIT) or ()

    def benchmarks(self) -> list[str]:
        """The benchmarks that have outcomes."""
        return self._services.store.evidence.benchmarks()

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        with gr.Column(elem_id="listing") as listing:
            self._draw_listing(root, say)
        with gr.Column(visible=False, elem_id="detail") as one:
            prompt = text_box("prompt", ["asked"])
            chosen = gr.Dropdown(
                [], multiselect=True, max_choices=SLOTS, label=say("model"), elem_id="chosen"
            )
            draw_switch(say)
            key = gr.Textbox(visible="hidden")
            slots = _draw_slots()
            about = gr.HTML(elem_id="about", padding=False)
        shown = [prompt, *slots, about]

        def choose(key: str, chosen: list[str], request: gr.Request) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            return _filled(self.prompt(visitor, key, chosen), visitor.language)

        root.load(self._start, outputs=[listing, one, key, chosen, *shown], **EVENT)
        chosen.input(choose, [key, chosen], shown, **EVENT)

    def _start(self, request: gr.Request) -> list[Any]:
        """One prompt where the address names it, else the list."""
        wanted = request.query_params.get("prompt", "")
        if not wanted:  # to make visible what is so would also show what is hidden in it
            return [gr.skip()] * (6 + 3 * SLOTS)
        visitor = self._services.voters.visitor(request)
        view = self.prompt(visitor, wanted)
        names = view.names if view else {}
        choices = [(name, answer) for answer, name in names.items()]
        chosen = gr.update(choices=choices, value=list(names)[:SLOTS], visible=len(names) > SLOTS)
        shown = [gr.update(visible=is_it) for is_it in (False, True)]
        return [*shown, wanted, chosen, *_filled(view, visitor.language)]

    def _draw_listing(self, root: gr.Blocks, say: Say) -> None:
        gr.Markdown(say("browse_intro"), elem_classes="lead")
        fields, filters, benchmark = _draw_filters(say)
        rows = gr.HTML(elem_id="rows", padding=False)
        page = gr.Textbox("1", visible="hidden", elem_id="page")
        with gr.Row(visible=False, elem_classes="turning") as turning:
            back, more = (
                gr.Button(say(word), elem_id=word, min_width=100, size="sm", scale=0)
                for word in ("previous", "following")
            )

        def show(request: gr.Request, page: str, *fields: Any, step: int = 0) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            what, search, *chosen, only, benchmark = fields
            is_list = what == "prompts"
            shown = [gr.update(visible=is_list), gr.update(visible=not is_list)]
            if not is_list:
                text, asked, pages = self.outcomes(visitor, benchmark or "", search), 1, 1
            else:
                model, judge, category, language = (value or "" for value in chosen)
                wanted = Filter(search, model, judge, category, language, tuple(only or ()))
                asked = int(page) + step if step else 1
                text, pages = self.listing(visitor, wanted, asked)
            return [text, min(max(1, asked), pages), *shown, gr.update(visible=pages > 1)]

        def begin(request: gr.Request) -> list[Any]:
            if request.query_params.get("prompt"):
                return [gr.skip()] * 7
            visitor = self._services.voters.visitor(request)
            text, pages = self.listing(visitor, Filter())
            return [*self._choices(visitor), text, gr.update(visible=pages > 1)]

        outputs = [rows, page, filters, benchmark, turning]
        what, search, *chosen, only, _ = fields
        root.load(begin, outputs=[*chosen, benchmark, rows, turning], **EVENT)
        gr.on(
            [what.input, search.submit, only.input, benchmark.input, *(c.input for c in chosen)],
            show,
            [page, *fields],
            outputs,
            **EVENT,
        )
        for button, step in ((back, -1), (more, 1)):

            def turn(request: gr.Request, page: str, *fields: Any, step: int = step) -> list[Any]:
                return show(request, page, *fields, step=step)

            button.click(turn, [page, *fields], outputs, **EVENT)

    def _choices(self, visitor: Visitor) -> list[Any]:
        words = WORDS[visitor.language]
        known = self.entries()
        values: dict[str, set[str]] = {
            "model": {model for entry in known for model in entry.models},
            "judge": {judge for entry in known for judge in entry.judges},
            "category": {entry.category for entry in known},
            "language": {entry.language for entry in known},
        }
        found = []
        for by, here in values.items():
            choices = [(group_name(words, by, value), value) for value in sorted(here)]
            found.append(gr.update(choices=[(words["any"], ""), *choices]))
        benchmarks = self.benchmarks()
        return [*found, gr.update(choices=benchmarks, value=benchmarks[0] if benchmarks else None)]


def _draw_slots() -> list[Any]:
    """Room for some answers: of each its column, its name and its text."""
    slots: list[Any] = []
    with gr.Row(elem_classes="sides"):
        for k in range(SLOTS):
            with gr.Column(visible=False, min_width=240) as column:
                slots += [column, gr.Markdown(elem_classes="slot"), text_box(f"shown-{k}")]
    return slots


def _filled(view: DetailView | None, language: str) -> list[Any]:
    """The prompt, the answers in their slots, and what was said of them."""
    if view is None:
        empty = [gr.update(visible=False), "", ""] * SLOTS
        return ["", *empty, note(WORDS[language]["no_prompt"])]
    filled: list[Any] = []
    for k in range(SLOTS):
        there = k < len(view.answers)
        name, text = view.answers[k] if there else ("", "")
        filled += [gr.update(visible=there), as_text(name), text]
    return [view.prompt, *filled, view.about]


def _draw_filters(say: Say) -> tuple[list[Any], gr.Row, gr.Dropdown]:
    """All fields; the row of those for prompts; the one for benchmarks."""
    with gr.Row():
        what = gr.Radio(
            [(say("what_prompts"), "prompts"), (say("what_outcomes"), "outcomes")],
            value="prompts",
            label=say("what"),
            elem_id="what",
            min_width=220,
        )
        search = gr.Textbox(
            label=say("filter_text"),
            placeholder=say("filter_text_place"),
            elem_id="search",
            min_width=200,
        )
    with gr.Row() as filters:
        chosen = [
            gr.Dropdown([(say("any"), "")], value="", label=say(word), elem_id=word, min_width=140)
            for word in ("model", "judge_name", "category", "language")
        ]
        only = gr.CheckboxGroup(
            [(say("disagree_people"), "split"), (say("disagree_orders"), "turned")],
            label=say("only"),
            elem_id="only",
            min_width=600,
        )
    benchmark = gr.Dropdown([], label=say("choose_benchmark"), visible=False, elem_id="benchmark")
    return [what, search, *chosen, only, benchmark], filters, benchmark


def _ways_on(words: Words) -> str:
    """Where somebody may go who is not shown the answers yet."""
    ways = (
        ("./browse", f"← {words['back']}"),
        ("./", words["vote_tab"]),
        ("./rate", words["rate_tab"]),
    )
    links = "".join(f'<a href="{to}">{escape(said)}</a>' for to, said in ways)
    return f'<p class="links">{links}</p>'
