"""`arena publish`, and where else a ranking goes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.interchange.sample import load_sample
from arena.publish import FILES
from arena.publish.outlets.markdown import BEGIN, END
from arena.store import Store

Arena = Callable[..., tuple[str, int]]


@pytest.fixture
def arena(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arena:
    load_sample(store)
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[str, int]:
        done = CliRunner().invoke(app, line.split())
        return done.output, done.exit_code

    return run


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_site_and_everything_else_at_once(arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    said, code = arena(
        "publish site --allow-weak-judges --markdown README.md --svg chart.svg "
        "--hf-space space --hf-dataset set"
    )
    assert code == 0, said
    whole = [*FILES, "browse/1.html", "browse/2.html"]
    assert files_below(tmp_path / "site") == sorted(whole)
    assert files_below(tmp_path / "space") == sorted([*whole, "README.md"])
    assert "| rank |" in (tmp_path / "README.md").read_text()
    assert (tmp_path / "chart.svg").read_bytes() == (tmp_path / "site/ranking.svg").read_bytes()
    assert "set/data/battles.parquet" in {f"set/{p}" for p in files_below(tmp_path / "set")}


def test_a_readme_alone_needs_no_site(arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    said, code = arena("publish --allow-weak-judges --markdown README.md")
    assert (code, "the ranking is new" in said) == (0, True), said
    said, _ = arena("publish --allow-weak-judges --markdown README.md")
    assert "nothing has changed" in said
    assert not (tmp_path / "site").exists()


def test_masking_goes_with_a_data_set(arena: Arena) -> None:
    said, code = arena("publish site --redact")
    assert (code, said.count("\n")) == (2, 1)
    assert "--redact goes with --hf-dataset" in said
