"""The same evidence makes the same ranking, however it is asked for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.config import Config, JudgeRun, RankSettings, load_config, parse_model
from arena.files.assets import builtin
from arena.generation.answering import generate
from arena.interchange.battles import read_battles
from arena.interchange.imports import import_battles
from arena.judging import judge, load_card
from arena.leaderboard.board import (
    USUAL_FIT,
    Leaderboard,
    Origin,
    Policy,
    Row,
    keep_policy,
    policy_of,
)
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.formats import to_json
from arena.leaderboard.overall import pooled
from arena.leaderboard.ranking import leaderboard, rank_comparisons, ranking, views
from arena.leaderboard.snapshot import Slice, compute
from arena.ratings import RatingResult, bradley_terry, combine
from arena.records import Decoding, Evidence, Outcome, Prompt, Vote, Winner
from arena.store import Store
from arena.web.background.boards import Boards
from arena.web.files import board_file
from tests.conftest import DATASETS

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
        (view,) = (
            v
            for v in views(filled, whole, Policy(allow_weak_judges=True))
            if v.evidence is Evidence.HUMAN
        )
        yield "the site", of_rows(view.rows)
        sheet = compute(filled, Slice())
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
        yield "the app", of_rows(compute(filled, Slice(weak=True)).boards[Evidence.JUDGE].rows)

    same(paths())


def test_benchmarks(filled: Store) -> None:
    def paths() -> Iterator[tuple[str, Numbers]]:
        yield "benchmarks", of_rows(leaderboard(filled, evidence=Evidence.OBJECTIVE).rows)
        alone = without(filled, "human", "judges")()
        yield "combined, of benchmarks alone", of_rows(alone.rows)
        whole = leaderboard(filled, allow_weak_judges=True)
        yield "the overall column's part", of_rows(whole.parts["objective"])
        yield "the library", of_result(combine(objective=pooled(gather(filled).objective)))
        yield "the app", of_rows(compute(filled, Slice()).boards[Evidence.OBJECTIVE].rows)

    same(paths())


def test_the_overall_column_is_the_mean_of_its_parts(filled: Store) -> None:
    board = leaderboard(filled, allow_weak_judges=True)
    weights = dict(board.weights)
    parts = {kind: of_rows(rows) for kind, rows in board.parts.items()}
    for row in board.overall:
        mean = sum(weights[kind] * part[row.model][0] for kind, part in parts.items())
        assert row.rating == pytest.approx(mean, rel=1e-9)


def test_settings_reach_every_path(filled: Store) -> None:
    policy = Policy(fit=replace(USUAL_FIT, confidence=0.8, cluster=None, prior=200.0))

    def paths() -> Iterator[tuple[str, Numbers]]:
        yield "human", of_rows(leaderboard(filled, policy, evidence=Evidence.HUMAN).rows)
        whole = leaderboard(filled, policy, allow_weak_judges=True)
        yield "the overall column's part", of_rows(whole.parts["human"])
        alone = without(filled, "judges", "objective")(policy=policy)
        yield "combined, of votes alone", of_rows(alone.rows)

    same(paths())


def demo(filled: Store, tmp_path: Path) -> tuple[Path, Config]:
    """A database whose last run was told what the demo is, and no arena.yaml beside it."""
    config = load_config(builtin("data") / "demo.yaml")
    config = config.model_copy(update={"judges": [JudgeRun(judge="j")]})
    keep_policy(filled, config)
    return filled.path, Config()


def llmfao(filled: Store, tmp_path: Path) -> tuple[Path, Config]:
    """59 models with people's votes and two judges, of which arena.yaml counts one."""
    if not DATASETS.is_dir():
        pytest.skip(f"no datasets in {DATASETS}")
    store = Store(tmp_path / "llmfao.db")
    for name in ("votes", "judges"):
        import_battles(store, DATASETS / f"llmfao_{name}.csv", within="llmfao")
    rank = RankSettings(confidence=0.9, cap=0.2, min_comparisons=20)
    return store.path, Config(title="LLMFAO", judges=[JudgeRun(judge="gpt-4")], rank=rank)


def unlinked(filled: Store, tmp_path: Path) -> tuple[Path, Config]:
    """Two models that were compared with each other alone, beside all the others."""
    lines = ["prompt,model_a,model_b,winner,voter"]
    lines += [f"q{k},x,y,{'model_a' if k % 3 else 'model_b'},v{k}" for k in range(9)]
    lines += ["q0,m2,z,model_a,v1"]
    path = tmp_path / "unlinked.csv"
    path.write_text("\n".join(lines) + "\n")
    import_battles(filled, path)
    return filled.path, Config(rank=RankSettings(evidence=Evidence.COMBINED))


def data(board: Leaderboard) -> Any:
    """As its file has it."""
    return json.loads(json.dumps(to_json(board)))


@pytest.mark.slow
@pytest.mark.parametrize("filled", ["determined"], indirect=True)
@pytest.mark.parametrize("made", [demo, llmfao, unlinked])
def test_app_command_line_and_site_show_one_ranking(
    made: Callable[[Store, Path], tuple[Path, Config]], filled: Store, tmp_path: Path
) -> None:
    """To the last digit, with what is not rated, in every view and under one policy."""
    path, config = made(filled, tmp_path)
    store, settings = Store(path), tmp_path / "arena.yaml"
    options = ["--db", str(path)]
    if config.model_fields_set:
        settings.write_text(config.model_dump_json(exclude_unset=True))
        options += ["--config", str(settings)]
    policy = policy_of(store, config)
    assert policy.origin is (Origin.FILE if config.model_fields_set else Origin.RUN)
    main = data(ranking(store, policy))
    boards = Boards(store, config)
    sheet = boards.get(Slice(), 60.0)
    assert sheet is not None
    assert sheet.policy == policy

    def said(*words: str) -> Any:
        done = CliRunner().invoke(app, [*words, *options])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert json.loads(said("rank", "--format", "json")) == main
    assert json.loads(board_file(sheet, str(policy.evidence), "json") or "") == main
    for kind in (Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE):
        if str(kind) in sheet.boards:
            printed = said("rank", "--evidence", str(kind), "--format", "json")
            assert json.loads(printed) == data(sheet.boards[str(kind)])
    said("publish", str(tmp_path / "site"))
    assert json.loads((tmp_path / "site" / "leaderboard.json").read_text()) == main
    page = (tmp_path / "site" / "index.html").read_text()
    assert f"<title>{policy.title}</title>" in page
    for one in main["unrated"]:
        assert f"<bdi>{one['model']}</bdi> <span" in page
    if made is unlinked:
        lacking = {one["model"]: (one["lacks"], one["apart"]) for one in main["unrated"]}
        assert lacking == {"x": (1, True), "y": (1, True), "z": (4, False)}
        assert {one["model"] for one in main["models"]} == set(MODELS)
    boards.close()


def test_the_last_run_decides_where_no_configuration_does(store: Store) -> None:
    assert policy_of(store, Config()).origin is Origin.DEFAULT
    told = Config(title="Told", judges=[JudgeRun(judge="j")], rank=RankSettings(cap=0.5))
    before = store.version()
    keep_policy(store, told)
    assert store.version() != before
    for config in (Config(), Config(port=1)):
        assert policy_of(store, config) == Policy.configured(told, Origin.RUN)
    other = Config(rank=RankSettings(confidence=0.9))
    assert policy_of(store, other) == Policy.configured(other)
    keep_policy(store, other)
    keep_policy(store, told)
    keep_policy(store, told)
    assert policy_of(store, Config()).title == "Told"
