"""The pages put together: one Blocks with a route each, their words, their style, their script."""

import json
import os
from html import escape
from importlib.resources import files
from typing import Any

import gradio as gr
from gradio.components.navbar import Navbar

from arena.leaderboard.board import Policy
from arena.web.pages.admin import AdminPage
from arena.web.pages.battle import BattlePage
from arena.web.pages.browse import BrowsePage
from arena.web.pages.compare import ComparePage
from arena.web.pages.judges import JudgesPage
from arena.web.pages.leaderboard import BoardPage
from arena.web.pages.models import ModelsPage
from arena.web.pages.rate import RatePage
from arena.web.pages.side_by_side import SideBySidePage
from arena.web.pages.vote import VotePage
from arena.web.security.inputs import Pages
from arena.web.services import Services
from arena.web.sessions import lighten
from arena.web.views.board_table import template
from arena.web.views.words import WORDS, Words

# By the path of the page; the first one is the root. In the order of the navigation.
PAGES: dict[str, type[Any]] = {
    "": VotePage,
    "battle": BattlePage,
    "rate": RatePage,
    "leaderboard": BoardPage,
    "compare": ComparePage,
    "judges": JudgesPage,
    "browse": BrowsePage,
    "side_by_side": SideBySidePage,
    "models": ModelsPage,
}
ADMIN = "admin"
# Gradio translates any string of the page that equals a key, a model's answer too.
PREFIX = "arena_"
WAITING = 400
# Gradio keeps a copy of its components for each page that is open, a few hundred kB.
OPEN_PAGES = 512
# Whatever is a box is told from what is around it, in both schemes, with a contrast of 3:1.
EDGE, EDGE_DARK = "#8592a6", "#7688a2"
EDGES = {
    f"{part}_border_color{scheme}": colour
    for part in ("block", "input", "checkbox", "checkbox_label")
    for scheme, colour in (("", EDGE), ("_dark", EDGE_DARK))
}
# It would sum up its own statistics after every event, which nobody looks at here.
QUIET = {"GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000", "GRADIO_ANALYTICS_MAX_EVENTS": "1"}


def build(services: Services) -> tuple[gr.Blocks, dict[str, Any]]:
    """The pages, and what `mount_gradio_app` needs to serve them; see `head` for the rest."""
    i18n = gr.I18n(**{language: _keyed(words) for language, words in WORDS.items()})

    def say(name: str) -> Any:
        return i18n(PREFIX + name)

    pages = PAGES | ({ADMIN: AdminPage} if services.password else {})
    os.environ.update(QUIET)
    with Pages(title="Arena", analytics_enabled=False) as blocks:
        Navbar(visible=False)
        pages.pop("")(services).draw(blocks, say)
    for path, page in pages.items():
        with blocks.route(path, path, show_in_navbar=False):
            Navbar(visible=False)
            page(services).draw(blocks, say)
    # Told at intervals how long the queue is; by default all would be, after every event.
    blocks.queue(
        status_update_rate=5, default_concurrency_limit=None, max_size=WAITING, api_open=False
    )
    blocks.state_session_capacity = OPEN_PAGES
    lighten(blocks)
    theme = gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        radius_size="lg",
        font=["system-ui", "sans-serif"],
        font_mono=["monospace"],
    ).set(
        **EDGES,
        # White letters on it, and these on what is around them, have a contrast of 4.5:1.
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        block_info_text_color="#52606f",
        block_info_text_color_dark="#aab4c0",
        input_placeholder_color="#64748b",
        input_placeholder_color_dark="#94a3b8",
    )
    return blocks, {"i18n": i18n, "theme": theme}


def head(title: str = "", *, admin: bool = False) -> str:
    """Style and script of the page's own frame, which must be there before Gradio is.

    title: of this arena, where it has one of its own. admin: whether there is an admin page.
    """
    pages = [*PAGES, *([ADMIN] if admin else [])]
    names = [f"{page or 'vote'}_tab" for page in pages]
    words = {
        language: {name: said[name] for name in (*names, "title", "pages", "shade", "scroll_more")}
        | ({"title": title} if title and title != Policy().title else {})
        for language, said in WORDS.items()
    }
    settings = json.dumps({"pages": pages, "words": words}, ensure_ascii=False)
    read = {
        name: (files("arena.web.static") / f"page.{name}").read_text("utf-8")
        for name in ("css", "js")
    }
    board = (files("arena.web.static") / "board.js").read_text("utf-8")
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="./favicon.ico">'
        f"<style>{read['css']}</style>"
        f"<script>const arena = {settings.replace('<', escape('<'))};\n{read['js']}{board}</script>"
    )


def absent(root_path: str = "") -> str:
    """What stands at an address that has no page: a few words in both languages, and the way home.

    root_path: under which the app is reached.
    """
    home = f"{root_path.rstrip('/')}/"
    return template("absent.html").render(both=list(WORDS.values()), home=home)


def _keyed(words: Words) -> dict[str, str]:
    return {PREFIX + name: text for name, text in words.items()}
