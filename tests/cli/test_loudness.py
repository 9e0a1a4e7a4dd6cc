"""-q and -v, before a command or behind it; shell completion."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app

GENERATE = ["generate", "--model", "fake:echo", "--limit", "1", "--db"]


@pytest.mark.parametrize(
    ("words", "says"), [([], True), (["-q"], False), (["--quiet"], False), (["-v"], True)]
)
@pytest.mark.parametrize("before", [True, False])
def test_how_much_is_said(tmp_path: Path, words: list[str], says: bool, before: bool) -> None:
    command = [*GENERATE, str(tmp_path / "a.db")]
    done = CliRunner().invoke(app, [*words, *command] if before else [*command, *words])
    assert done.exit_code == 0
    assert ("answers: 1 new" in done.stderr) == says


def test_an_error_is_said_in_any_case_and_its_place_with_v(tmp_path: Path) -> None:
    command = ["status", "--db", str(tmp_path / "none.db")]
    for words, place in (["-q"], False), ([], False), (["-v"], True):
        said = CliRunner().invoke(app, [*command, *words]).stderr
        assert "no such database" in said
        assert ("Traceback" in said) == place
    said = CliRunner().invoke(app, [*command, "-q", "-v"]).stderr
    assert "do not go together" in said


def test_completion_is_offered() -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout


def test_why_a_command_ends_with_an_error_is_said_with_q_too(tmp_path: Path) -> None:
    command = ["generate", "--model", "fake:edges", "--limit", "1", "--db", str(tmp_path / "a.db")]
    done = CliRunner().invoke(app, ["-q", *command])
    assert done.exit_code == 1
    assert "1 failed, last: " in done.stderr
