"""Make an enrolment photo of a face in a picture, when staff ask for it and consent allows it.

The conditions are those of a portrait: biometric consent, no objection, good quality, and no match
with another pupil. The face must also look like the pupil's other enrolment photos, so that a wrong
tag does not give a child's face to another pupil. The face is measured anew from the original in
the vault, as the gate stores no vector of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

from django.db import transaction

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, StaffTag
from consent_gate.decisions.enrolments import enrolments_from
from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.model import Box, Examined, TagKind
from consent_gate.register.templates import can_enrol
from consent_gate.vault.originals import read_part
from ingest.enrolment.date_taken import taken_on
from ingest.enrolment.plan import PhotoToEnrol
from ingest.enrolment.session import EnrolmentSession, NewPhoto, PictureOrigin
from ingest.faces.enrolment_face import EnrolmentFace
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, result_of
from ingest.workers.face_tasks import enrol_selected_face

NOT_ALLOWED = "There is no consent to face matching for this pupil, so no face may be stored."
NOT_TAGGED = "First say who this is."
ALREADY_ENROLLED = "This face is already an enrolment photo."
SAME_PICTURE = (
    "This picture is already one of the pupil's enrolment photos. Choose another picture."
)
NOT_ALIKE = (
    "This face does not look like the pupil's other enrolment photos. Check who it is, or ask the"
    " office for a new portrait."
)
FROM_FILM = "A face in a film cannot become an enrolment photo. Choose a picture."
UNREADABLE = "The gate's copy of the picture cannot be read. Choose another picture."


class CannotEnrol(GateError):
    """The face may not, or cannot, become an enrolment photo."""

    next_step = "Nothing was stored."


def enrol_face(
    home: Home, item_id: str, face: int, actor: str, open_pool: OpenTaskRunner = AnalysisPool
) -> str:
    """Make templates of a face that staff tagged. Returns the pupil's admission number.

    Args:
        home: The home of the item.
        item_id: The picture.
        face: Index of the face in the item's evidence.
        actor: Who asks for it, for the audit.
        open_pool: Starts the worker.

    Raises:
        CannotEnrol: The face may not or cannot be enrolled; the message says why.
    """
    item = Item.objects.get(pk=item_id)
    number, box = _tagged_face(home, item, face)
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        raise CannotEnrol(UNREADABLE)
    data = _read_original(home, item)
    measured = _measure(home, data, box, evidence.pixels_sha256, open_pool)
    photo = NewPhoto(
        PhotoToEnrol(item.source, number, home.now().date()),
        hashlib.sha256(data).hexdigest(),
        _date_of(home, data, item),
        PictureOrigin(item, face, actor),
    )
    session = EnrolmentSession(home, actor)
    session.begin()
    own_score = session.faces.scores(measured).get(number)
    if own_score is not None and not session.faces.is_like(own_score):
        raise CannotEnrol(NOT_ALIKE)
    with transaction.atomic():
        locked = Item.objects.select_for_update().get(pk=item_id)
        if _tagged_face(home, locked, face) != (number, box):
            raise CannotEnrol(
                "Somebody changed the picture meanwhile. Reload the page and try again."
            )
        session.accept(photo, measured)
    session.finish()
    if session.refused:
        raise CannotEnrol(session.refused[0][1])
    return number


def refusal_reason(home: Home, item: Item, face: int) -> str:
    """Why the face may not be enrolled, before it is measured; empty when it may.

    ``face`` is the index of the face in the item's evidence. The message is for staff.
    """
    try:
        _tagged_face(home, item, face)
    except CannotEnrol as error:
        return str(error.args[0])
    return ""


def _tagged_face(home: Home, item: Item, face: int) -> tuple[str, Box]:
    """Admission number and box of a tagged face. Raises CannotEnrol where it may not be
    enrolled."""
    tag = StaffTag.objects.filter(item=item, face=face, kind=TagKind.PUPIL.value).first()
    evidence = from_json(item.evidence)
    if tag is None or item.state != ItemState.DECIDED or not isinstance(evidence, Examined):
        raise CannotEnrol(NOT_TAGGED)
    if evidence.film is not None:
        raise CannotEnrol(FROM_FILM)
    if enrolments_from(item, face).exists():
        raise CannotEnrol(ALREADY_ENROLLED)
    if _is_enrolled_from(tag.admission_number, item):
        raise CannotEnrol(SAME_PICTURE)
    if not can_enrol(home.now().date(), tag.admission_number):
        raise CannotEnrol(NOT_ALLOWED)
    box = Box(*tag.box) if tag.box else evidence.faces[face].box
    return tag.admission_number, box


def _is_enrolled_from(number: str, item: Item) -> bool:
    """Whether the pupil already has templates from this file: as a portrait or another face."""
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=number, sha256=item.sha256)
    return photos.filter(templates__isnull=False).exists()


def _read_original(home: Home, item: Item) -> bytes:
    try:
        return read_part(home, item)
    except (OSError, DecryptionError) as error:
        raise CannotEnrol(UNREADABLE) from error


def _measure(
    home: Home, data: bytes, box: Box, pixels_sha256: str, open_pool: OpenTaskRunner
) -> EnrolmentFace:
    """Measure the face in a pool of one worker, started for it. Raises CannotEnrol."""
    analysis = home.settings.analysis.model_copy(update={"workers": 1})
    single = replace(home, settings=home.settings.model_copy(update={"analysis": analysis}))
    with open_pool(single, gallery_of([])) as pool:
        outcome = result_of(pool.submit(enrol_selected_face, data, box, pixels_sha256))
    if isinstance(outcome, EnrolmentFace):
        return outcome
    raise CannotEnrol(outcome.message)


def _date_of(home: Home, data: bytes, item: Item) -> date:
    """The day of the picture: that of the camera, but not after the day the file was received."""
    received = home.local_time(item.received_at).date()
    return min(taken_on(data) or received, received)
