"""How fast a model is: the counts that shares are made of, and what a user sees of it."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from arena.backends.local import speed
from arena.cli.main import app
from tests.backends.local import tiny


def test_the_weights_that_a_token_is_multiplied_with() -> None:
    model = tiny.model("llama")
    words, hidden = len(tiny.WORDS), 32
    # Queries and outputs 32 by 32, keys and values 32 by 16, three of 32 by 48; two norms.
    layer = 2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48 + 2 * hidden
    assert speed.weights_of(model) == (4 * layer + hidden, words * hidden)
    tied = tiny.model("llama", tie_word_embeddings=True)
    assert speed.weights_of(tied) == (4 * layer + hidden, words * hidden)


def test_a_mixture_of_experts_has_no_share(tmp_path: Path) -> None:
    found = speed.speed_of(tiny_model(tmp_path, "mixtral"), rows=2)
    assert found.share_read is None
    assert found.read > 0


def tiny_model(folder: Path, kind: str = "llama") -> speed.Model:
    from arena.files.config import parse_model

    return parse_model(f"m={tiny.save(folder / kind, kind)}")


def test_a_user_sees_reading_and_writing_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speed, "BATCH_ROWS", 4)
    monkeypatch.setitem(speed.SIZES, "cpu", 64)
    folder = tiny.save(tmp_path / "m")
    done = CliRunner().invoke(app, ["bench", "--speed", folder, "--format", "json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [(row["what"], row["texts at once"]) for row in rows] == [
        ("reads", 4),
        ("writes", 4),
        ("writes", 1),
    ]
    assert all(row["tokens a second"] > 0 for row in rows)
    assert f"in float32, {torch.get_num_threads()} threads" in done.stderr


def test_what_runs_elsewhere_has_no_speed_here() -> None:
    done = CliRunner().invoke(app, ["bench", "--speed", "fake:echo"])
    assert done.exit_code == 2
    assert "--speed echo: it does not run in this process" in done.stderr
