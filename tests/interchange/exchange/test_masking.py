"""What is taken out of texts, and cells that no spreadsheet runs."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.files.spreadsheets import as_written, harmless
from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.masking import redacted
from arena.interchange.exchange.reading import Hints
from arena.interchange.exchange.source import Outgoing
from arena.interchange.formats import named
from arena.store import Store
from tests.exchange_files import EXAMPLES, lines


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ann.b+c@example.co.uk today.", "Write to [email] today."),
        ("Call +49 170 1234567 or (030) 123-4567.", "Call [phone] or [phone]."),
        ("电话13812345678，请回。", "电话[phone]，请回。"),
        ("555-123-4567", "[phone]"),
        ("key sk-proj-abcdefghijklmnop1234", "key [key]"),
        ("AKIAABCDEFGHIJKLMNOP and ghp_" + "a1" * 18, "[key] and [key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----.", "[key]."),
        ("hf_" + "x" * 34, "[key]"),
    ],
)
def test_what_is_personal_is_taken_out(text: str, masked: str) -> None:
    assert redacted(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2 + 2 = 4, 1998-2024, 12:30",
        "x@y",
        "3.14159265358979",
        "10000000000 rows",
        "a-b-c",
        "@home",
    ],
)
def test_what_is_not_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.text(alphabet="'=+-@\t\rab", max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_harmless_cell_is_no_formula_and_can_be_read_back(text: str) -> None:
    cell = harmless(text)
    assert isinstance(cell, str)
    assert not re.match(r"[=+\-@\t\r]", cell)
    assert as_written(cell) == text


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_masking_twice_is_masking_once(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


def exported(store: Store, folder: Path, name: str, file: str, **options: bool) -> str:
    read = named("table").read
    assert read is not None
    path = EXAMPLES["table"][1](folder)
    row = {"model_a": "x", "model_b": "y", "winner": "tie", "voter": "0123456789abcdef"}
    question = "My number is +49 170 1234567, my key sk-abcdefghijklmnopqrst."
    text = path.read_text("utf-8")
    lines(path, [row | {"question": question, "answer_a": "Ask a@b.org", "answer_b": "=1+1"}])
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")
    take_in(store, read(path, Hints()))
    named(name).write(Outgoing(store, **options), folder / file)
    return (folder / file).read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "file"), [("table", "t.csv"), ("table", "t.jsonl"), ("chatbot-arena", "c.json")]
)
def test_voters_hashes_stay_unless_asked_for(
    name: str, file: str, tmp_path: Path, store: Store
) -> None:
    text = exported(store, tmp_path, name, file)
    assert "0123456789abcdef" not in text
    assert "voter-1" in text
    other = tmp_path / f"with-{file}"
    named(name).write(Outgoing(store, voters=True), other)
    assert "0123456789abcdef" in other.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "file"), [("table", "t.csv"), ("table", "t.jsonl"), ("chatbot-arena", "c.json")]
)
def test_redacting_takes_out_of_every_text(
    name: str, file: str, tmp_path: Path, store: Store
) -> None:
    text = exported(store, tmp_path, name, file, redact=True)
    assert not re.search("1234567|a@b.org|sk-abc", text)
    assert "[phone]" in text
    assert "[key]" in text
    assert "[email]" in text


def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path, store: Store) -> None:
    exported(store, tmp_path, "table", "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and cell]
