import pytest

from arena.board import Leaderboard
from arena.store import Store
from tests.publish.boards import NAMES, fill, full_board, varied_prompts


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, NAMES, varied_prompts(), "something")
    return store


@pytest.fixture
def board() -> Leaderboard:
    return full_board()
