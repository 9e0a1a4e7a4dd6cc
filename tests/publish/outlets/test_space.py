"""The folder of a Space that runs the app: written, and started as the Space would."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from socket import socket
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from arena.config import Config
from arena.leaderboard.board import Policy
from arena.publish.outlets.huggingface import CARD
from arena.publish.outlets.space import DATABASE, FILES, write_app
from arena.records.errors import InputError
from arena.store import Store

POLICY = Policy(title="My: arena", license="CC-BY-4.0")
CONFIG = Config.model_validate({"title": "My: arena", "rank": {"min_comparisons": 1}})


@pytest.fixture
def folder(voted: Store, tmp_path: Path) -> Path:
    write_app(voted, tmp_path / "space", POLICY, CONFIG)
    return tmp_path / "space"


def test_the_card_and_the_settings(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {CARD, *FILES}
    front = yaml.safe_load((folder / CARD).read_text("utf-8").split("---\n")[1])
    port = re.findall(r"^EXPOSE (\d+)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert (front["sdk"], front["license"], [str(front["app_port"])]) == (
        "docker",
        "cc-by-4.0",
        port,
    )
    settings = Config.model_validate(yaml.safe_load((folder / "arena.yaml").read_text()))
    assert (settings.title, settings.rank.min_comparisons) == ("My: arena", 1)
    needed = (folder / "requirements.txt").read_text()
    assert "gradio" in needed
    assert "extra" not in needed


def test_it_is_written_anew_and_over_nothing_else(folder: Path, voted: Store) -> None:
    (folder / "notes.txt").write_text("my own")
    write_app(voted, folder, POLICY, CONFIG)
    assert (folder / "notes.txt").read_text() == "my own"
    (folder / CARD).write_text("my own")
    with pytest.raises(InputError, match="is no file that arena wrote"):
        write_app(voted, folder, POLICY, CONFIG)
    with pytest.raises(InputError, match=r"arena\.db is no file that arena wrote"):
        write_app(voted, voted.path.parent, POLICY, CONFIG)


def test_the_app_starts_from_the_folder_alone(folder: Path) -> None:
    """By the command of the Dockerfile, with its variables but another port, and its own code."""
    text = (folder / "Dockerfile").read_text()
    (command,) = re.findall(r"^CMD (.*)$", text, re.MULTILINE)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"PATH": paths, "HOME": str(folder), "ARENA_HOST": "127.0.0.1", "ARENA_PORT": str(port)}
    ours = "import arena; print(arena.__file__)"
    done = subprocess.run([sys.executable, "-c", ours], cwd=folder, env=env, capture_output=True)
    assert done.stdout.decode().strip() == str(folder / "arena" / "__init__.py")
    with subprocess.Popen(yaml.safe_load(command), cwd=folder, env=env) as process:
        try:
            page = read(f"http://127.0.0.1:{port}/leaderboard", process)
        finally:
            process.terminate()
    assert "My: arena" in page
    store = Store(folder / DATABASE, create=False)
    assert store.votes.count() == 12


def read(url: str, process: "subprocess.Popen[bytes]") -> str:
    """What is there, once it is."""
    while process.poll() is None:
        try:
            with urlopen(url) as reply:
                return str(reply.read().decode())
        except URLError:
            time.sleep(0.2)
    raise AssertionError("the app has ended")
