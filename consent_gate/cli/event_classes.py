"""The command ``event-classes``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import By, app, open_selected_home
from consent_gate.cli.console import echo
from consent_gate.decisions.event_classes import name_roll, school_names
from consent_gate.messages import counted
from consent_gate.register.event_names import NamedRoll, understand_names
from sims_import.readers.pupil_list import read_pupil_list


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
        listed = read_pupil_list(pupils.read_bytes(), pupils.name, school)
        roll = NamedRoll(roll.classes, tuple(dict.fromkeys((*roll.pupils, *listed))), roll.unknown)
    if roll.unknown:
        raise typer.BadParameter(
            f"There is no class or pupil {', '.join(roll.unknown)} on the register. Check the name."
        )
    name_roll(home, event.strip("/"), roll, by)
    said = [*roll.classes, *([counted(len(roll.pupils), "pupil")] if roll.pupils else [])]
    echo(f"{event}: {', '.join(said) if said else 'any class'}.")
