"""Output of the commands: text, tables and progress bars for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from consent_gate.home.home import Home
from consent_gate.names.printable import UNPRINTABLE, printable

PLAIN_WIDTH = 120
"""Width in columns when the output is not a terminal."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
errors = Console(stderr=True, highlight=False)


def echo(message: str) -> None:
    """Print a line for a person."""
    console.print(printable(message), markup=False, soft_wrap=True)


def echo_error(message: str) -> None:
    """Print an error line for a person to standard error."""
    errors.print(printable(message), style="bold red", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON object on one line."""
    text = json.dumps(value, ensure_ascii=False)
    typer.echo(UNPRINTABLE.sub(lambda found: json.dumps(found[0])[1:-1], text))


def format_time(home: Home, moment: datetime | None, otherwise: str = "") -> str:
    """Return date and time in the school's time zone; ``otherwise`` for None."""
    return f"{home.local_time(moment):%d/%m/%Y %H:%M}" if moment else otherwise


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table for a person. The first and the last column may wrap."""
    first, *others = columns
    table = Table(title=title, title_justify="left")
    table.add_column(first, overflow="fold", ratio=3)
    for name in others[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(others[-1], overflow="fold", ratio=4)
    for row in rows:
        table.add_row(
            *(Text(printable(cell)) for cell in row)
        )  # as Text, so that a file name such as "[/b]" is not read as markup
    console.print(table)


def progress_bar() -> Progress:
    """Return a progress bar; it prints nothing when standard error is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
