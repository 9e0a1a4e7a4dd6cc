"""What an event may bring from the browser: text, numbers, and lists of them.

Gradio takes any object for a file that says so, whatever the component: it would copy each file
of the machine, or fetch each address, that a visitor names.
"""

from typing import Any

import gradio as gr
from gradio.exceptions import ComponentProcessingError


class Pages(gr.Blocks):
    """Pages whose events take no files."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], *others: Any, **more: Any
    ) -> Any:
        """As Gradio does it, from plain inputs alone; a field that was not sent is an empty one.

        Raises gr.Error for what no field of the page can hold, which is worth no trace in the log.
        """
        try:
            values = await super().preprocess_data(block_fn, plain(inputs), *others, **more)
        except (gr.Error, ComponentProcessingError) as error:
            raise gr.Error("no page here sends this", print_exception=False) from error
        return [
            "" if value is None and isinstance(field, gr.Textbox) else value
            for value, field in zip(values, block_fn.inputs, strict=True)
        ]


def plain(value: Any) -> Any:
    """A value as it can be stored: half a character becomes a `?`.

    Raises gr.Error for an object.
    """
    if isinstance(value, dict):
        raise gr.Error("this takes no objects", print_exception=False)
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
