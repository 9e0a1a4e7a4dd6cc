"""One model onto a board: against the joint fit, and against the truth it was drawn from."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.compare.boards.place import next_opponents, place, predicted
from arena.compare.boards.placing import PlacedWhen, place_by_judge, split_off
from arena.config import parse_model
from arena.generation.answering import generate
from arena.judging import judge, load_card
from arena.ratings import Comparisons, bradley_terry, concat
from arena.records import Prompt
from arena.records.errors import GateError, InputError
from arena.store import Store

POINTS = 400 / np.log(10)
Write = Callable[..., str]


def drawn(
    theta: dict[str, float], pairs: list[tuple[str, str]], each: int, seed: int
) -> Comparisons:
    rng = np.random.default_rng(seed)
    a = [x for x, _ in pairs for _ in range(each)]
    b = [y for _, y in pairs for _ in range(each)]
    chance = [1 / (1 + np.exp(theta[y] - theta[x])) for x, y in zip(a, b, strict=True)]
    won = (rng.random(len(a)) < chance).astype(float)
    return Comparisons.from_columns(
        a, b, outcome=won, prompt=[f"{seed} {k}" for k in range(len(a))]
    )


BOARD = {f"m{k}": float(x) for k, x in enumerate(np.linspace(-1, 1, 8))}
AMONG = [(x, y) for x in BOARD for y in BOARD if x < y]


def test_it_is_the_joint_fit_where_the_board_is_well_known() -> None:
    pool = drawn(BOARD, AMONG, 100, 1)
    own = drawn({**BOARD, "new": 0.4}, [("new", x) for x in BOARD], 10, 2)
    found = place(pool, own, "new")
    whole = bradley_terry(concat([pool, own]))
    others = [r for n, r in zip(whole.models, whole.ratings, strict=True) if n != "new"]
    joint = float(whole.ratings[whole.models.index("new")]) - float(np.mean(others)) + 1000
    assert found.rating == pytest.approx(joint, abs=4)
    assert (found.comparisons, found.opponents, found.models) == (80, 8, 9)
    assert found.prior is None
    assert found.board < found.own / 3


def test_intervals_hold_the_truth_as_often_as_they_say_with_a_board_that_is_not_sure() -> None:
    covered, without = 0, 0
    for seed in range(80):
        pool = drawn(BOARD, AMONG, 4, 10 + seed)
        own = drawn({**BOARD, "new": 0.4}, [("new", x) for x in ("m3", "m5")], 80, 500 + seed)
        found = place(pool, own, "new")
        truth = 1000 + 0.4 * POINTS
        covered += found.low <= truth <= found.high
        without += abs(found.rating - truth) <= 1.96 * found.own
    assert covered >= 0.95 * 80 - 3 * (80 * 0.95 * 0.05) ** 0.5
    assert without < covered - 8


def test_a_model_that_won_everything_takes_a_prior() -> None:
    pool = drawn(BOARD, AMONG, 20, 3)
    own = Comparisons.from_columns(["new"] * 3, ["m1", "m2", "m3"], outcome=[1.0] * 3)
    found = place(pool, own, "new")
    assert found.prior == 400
    assert found.rank < 8
    assert np.isfinite(found.high)
    stranger = Comparisons.from_columns(["new"], ["nobody"], outcome=[1.0])
    with pytest.raises(InputError, match="any model of the board"):
        place(pool, stranger, "new")


def test_the_next_opponent_is_one_that_is_allowed_and_near() -> None:
    pool = drawn({**BOARD, "far": 6.0}, [*AMONG, *[(x, "far") for x in BOARD]], 40, 4)
    own = drawn({**BOARD, "new": 0.0}, [("new", x) for x in BOARD], 5, 5)
    drawn_pairs = next_opponents(pool, own, "new", 200, [*BOARD, "far"], seed=1)
    names = [p.model_b if p.model_a == "new" else p.model_a for p in drawn_pairs]
    assert "new" not in names
    assert names.count("far") < 0.5 * 200 / 9
    only = next_opponents(pool, None, "new", 5, ["m1"], seed=1)
    assert all({p.model_a, p.model_b} == {"new", "m1"} for p in only)


def test_what_people_would_say_is_said_with_those_left_out() -> None:
    theta = {f"m{k:02d}": float(x) for k, x in enumerate(np.linspace(-1, 1, 24))}
    pairs = [(x, y) for x in theta for y in theta if x < y]
    people = drawn({k: 0.5 * v for k, v in theta.items()}, pairs[::2], 12, 6)
    said = drawn({**theta, "new": 0.8}, [*pairs[1::2], *[("new", x) for x in theta]], 12, 7)
    found = predicted(people, said, "new")
    assert found.rating == pytest.approx(1000 + 0.4 * POINTS, abs=30)
    assert found.low < found.rating < found.high
    assert len(found.left_out) == 24
    errors = [one.predicted - one.known for one in found.left_out]
    assert abs(np.mean(errors)) < 10
    few = people.among([f"m{k:02d}" for k in range(5)])
    with pytest.raises(InputError, match="a prediction takes 10"):
        predicted(few, said, "new")
    with pytest.raises(InputError, match="has not compared"):
        predicted(people, said.among(list(theta)), "new")


@pytest.fixture
def judged(store: Store, write_card: Write) -> tuple[Store, list[Prompt]]:
    """Five models that answer at different length, judged by length; a sixth that is not."""
    prompts = [
        Prompt(f"p{k}", (f"Tell me {k} short stories of a cat, a dog and {'a horse ' * (k % 5)}",))
        for k in range(12)
    ]
    for tokens in (2, 4, 6, 8, 10, 7):
        name = "new" if tokens == 7 else f"m{tokens}"
        model = parse_model(f"{name}=fake:echo")
        from dataclasses import replace

        generate(
            store, replace(model, decoding=replace(model.decoding, max_tokens=tokens)), prompts
        )
    card = load_card(write_card("j", "fake:longer"), store.home)
    judge(store, card, prompts, models=[f"m{k}" for k in (2, 4, 6, 8, 10)])
    return store, prompts


def test_a_judge_is_asked_as_much_as_the_budget_allows(judged: tuple[Store, list[Prompt]]) -> None:
    store, prompts = judged
    card = load_card("j", store.home)
    before = store.verdicts.count()
    done = place_by_judge(store, card, prompts, "new", until=PlacedWhen(25))
    assert done.asked == 25
    assert store.verdicts.count() == before + 50
    assert done.placement.comparisons == 25
    assert done.placement.rank == 3
    wide = place_by_judge(store, card, prompts, "new", until=PlacedWhen(100, 5000))
    assert wide.asked == 0
    rest = place_by_judge(store, card, prompts, "new", until=PlacedWhen(100))
    assert rest.asked == 60 - 25


def test_a_judge_that_follows_the_order_places_nobody(
    judged: tuple[Store, list[Prompt]], write_card: Write
) -> None:
    store, prompts = judged
    weak = load_card(write_card("weak", "fake:first"), store.home)
    with pytest.raises(InputError, match="no board to place on"):
        place_by_judge(store, weak, prompts, "new", until=PlacedWhen(10))
    judge(store, weak, prompts, models=["m2", "m4", "m6"])
    with pytest.raises(GateError):
        place_by_judge(store, weak, prompts, "new", until=PlacedWhen(10))


def test_the_command_places_by_what_is_stored(
    judged: tuple[Store, list[Prompt]], tmp_path: Path
) -> None:
    store, prompts = judged
    place_by_judge(store, load_card("j", store.home), prompts, "new", until=PlacedWhen(20))
    store.close()
    args = ["place", "new", "--evidence", "judge", "--db", str(tmp_path / "arena.db")]
    done = CliRunner().invoke(app, [*args, "--format", "json"])
    assert json.loads(done.stdout)["rank"] == 3
    assert "3 of 6" in CliRunner().invoke(app, args).stdout
    header = CliRunner().invoke(app, [*args, "--format", "csv"]).stdout.splitlines()[0]
    assert header.endswith(",error of the model,error of the board")
    none = CliRunner().invoke(app, ["place", "new", "--db", str(tmp_path / "arena.db")])
    assert (none.exit_code, "no comparisons of the kind human" in none.stderr) == (2, True)


def test_a_model_is_split_off() -> None:
    c = drawn(BOARD, AMONG, 2, 9)
    rest, own = split_off(c, "m0")
    assert rest is not None
    assert own is not None
    assert len(rest) + len(own) == len(c)
    assert "m0" not in rest.models
    assert split_off(c, "nobody") == (c, None)
