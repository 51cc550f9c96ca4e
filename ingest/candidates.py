"""Work out, when a person asks, which pupils a face that was not recognised may be.

The face is measured anew from the original, in a worker. Its vectors never leave the worker, and
nothing of the result is stored. Only templates that may be compared today are sent there. Where the
school named who was at the event, only these pupils are offered.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, replace

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, ItemState, PupilEntry
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import AwaitingExport, DecryptionError, GateError, ModelUnavailable
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery, Template, gallery_of
from consent_gate.model import Box, Examined
from consent_gate.register.repository import lawful_photos, load_gallery
from consent_gate.vault.originals import read_part
from ingest.faces.analyser import NearestPupils
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, result_of
from ingest.workers.face_tasks import find_nearest_pupils

MOST_AT_ONCE = 2
"""Faces that are measured at the same time, so that nobody can occupy the machine with this."""

_places = threading.BoundedSemaphore(MOST_AT_ONCE)

BUSY = "The gate is comparing other faces. Wait a moment and open the face again."
FAILED = "This face could not be compared. Find the pupil by name."
NO_TEMPLATES = "Nobody who may be compared has an enrolment photo. Find the pupil by name."


class CannotCompare(GateError):
    """The face cannot be compared; the message says why."""

    next_step = ""


@dataclass(frozen=True)
class Candidates:
    """The pupils whom a face may show."""

    nearest: tuple[str, ...]
    """Admission numbers of enrolled pupils, the nearest first."""
    without_photo: tuple[PupilEntry, ...]
    """Pupils on the roll of the event who have no enrolment photo. Empty without a roll."""


def find_candidates(
    home: Home, item: Item, face: int, actor: str, open_pool: OpenTaskRunner = AnalysisPool
) -> Candidates:
    """Compare one face with the pupils who may be shown, and record who asked.

    Args:
        home: The installation.
        item: A picture that was examined.
        face: Index of the face: first those of the evidence, then those that staff drew.
        actor: Who asks, for the audit trail. Nothing else is recorded.
        open_pool: Starts the worker, or lends the gate's own.

    Raises:
        CannotCompare: The face cannot be compared. Nobody is offered then.
    """
    evidence, staff = from_json(item.evidence), load_staff_input(item)
    if item.state != ItemState.DECIDED or not isinstance(evidence, Examined) or evidence.film:
        raise CannotCompare(FAILED)
    boxes = [*(found.box for found in evidence.faces), *staff.added_faces]
    if face not in range(len(boxes)):
        raise CannotCompare(FAILED)
    with transaction.atomic():
        audit_log.record(home, "face.compared", f"item:{item.pk}", {}, actor)
    if not _places.acquire(blocking=False):
        raise CannotCompare(BUSY)
    try:
        gallery = _gallery(home, staff.roster)
        nearest = _nearest(home, item, boxes[face], gallery, open_pool)
    finally:
        _places.release()
    return Candidates(nearest, _without_photo(home, staff.roster))


def _gallery(home: Home, roster: Collection[str] | None) -> Gallery:
    """The templates that may be compared. Raises CannotCompare."""
    try:
        gallery = _of_roll(load_gallery(home), roster)
    except (AwaitingExport, DecryptionError, ModelUnavailable) as error:
        raise CannotCompare(FAILED) from error
    if not gallery.pupils:
        raise CannotCompare(NO_TEMPLATES)
    return gallery


def _nearest(
    home: Home, item: Item, box: Box, gallery: Gallery, open_pool: OpenTaskRunner
) -> tuple[str, ...]:
    """Raises CannotCompare."""
    evidence = from_json(item.evidence)
    digest = evidence.pixels_sha256 if isinstance(evidence, Examined) else ""
    analysis = home.settings.analysis.model_copy(update={"workers": 1})
    single = replace(home, settings=home.settings.model_copy(update={"analysis": analysis}))
    try:
        data = read_part(home, item)
        with open_pool(single, gallery_of([])) as pool:
            outcome = result_of(pool.submit(find_nearest_pupils, data, box, digest, gallery))
    except (GateError, OSError) as error:
        raise CannotCompare(FAILED) from error
    if isinstance(outcome, NearestPupils):
        return tuple(number for number in outcome.pupils if number in gallery.pupils)
    raise CannotCompare(f"{outcome.message} {FAILED}")


def _of_roll(gallery: Gallery, roster: Collection[str] | None) -> Gallery:
    """The templates of the pupils who were named for the event; of all without a roll."""
    if roster is None:
        return gallery
    remembered = gallery.remembered
    return gallery_of(
        Template(
            gallery.pupils[owner],
            {model: rows[row] for model, rows in gallery.vectors.items()},
            gallery.versions,
            remembered=remembered is not None and bool(remembered[row]),
        )
        for row, owner in enumerate(gallery.owners)
        if gallery.pupils[owner] in roster
    )


def _without_photo(home: Home, roster: Collection[str] | None) -> tuple[PupilEntry, ...]:
    """The pupils on roll who were named for the event and have no template in force."""
    if roster is None:
        return ()
    photos = lawful_photos(home.now().date()).filter(templates__isnull=False)
    pupils = PupilEntry.objects.filter(on_roll=True, admission_number__in=roster)
    pupils = pupils.exclude(pk__in=photos.order_by().values("pupil"))
    return tuple(pupils.order_by("surname", "forename", "admission_number"))
