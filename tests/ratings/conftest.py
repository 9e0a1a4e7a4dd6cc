"""Data shared by the tests of the rating engine."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[3] / "shared" / "datasets"


@pytest.fixture(scope="session")
def dataset() -> Callable[[str], dict[str, list[str]]]:
    """Columns of a CSV file of the shared datasets."""

    def read(name: str) -> dict[str, list[str]]:
        path = DATASETS / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {key: [row[key] for row in rows] for key in rows[0]}

    return read
