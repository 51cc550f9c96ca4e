"""A face of a picture becomes an enrolment photo, when a person asks and consent allows it.

The same conditions as for a portrait: consent to face matching, no objection, a face that is good
enough, and like nobody else's. Besides, it must look like the pupil's other enrolment photos: a
child tagged as somebody else must not become that somebody. The face is measured anew from the safe
copy of the original; nothing was remembered of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import numpy as np
from django.db import transaction

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, StaffTag
from consent_gate.decisions.enrolments import enrolments_from
from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, fused_scores, gallery_of
from consent_gate.model import Box, Examined, TagKind
from consent_gate.register.repository import load_gallery
from consent_gate.register.templates import can_enrol
from consent_gate.register.thresholds import thresholds_in_force
from consent_gate.vault.originals import read_part
from ingest.enrolment.date_taken import taken_on
from ingest.enrolment.enrol import EnrolmentSession, NewPhoto, PictureOrigin
from ingest.enrolment.plan import PhotoToEnrol
from ingest.faces.analyser import EnrolmentFace
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, result_of
from ingest.workers.worker import enrol_selected_face
from publish.rendition import RenditionRefused

STRANGERS_TAKEN = 0.01
"""At most this share of wrongly tagged children would pass for the pupil's other photos. A choice,
far looser than matching (docs/adr/0004): a face that matches already adds little."""

NOT_ALLOWED = "There is no consent to face matching for this pupil, so no face may be stored."
NOT_NAMED = "Say who this is first."
ALREADY = "This face is an enrolment photo already."
SAME_PICTURE = "This picture is one of the pupil's enrolment photos already; take another one."
NOT_ALIKE = (
    "This face does not look like the pupil's other enrolment photos. Check who it is, or ask the"
    " office for a new portrait."
)
UNREADABLE = "The safe copy of the picture cannot be read."


class CannotEnrol(GateError):
    """The face may not, or cannot, become an enrolment photo."""

    next_step = "Nothing was stored."


def enrol_face(
    home: Home, item_id: str, face: int, actor: str, open_pool: OpenTaskRunner = AnalysisPool
) -> str:
    """Make templates of a face that staff named. Returns the pupil's admission number.

    Raises CannotEnrol, which says why.
    """
    item = Item.objects.get(pk=item_id)
    number, box = _asked_for(home, item, face)
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        raise CannotEnrol(UNREADABLE)
    data = _original(home, item)
    found = _measured(home, data, box, evidence.pixels_sha256, open_pool)
    if not _like_the_others(home, number, found):
        raise CannotEnrol(NOT_ALIKE)
    photo = NewPhoto(
        PhotoToEnrol(item.source, number, home.now().date()),
        hashlib.sha256(data).hexdigest(),
        _taken(home, data, item),
        PictureOrigin(item, face, actor),
    )
    session = EnrolmentSession(home, actor)
    session.begin()
    with transaction.atomic():
        again = Item.objects.select_for_update().get(pk=item_id)
        if _asked_for(home, again, face) != (number, box):
            raise CannotEnrol("Somebody changed the picture meanwhile.")
        session.accept(photo, found)
    session.finish()
    if session.refused:
        raise CannotEnrol(session.refused[0][1])
    return number


def refusal_reason(home: Home, item: Item, face: int) -> str:
    """What stands in the way before the face is even looked at; empty when nothing does."""
    try:
        _asked_for(home, item, face)
    except CannotEnrol as error:
        return str(error.args[0])
    return ""


def _asked_for(home: Home, item: Item, face: int) -> tuple[str, Box]:
    """Whose face it is, by staff, and where. Raises CannotEnrol."""
    tag = StaffTag.objects.filter(item=item, face=face, kind=TagKind.PUPIL.value).first()
    evidence = from_json(item.evidence)
    if tag is None or item.state != ItemState.DECIDED or not isinstance(evidence, Examined):
        raise CannotEnrol(NOT_NAMED)
    if enrolments_from(item, face).exists():
        raise CannotEnrol(ALREADY)
    if _has_this_one(tag.admission_number, item):
        raise CannotEnrol(SAME_PICTURE)
    if not can_enrol(home.now().date(), tag.admission_number):
        raise CannotEnrol(NOT_ALLOWED)
    box = Box(*tag.box) if tag.box else evidence.faces[face].box
    return tag.admission_number, box


def _has_this_one(number: str, item: Item) -> bool:
    """Whether the file gave the pupil templates before: as a portrait, or by another face."""
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=number, sha256=item.sha256)
    return photos.filter(templates__isnull=False).exists()


def _original(home: Home, item: Item) -> bytes:
    try:
        return read_part(home, item)
    except (OSError, DecryptionError) as error:
        raise CannotEnrol(UNREADABLE) from error


def _measured(
    home: Home, data: bytes, box: Box, pixels_sha256: str, open_pool: OpenTaskRunner
) -> EnrolmentFace:
    """In a worker of its own, which ends with it. Raises CannotEnrol."""
    one = home.settings.analysis.model_copy(update={"workers": 1})
    alone = replace(home, settings=home.settings.model_copy(update={"analysis": one}))
    with open_pool(alone, gallery_of([])) as pool:
        outcome = result_of(pool.submit(enrol_selected_face, data, box, pixels_sha256))
    if isinstance(outcome, EnrolmentFace):
        return outcome
    raise CannotEnrol(
        outcome.message if isinstance(outcome, RenditionRefused) else outcome.sentence
    )


def _like_the_others(home: Home, number: str, face: EnrolmentFace) -> bool:
    """Whether the face looks like the pupil's templates; true where there is none."""
    gallery, thresholds = load_gallery(home), thresholds_in_force()
    if number not in gallery.pupils or gallery.versions != face.versions:
        return number not in gallery.pupils
    mine = gallery.owners == gallery.pupils.index(number)
    probe = {model: face.vectors[model][np.newaxis] for model in MODELS}
    own = {model: gallery.vectors[model][mine] for model in MODELS}
    scores = fused_scores(probe, own, thresholds)
    return bool(scores.max() >= thresholds.fused_tail.score_at(STRANGERS_TAKEN))


def _taken(home: Home, data: bytes, item: Item) -> date:
    """The day of the picture: by the camera, and no later than it came in."""
    came = home.local_time(item.received_at).date()
    return min(taken_on(data) or came, came)
