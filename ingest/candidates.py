"""Work out, when a person asks, which pupils a face that was not recognised may be.

The face is measured anew from the original, in a worker. Its vectors never leave the worker, and
nothing of the result is stored. The worker compares with the templates that it has anyway, and is
told which pupils may be compared today. Where the school named who was at the event, only these
pupils are offered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, ItemState, PupilEntry
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import AwaitingExport, GateError
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Box, Examined
from consent_gate.register.repository import (
    lawful_photos,
    load_gallery,
    photos_in_force,
    refuse_unconfirmed_templates,
)
from consent_gate.vault.originals import read_part
from ingest.faces.analyser import NearestPupils
from ingest.faces.enrolment_face import NotEnrollable
from ingest.workers.analysis_pool import TaskRunner, result_of
from ingest.workers.face_tasks import find_nearest_pupils
from ingest.workers.lent_pool import borrow_workers
from publish.renditions.rendition import RenditionRefused

MOST_AT_ONCE = 2
"""Faces that are measured at the same time, so that nobody can occupy the machine with this."""

SECONDS = 20.0
"""How long a person waits at most, with the templates that must be loaded and the workers that must
be started where the gate has none on this machine."""

_places = threading.BoundedSemaphore(MOST_AT_ONCE)

BUSY = "The gate is comparing other faces. Wait a moment and open the face again."
CHANGED = "This picture was changed or checked again. Open it again."
FAILED = "This face could not be compared. Find the pupil by name."
NO_TEMPLATES = "Nobody who may be compared has an enrolment photo. Find the pupil by name."
TOO_LONG = (
    "The comparison took too long and was stopped. Find the pupil by name, or open the face again"
    " when the gate has less to do."
)
UNCLEAR = "This face is too small or too unclear to be compared. Find the pupil by name."


class CannotCompare(GateError):
    """The face cannot be compared; the message says why."""

    next_step = ""


OpenWorkers = Callable[[Home, Callable[[], Gallery]], AbstractContextManager[TaskRunner]]
"""Lends workers of a home, or starts some with the gallery that the function gives."""


@dataclass(frozen=True)
class AskedFace:
    """A face of the page on which a person asks."""

    item: Item
    index: int
    """First those of the evidence, then those that staff drew."""
    revision: int
    """``Item.revision`` of that page."""


@dataclass(frozen=True)
class Candidates:
    """The pupils whom a face may show."""

    nearest: tuple[str, ...]
    """Admission numbers of enrolled pupils, the nearest first."""
    without_photo: tuple[PupilEntry, ...]
    """Pupils on the roll of the event who have no enrolment photo; without a roll, the brothers and
    sisters of the nearest who have none."""
    has_roll: bool
    """Whether the school named who was at the event."""
    problem: str = ""
    """Why the face could not be compared; empty if it was."""


def find_candidates(
    home: Home, face: AskedFace, actor: str, open_workers: OpenWorkers = borrow_workers
) -> Candidates:
    """Compare one face with the pupils who may be shown, and record who asked.

    Args:
        home: The installation.
        face: A face of a picture that was examined.
        actor: Who asks, for the audit trail. Nothing else is recorded.
        open_workers: Lends the gate's workers, or starts others.

    Raises:
        CannotCompare: There is no such face, or the page is out of date. Nobody is offered then.
    """
    box, roster = _place_of(face)
    with transaction.atomic():
        audit_log.record(home, "face.compared", f"item:{face.item.pk}", {}, actor)
    if not _places.acquire(blocking=False):
        raise CannotCompare(BUSY)
    try:
        nearest, problem = _nearest(home, face.item, box, roster, open_workers), ""
    except CannotCompare as error:
        nearest, problem = (), str(error)
    finally:
        _places.release()
    if not Item.objects.filter(pk=face.item.pk, revision=face.revision).exists():
        raise CannotCompare(CHANGED)  # the number may mean another face by now
    return Candidates(nearest, _without_photo(home, roster, nearest), roster is not None, problem)


def _place_of(face: AskedFace) -> tuple[Box, Collection[str] | None]:
    """Where the face is, and the roll of the event. Raises CannotCompare."""
    item = face.item
    evidence, staff = from_json(item.evidence), load_staff_input(item)
    if item.revision != face.revision:
        raise CannotCompare(CHANGED)
    if item.state != ItemState.DECIDED or not isinstance(evidence, Examined) or evidence.film:
        raise CannotCompare(FAILED)
    boxes = [*(found.box for found in evidence.faces), *staff.added_faces]
    if face.index not in range(len(boxes)):
        raise CannotCompare(FAILED)
    return boxes[face.index], staff.roster


def _comparable(home: Home, roster: Collection[str] | None) -> tuple[str, ...]:
    """The pupils who may be compared today, and are on the roll if there is one.

    Raises:
        CannotCompare: There is nobody, or no export was imported since a restore.
    """
    try:
        refuse_unconfirmed_templates()
    except AwaitingExport as error:
        raise CannotCompare(FAILED) from error
    photos = photos_in_force(home.now().date()).order_by()
    numbers = set(photos.values_list("pupil__admission_number", flat=True))
    allowed = numbers if roster is None else numbers.intersection(roster)
    if not allowed:
        raise CannotCompare(NO_TEMPLATES)
    return tuple(sorted(allowed))


def _nearest(
    home: Home,
    item: Item,
    box: Box,
    roster: Collection[str] | None,
    open_workers: OpenWorkers,
) -> tuple[str, ...]:
    """Raises CannotCompare."""
    evidence, allowed = from_json(item.evidence), _comparable(home, roster)
    digest = evidence.pixels_sha256 if isinstance(evidence, Examined) else ""
    analysis = home.settings.analysis.model_copy(update={"workers": 1})
    single = replace(home, settings=home.settings.model_copy(update={"analysis": analysis}))
    load = partial(load_gallery, home, only=None if roster is None else allowed)
    until = time.monotonic() + SECONDS
    try:
        data = read_part(home, item)
        with open_workers(single, load) as pool:
            task = pool.submit(find_nearest_pupils, data, box, digest, allowed)
            outcome = _in_time(task, until)
    except (GateError, OSError) as error:
        raise error if isinstance(error, CannotCompare) else CannotCompare(FAILED) from error
    if isinstance(outcome, NearestPupils):
        return tuple(number for number in outcome.pupils if number in allowed)
    raise CannotCompare(UNCLEAR if isinstance(outcome, NotEnrollable) else FAILED)


def _in_time(
    task: Future[NearestPupils | NotEnrollable | RenditionRefused], until: float
) -> NearestPupils | NotEnrollable | RenditionRefused:
    """Raises CannotCompare if there is no answer at a moment of the monotonic clock. The task is
    then not started any more."""
    try:
        return result_of(task, max(0.0, until - time.monotonic()))
    except TimeoutError as error:
        task.cancel()
        raise CannotCompare(TOO_LONG) from error


def _without_photo(
    home: Home, roster: Collection[str] | None, nearest: Collection[str]
) -> tuple[PupilEntry, ...]:
    """The pupils on roll without a template in force who were named for the event, or who are
    brothers and sisters of the nearest where nobody was named."""
    pupils = PupilEntry.objects.filter(on_roll=True)
    if roster is None:
        near = pupils.filter(admission_number__in=nearest).exclude(family_group="")
        pupils = pupils.filter(family_group__in=near.values("family_group"))
    else:
        pupils = pupils.filter(admission_number__in=roster)
    photos = lawful_photos(home.now().date()).filter(templates__isnull=False)
    pupils = pupils.exclude(pk__in=photos.order_by().values("pupil"))
    return tuple(pupils.order_by("surname", "forename", "admission_number"))
