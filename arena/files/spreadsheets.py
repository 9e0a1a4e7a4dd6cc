"""Cells of files that people open in a spreadsheet, which takes some texts for formulas."""

import re

# A number is none. Quotes before it count too, so that `as_written` finds back what was there.
_FORMULA = re.compile(r"'* *(?![+-]\d+(?:\.\d+)?%?\Z)[=+\-@\t\r]")


def harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula; `as_written` gives back what it was."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def as_written(cell: object) -> object:
    """The text of a cell that `harmless` may have changed."""
    if isinstance(cell, str) and cell.startswith("'") and _FORMULA.match(cell):
        return cell[1:]
    return cell
