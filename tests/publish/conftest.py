import pytest

from arena.leaderboard.board import Leaderboard
from arena.store import Store
from tests.boards import NAMES, fill, full_board, varied_prompts


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, NAMES, varied_prompts(), "something")
    return store


@pytest.fixture
def board() -> Leaderboard:
    return full_board()
