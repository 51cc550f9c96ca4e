"""The command ``calibrate``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, print_json, progress_bar
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, PupilEntry
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.matching.calibration import Calibration, DetectionBySize, Volume, calibrate
from consent_gate.matching.gallery import SCHOOL
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Ambiguous, Answer, Examined, NearMatch, Register, Unknown
from consent_gate.operations.recognition.pupil_advice import pupil_advice
from consent_gate.operations.recognition.school_model import accept_proposal
from consent_gate.operations.recognition.school_model_calibration import (
    SchoolModelCalibration,
    calibrate_school_model,
    school_model_dict,
    school_model_text,
)
from consent_gate.register.repository import load_gallery, load_register
from consent_gate.register.school_model import propose_school_model
from consent_gate.register.thresholds import propose, thresholds_in_force
from ingest.enrolment.sources import photos_at
from sims_import.readers.dispatch import read_table
from sims_import.readers.photo_list import read_photo_list

UNKNOWN_FACES_A_YEAR = 1500
"""Assumed for a primary school: 5 000 photos a year with about 0.3 unknown faces each. The report
says that it is an assumption. Once there are enough photos, the faces are counted instead."""

MIN_PHOTOS = 500
"""From this number of photos in the last year, unknown faces are counted and not assumed. It is a
tenth of the photos of a primary school."""

MIN_PERIOD = timedelta(days=30)
"""A count over a shorter period says too little about a year."""


@app.command("calibrate")
def calibrate_command(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    photos: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Folder or ZIP of the enrolment photos, to measure how small a face can be found.",
        ),
    ] = None,
    photo_list: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="CSV that says which pupil each photo shows, as for import-sims."
        ),
    ] = None,
    accept_number: Annotated[
        int | None, typer.Option("--accept", help="Put the proposal with this number into force.")
    ] = None,
    unknown_faces: Annotated[
        int | None,
        typer.Option(help="Faces of unknown people a year, if you know the number."),
    ] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Measure the school's own enrolment photos and propose thresholds; a person accepts them.

    Example: consent-gate --home /srv/consent-gate calibrate --photos portraits/
    """
    home = open_selected_home(context)
    if accept_number is not None:
        accept_proposal(home, accept_number, by)
        echo(f"Proposal {accept_number} is in force for all pictures that arrive from now on.")
        return
    from consent_gate.operations.recognition.calibration_page import (
        report,  # imports matplotlib: slow
    )

    own = _measure_school_model(home, unknown_faces, by)
    result = own.result if own else _measure(home, unknown_faces)
    found = _found_by_size(home, photos, photo_list) if photos else None
    advice = pupil_advice(home, _siblings(), own.thresholds if own else None)
    model = school_model_text(home)
    page = report(result, home.now().date(), found, advice.years, model)
    number, path = _save_report(home, page, result.proposed, by, own.photos if own else ())
    if as_json:
        about = {"school_model": school_model_dict(home)}
        print_json(_as_dict(result, number, path, found) | about | advice.as_json())
    else:
        echo(model or "The models of the package were measured.")
        _print_result(result, number, path, advice.lines())


def _as_dict(
    result: Calibration, number: int | None, path: Path, found: DetectionBySize | None
) -> dict[str, object]:
    return {
        "pupils": result.pupils,
        "templates": result.templates,
        "accept": result.accept,
        "proposal": number,
        "report": str(path),
        "explanation": result.explanation,
        "found_by_size": _detection_as_dict(found) if found else None,
    }


def _print_result(
    result: Calibration, number: int | None, path: Path, advice: Iterable[str]
) -> None:
    echo(result.explanation)
    echo(f"Report: {path}")
    if number is None:
        echo("There is no proposal. Nothing changes.")
    else:
        echo(f"Read the report, then accept the proposal: consent-gate calibrate --accept {number}")
    for line in advice:
        echo(line)


def _measure(home: Home, given: int | None) -> Calibration:
    volume = _volume(home, given)
    return calibrate(load_gallery(home), thresholds_in_force(), volume, _siblings())


def _measure_school_model(
    home: Home, given: int | None, actor: str
) -> SchoolModelCalibration | None:
    """None where no model of the school is set."""
    if home.settings.recognition.model is None:
        return None
    with progress_bar() as bar:
        task = bar.add_task("Stored portraits", total=None)
        return calibrate_school_model(
            home,
            _volume(home, given),
            _siblings(),
            actor,
            lambda done, total: bar.update(task, completed=done, total=total),
        )


def _volume(home: Home, given: int | None) -> Volume:
    register = load_register(home.now().date())
    faces, basis = unknown_faces(home, given)
    return Volume(faces, _publishable_share(home, register), basis)


def unknown_faces(home: Home, given: int | None) -> tuple[float, str]:
    """Return how many faces of unknown people arrive in a year, and how that is known.

    Pupils who were not recognised are counted too, so the number is rather too high than too low.

    Args:
        home: The home with the photos.
        given: Number that a person gave; None to count or assume it.

    Returns:
        The number and its basis, as text for the report.
    """
    if given is not None:
        return float(given), "as entered"
    since = home.now() - timedelta(days=365)
    seen = Item.objects.filter(received_at__gte=since).exclude(evidence=None)
    first = seen.order_by("received_at").values_list("received_at", flat=True).first()
    photos = seen.count()
    if photos < MIN_PHOTOS or first is None or home.now() - first < MIN_PERIOD:
        return float(UNKNOWN_FACES_A_YEAR), "assumed: there are not enough photos yet to count"
    unknown = sum(
        isinstance(face.identity, Unknown | NearMatch | Ambiguous)
        for raw in seen.values_list("evidence", flat=True).iterator()
        for evidence in [from_json(raw)]
        if isinstance(evidence, Examined)
        for face in evidence.faces
    )
    year = timedelta(days=365) / (home.now() - first)
    return unknown * year, f"counted in {photos} photos since {home.local_time(first):%d %B %Y}"


def _found_by_size(home: Home, photos: Path, photo_list: Path | None) -> DetectionBySize:
    from ingest.enrolment.size_study import (
        found_by_size,  # imports the face models, which is slow
    )

    listed = (
        read_photo_list(read_table(photo_list.read_bytes(), photo_list.name)) if photo_list else {}
    )
    with progress_bar() as bar:
        task = bar.add_task("Enrolment photos", total=None)
        return found_by_size(
            home,
            photos_at(photos),
            listed,
            lambda done, total: bar.update(task, completed=done, total=total),
        )


def _detection_as_dict(found: DetectionBySize) -> dict[str, dict[str, int]]:
    """Detection counts by face height in pixels, for ``--json``."""
    return {str(height): asdict(counts) for height, counts in found.sizes.items()}


def _save_report(
    home: Home, page: str, proposed: Thresholds | None, actor: str, photos: Collection[int]
) -> tuple[int | None, Path]:
    """Write the report and save the proposal. Returns the proposal's number and the report."""
    path = home.root / "reports" / f"calibration-{home.now():%Y-%m-%d}.html"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_with(path, page.encode(), 0o600)
    if proposed is None:
        return None, path
    if SCHOOL in proposed.versions:
        return propose_school_model(home, proposed, page, photos, actor).pk, path
    return propose(home, proposed, page, actor).pk, path


def _publishable_share(home: Home, register: Register) -> float:
    """Share, 0 to 1, of the enrolled pupils with consent for at least one channel."""
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
