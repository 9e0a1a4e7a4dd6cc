"""Cells that a spreadsheet would take for formulas: made harmless, and found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.files.spreadsheets import as_written, harmless


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=x", "\r=x", " =1", "'=1", "=", "-1=1"]
)
def test_what_begins_like_a_formula_has_a_quote_before_it(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert as_written(harmless(cell)) == cell


@pytest.mark.parametrize(
    "cell", ["", "text", "-1", "+2.5", "-3.5%", "1=1", "'quoted'", None, -1, 2.5]
)
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert harmless(cell) == cell
    assert as_written(cell) == cell


@given(st.text("'=+-@\t\r 0a.%", max_size=8))
def test_what_was_written_is_found_again(cell: str) -> None:
    assert as_written(harmless(cell)) == cell
