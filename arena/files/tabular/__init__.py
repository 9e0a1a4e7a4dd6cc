"""Tables in files: CSV, JSON and Parquet as rows, or as columns where there are many.

What a file holds is told by its content: commas, semicolons or tabs; one JSON object a line,
several lines an object, or a list of objects; packed with gzip or not. What cannot be told for
certain is an InputError that says what would help.
"""

from arena.files.tabular.columns import Column, Table, columns
from arena.files.tabular.objects import parse as parse_json
from arena.files.tabular.objects import value_of as json_value
from arena.files.tabular.rows import FORMATS, TabularRow, json_rows, listed, place_of, rows, wrapped

__all__ = [
    "FORMATS",
    "Column",
    "Table",
    "TabularRow",
    "columns",
    "json_rows",
    "json_value",
    "listed",
    "parse_json",
    "place_of",
    "rows",
    "wrapped",
]
