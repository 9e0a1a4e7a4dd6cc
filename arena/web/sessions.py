"""What Gradio keeps of every page that is open.

It describes each component of all pages once more for each visitor, so that a link could bring
back what was on the page: some 16 ms and 0.4 MB, and as many objects for the garbage collector
to go through. The pages here have links of their own, so that is left out.
"""

from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig


class _Taken(BlocksConfig):
    """Components as another configuration has them."""

    def __init__(self, whole: BlocksConfig) -> None:
        vars(self).update(vars(whole))


class _Visitors(_Taken):
    """One visitor's components, of which nothing is described."""

    @staticmethod
    def config_for_block(*_: Any) -> dict[str, Any]:
        """Nothing, which Gradio passes over."""
        return {}


class _Everybodys(_Taken):
    """The components as they are sent with a page; copied for each visitor."""

    def __copy__(self) -> _Visitors:
        return _Visitors(super().__copy__())  # type: ignore[no-untyped-call]


def lighten(blocks: gr.Blocks) -> None:
    """Let a visit to these finished pages take little."""
    blocks.default_config = _Everybodys(blocks.default_config)
