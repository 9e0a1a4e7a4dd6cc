"""A command as a user types it, inside the test's process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app

Arena = Callable[..., tuple[str, int]]


@pytest.fixture
def arena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arena:
    """Runs a command in the folder of the store."""
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[str, int]:
        done = CliRunner().invoke(app, line.split())
        return done.output, done.exit_code

    return run
