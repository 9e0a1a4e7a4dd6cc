"""What an event may bring from the browser: text, numbers, and lists of them.

Gradio takes any object for a file that says so, whatever the component: it would copy each file
of the machine, or fetch each address, that a visitor names.
"""

from typing import Any

import gradio as gr


class Pages(gr.Blocks):
    """Pages whose events take no files."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], *others: Any, **more: Any
    ) -> Any:
        """As Gradio does it, from plain inputs alone."""
        return await super().preprocess_data(block_fn, plain(inputs), *others, **more)


def plain(value: Any) -> Any:
    """A value as it can be stored: half a character becomes a `?`.

    Raises gr.Error for an object.
    """
    if isinstance(value, dict):
        raise gr.Error("this takes no objects", print_exception=False)
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
