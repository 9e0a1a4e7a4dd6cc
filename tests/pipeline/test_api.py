"""What `import arena` offers a notebook."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import arena
from arena.records import Evidence, Prompt
from arena.records.errors import InputError, NoEvidenceError
from arena.store import Store

PROMPTS = [Prompt(f"p{k}", (f"Say {k} words.",), "maths" if k % 2 else "words") for k in range(6)]


def test_what_is_public() -> None:
    assert set(arena.__all__) == {"Arena", "open", "ratings"}
    assert {*arena.__all__} <= {*dir(arena)}
    methods = {name for name in vars(arena.Arena) if not name.startswith("_")}
    stages = {"close", "compare", "generate", "judge", "policy", "prompts", "publish", "rank"}
    assert methods == stages
    for name in methods:
        assert getattr(arena.Arena, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = arena.nothing  # type: ignore[attr-defined]


def test_names_that_scripts_of_others_import_stay_where_they_are() -> None:
    """A model is read from its name, opened and asked with no database."""
    from arena.backends import OddsRequest, Reply, Request, TextRequest, open_backend
    from arena.backends.local.weights import load
    from arena.config import parse_model

    with open_backend(parse_model("fake:echo")) as backend:
        ((_, reply),) = next(iter(backend.converse([Request(("Say it.",), 0)])))
    assert isinstance(reply, Reply)
    assert callable(load)
    assert OddsRequest("A or B?", ("A", "B")).options == ("A", "B")
    assert TextRequest("two", context="one").text == "two"


def test_importing_costs_nothing() -> None:
    code = "import arena, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "sqlite3", "yaml"} & set(done.stdout.split())


@pytest.mark.slow
def test_from_answers_to_a_site(tmp_path: Path, write_card: Callable[..., str]) -> None:
    path = tmp_path / "my.db"
    write_card("longer", "fake:longer")
    with arena.open(path) as db:
        with pytest.raises(NoEvidenceError, match="there are no votes"):
            db.rank()
        for name in ("one=fake:echo@0.3", "two=fake:echo@0.6", "three=fake:echo"):
            assert db.generate(name, PROMPTS).stored == 6
            assert db.generate(name, PROMPTS, limit=2).found == 2
        assert sum(step.stored for step in db.judge("longer", PROMPTS, limit=4)) == 24
        assert db.judge("longer", PROMPTS, models=["one", "two"])[0].total == 12
        board = db.rank()
        assert board.label == "judge-only"
        assert {row.model for row in board.rows} == {"one", "two", "three"}
        maths = db.rank(category="maths", evidence="judge")
        assert maths.group == "maths"
        assert sum(maths.counts.values()) < sum(board.counts.values())
        with pytest.raises(NoEvidenceError):
            db.rank(evidence=Evidence.HUMAN)
        report = db.compare("one", "two", evidence="judge")
        assert (report.decision, report.decides.advantage.prompts) == ("cannot-tell", 6)
        with pytest.raises(NoEvidenceError, match="no vote compares one and two"):
            db.compare("one", "two", evidence=Evidence.HUMAN)
        page = db.publish(tmp_path / "site")
        data = json.loads((page.parent / "leaderboard.json").read_text(encoding="utf-8"))
        assert {m["model"]: m["rating"] for m in data["models"]} == {
            row.model: row.rating for row in board.rows
        }
        with pytest.raises(InputError, match="no prompt set named"):
            db.prompts(["no-such-set"])
        with pytest.raises(ValueError, match="nonsense"):
            db.rank(evidence="nonsense")
    store = Store(path)
    assert store.verdicts.count() == 28
    store.close()


def test_the_readme_shows_it() -> None:
    root = Path(__file__).resolve().parents[2]
    for name in ("README.md", "README.zh-CN.md"):
        text = (root / name).read_text(encoding="utf-8")
        assert 'arena.open("arena.db")' in text
