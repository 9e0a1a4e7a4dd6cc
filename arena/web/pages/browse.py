"""The page on which everything can be looked up: prompts, answers, votes, verdicts, outcomes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from arena.web.background.cache import LONG_ENOUGH, PATIENCE, WHOLE
from arena.web.catalogue import PAGE, CatalogueEntry, Filter, detail, outcomes
from arena.web.looking import OUTCOMES, PROMPTS, Looking, looking_at, page_of
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.board_table import note, template
from arena.web.views.components import EVENT, KEEP_ADDRESS, PATIENT
from arena.web.views.detail import answer_names, render
from arena.web.views.markdown import as_text
from arena.web.views.outcomes import outcomes_table
from arena.web.views.texts import answer_text, draw_switch, prompt_text, text_box
from arena.web.views.words import WORDS, Say, Words, group_name
from arena.web.voting.blind import Open
from arena.web.voting.hiding import draw_hiding, on_hiding

SLOTS = 6
ITEMS = 25


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

    def listing(
        self, visitor: Visitor, looking: Looking, patience: float = PATIENCE
    ) -> tuple[str, int]:
        """A page of the prompts that a filter lets through, and how many pages there are."""
        wanted = looking.wanted
        words = WORDS[visitor.language]
        if self._services.blind.is_closed:
            return note(words["browse_closed"]), 1
        catalogue = self._services.catalogue.get(WHOLE, patience)
        if catalogue is None:
            return note(words["computing_catalogue"]), 1
        known = catalogue.entries
        if not known:
            return note(words["no_texts"]) + _ways_on(words), 1
        # What is open stands in the list, but no filter may tell who answered it.
        unsaid = self._services.blind.open_to(visitor) if wanted.names_somebody else Open()
        rows = [entry for entry in known if wanted.lets(entry) and not unsaid.has_entry(entry)]
        if "split" in wanted.only:
            rows.sort(key=lambda entry: -entry.split)
        pages = max(1, -(-len(rows) // PAGE))
        page = min(max(1, looking.page), pages)
        kept = replace(looking, page=page).address()
        here = rows[(page - 1) * PAGE : page * PAGE]
        text = template("browse.html").render(
            rows=here,
            count=len(rows),
            page=page,
            pages=pages,
            words=words,
            name=partial(group_name, words),
            kept=f"&{kept}" if kept else "",
        )
        return text, pages

    def prompt(
        self, visitor: Visitor, key: str, chosen: Sequence[str] = (), back: str = ""
    ) -> DetailView | None:
        """One prompt with everything. chosen: keys of the answers to show, the first few if none.

        back: the query of the list from which somebody came.

        None where there is no such prompt. Without answers and names where this visitor must
        not learn them now.
        """
        found = detail(self._services.store, key)
        if found is None:
            return None
        words = WORDS[visitor.language]
        prompt = prompt_text(found.prompt, words)
        if why := self._services.blind.why_not(visitor, found.prompt):
            return DetailView(prompt, (), note(words[why]) + _ways_on(words, back), {})
        self._services.blind.learned(visitor, key)
        names = answer_names(found)
        readable = {answer.key: names[answer.key] for answer in found.answers}
        shown = [a for a in found.answers if not chosen or a.key in chosen][:SLOTS]
        return DetailView(
            prompt,
            tuple((names[a.key], answer_text(a, words)) for a in shown),
            render(
                self._services.store,
                found,
                visitor.language,
                back,
                self._services.catalogue.get(WHOLE),
            ),
            readable,
        )

    def outcomes(self, visitor: Visitor, benchmark: str, search: str = "") -> str:
        """A benchmark's items with what each model made of them."""
        words = WORDS[visitor.language]
        if not benchmark:
            return note(words["why_no_objective"])
        found = outcomes(self._services.store, benchmark, self._services.item_files)
        rows = [one for one in found if one.has(search)]
        text = outcomes_table(rows[:ITEMS], words)
        if len(rows) > ITEMS:
            text += note(words["left_out"].format(count=len(rows) - ITEMS))
        return text

    def entries(self) -> tuple[CatalogueEntry, ...]:
        """All prompts, as they were when last read; none where they have not been read yet."""
        known = self._services.catalogue.get(WHOLE)
        return known.entries if known else ()

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
            hiding = draw_hiding(say) if self._services.password else None
            draw_switch(say)
            key = gr.Textbox(visible="hidden")
            slots = _draw_slots()
            about = gr.HTML(elem_id="about", padding=False)
        shown = [prompt, *slots, about]

        def choose(key: str, chosen: list[str], request: gr.Request) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            back = looking_at(request.query_params).address()
            return _filled(self.prompt(visitor, key, chosen, back), visitor.language)

        root.load(self._start, outputs=[listing, one, key, chosen, *shown], **EVENT)
        chosen.input(choose, [key, chosen], shown, **EVENT)
        if hiding is not None:
            on_hiding(root, self._services, hiding, EVENT)

    def _start(self, request: gr.Request) -> list[Any]:
        """One prompt where the address names it, else the list."""
        wanted = request.query_params.get("prompt", "")
        if not wanted:  # to make visible what is so would also show what is hidden in it
            return [gr.skip()] * (6 + 3 * SLOTS)
        visitor = self._services.voters.visitor(request)
        back = looking_at(request.query_params).address()
        view = self.prompt(visitor, wanted, back=back)
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
        address = gr.Textbox(visible="hidden", elem_id="address")
        with gr.Row(visible=False, elem_classes="turning") as turning:
            back, more = (
                gr.Button(say(word), elem_id=word, min_width=100, size="sm", scale=0)
                for word in ("previous", "following")
            )
        outputs = [rows, page, address, filters, benchmark, turning]

        def show(request: gr.Request, page: str, *fields: Any, step: int = 0) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            return self._shown(visitor, _looking(fields, page_of(page) + step if step else 1))

        def begin(request: gr.Request) -> Iterator[list[Any]]:
            if request.query_params.get("prompt"):
                yield [gr.skip()] * (len(fields) + len(outputs))
                return
            visitor = self._services.voters.visitor(request)
            yield from self._begun(visitor, looking_at(request.query_params))

        root.load(begin, outputs=[*fields, *outputs], **PATIENT)
        what, search, *chosen, only, benchmarks = fields
        gr.on(
            [what.input, only.input, benchmarks.input, *(field.input for field in chosen)],
            show,
            [page, *fields],
            outputs,
            **EVENT,
        ).success(None, [address], None, js=KEEP_ADDRESS)

        def typed(request: gr.Request, page: str, here: str, *fields: Any) -> list[Any]:
            # What the page itself has put into the field is on it already.
            if looking_at(dict(parse_qsl(here))).wanted.search == fields[1]:
                return [gr.skip()] * len(outputs)
            return show(request, page, *fields)

        # Not `input`, which Gradio leaves out when something is deleted or pasted.
        search.change(
            typed,
            [page, address, *fields],
            outputs,
            trigger_mode="always_last",  # of what is typed meanwhile the last
            **EVENT,
        ).success(None, [address], None, js=KEEP_ADDRESS)
        for button, step in ((back, -1), (more, 1)):

            def turn(request: gr.Request, page: str, *fields: Any, step: int = step) -> list[Any]:
                return show(request, page, *fields, step=step)

            button.click(turn, [page, *fields], outputs, **EVENT).success(
                None, [address], None, js=KEEP_ADDRESS
            )

    def _begun(self, visitor: Visitor, looking: Looking) -> Iterator[list[Any]]:
        """Fields and list; before them, where that takes a while, what is being done."""
        if self._services.catalogue.get(WHOLE) is None:
            waiting = self._shown(visitor, looking)
            yield [*[gr.skip()] * len(self._fields(visitor, looking)), *waiting]
            self._services.catalogue.get(WHOLE, LONG_ENOUGH)
        yield [*self._fields(visitor, looking), *self._shown(visitor, looking)]

    def _shown(self, visitor: Visitor, looking: Looking) -> list[Any]:
        """The list: its rows, page and address, its fields, and whether it has several pages."""
        is_list = looking.what == PROMPTS
        if not is_list and not looking.benchmark:
            looking = replace(looking, benchmark=next(iter(self.benchmarks()), ""))
        if is_list:
            text, pages = self.listing(visitor, looking)
        else:
            text, pages = self.outcomes(visitor, looking.benchmark, looking.wanted.search), 1
        here = replace(looking, page=min(max(1, looking.page), pages))
        visible = [gr.update(visible=on) for on in (is_list, not is_list, pages > 1)]
        return [text, str(here.page), here.address(), *visible]

    def _fields(self, visitor: Visitor, looking: Looking) -> list[Any]:
        """Every field with its choices and what the address asks for."""
        words, wanted = WORDS[visitor.language], looking.wanted
        known = self.entries()
        values: dict[str, tuple[set[str], str]] = {
            "model": ({model for entry in known for model in entry.models}, wanted.model),
            "judge": ({judge for entry in known for judge in entry.judges}, wanted.judge),
            "category": ({entry.category for entry in known}, wanted.category),
            "language": ({entry.language for entry in known}, wanted.language),
        }
        chosen = []
        for by, (here, asked) in values.items():
            # What the address asks for stays a choice: without it the list would be empty unsaid.
            every = sorted({*here, asked} - {""})
            choices = [(group_name(words, by, value), value) for value in every]
            chosen.append(gr.update(choices=[(words["any"], ""), *choices], value=asked))
        benchmarks = self.benchmarks()
        usual = looking.benchmark or (benchmarks[0] if benchmarks else None)
        return [
            looking.what,
            wanted.search,
            *chosen,
            list(wanted.only),
            gr.update(choices=benchmarks, value=usual if usual in benchmarks else None),
        ]


def _looking(fields: Sequence[Any], page: int) -> Looking:
    """What the fields of the page ask for."""
    what, search, model, judge, category, language, only, benchmark = fields
    wanted = Filter(
        search or "", model or "", judge or "", category or "", language or "", tuple(only or ())
    )
    return Looking(what, wanted, benchmark or "", page)


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
        words = WORDS[language]
        return ["", *empty, note(words["no_prompt"]) + _ways_on(words)]
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
            [(say("what_prompts"), PROMPTS), (say("what_outcomes"), OUTCOMES)],
            value=PROMPTS,
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


def _ways_on(words: Words, back: str = "") -> str:
    """Where somebody may go who is not shown answers. back: the query of the list."""
    ways = (
        (f"./browse?{back}" if back else "./browse", f"← {words['back']}"),
        ("./", words["vote_tab"]),
        ("./rate", words["rate_tab"]),
        ("./leaderboard", words["leaderboard_tab"]),
    )
    links = "".join(f'<a href="{escape(to)}">{escape(said)}</a>' for to, said in ways)
    return f'<p class="links">{links}</p>'
