"""How faces are matched: calibration on the school's own portraits, classes at an event."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.bootstrap import Home
from consent_gate.calibration import Calibration, Volume, calibrate
from consent_gate.cli.app import AsJson, app, the_home
from consent_gate.cli.console import print_json, say
from consent_gate.db.event_classes import known_classes, name_classes
from consent_gate.db.models import PupilEntry
from consent_gate.db.register_store import load_gallery, load_register
from consent_gate.db.threshold_store import accept, propose, thresholds_in_force
from consent_gate.filesystem import replace_with
from consent_gate.model import Answer, Register

UNKNOWN_FACES_A_YEAR = 1500
"""A primary school's 5 000 photos a year (design), with about 0.3 faces of people who are not
enrolled in each: an assumption, said so in the report; --unknown-faces replaces it."""


@app.command("calibrate")
def calibrate_command(
    context: typer.Context,
    accept_number: Annotated[
        int | None, typer.Option("--accept", help="Put the proposal with this number into force.")
    ] = None,
    unknown_faces: Annotated[
        int, typer.Option(help="Faces of people who are not enrolled, a year.")
    ] = UNKNOWN_FACES_A_YEAR,
    by: Annotated[str | None, typer.Option(help="Your name, for the record.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the school's own enrolment photos and propose thresholds; a person accepts them.

    Example: consent-gate --home /srv/consent-gate calibrate
    """
    home, who = the_home(context), by or getpass.getuser()
    if accept_number is not None:
        accept(home, accept_number, who)
        say(f"Proposal {accept_number} is in force. Pictures taken in from now on go by it.")
        return
    result = _measure(home, unknown_faces)
    number, path = _keep(home, result, who)
    if as_json:
        print_json(
            {
                "pupils": result.pupils,
                "templates": result.templates,
                "accept": result.accept,
                "proposal": number,
                "report": str(path),
                "explanation": result.explanation,
            }
        )
        return
    say(result.explanation)
    say(f"The report: {path}")
    if number is None:
        say("The values in force are kept.")
    else:
        say(f"Read it, then put the proposal into force: consent-gate calibrate --accept {number}")


def _measure(home: Home, unknown_faces: int) -> Calibration:
    register = load_register(home.now().date())
    volume = Volume(float(unknown_faces), _publishable_share(home, register))
    return calibrate(load_gallery(home), thresholds_in_force(), volume, _siblings())


def _keep(home: Home, result: Calibration, by: str) -> tuple[int | None, Path]:
    """Write the report beside the home's other reports; keep the proposal, if there is one."""
    from consent_gate.calibration_report import report

    today = home.now().date()
    page = report(result, today)
    path = home.root / "reports" / f"calibration-{today:%Y-%m-%d}.html"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_with(path, page.encode(), 0o600)
    if result.proposed is None:
        return None, path
    return propose(home, result.proposed, page, by).pk, path


def _publishable_share(home: Home, register: Register) -> float:
    """Share of the enrolled pupils who may be published somewhere."""
    purposes = [channel.consent for channel in home.settings.channels.values()]
    enrolled = [pupil for pupil in register.pupils.values() if pupil.enrolled_on]
    cleared = [
        pupil
        for pupil in enrolled
        if not pupil.never_publish
        and any(p in pupil.consents and pupil.consents[p].answer is Answer.GIVEN for p in purposes)
    ]
    return len(cleared) / len(enrolled) if enrolled else 0.0


def _siblings() -> list[tuple[str, str]]:
    groups: dict[str, list[str]] = {}
    for entry in PupilEntry.objects.exclude(family_group=""):
        groups.setdefault(entry.family_group, []).append(entry.admission_number)
    return [(a, b) for group in groups.values() for a in group for b in group if a < b]


@app.command("event-classes")
def event_classes(
    context: typer.Context,
    event: Annotated[str, typer.Argument(help="Folder of the event below the inbox.")],
    classes: Annotated[
        list[str] | None, typer.Argument(help="Classes that were there; none: all may be.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Your name, for the record.")] = None,
) -> None:
    """Say which classes were at an event: then only their pupils are cleared by the machine.

    Example: consent-gate --home /srv/consent-gate event-classes sports-day 3W 5B
    """
    home, who = the_home(context), by or getpass.getuser()
    unknown = sorted(set(classes or ()) - set(known_classes()))
    if unknown:
        raise typer.BadParameter(f"No pupil is in {', '.join(unknown)}.")
    name_classes(home, event.strip("/"), classes or [], who)
    say(f"{event}: {', '.join(classes) if classes else 'any class'}.")
