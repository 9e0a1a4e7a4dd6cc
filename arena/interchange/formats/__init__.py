"""The formats that come in and go out. One module each, and one line of the table below.

A module has what it can do: `recognise(peek)` says what of the files looks like its own, empty
where nothing does; `read(path, hints)` makes entries, or `results(path)` outcomes by item;
`write(source, place)` makes files of a store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from arena.records.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from arena.interchange.exchange.entries import Entries
    from arena.interchange.exchange.outgoing import Written
    from arena.interchange.exchange.reading import Hints, Peek
    from arena.interchange.exchange.source import Outgoing
    from arena.interchange.results import ToolResults


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One line of the table. path: what the files are; out: whether a store can be written so.

    keeps: what of a statement it has a place for, of `source.PARTS`; home: the module, where it
    is not the one of that name beside this.
    """

    name: str
    title: str
    path: str
    out: bool = True
    keeps: tuple[str, ...] = ()
    home: str = ""

    @property
    def module(self) -> Any:
        """The module, imported when it is needed."""
        name = self.home or f"arena.interchange.formats.{self.name.replace('-', '_')}"
        return import_module(name)

    def recognise(self, peek: "Peek") -> str:
        """What of the files is of this format, in a few words; empty where nothing is."""
        return cast(str, self.module.recognise(peek))

    @property
    def read(self) -> "Callable[[Path, Hints], Entries] | None":
        """Makes entries of files; None where a format holds outcomes by item, or a whole store."""
        return getattr(self.module, "read", None)

    @property
    def results(self) -> "Callable[[Path], ToolResults] | None":
        """Makes outcomes by item."""
        return getattr(self.module, "results", None)

    def check_out(self) -> None:
        """Raise UnknownNameError where a store cannot be written so."""
        if not self.out:
            raise _unknown("format to export", self.name, [one.name for one in FORMATS if one.out])

    def write(self, source: "Outgoing", place: Path) -> "Written":
        """Write files of a store; of nothing, none. The folder is made where it is not there."""
        from arena.interchange.exchange.outgoing import made

        self.check_out()
        with made(place.absolute().parent):
            written = cast("Written", self.module.write(source, place))
            if not written.counts.total() and place.is_file():
                place.unlink()
        if self.name != WHOLE:
            source.tell(written, self.keeps)
        return written


WHOLE = "store"
# What is recognised first stands first.
FORMATS = (
    FileFormat(WHOLE, "a whole database of this package", "The folder that export made."),
    FileFormat(
        "fastchat",
        "FastChat and MT-Bench: questions, answers, judgments, logs of the arena",
        "A folder with question.jsonl, model_answer/ and model_judgment/, or one file of it.",
        keeps=("words",),
    ),
    FileFormat(
        "arena-hard",
        "Arena-Hard 0.1 and 2.0: questions, answers, judgments of both games",
        "A folder with question.jsonl, model_answer/ and model_judgment/, or one file of it.",
        keeps=("words",),
    ),
    FileFormat(
        "alpacaeval",
        "AlpacaEval: model_outputs.json, annotations.json",
        "One of these files, or a folder of them.",
        keeps=("odds", "words"),
    ),
    FileFormat(
        "chatbot-arena",
        "votes as Chatbot Arena publishes them, also in the form of Kaggle",
        "A file of JSON, JSON lines, CSV or Parquet.",
    ),
    FileFormat(
        "wildbench",
        "WildBench: tasks with checklists, outputs, evaluations",
        "A folder of these, or one file of it.",
        out=False,
    ),
    FileFormat(
        "alignbench",
        "AlignBench: questions, answers, judgments",
        "A file of JSON lines, or a folder of them.",
        out=False,
    ),
    FileFormat(
        "opencompass-subjective",
        "OpenCompass, subjective sets: predictions, and what a judge wrote of pairs",
        "A run's folder, with predictions/ and results/.",
        out=False,
        home="arena.interchange.opencompass_subjective",
    ),
    FileFormat(
        "opencompass",
        "OpenCompass: predictions and results, by item",
        "A work folder, or one run in it.",
        out=False,
        home="arena.interchange.opencompass",
    ),
    FileFormat(
        "evalscope",
        "evalscope: reports with the reviews of their items",
        "reports/MODEL/SET.json, or a work folder.",
        out=False,
        home="arena.interchange.evalscope",
    ),
    FileFormat(
        "lm-eval",
        "lm-eval: what it wrote with --log_samples",
        "results_*.json, samples_*.jsonl, or their folder.",
        out=False,
        home="arena.interchange.lm_eval_results",
    ),
    FileFormat(
        "inspect", "inspect_ai: logs, by item", "LOG.json, LOG.eval, or their folder.", out=False
    ),
    FileFormat(
        "label-studio",
        "Label Studio: tasks with two answers, annotations and predictions",
        "The file that its export of JSON makes; or the new folder to write.",
        keeps=("seconds",),
    ),
    FileFormat(
        "argilla",
        "Argilla: records with two responses",
        "The file that records.to_json makes.",
    ),
    FileFormat(
        "preference",
        "preference pairs: a prompt, the chosen and the rejected answer",
        "A file of JSON, JSON lines or Parquet.",
    ),
    FileFormat(
        "judgearena",
        "JudgeArena: annotations of pairs",
        "TASK-…-annotations.csv, or a folder of them.",
        out=False,
    ),
    FileFormat(
        "autoarena",
        "AutoArena: downloads of responses and votes",
        "A CSV file, or a folder of them.",
        out=False,
    ),
    FileFormat(
        "table",
        "battles: model_a, model_b, winner and more columns",
        "A file of CSV, JSON, JSON lines or Parquet.",
        keeps=("propensity", "seconds"),
    ),
)


def named(name: str) -> FileFormat:
    """A format by its name; raises UnknownNameError with the nearest."""
    for one in FORMATS:
        if one.name == name:
            return one
    raise _unknown("format", name, [one.name for one in FORMATS])


def _unknown(what: str, name: str, known: list[str]) -> UnknownNameError:
    """The nearest first, where there is one, and then all: there are few of them."""
    error = UnknownNameError(what, name, known)
    all_of_them = f"It is one of {', '.join(known)}."
    return UnknownNameError(what, name, known, all_of_them) if "did you" in str(error) else error


def recognised(path: Path) -> tuple[FileFormat, str]:
    """The format of files, and by what it is told. Raises InputError where that is not certain."""
    from arena.interchange.exchange.reading import Peek

    peek = Peek.of(path)
    found = [(one, seen) for one in FORMATS if (seen := one.recognise(peek))]
    if not found and not peek.files:
        raise InputError(f"{path}: no file of data in it")
    if not found:
        names = ", ".join(one.name for one in FORMATS)
        raise InputError(
            f"{path}: of no format that is known ({_has(peek)}); arena import FORMAT PATH says "
            f"which it is, one of {names}"
        )
    if len(found) > 1:
        both = "; ".join(f"{one.name}: {seen}" for one, seen in found)
        raise InputError(
            f"{path}: more than one format fits ({both}); arena import FORMAT PATH says which it is"
        )
    return found[0]


def _has(peek: "Peek") -> str:
    from arena.files.tabular import listed

    file = peek.files[0]
    return f"the first row of {file.name} has {listed(peek.first(file), 12)}"
