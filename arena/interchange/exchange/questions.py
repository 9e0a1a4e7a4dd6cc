"""The questions that answers and judgments name by id, from the file that stands beside them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from arena.interchange.exchange.entries import Asked, Entries, Entry
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of
from arena.records import Prompt
from arena.records.errors import InputError
from arena.records.errors import said as shown

NAME = "question.jsonl"
UP = 4  # folders above a file in which its questions may stand
Make = Callable[[Fields, str], Prompt | None]


@dataclass(slots=True)
class Questions:
    """Questions by id. files: that they are read from, before anything else.

    key: what the rows call the id.
    """

    files: tuple[Path, ...]
    key: str
    _make: Make
    _by_id: dict[str, Prompt] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, hints: Hints, make: Make, key: str = "question_id") -> "Questions":
        """Of the file that --prompts names, or of those in the folder, or of one above it."""
        return cls(tuple(_files(path, hints, make)), key, make)

    def entries(self) -> Entries:
        """The questions, which are known by their ids from then on."""
        for file in self.files:
            yield from entries_of(file, partial(self._asked, file.stem))

    def __contains__(self, name: str) -> bool:
        return name in self._by_id

    def add(self, prompt: Prompt) -> None:
        """A question that a row of another kind tells."""
        self._by_id[prompt.name] = prompt

    def of_row(self, row: Fields, *others: str) -> Prompt:
        """The question that a row names. Raises ValueError where it is not known."""
        key = next((name for name in (self.key, *others) if name in row), self.key)
        name = row.label(key)
        if name not in self._by_id:
            raise ValueError(
                f"{key}: {shown(name)} is not among the questions of "
                f"{', '.join(map(str, self.files))}"
                if self.files
                else f"{key}: {shown(name)}, and no {NAME} is beside it; --prompts FILE names the "
                "file of the questions"
            )
        return self._by_id[name]

    def _asked(self, source: str, row: Fields) -> Iterable[Entry]:
        prompt = self._make(row, source)
        if prompt is None:
            raise ValueError("it is no question")
        if self._by_id.setdefault(prompt.name, prompt) != prompt:
            raise ValueError(f"{self.key}: {shown(prompt.name)} is there twice")
        return [Asked(prompt)]


def _files(path: Path, hints: Hints, make: Make) -> list[Path]:
    if hints.prompts is not None:
        if not hints.prompts.is_file():
            raise InputError(f"{hints.prompts}: no such file")
        return [hints.prompts]
    peek = Peek.of(path)
    here = [file for file in peek.files if _is_question(peek, file, make)]
    above = (folder / NAME for folder in list(path.absolute().parents)[:UP])
    return here or [file for file in above if file.is_file()][:1]


def _is_question(peek: Peek, file: Path, make: Make) -> bool:
    if file.name == NAME:
        return True
    try:
        return make(Fields(peek.first(file)), "") is not None
    except ValueError:
        return False
