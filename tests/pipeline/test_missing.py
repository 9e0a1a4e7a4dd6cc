"""What a run by arena.yaml would still add, counted without running it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.config import Config
from arena.interchange.imports import import_battles
from arena.judging import judge, load_card
from arena.pipeline.drift import absent_answers, older_replies, stages
from arena.pipeline.missing import missing_rows
from arena.records import Prompt
from arena.store import Store
from arena.store.archive import Archivable

ITEMS = "id,question,A,B,answer\n1,What is 1+1?,2,3,A\n2,What is 2+1?,2,3,B\n"
CONFIG = """
models: {a: 'fake:echo', b: 'fake:first'}
prompts: [mine.jsonl]
judges: [longer]
benchmarks: [{data: exam.csv, mode: gen}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arena.yaml").write_text(CONFIG)
    (tmp_path / "exam.csv").write_text(ITEMS)
    (tmp_path / "mine.jsonl").write_text(
        '{"id": "one", "turns": ["One?"]}\n{"id": "two", "turns": ["Two?"]}\n'
    )
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "pair.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    (tmp_path / "judges" / "longer.yaml").write_text(
        "model: fake:longer\nreading: reasoned\npairwise: {template: pair.md}\n"
    )
    return tmp_path


def arena(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.output


def missing(folder: Path) -> dict[str, int | None]:
    from arena.config import load_config

    return missing_rows(Store(folder / "arena.db"), load_config(folder / "arena.yaml"))


def test_each_stage_lacks_what_a_run_would_add(folder: Path) -> None:
    arena("generate", "--models", "a")
    found = missing(folder)
    assert found["answers"] == 2  # those of b
    assert found["verdicts"] is None  # two answers to a prompt are needed before there is a pair
    assert found["outcomes"] == 4  # two items, of two models: the file says how many there are
    arena("generate")
    assert missing(folder) == {"answers": 0, "verdicts": 4, "outcomes": 4}
    arena("bench", "--data", "exam.csv", "--mode", "gen", "--models", "a")
    assert missing(folder) == {"answers": 0, "verdicts": 4, "outcomes": 2}
    done = CliRunner().invoke(app, ["run"])
    assert done.exit_code in (0, 1), done.output
    assert missing(folder) == {"answers": 0, "verdicts": 0, "outcomes": 0}


def test_another_way_of_asking_is_missing_though_the_items_were_asked(folder: Path) -> None:
    arena("generate")
    arena("bench", "--data", "exam.csv", "--mode", "ppl")
    assert missing(folder)["outcomes"] == 4


def test_what_is_archived_lacks_nothing(folder: Path) -> None:
    arena("generate")
    (folder / "arena.yaml").write_text(CONFIG.replace("b:", "c: {use: 'fake:echo'}, b:"))
    before = missing(folder)
    assert before == {"answers": 2, "verdicts": 4, "outcomes": 6}
    arena("generate", "--limit", "1")
    store = Store(folder / "arena.db")
    assert missing(folder)["answers"] == 1
    store.archive.put(Archivable.MODEL, "c")
    assert missing(folder) == {"answers": 0, "verdicts": 4, "outcomes": 4}
    arena("judge", "--judge", "longer", "--limit", "1")
    assert missing(folder)["verdicts"] == 2
    store.archive.put(Archivable.JUDGE, "longer")
    assert "verdicts" not in missing(folder)


def test_a_group_of_which_nothing_was_run_is_not_known(folder: Path) -> None:
    arena("generate")
    (folder / "arena.yaml").write_text(CONFIG.replace("{data: exam.csv, mode: gen}", "core"))
    assert missing(folder)["outcomes"] is None


def test_without_a_file_the_stored_models_lack_what_others_were_asked(
    answered: Store, prompts: list[Prompt], tmp_path: Path
) -> None:
    """Models of an imported file cannot be asked, and nobody is asked its prompts."""
    (tmp_path / "votes.csv").write_text(
        "prompt,model_a,model_b,winner,voter\n1,x,y,model_a,v\n2,y,x,model_a,v\n"
    )
    import_battles(answered, tmp_path / "votes.csv")
    assert missing_rows(answered, Config())["answers"] == 0
    answered.put_prompts([Prompt("new", ("New?",))])
    assert missing_rows(answered, Config())["answers"] == 3
    answered.archive.put(Archivable.MODEL, "long")
    found = {stage.stage: stage.missing for stage in stages(answered, Config())}
    assert found["answers"] == 2
    assert found["verdicts"] is found["outcomes"] is found["votes"] is None


def test_status_prints_them(folder: Path, write_card: Callable[..., str]) -> None:
    arena("generate")
    printed = arena("status", "--format", "csv").splitlines()
    rows = {line.split(",")[0]: line.split(",")[2] for line in printed if line.count(",") == 4}
    assert (rows["answers"], rows["verdicts"], rows["outcomes"]) == ("0", "4", "4")
    assert rows["votes"] == ""


def test_status_tells_of_replies_that_an_earlier_card_could_not_read(
    answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    judge(answered, load_card(write_card("j", "fake:mute"), answered.home), prompts)
    assert list(older_replies(answered)) == []
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    (said,) = older_replies(answered)
    assert said.startswith("18 replies of earlier cards could not be read;")


def test_status_tells_of_answers_without_a_text(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "battles.csv"
    file.write_text("model_a,model_b,winner,prompt\nx,y,model_a,one\n")
    assert import_battles(store, file, "human").absent == 2
    (said,) = absent_answers(store)
    assert said.startswith("The import had no text of 2 answers")
