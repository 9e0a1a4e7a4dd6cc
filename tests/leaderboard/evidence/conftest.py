import pytest

from arena.records import Prompt
from arena.store import Store
from tests.leaderboard.evidence.rows import Filled


@pytest.fixture
def filled(answered: Store, prompts: list[Prompt]) -> Filled:
    """Three models (`long`, `middle`, `short`) with answers to `one`, `two` and `three`."""
    return Filled(answered, prompts)
