"""The command ``event-classes``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import By, app, open_selected_home
from consent_gate.cli.console import echo
from consent_gate.decisions.event_classes import name_roll, school_names
from consent_gate.messages import counted
from consent_gate.register.event_names import NamedRoll, SchoolNames, understand_names
from consent_gate.register.identifiers import read_admission_number, read_upn
from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import Table


@app.command("event-classes")
def event_classes(
    context: typer.Context,
    event: Annotated[str, typer.Argument(help="Event folder in the inbox.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLASSES]...",
            help='Classes ("3W"), years ("Year 3") or admission numbers; none: all classes.',
        ),
    ] = None,
    pupils: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="List of the pupils who were there, such as an attendance export (CSV or Excel).",
        ),
    ] = None,
    by: By = "",
) -> None:
    """Record who was at an event. Only these pupils are then cleared automatically.

    Example: consent-gate --home /srv/consent-gate event-classes sports-day 3W 5B
    """
    home = open_selected_home(context)
    school = school_names()
    roll = understand_names(names or (), school)
    if pupils:
        listed = _listed(read_table(pupils.read_bytes(), pupils.name), school)
        roll = NamedRoll(roll.classes, tuple(dict.fromkeys((*roll.pupils, *listed))), roll.unknown)
    if roll.unknown:
        raise typer.BadParameter(
            f"There is no class or pupil {', '.join(roll.unknown)} on the register. Check the name."
        )
    name_roll(home, event.strip("/"), roll, by)
    said = [*roll.classes, *([counted(len(roll.pupils), "pupil")] if roll.pupils else [])]
    echo(f"{event}: {', '.join(said) if said else 'any class'}.")


def _listed(table: Table, school: SchoolNames) -> list[str]:
    """The pupils in the one column of a list that has admission numbers or UPNs.

    Raises:
        typer.BadParameter: No column names pupils, or a row names nobody on roll.
    """
    known = [[_pupil(cell, school) for cell in row.cells] for row in table.rows]
    hits = Counter(at for row in known for at, number in enumerate(row) if number)
    if not hits:
        raise typer.BadParameter("No column of the list has admission numbers or UPNs on roll.")
    column = hits.most_common(1)[0][0]
    strangers = [
        row.cells[column]
        for row, numbers in zip(table.rows, known, strict=True)
        if row.cells[column].strip() and not numbers[column]
    ]
    if strangers:
        raise typer.BadParameter(
            f"{counted(len(strangers), 'row names', 'rows name')} nobody on roll, for example"
            f" {strangers[0]!r}. Correct the list or import a newer export first."
        )
    return [number for numbers in known if (number := numbers[column])]


def _pupil(cell: str, school: SchoolNames) -> str:
    number = read_admission_number(cell) or ""
    return school.numbers.get(number) or school.numbers.get(read_upn(cell)) or ""
