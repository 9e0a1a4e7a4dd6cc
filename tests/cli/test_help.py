"""Every help text, read as somebody new to the tool would: sentences, and examples that work."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from arena.cli.main import app

ROOT: Any = get_command(app)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, groups that do something themselves included."""
    below = getattr(command, "commands", {})
    if path and (not below or command.invoke_without_command):
        yield path, command
    for name, one in below.items():
        if not one.hidden:
            yield from commands(one, (*path, name))


COMMANDS = list(commands(ROOT))


def examples(command: Any) -> list[list[str]]:
    """The words of each example in a help text; what it does stands after some blanks."""
    block = command.help.partition("\b\n")[2]
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    return [line.split("  ")[0].split() for line in lines]


def find(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words call, and the words after its name."""
    command = ROOT
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=lambda part: str(part)[:40])
def test_every_command_says_what_it_does_and_shows_how(path: tuple[str, ...], command: Any) -> None:
    sentences = command.help.partition("\b")[0].strip()
    assert sentences[0].isupper()
    assert sentences.endswith(".")
    found = examples(command)
    assert any(words[1:][: len(path)] == list(path) for words in found)
    for words in found:
        assert words[0] == "arena"
        called, rest = find(words[1:])
        known = {name for param in called.params for name in param.opts}
        given = {word for word in rest if word.startswith("--")}
        assert given <= known, (words, given - known)
        arguments = [param for param in called.params if param.param_type_name == "argument"]
        assert bool(rest) <= bool(arguments or given), words


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=lambda part: str(part)[:40])
def test_every_option_is_explained_in_whole_sentences(path: tuple[str, ...], command: Any) -> None:
    for param in command.params:
        said = (getattr(param, "help", None) or "").strip()
        assert said.endswith("."), (path, param.name, said)
        assert len(said.split()) > 2, (path, param.name, said)


def test_the_lines_of_a_paragraph_are_one_line_and_those_of_examples_are_not() -> None:
    rank = ROOT.commands["rank"].help
    assert "wins about 64 of 100 comparisons with it." in rank
    assert len(examples(ROOT.commands["rank"])) == 4
