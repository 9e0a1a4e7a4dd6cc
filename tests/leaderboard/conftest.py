import pytest

from arena.leaderboard.board import Leaderboard
from tests.boards import full_board


@pytest.fixture
def board() -> Leaderboard:
    return full_board()
