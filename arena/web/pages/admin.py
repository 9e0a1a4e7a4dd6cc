"""The page of whoever runs the arena; it exists where ARENA_ADMIN_PASSWORD is set.

Every handler takes the password: what a page hides or disables is no defence.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.generation.prompts import parse_prompts
from arena.records import Prompt
from arena.records.errors import ArenaError, InputError
from arena.web.catalogue import EXPORTS, line_of
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.board_table import template
from arena.web.views.components import EVENT
from arena.web.views.markdown import as_text
from arena.web.views.words import WORDS, Say, sentences
from arena.web.voting.hiding import KEEP, admin_pass

MOST_REPORTS = 200
OWN = "admin"


class AdminPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def refusal(self, visitor: Visitor, password: str) -> str | None:
        """Why this visitor may do nothing here, in a sentence; None if all is well."""
        words, allowances = WORDS[visitor.language], self._services.allowances
        if not allowances.may_try_password(visitor):
            return words["too_fast"]
        expected = self._services.password
        if expected and hmac.compare_digest(password.encode(), expected.encode()):
            return None
        allowances.wrong_password(visitor)
        return words["wrong_password"]

    def add_prompts(self, visitor: Visitor, text: str, category: str = "") -> str:
        """Store prompts, one a line or as JSON lines; says how many were new."""
        words = WORDS[visitor.language]
        try:
            prompts = read_lines(text, category.strip() or "general")
        except InputError as error:
            return as_text(str(error))
        new = self._services.store.prompts.add(prompts)
        return words["added"].format(count=new, known=len(prompts) - new)

    def withhold(self, visitor: Visitor, kind: str, name: str, on: bool) -> str:
        """Pause a model or hide a prompt, or undo it."""
        words = WORDS[visitor.language]
        store, name = self._services.store, name.strip()
        if kind == "prompt" and not store.prompts.present([name]):
            return words["no_prompt"]
        if kind == "model" and name not in self._models():
            return words["no_model"]
        store.withhold(kind, name, on)
        return words["done"]

    def state(self, visitor: Visitor) -> str:
        """What is withheld now, and how many answers were reported."""
        words, store = WORDS[visitor.language], self._services.store
        models = ", ".join(as_text(name) for name in sorted(store.withheld("model")))
        prompts = "; ".join(as_text(line) for line, _ in self.hidden())
        said = (("withheld_models", models), ("withheld_prompts", prompts))
        lines = [
            words[word].format(names=names or words["nothing_withheld"]) for word, names in said
        ]
        if reports := store.reports.count():
            lines.append(words["reports_so_far"].format(count=reports))
        return "\n\n".join(lines)

    def hidden(self) -> list[tuple[str, str]]:
        """The hidden prompts: how each begins, and its key."""
        store = self._services.store
        found = store.prompts.get(sorted(store.withheld("prompt")))
        return [(line_of(prompt), key) for key, prompt in found.items()]

    def reports(self, visitor: Visitor) -> str:
        """The answers that people reported, the latest first, each with a link to its prompt."""
        words, store = WORDS[visitor.language], self._services.store
        rows = list(store.reports.where())[: -MOST_REPORTS - 1 : -1]
        prompts = store.prompts.get({row.prompt_key for row in rows})
        answers = store.answers.get({row.answer for row in rows})
        return template("reports.html").render(
            words=words,
            rows=[
                {
                    "key": row.prompt_key,
                    "line": line_of(prompts[row.prompt_key]),
                    "model": answers[row.answer].model,
                    "reason": words[f"complaint_{row.reason}"],
                    "comment": row.comment,
                }
                for row in rows
            ],
        )

    def exports(self, visitor: Visitor) -> str:
        """Links to everything that people said; each works for a few minutes."""
        words = WORDS[visitor.language]
        ticket = self._services.voters.ticket()
        links = [f"[{name}.csv](./admin/export/{name}.csv?ticket={ticket})" for name in EXPORTS]
        return sentences(words, words["export_links"], " · ".join(links))

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("admin_intro"), elem_classes="lead")
        with gr.Row() as door:
            password = gr.Textbox(type="password", label=say("password"), elem_id="password")
            enter = gr.Button(
                say("enter"), variant="primary", elem_id="enter", scale=0, min_width=120
            )
        said = gr.Markdown(elem_id="said", elem_classes="outcome")
        given = gr.Textbox(visible="hidden", elem_id="admin-pass")
        with gr.Column(visible=False, elem_id="inside") as inside:
            state = gr.Markdown(elem_id="state")
            adding = self._draw_adding(say)
            chosen, withholding = self._draw_withholding(say)
            looking = self._draw_looking(say)
            report = gr.HTML(elem_id="report", padding=False)
        opening = [Action(event, _nothing) for event in (enter.click, password.submit)]
        for action in (*opening, adding, *withholding, *looking):
            action.event(
                self._guarded(action.work),
                [password, *action.inputs],
                [said, given, door, inside, state, *chosen, report],
                **EVENT,
            ).success(None, [given], None, js=KEEP)

    def _draw_adding(self, say: Say) -> "Action":
        with gr.Accordion(say("add_prompts"), elem_id="add-prompts"):
            text = gr.Textbox(label=say("add_prompts_info"), lines=4, elem_id="new-prompts")
            category = gr.Textbox(label=say("category_new"), elem_id="new-category")
            add = gr.Button(say("add"), elem_id="add")
        return Action(
            add.click, lambda v, t, c: (self.add_prompts(v, t, c), gr.skip()), (text, category)
        )

    def _draw_withholding(self, say: Say) -> tuple[list[gr.Dropdown], list["Action"]]:
        """The choices of a model and of a hidden prompt, and what can be done to them."""
        actions = []

        def button(word: str, kind: str, source: gr.Dropdown, on: bool) -> None:
            def change(visitor: Visitor, name: str | None) -> Said:
                return self.withhold(visitor, kind, name or "", on), gr.skip()

            drawn = gr.Button(say(word), elem_id=word, min_width=80)
            actions.append(Action(drawn.click, change, (source,)))

        with gr.Row():
            with gr.Column(min_width=260):
                model = gr.Dropdown([], label=say("pause_model"), elem_id="pause-model")
                with gr.Row():
                    button("pause", "model", model, True)
                    button("resume", "model", model, False)
            with gr.Column(min_width=260):
                prompt = gr.Dropdown(
                    [],
                    label=say("hidden_prompt"),
                    info=say("hidden_prompt_info"),
                    elem_id="hidden-prompt",
                )
                button("unhide", "prompt", prompt, False)
        return [model, prompt], actions

    def _draw_looking(self, say: Say) -> list["Action"]:
        with gr.Row():
            export, reports, integrity = (
                gr.Button(say(word), elem_id=word) for word in ("export", "reports", "integrity")
            )
        return [
            Action(export.click, lambda v: (self.exports(v), gr.skip())),
            Action(reports.click, lambda v: ("", self.reports(v))),
            Action(integrity.click, lambda v: ("", self._services.audits.page(v.language))),
        ]

    def _guarded(self, work: Callable[..., "Said"]) -> Callable[..., list[Any]]:
        """Does the work where the password is right; else says so and does nothing."""

        def run(request: gr.Request, password: str, *values: Any) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            refused = self.refusal(visitor, password)
            if refused is not None:
                shut = [gr.update(visible=True), gr.update(visible=False)]
                return [refused, "", *shut, *[gr.skip()] * 4]
            try:
                sentence, html = work(visitor, *values)
            except ArenaError as error:
                sentence, html = as_text(str(error)), gr.skip()
            # The field keeps the password, which every action sends along.
            opened = [gr.update(visible=False), gr.update(visible=True), self.state(visitor)]
            models = gr.update(choices=sorted(self._models()))
            hidden = gr.update(choices=self.hidden(), value=None)
            return [sentence, admin_pass(self._services), *opened, models, hidden, html]

        return run

    def _models(self) -> set[str]:
        """Models that are stored, and those that may answer live."""
        live = {model.name for model in self._services.live.candidates()}
        return live | {model.name for model in self._services.store.models()}


# What is said of something done, and the report that it makes.
Said = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """What happens on an event of the page. work: takes the visitor and the inputs' values."""

    event: Any
    work: Callable[..., Said]
    inputs: tuple[Any, ...] = ()


def _nothing(visitor: Visitor) -> Said:
    return "", gr.skip()


def read_lines(text: str, category: str) -> list[Prompt]:
    """Prompts of a text: JSON lines as in a prompt file, or one prompt a line."""
    if text.lstrip().startswith("{"):
        return list(parse_prompts(text, "line", OWN))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    prompts = [Prompt(line[:60], (line,), category, _language(line), (), OWN) for line in lines]
    if not prompts:
        raise InputError("there is no prompt in it")
    return list({prompt.key: prompt for prompt in prompts}.values())


def _language(text: str) -> str:
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"
