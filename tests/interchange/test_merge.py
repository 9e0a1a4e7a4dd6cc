"""Databases put together: parts of one run make the whole, and what contradicts is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.generation.shards import Shard
from arena.interchange.merge import merge
from arena.records import Prompt, Vote, Winner
from arena.records.errors import InputError, ModelConflictError
from arena.store import Store
from arena.store.schema.packing import WINNERS
from arena.store.whole.tables import CARRIED

Write = Callable[..., str]
CHOICE = "question,A,B,C,answer\nWhat is 2+2?,3,4,5,B\nWhat is 3+3?,6,7,8,A\nOdd?,1,2,4,A\n"
MODELS = {"long": 8, "middle": 4, "short": 2}
MEASURED = ("created_at", "seconds")


@pytest.fixture
def arena(
    tmp_path: Path, prompts: list[Prompt], write_card: Write, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Calls `arena` where three models answer seven prompts, and a judge compares them."""
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"id": f"p{k}", "turns": [f"Say {k} words, no more."]}) for k in range(7)]
    Path("p.jsonl").write_text("\n".join(lines), encoding="utf-8")
    entries = [f"{name}: {{use: 'fake:echo', max_tokens: {n}}}" for name, n in MODELS.items()]
    Path("arena.yaml").write_text(f"models: {{{', '.join(entries)}}}\nprompts: [p.jsonl]\n")
    Path("choice.csv").write_text(CHOICE)
    write_card("j", "fake:first")

    def call(*words: str) -> Result:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done

    return call


def end_state(path: str) -> dict[str, list[str]]:
    """All that a database holds, but for when it was made and how long that took."""
    whole = Store(path, create=False).whole
    return {
        table: sorted(
            json.dumps({k: v for k, v in row.items() if k not in MEASURED}, sort_keys=True)
            for row in whole.rows(table)
        )
        for table in CARRIED
    }


def whole_run(arena: Callable[..., Result], db: str, *shard: str) -> None:
    arena("generate", "--db", db, *shard)
    arena("judge", "--judge", "j", "--db", db, *shard)
    arena("judge", "--judge", "j", "--mode", "score", "--db", db, *shard)


def test_parts_that_are_merged_are_the_whole_run(arena: Callable[..., Result]) -> None:
    whole_run(arena, "whole.db")
    parts = [f"{k}.db" for k in (1, 2, 3)]
    for k, part in enumerate(parts, start=1):
        whole_run(arena, part, "--shard", f"{k}/3")
    counts = [Store(part).answers.count() for part in parts]
    assert counts == [9, 6, 6]
    said = arena("merge", *parts, "--db", "merged.db", "--format", "json")
    state = end_state("whole.db")
    assert len(state["verdicts"]) == 7 * 3 * 2
    assert end_state("merged.db") == state
    new = [row for row in json.loads(said.stdout) if row["rows"] == "answers"]
    assert [(row["from"], row["new"], row["there already"]) for row in new] == [
        ("1.db", 9, 0),
        ("2.db", 6, 0),
        ("3.db", 6, 0),
    ]
    again = arena("merge", *parts, "--db", "merged.db")
    assert "nothing is new" in again.stderr
    assert end_state("merged.db") == state


def test_a_merged_database_has_nothing_left_to_ask(arena: Callable[..., Result]) -> None:
    for k in (1, 2):
        whole_run(arena, f"{k}.db", "--shard", f"{k}/2")
    arena("merge", "1.db", "2.db")
    assert "0 new, 7 already there" in arena("generate", "--model", "long").stderr
    assert "0 new, 42 already there" in arena("judge", "--judge", "j").stderr


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--circular",)])
def test_parts_of_a_benchmark_are_the_whole_of_it(
    arena: Callable[..., Result], more: tuple[str, ...]
) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")
    asked = ("bench", "--data", "choice.csv", "--models", "fake:echo,fake:mute", *more)
    whole = arena(*asked, "--db", "whole.db", "--format", "json")
    for k in range(1, 5):
        arena(*asked, "--db", f"{k}.db", "--shard", f"{k}/4")
    assert [Store(f"{k}.db").outcomes.count() > 0 for k in range(1, 5)] == [True] * 3 + [False]
    arena("merge", *(f"{k}.db" for k in range(1, 5)), "--db", "merged.db")
    assert end_state("merged.db") == end_state("whole.db")
    again = arena(*asked, "--db", "merged.db", "--format", "json")
    assert json.loads(again.stdout) == json.loads(whole.stdout)


def test_names_that_are_there_twice_are_in_one_part() -> None:
    names = ["a", "b", "a", "c", "b", "d"]
    parts = [Shard(k, 2).places(names) for k in (1, 2)]
    assert parts == [[0, 2, 3], [1, 4, 5]]


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/2/3"])
def test_a_part_that_there_is_not(text: str) -> None:
    with pytest.raises(InputError, match="PART/PARTS") as error:
        Shard.parse(text)
    assert repr(text) in str(error.value)


def altered(path: Path, answered: Store, table: str, change: str) -> Store:
    """A copy of a database in which one row says something else."""
    answered.copy_to(path)
    store = Store(path)
    db: Any = store.whole.connections.db
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    with store.together():
        db.execute(f"UPDATE {table} SET {change} WHERE rowid = 1")
    return store


@pytest.mark.parametrize(
    ("table", "change", "error", "said"),
    [
        ("answer_rows", """turns = '["Otherwise."]'""", InputError, "row 1 of answers: .*turns is"),
        (
            "vote_rows",
            f"winner = {WINNERS.index('tie')}",
            InputError,
            "votes: winner is 'tie', .*'model_a' here",
        ),
        ("models", "key = 'other'", ModelConflictError, "already stored with other settings"),
    ],
)
def test_what_contradicts_is_refused_and_nothing_of_it_is_taken(
    answered: Store, tmp_path: Path, table: str, change: str, error: type[Exception], said: str
) -> None:
    one, two = list(answered.answers.where())[:2]
    vote = Vote("b" * 32, one.prompt_key, one.key, two.key, Winner.MODEL_A, "f00d" * 8)
    answered.votes.cast(vote)
    other = altered(tmp_path / "other.db", answered, table, change)
    other.put_prompts([Prompt("new", ("A new question?",), "writing", "en")])
    before = end_state(str(answered.path))
    with pytest.raises(error, match=said) as caught:
        merge(answered, other)
    assert "other.db" in str(caught.value)
    assert end_state(str(answered.path)) == before


def test_a_database_is_not_merged_into_itself(answered: Store) -> None:
    with pytest.raises(InputError, match="into itself"):
        merge(answered, Store(answered.path))
