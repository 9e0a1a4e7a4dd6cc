"""What a visit takes of the app's memory."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gradio.state_holder import SessionState

from arena.web.app import build
from arena.web.services import Services


@pytest.fixture
def blocks(shared: Services) -> Any:
    async def built() -> Any:
        return build(shared)[0]

    # Outside of a loop Gradio opens some of its own, and leaves them open; in this thread one may
    # run already, a browser's.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(lambda: asyncio.run(built())).result()


def test_a_page_describes_its_components_and_a_visit_does_not(blocks: Any) -> None:
    described = {c["props"].get("elem_id") for c in blocks.get_config_file()["components"]}
    assert {"vote-model_a", "board", "cards"} <= described
    session = SessionState(blocks)
    assert not any(session.config_values.values())
    assert not list(session.components)
    assert session.blocks_config.blocks == blocks.default_config.blocks
    assert session.blocks_config.fns == blocks.default_config.fns


def test_what_one_visitor_changes_is_not_changed_for_others(blocks: Any) -> None:
    one, other = SessionState(blocks), SessionState(blocks)
    key = next(k for k, block in blocks.default_config.blocks.items() if block.elem_id == "result")
    one._update_value_in_config(key, "a secret")
    one[key] = "something else"
    assert other[key] is blocks.default_config.blocks[key]
    assert not any(one.config_values.values())
