"""The pages put together: one Blocks, its words, its style, its keys."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from arena.store import Store
from arena.web import board_page
from arena.web.vote_page import VotePage
from arena.web.voters import Voters
from arena.web.words import WORDS

CSS = """
.gradio-container { max-width: 1100px !important; margin: auto !important; }
/* Nothing that a model writes widens the page: its text adds no width, and scrolls in its box. */
.text { padding: 4px 14px; overflow-wrap: anywhere; contain: inline-size; overflow-x: auto; }
.text :is(pre, table, .katex-display) { max-width: 100%; overflow-x: auto; }
.text table { display: block; }
#answers { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); }
#prompt { border: 0; border-left: 4px solid var(--color-accent); }
#answer-a, #answer-b { min-height: 160px; flex: 1 1 auto; }
.slot { flex: none !important; }
.slot p { font-weight: 600; font-size: 1.05em; }
#choices { display: grid; grid-template-columns: repeat(4, 1fr); padding: 8px 0;
           position: sticky; bottom: 0; z-index: 5; background: var(--body-background-fill); }
#title, #title * { font-size: 1.5rem; font-weight: 700; padding: 2px 0; }
#result { font-size: 1.1em; }
#keys { opacity: .7; }
.note { border-left: 4px solid #d9a520; padding: 2px 12px; margin: 8px 0; }
table.board { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
#board :is(table, tr, th, td) { border: 0 !important; }
#board th, #board td { padding: 8px 10px; text-align: left; overflow-wrap: anywhere; }
.board thead th { opacity: .7; font-size: .85em; }
#board tbody tr { border-top: 1px solid var(--border-color-primary) !important; }
.board .plot { width: 36%; }
.board svg { display: block; width: 100%; height: 20px; overflow: visible; }
.board line { stroke: var(--color-accent); stroke-opacity: .3; stroke-width: 8;
              stroke-linecap: round; }
.board circle { fill: var(--color-accent); }
.board small { display: block; opacity: .7; white-space: nowrap; }
.method { opacity: .7; font-size: .85em; margin-top: 8px; }
@media (max-width: 600px) { #keys { display: none; }
  #answers { grid-template-columns: minmax(0, 1fr); }
  #choices { grid-template-columns: 1fr 1fr; } #vote-model_b { grid-row: 1; grid-column: 2; }
  .board .plot, .board .count, .board thead th:last-child { display: none; } }
"""

# One key, one button; typing into a field is left alone, and so are shortcuts of the browser.
KEYS = """
<script>
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, [role=radio]")) return;
  const name = {a: "vote-model_a", ArrowLeft: "vote-model_a", b: "vote-model_b",
    ArrowRight: "vote-model_b", t: "vote-tie", x: "vote-both_bad", Enter: "next"}[
    event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const button = name && document.getElementById(name);
  if (button && !button.disabled && button.offsetParent) { event.preventDefault(); button.click(); }
});
</script>
"""


# Gradio translates any string of the page that equals a key, a model's answer too.
PREFIX = "arena_"


def build(store: Store, voters: Voters) -> tuple[gr.Blocks, dict[str, Any]]:
    """The pages, and what `mount_gradio_app` needs to serve them."""
    i18n = gr.I18n(**{language: _keyed(words) for language, words in WORDS.items()})

    def say(name: str) -> Any:
        return i18n(PREFIX + name)

    with gr.Blocks(title="Arena", analytics_enabled=False) as blocks:
        gr.HTML(say("title"), elem_id="title")
        with gr.Tab(say("vote_tab"), elem_id="vote-tab"):
            VotePage(store, voters).draw(blocks, say)
        with gr.Tab(say("board_tab"), elem_id="board-tab") as tab:
            board_page.draw(store, say, tab)
    theme = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return blocks, {"i18n": i18n, "css": CSS, "head": KEYS, "theme": theme}


def _keyed(words: Mapping[str, str]) -> dict[str, str]:
    return {PREFIX + name: text for name, text in words.items()}
