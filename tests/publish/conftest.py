import pytest

from arena.leaderboard.board import Leaderboard
from arena.records import Prompt, Vote, Winner
from arena.store import Store
from tests.boards import NAMES, fill, full_board, varied_prompts


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, NAMES, varied_prompts(), "something")
    return store


@pytest.fixture
def board() -> Leaderboard:
    return full_board()


@pytest.fixture
def voted(store: Store) -> Store:
    """Votes on two prompts of two categories and languages."""
    prompts = [Prompt("p", ("Add.",), "maths", "en"), Prompt("q", ("写代码。",), "coding", "zh")]
    fill(store, ("a", "b"), prompts, "something")
    keys = {(a.prompt_key, a.model): a.key for a in store.answers.where()}
    store.votes.cast_all(
        Vote(
            f"{prompt.name}{k}",
            prompt.key,
            keys[prompt.key, "a"],
            keys[prompt.key, "b"],
            Winner.MODEL_A if k % 3 else Winner.MODEL_B,
            f"v{k}",
        )
        for prompt in prompts
        for k in range(6)
    )
    return store
