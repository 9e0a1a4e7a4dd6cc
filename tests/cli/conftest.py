"""A command as a user types it, inside the test's process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.cli.output import Loudness, voice

Arena = Callable[..., tuple[str, int]]


@pytest.fixture(autouse=True)
def usual() -> None:
    """A command that was quiet leaves the process so, and other tests are in it."""
    voice.loudness = Loudness.USUAL


@pytest.fixture
def arena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arena:
    """Runs a command in the folder of the store."""
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[str, int]:
        done = CliRunner().invoke(app, line.split())
        return done.output, done.exit_code

    return run
