"""The page of the models that are configured or have answered, and whether they answer now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

import gradio as gr

from arena.leaderboard.board import Row
from arena.leaderboard.facts import facts_of
from arena.leaderboard.formats import decimals, points, rank_range
from arena.leaderboard.snapshot import Sheet, Slice
from arena.records import BackendKind, Decoding, Model
from arena.store.versions import replaced
from arena.web.background.cache import LONG_ENOUGH, PATIENCE
from arena.web.background.model_record import OnPrompt
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.board_table import FACTS, fact_cell, note, template, view_name
from arena.web.views.components import PATIENT
from arena.web.views.words import WORDS, Say, Words, group_name
from arena.web.voting.live import Ready

MOST_PROMPTS = 5
HEADS = (
    ("name", ""),
    ("state", ""),
    ("backend", "wide"),
    ("weights", "wide"),
    ("family", "wide"),
    ("license", "wide"),
    ("answers", "number"),
    ("decoding", "wide"),
)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model as the page shows it: nothing of how it is reached."""

    name: str
    state: str
    css: str
    backend: str
    weights: str
    family: str
    license: str
    answers: int
    decoding: str


class ModelsPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, visitor: Visitor, again: bool = False) -> Iterator[str]:
        """A line a model, at once and when all have said whether they can answer.

        again: ask each one anew.
        """
        live = self._services.live
        if again or live.known() is None:
            asked = [Ready(model, False, "") for model in live.candidates()]
            yield self._table(visitor, asked, "asking")
        yield self._table(visitor, live.states(again))

    def _table(self, visitor: Visitor, candidates: Sequence[Ready], doubt: str = "") -> str:
        """doubt: the word for the state of candidates that have not said yet; empty if all have."""
        words = WORDS[visitor.language]
        store = self._services.store
        known = {model.name: model for model in store.models()}
        ready = {state.model.name: state for state in candidates}
        known |= {name: state.model for name, state in ready.items()}
        paused = store.withheld("model")
        lengths = store.evidence.answers()
        answers = dict(zip(lengths.model, lengths.answers, strict=True))
        rows = []
        for name, model in sorted(known.items()):
            state, css = "stored_only", ""
            if name in paused:
                state, css = "paused", "bad"
            elif name in ready and doubt:
                state = doubt
            elif name in ready:
                state, css = ("ready", "good") if ready[name].ready else ("not_ready", "bad")
            rows.append(_row(model, words[state], css, answers.get(name, 0), words))
        time = "" if doubt else datetime.now(UTC).strftime("%H:%M:%S")
        return template("models.html").render(
            rows=rows,
            heads=[one for one in HEADS if any(getattr(row, one[0]) != "–" for row in rows)],
            words=words,
            time=time,
            replaced=replaced(store, known),
        )

    def one(self, visitor: Visitor, name: str, patience: float = PATIENCE) -> str | None:
        """The page of one model; None where it is still being made."""
        words = WORDS[visitor.language]
        known = {model.name: model for model in self._services.store.models()}
        if name not in known:
            back = f'<p class="links"><a href="./models">← {escape(words["all_models"])}</a></p>'
            return note(words["no_such_model"].format(name=name)) + back
        sheet = self._services.boards.get(Slice(), patience)
        record = self._services.records.get(name, patience)
        if sheet is None or record is None:
            return None
        return template("model.html").render(
            record=record,
            latest=replaced(self._services.store).get(name, ""),
            prompts=[
                (words["best_prompts"], self._shown(visitor, record.best)),
                (words["worst_prompts"], self._shown(visitor, record.worst)),
            ],
            facts=_facts(known[name], words),
            places=list(_places(sheet, name, words)),
            words=words,
            group_name=group_name,
        )

    def waiting(self, visitor: Visitor, name: str) -> Iterator[str]:
        """The page of one model; before it, where that takes a while, what is being done."""
        page = self.one(visitor, name)
        if page is None:
            yield note(WORDS[visitor.language]["computing_model"])
            page = self.one(visitor, name, LONG_ENOUGH)
        if page is not None:
            yield page

    def _shown(self, visitor: Visitor, prompts: Sequence[OnPrompt]) -> list[OnPrompt]:
        """Those of which the visitor may know who answered them."""
        blind = self._services.blind
        if blind.is_closed:
            return []
        unsaid = blind.open_to(visitor)
        return [one for one in prompts if not unsaid.has(one.prompt)][:MOST_PROMPTS]

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        intro = gr.Markdown(say("models_intro"), elem_classes="lead")
        table = gr.HTML(elem_id="models", padding=False)
        with gr.Row():
            again = gr.Button(say("check"), elem_id="check", size="sm", scale=0, min_width=120)

        def show(request: gr.Request) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            name = request.query_params.get("name", "")
            if not name:
                for page in self.show(visitor):
                    yield [page, gr.skip(), gr.skip()]
                return
            for page in self.waiting(visitor, name):
                yield [page, gr.update(visible=False), gr.update(visible=False)]

        def check(request: gr.Request) -> Iterator[str]:
            visitor = self._services.voters.visitor(request)
            yield from self.show(visitor, again=self._services.allowances.generate(visitor))

        root.load(show, outputs=[table, again, intro], **PATIENT)
        again.click(check, outputs=[table], **PATIENT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model stands in one view. row: its line, None where it is not rated yet."""

    view: str
    title: str
    row: Row | None
    rank: int = 0
    of: int = 0
    range: str = ""
    rating: str = ""
    interval: str = ""
    lacking: str = ""


def _places(sheet: Sheet, name: str, words: Words) -> Iterator[Place]:
    """A place for each view that rates the model, or says what it lacks."""
    for view, board in sheet.boards.items():
        title = view_name(words, view)
        row = next((row for row in board.rows if row.model == name), None)
        one = next((one for one in board.unrated if one.model == name and one.comparisons), None)
        if row is not None:
            digits = decimals(board)
            interval = f"{points(row.ci_low, digits)} – {points(row.ci_high, digits)}"
            rating = points(row.rating, digits)
            rank, of = board.places[name], len(board.rows)
            yield Place(view, title, row, rank, of, rank_range(row), rating, interval)
        elif one is not None:
            how = "apart" if one.apart else "few"
            lacks = words[f"unrated_{how}_{board.placed_by}"]
            said = lacks.format(count=one.comparisons, lacks=one.lacks)
            lacking = words["named"].format(name=words["unrated_title"], value=said)
            yield Place(view, title, None, lacking=lacking)


def _facts(model: Model, words: Words) -> list[tuple[str, str]]:
    """What is known of a model, named; nothing of how it is reached."""
    row, known = _row(model, "", "", 0, words), facts_of(model)
    cells = {name: fact_cell(name, known, words) for name in FACTS}
    found = [
        *((name, f"{cell.text} {cell.small}".rstrip()) for name, cell in cells.items()),
        ("family", model.family or ""),
        ("weights", row.weights if row.weights != model.name else ""),
        ("decoding", row.decoding),
    ]
    return [(words[name], fact) for name, fact in found if fact not in ("", "–")]


def _row(model: Model, state: str, css: str, answers: int, words: Words) -> ModelRow:
    # A path would say where things lie on this machine.
    weights = model.weights.rstrip("/").rsplit("/", 1)[-1]
    imported = model.backend is BackendKind.IMPORTED
    shown = model.weights if not model.weights.startswith((".", "/", "~")) else weights
    return ModelRow(
        model.name,
        state,
        css,
        str(model.backend),
        shown,
        model.family or "–",
        model.license or "–",
        answers,
        "–" if imported else _decoding(model.decoding, words),
    )


def _decoding(how: Decoding, words: Words) -> str:
    """How it writes, in words as the site has them."""
    is_greedy = how.temperature == 0
    parts = [
        words["decoding_greedy" if is_greedy else "decoding_drawn"].format(value=how.temperature),
        f"top-p {how.top_p:g}" if how.top_p < 1 and not is_greedy else "",
        words["decoding_most"].format(count=how.max_tokens),
    ]
    return words["comma"].join(filter(None, parts))
