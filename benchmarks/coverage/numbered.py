"""Runs a benchmark over numbered pictures, and keeps its rows in a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ingest.faces.finder import FaceFinder, default_finder

Row = TypeVar("Row", bound=NamedTuple)


def measured_rows(
    description: str | None,
    pictures: str,
    row_type: Callable[..., Row],
    measure: Callable[[FaceFinder, int, bool], Iterable[Row]],
) -> tuple[str, list[Row]]:
    """Read the command line, measure each picture, and return the half and all rows.

    Args:
        description: For ``--help``.
        pictures: First and last number of a picture where the command line has none: ``0:45``.
        row_type: Makes a row of its fields, for those that other runs saved.
        measure: Measures the picture of a number. The last argument says whether it is one of the
            report half.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pictures", default=pictures, help="first and last number of a picture")
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--save", type=Path, help="also write the rows here, as JSON")
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="rows of other runs")
    chosen = parser.parse_args()
    first, last = (int(number) for number in chosen.pictures.split(":"))
    finder = default_finder()
    saved: list[list[Any]] = [row for file in chosen.add for row in json.loads(file.read_text())]
    rows = [row_type(*fields) for fields in saved]
    for number in range(first, last):
        rows += measure(finder, number, chosen.half == "report")
        if chosen.save:
            chosen.save.write_text(json.dumps(rows))
    return chosen.half, rows
