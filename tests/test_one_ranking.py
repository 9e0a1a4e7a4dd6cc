"""The same evidence makes the same ranking, however it is asked for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random

import pytest

from arena.answering import generate
from arena.board import Fit, Leaderboard, Row
from arena.config import parse_model
from arena.evidence import gather
from arena.interchange.battles import read_battles
from arena.judging import judge, load_card
from arena.leaderboard import leaderboard, rank_comparisons, views
from arena.overall import pooled
from arena.publish.formats import to_json
from arena.ratings import RatingResult, bradley_terry, combine
from arena.records import Decoding, Evidence, Outcome, Prompt, Vote, Winner
from arena.store import Store
from arena.web.sheets import Slice, compute

Numbers = dict[str, tuple[float, float, float]]
_BATTLE = count()
MODELS = ("m2", "m3", "m4", "m5")


def of_rows(rows: tuple[Row, ...]) -> Numbers:
    return {row.model: (row.rating, row.ci_low, row.ci_high) for row in rows}


def of_result(r: RatingResult) -> Numbers:
    assert r.ci_low is not None
    assert r.ci_high is not None
    ends = zip(r.ratings.tolist(), r.ci_low.tolist(), r.ci_high.tolist(), strict=True)
    return dict(zip(r.models, ends, strict=True))


def same(paths: Iterator[tuple[str, Numbers]]) -> None:
    """All numbers are those of the first path, to 1e-9 of their size."""
    (name, first), *others = paths
    for other, numbers in others:
        assert numbers.keys() == first.keys(), f"{name} and {other}"
        for model, values in numbers.items():
            assert values == pytest.approx(first[model], rel=1e-9), f"{model}: {name} and {other}"


@pytest.fixture(params=["determined", "undefeated"])
def filled(request: pytest.FixtureRequest, store: Store, write_card: Callable[..., str]) -> Store:
    """Four models with votes, a judge and benchmarks; one of them may have lost no vote."""
    prompts = [Prompt(f"p{k}", (f"one two three four five {k}",)) for k in range(8)]
    base = parse_model("fake:echo")
    for name in MODELS:
        decoding = Decoding(max_tokens=int(name[1:]))
        generate(store, replace(base, name=name, decoding=decoding), prompts)
    judge(store, load_card(write_card("j", "fake:longer"), store.home), prompts)
    answers = {(a.prompt_key, a.model): a.key for a in store.answers.where()}
    dice = Random(3)
    for prompt in prompts * 6:
        a, b = dice.sample(MODELS, 2)
        winner = dice.choice(list(Winner))
        if request.param == "undefeated" and "m2" in (a, b):
            winner = Winner.MODEL_A if a == "m2" else Winner.MODEL_B
        first, second = answers[prompt.key, a], answers[prompt.key, b]
        store.votes.cast(Vote(f"b{next(_BATTLE)}", prompt.key, first, second, winner, "v"))
    keys = {model.name: model.key for model in store.models()}
    store.outcomes.add(
        Outcome(name, keys[name], task, "1", str(k), "acc", float(dice.random() < 0.6))
        for name in MODELS
        for task in ("sums", "roots")
        for k in range(20)
    )
    return store


def without(store: Store, *kinds: str) -> Callable[..., Leaderboard]:
    """The combined ranking of a store as if it had no evidence of these kinds."""
    gathered = gather(store)
    bare = {"human": None, "judges": {}, "objective": {}}
    gathered = replace(gathered, **{kind: bare[kind] for kind in kinds})
    return lambda **how: leaderboard(store, gathered=gathered, **how)


def test_votes(filled: Store, tmp_path: Path) -> None:
    votes = gather(filled).human
    assert votes is not None
    path = tmp_path / "battles.jsonl"
    names = {a.key: a.model for a in filled.answers.where()}
    rows = [
        {
            "model_a": names[v.first],
            "model_b": names[v.second],
            "winner": v.winner,
            "prompt": v.prompt_key,
            "voter": v.voter,
        }
        for v in filled.votes.where()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def paths() -> Iterator[tuple[str, Numbers]]:
        by_votes = leaderboard(filled, evidence=Evidence.HUMAN)
        yield "human", of_rows(by_votes.rows)
        whole = leaderboard(filled, allow_weak_judges=True)
        yield "the overall column's part", of_rows(whole.parts["human"])
        yield "combined, of votes alone", of_rows(without(filled, "judges", "objective")().rows)
        yield "a file", of_rows(rank_comparisons(read_battles(path)).rows)
        yield "the library", of_result(combine(votes))
        yield "the library's method", of_result(combine(votes, method="human"))
        yield "the fit itself", of_result(bradley_terry(votes, prior="auto"))
        (view,) = (v for v in views(filled, whole, True) if v.evidence is Evidence.HUMAN)
        yield "the site", of_rows(view.rows)
        sheet = compute(filled.path, Slice())
        yield "the app", of_rows(sheet.boards[Evidence.HUMAN].rows)
        printed = to_json(by_votes)["models"]
        yield "JSON", {r["model"]: (r["rating"], r["ci_low"], r["ci_high"]) for r in printed}

    same(paths())


def test_judges(filled: Store) -> None:
    def paths() -> Iterator[tuple[str, Numbers]]:
        how = {"allow_weak_judges": True}
        yield "judges", of_rows(leaderboard(filled, evidence=Evidence.JUDGE, **how).rows)
        yield (
            "combined, of judges alone",
            of_rows(without(filled, "human", "objective")(**how).rows),
        )
        both = without(filled, "human")(**how)
        yield "combined, of judges and benchmarks", of_rows(both.rows)
        yield "the overall column's part", of_rows(both.parts["judge"])
        yield "beside votes", of_rows(leaderboard(filled, **how).parts["judge"])
        yield "the library", of_result(combine(judges=gather(filled).judges))
        yield "the app", of_rows(compute(filled.path, Slice(weak=True)).boards[Evidence.JUDGE].rows)

    same(paths())


def test_benchmarks(filled: Store) -> None:
    def paths() -> Iterator[tuple[str, Numbers]]:
        yield "benchmarks", of_rows(leaderboard(filled, evidence=Evidence.OBJECTIVE).rows)
        alone = without(filled, "human", "judges")()
        yield "combined, of benchmarks alone", of_rows(alone.rows)
        whole = leaderboard(filled, allow_weak_judges=True)
        yield "the overall column's part", of_rows(whole.parts["objective"])
        yield "the library", of_result(combine(objective=pooled(gather(filled).objective)))
        yield "the app", of_rows(compute(filled.path, Slice()).boards[Evidence.OBJECTIVE].rows)

    same(paths())


def test_the_overall_column_is_the_mean_of_its_parts(filled: Store) -> None:
    board = leaderboard(filled, allow_weak_judges=True)
    weights = dict(board.weights)
    parts = {kind: of_rows(rows) for kind, rows in board.parts.items()}
    for row in board.overall:
        mean = sum(weights[kind] * part[row.model][0] for kind, part in parts.items())
        assert row.rating == pytest.approx(mean, rel=1e-9)


def test_settings_reach_every_path(filled: Store) -> None:
    fit = Fit(confidence=0.8, cluster=None, prior=200.0)

    def paths() -> Iterator[tuple[str, Numbers]]:
        yield "human", of_rows(leaderboard(filled, evidence=Evidence.HUMAN, fit=fit).rows)
        whole = leaderboard(filled, fit=fit, allow_weak_judges=True)
        yield "the overall column's part", of_rows(whole.parts["human"])
        alone = without(filled, "judges", "objective")(fit=fit)
        yield "combined, of votes alone", of_rows(alone.rows)

    same(paths())
