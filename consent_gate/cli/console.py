"""Printing for people, and for programs."""

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

PLAIN_WIDTH = 120
"""Columns where the output is no terminal and tells no width."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
errors = Console(stderr=True, highlight=False)


def echo(text: str) -> None:
    """A line for a person."""
    console.print(text, markup=False, soft_wrap=True)


def echo_error(text: str) -> None:
    """A line about something that went wrong."""
    errors.print(text, style="bold red", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object on one line."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def format_time(home: Home, moment: datetime | None, otherwise: str = "") -> str:
    """Date and time at the school, for a person."""
    return f"{home.local_time(moment):%d/%m/%Y %H:%M}" if moment else otherwise


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A table for a person: the first and last columns may wrap."""
    first, *others = columns
    table = Table(title=title, title_justify="left")
    table.add_column(first, overflow="fold", ratio=3)
    for name in others[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(others[-1], overflow="fold", ratio=4)
    for row in rows:
        table.add_row(*map(Text, row))  # a photo called [/b] is no instruction
    console.print(table)


def progress_bar() -> Progress:
    """A bar for whatever takes more than a second or two; silent where nobody watches."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
