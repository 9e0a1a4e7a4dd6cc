"""What the documentation names is there: commands and their options, files, links and headings."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from arena.cli.importing import RECOGNISE, Formats
from arena.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "data" / "README.md"]
)
# Files that a reader makes, or that a command writes.
MADE = {"arena.yaml", "groups.json", "leaderboard.csv", "leaderboard.json", "prompts/mine.jsonl"}
PLACES = ("", "docs", "arena", "data", "tests")


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def commands(page: str) -> Iterator[list[str]]:
    """The words of every `arena …` in blocks of shell and in running text."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(page), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(arena [^`]+)`", text_of(page))
    for line in lines:
        plain = line.split(" #")[0].strip().removeprefix("$ ")
        if plain.startswith("arena ") and "…" not in plain:
            yield shlex.split(plain)[1:]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_exists(page: str) -> None:
    root = typer.main.get_command(app)
    for words in commands(page):
        command, path = root, ["arena"]
        while words and isinstance(getattr(command, "commands", None), dict):
            found = command.commands.get(words[0])  # type: ignore[attr-defined]
            if found is None and isinstance(command, Formats):
                command, words = command.commands[RECOGNISE], words[1:]  # arena import PATH
                break
            if found is None:
                assert words[0].startswith("-"), f"{page}: {' '.join([*path, *words])}"
                break
            command, path, words = found, [*path, words[0]], words[1:]
        known = {name for one in command.params for name in [*one.opts, *one.secondary_opts]}
        known |= {name for one in root.params for name in one.opts} | {"--help"}
        for word in words:
            name = word.partition("=")[0]
            assert not name.startswith("-") or name in known, f"{page}: {' '.join(path)} {word}"


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    lines = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = here / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in headings(target), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_ours_that_is_named_is_there(page: str) -> None:
    names = r"`((?:arena|bench|data|docs|judges|prompts|tests)/[\w./-]+\.(?:py|yaml|md|jsonl?))`"
    for name in re.findall(names, text_of(page)):
        if name in MADE or "NAME" in name:
            continue
        assert any((ROOT / place / name).exists() for place in PLACES), f"{page}: {name}"


def test_every_page_of_the_docs_is_in_the_contents_of_the_site() -> None:
    contents = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    named = set(re.findall(r": (\S+\.md)$", contents, re.MULTILINE))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert pages <= named


# What was once said for a word of docs/glossary.md, with that word.
DRIFTED = {
    "成绩单": "裁判报告",
    "提示集": "问题集",
    "参赛模型": "候选模型",
    "裁判意见": "判断",
    "裁判结论": "判断",
    r"\} 个评分": "打分",
    r"[\u4e00-\u9fff、] ?tokens?(?![\w-])": "词元",
}
PLACES_OF_CHINESE = (
    *("*.zh-CN.md", "docs/*.zh-CN.md", "data/*.yaml"),
    *("arena/**/*.zh.yaml", "arena/publish/**/*.html"),
)
CHINESE = sorted(path for pattern in PLACES_OF_CHINESE for path in ROOT.glob(pattern))


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.name)
def test_one_idea_has_one_word_in_chinese(path: Path) -> None:
    said = path.read_text(encoding="utf-8").splitlines()
    lines = [re.sub("`[^`]*`", "", line) for line in said if re.search("[\u4e00-\u9fff]", line)]
    found = {word: line for word in DRIFTED for line in lines if re.search(word, line)}
    assert not found
