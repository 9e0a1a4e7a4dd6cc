"""`arena rank` and `arena publish` on a database, and the options that they share."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import typer
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.cli.options.bundles import bundled
from arena.cli.options.ranking import ClusterOption
from arena.judging import judge, load_card
from arena.records import Cluster, Outcome, Prompt, Winner
from arena.store import Store
from tests.leaderboard.test_ranking import vote

Run = Callable[..., Result]
Write = Callable[..., str]


@pytest.fixture
def run(answered: Store, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls `arena` beside a database with answers."""
    monkeypatch.chdir(answered.home)

    def call(line: str) -> Result:
        return CliRunner().invoke(app, line.split())

    return call


def test_old_versions_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ["model_a,model_b,winner", *["m,m@2,model_a", "m,m@2,model_b", "m@2,o,tie"] * 3]
    (tmp_path / "battles.csv").write_text("\n".join(rows))
    CliRunner().invoke(app, ["import", "battles", "battles.csv", "--as-votes"])
    said = CliRunner().invoke(app, ["rank"]).output
    assert "Old versions: m (of m@2)." in said


def outcomes(store: Store, variant: str, right: dict[str, str]) -> None:
    keys = {model.name: model.key for model in store.models()}
    store.outcomes.add(
        Outcome(name, keys[name], "exam", "1", str(k), "acc", float(mark), variant=variant)
        for name, marks in right.items()
        for k, mark in enumerate(marks)
    )


def test_a_benchmark_is_ranked_by_the_ways_that_compare_models(run: Run, answered: Store) -> None:
    outcomes(answered, "gen", {"long": "1100", "middle": "1100", "short": "1100"})
    outcomes(answered, "ppl", {"long": "1110", "middle": "0110", "short": "0001"})
    done = run("rank --by benchmark --min-comparisons 1")
    assert done.exit_code == 0, done.output
    assert "objective-only · exam (ppl)" in done.stdout
    assert "Note: Benchmark exam (gen) is not ranked: there are benchmark outcomes" in done.stderr
    printed = json.loads(run("rank --by benchmark --min-comparisons 1 --format json").stdout)
    assert [board["group"] for board in printed] == ["exam (ppl)"]


def test_a_site_goes_where_the_file_says(
    run: Run, answered: Store, prompts: list[Prompt], tmp_path: Path
) -> None:
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    (tmp_path / "arena.yaml").write_text("publish: pages\nrank: {min_comparisons: 1}\n")
    done = run("publish")
    assert done.exit_code == 0, done.output
    assert "Published: pages/index.html" in done.stderr
    assert run("publish other").exit_code == 0
    assert (tmp_path / "other" / "index.html").read_bytes() == (
        tmp_path / "pages" / "index.html"
    ).read_bytes()
    (tmp_path / "arena.yaml").write_text("publish: false\n")
    done = run("publish")
    assert done.exit_code == 2
    assert "name the folder for the site, as in arena publish site" in done.stderr


def test_without_a_database_the_ways_to_one_are_named(run: Run) -> None:
    done = run("rank --db none.db")
    assert done.exit_code == 2
    for way in ("arena run", "arena generate", "arena init --sample"):
        assert way in done.stderr


def test_names_that_differ_in_case_alone_are_named_once(run: Run, tmp_path: Path) -> None:
    rows = ["a,A,model_a", "A,b,model_a", "b,a,model_a", "c,a,tie", "c ,a,tie"]
    (tmp_path / "b.csv").write_text("\n".join(["model_a,model_b,winner", *rows]) + "\n")
    done = run("rank b.csv")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("their names differ in case or spaces alone") == 1
    assert "'A' and 'a' are taken for 2 models" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--weights human", "it takes human=N,judge=N,objective=N"),
        ("--weights human=0,judge=0", "it takes human=N,judge=N,objective=N"),
        ("--weights people=1", "it takes human=N,judge=N,objective=N"),
        ("--anchor long", "it takes MODEL=POINTS, as in gpt-4=1200"),
        ("--judges nobody", "no judge named 'nobody'"),
        ("--ties davidson --evidence combined", "add --evidence human"),
        ("--method ppi --evidence human", "--method goes with --evidence combined"),
    ],
)
def test_an_option_that_cannot_be_followed_is_one_sentence(
    words: str, said: str, run: Run, answered: Store, prompts: list[Prompt]
) -> None:
    outcomes(answered, "", {"long": "110", "short": "001"})
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    done = run(f"rank --min-comparisons 1 {words}")
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_weights_and_the_anchor_reach_the_ranking(
    run: Run, answered: Store, prompts: list[Prompt]
) -> None:
    for winner in (Winner.MODEL_A, Winner.MODEL_A, Winner.MODEL_B):
        vote(answered, prompts[0], "long", "short", winner)
    outcomes(answered, "", {"long": "1110", "short": "0001"})
    line = "rank --min-comparisons 1 --weights human=3,objective=1 --anchor short=500"
    done = run(f"{line} --format json")
    assert done.exit_code == 0, done.output
    board = json.loads(done.stdout)
    assert {one["model"]: one["rating"] for one in board["models"]}["short"] == 500
    assert "with the weights People's votes 75% · Benchmarks 25%." in run(line).stderr


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    heading: ClassVar[str] = "Two together"
    left: Annotated[int, typer.Option(help="The left one.")] = 1
    right: Annotated[str | None, typer.Option(help="The right one.")] = None


def test_a_bundle_is_its_options_and_reaches_the_command_as_one() -> None:
    seen: list[tuple[str, Pair, bool]] = []
    commands = typer.Typer()

    @commands.command()
    @bundled
    def command(
        name: Annotated[str, typer.Argument()] = "nobody",
        loud: bool = False,
        *,
        pair: Pair,
    ) -> None:
        seen.append((name, pair, loud))

    assert CliRunner().invoke(commands, ["ann", "--left", "3", "--loud"]).exit_code == 0
    assert CliRunner().invoke(commands, ["--right", "b"]).exit_code == 0
    assert seen == [
        ("ann", Pair(left=3), True),
        ("nobody", Pair(right="b"), False),
    ]
    help_ = CliRunner().invoke(commands, ["--help"]).output
    assert help_.index("Two together") < help_.index("The left one.")
    assert CliRunner().invoke(commands, ["--left", "three"]).exit_code == 2


def test_the_clusters_of_the_command_are_those_of_the_engine_and_none() -> None:
    assert {str(one) for one in ClusterOption} == {*map(str, Cluster), "none"}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--ties", {"half", "davidson", "rao-kupper"}),
        ("--interval", {"sandwich", "bootstrap"}),
        ("--panel", {"majority", "mean"}),
        ("--by", {"category", "language", "dimension", "benchmark"}),
        ("--evidence", {"human", "judge", "objective", "combined"}),
    ],
)
def test_the_shell_completes_the_words_of_an_option(option: str, words: set[str]) -> None:
    env = {
        "_ARENA_COMPLETE": "complete_bash",
        "COMP_WORDS": f"arena rank {option} ",
        "COMP_CWORD": "3",
    }
    done = CliRunner().invoke(app, [], env=env, prog_name="arena")
    assert {line.strip() for line in done.stdout.splitlines() if line.strip()} == words


def test_groups_are_one_table_for_programs(
    run: Run, answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    done = run("rank --by language --format csv --allow-weak-judges --min-comparisons 1")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["group"] for row in rows} == {"en", "zh"}
    assert len(rows) == 6
    assert all(float(row["rating"]) for row in rows)


def test_evidence_that_is_refused_is_no_mistake(
    run: Run, answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:first"), answered.home), prompts)
    refused = run("rank --evidence judge")
    assert refused.exit_code == 1, refused.output
    assert "--allow-weak-judges" in refused.stderr
    assert run("rank --evidence human").exit_code == 2
