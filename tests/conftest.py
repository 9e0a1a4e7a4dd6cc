"""What many tests start from: an empty store, and one that fake models have filled."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copyfile, which
from typing import Any

import pytest

from arena.config import parse_model
from arena.generation.answering import generate
from arena.records import Decoding, Model, Prompt
from arena.store import Store

# No test asks the network, nor waits for a hub that does not answer.
os.environ["HF_HUB_OFFLINE"] = "1"
DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"


HEAVY = ("slow", "browser", "model")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open a browser, and begin with the files that take longest.

    A process has whole files, so a long one that comes last would be waited for.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    heavy = Counter(item.path for item in items if any(map(item.get_closest_marker, HEAVY)))
    items.sort(key=lambda item: -heavy[item.path])


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows, made once: thousands of tests begin with a copy of it."""
    path = tmp_path_factory.mktemp("empty") / "arena.db"
    Store(path).close()
    return path


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Store:
    return Store(copyfile(empty_database, tmp_path / "arena.db"))


@pytest.fixture
def prompts() -> list[Prompt]:
    return [
        Prompt("one", ("Name three colours of the rainbow, please.",), "knowledge", "en"),
        Prompt("two", ("用一句话 介绍 北京 。", "再 短 一点 。"), "writing", "zh"),
        Prompt("three", ("What is two and two?",), "maths", "en", ("Four.",)),
    ]


@pytest.fixture
def models() -> list[Model]:
    """Three fakes that answer at different length."""
    base = parse_model("fake:echo")
    return [
        replace(base, name=name, decoding=Decoding(max_tokens=tokens))
        for name, tokens in (("long", 8), ("middle", 4), ("short", 2))
    ]


@pytest.fixture
def answered(store: Store, prompts: list[Prompt], models: list[Model]) -> Store:
    for model in models:
        generate(store, model, prompts)
    return store


@pytest.fixture
def write_card(tmp_path: Path) -> Callable[..., str]:
    """Writes a judge card with templates beside the store, and returns its name."""

    def write(name: str, model: str, reading: str = "reasoned", extra: str = "") -> str:
        folder = tmp_path / "judges"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text("{{ question }}\n{{ answer_a }}\n{{ answer_b }}\n")
        (folder / f"{name}.score.md").write_text("{{ question }}\n{{ answer }}\n{{ low }}\n")
        (folder / f"{name}.yaml").write_text(
            f"model: {model}\nreading: {reading}\npairwise: {{template: {name}.md}}\n"
            f"score: {{template: {name}.score.md, scale: [1, 9]}}\n{extra}"
        )
        return name

    return write


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """Chromium, whose pages are closed after the test: left open they would go on asking."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium; tests that need it say so on screen where there is none.

    Of a module, because nobody can run a loop of his own while playwright's is there.
    """
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(which, names)), None)
    if path is None:
        pytest.skip("no Chromium: install your system's package 'chromium'")
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()
