"""Remember a face that a person named, as one more template of the pupil.

A person who names a face of a pupil with biometric consent may let the gate remember it. The choice
is ticked already where the machine's nearest pupil is that pupil too and the face is good. For
another good face a person may tick it. The face is measured from the original in the vault. It must
be nearest to that pupil in the whole school, and it never decides alone: a pupil is compared as the
average of all templates. The person's word is the confirmation of the template. It goes with the
tag, the picture and the consent.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import EnrolmentPhoto, FaceToRemember, Item, ItemState, StaffTag
from consent_gate.decisions.enrolments import enrolments_from
from consent_gate.home.home import Home
from consent_gate.model import (
    Ambiguous,
    Examined,
    FaceEvidence,
    FaceKind,
    Match,
    NearMatch,
    TagKind,
    Unknown,
)
from consent_gate.register.display import display_name
from consent_gate.register.templates import can_enrol
from ingest.enrolment.confirmation import confirm_photos
from ingest.enrolment.from_picture import (
    ALREADY_ENROLLED,
    CannotEnrol,
    enrol_face,
    refusal_reason,
)
from ingest.scheduling.queue import requeue
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner

GOOD_MIRROR_AGREEMENT = 0.95
"""From this agreement with the mirror image on, four faces in five are recognised
(docs/adr/0004-recognition.md)."""

GOOD_HEIGHT_PX = 64
"""A lower face is recognised less often than a portrait (docs/adr/0004-recognition.md)."""

ENOUGH = (
    "As many faces of this pupil are remembered as the settings allow. Remove the tag of an older"
    " one, or raise remembered_faces_a_pupil."
)
CHANGED = "Somebody named another pupil meanwhile."


@dataclass(frozen=True)
class RememberOffer:
    """Whether the gate may remember one face that a person named."""

    name: str
    """Display name of the pupil."""
    is_remembered: bool
    refusal: str
    """Why it cannot be remembered, for staff; empty where it may be tried."""
    is_good: bool
    """Whether the face is high enough and like its mirror image."""
    ticked: bool
    """Whether the machine's nearest pupil is this pupil too and the face is good."""
    count: int
    """How many faces of the pupil are remembered."""

    @property
    def possible(self) -> bool:
        """Whether it may be remembered."""
        return not self.refusal


def offer_for(home: Home, item: Item, face: int) -> RememberOffer | None:
    """Return the offer for a face; None when no pupil on the register is named for it."""
    tag = StaffTag.objects.filter(item=item, face=face, kind=TagKind.PUPIL.value).first()
    if tag is None:
        return None
    number = tag.admission_number
    entry = can_enrol(home.now().date(), number).get(number)
    reason = refusal_reason(home, item, face)
    count = remembered_of(number)
    if not reason and count >= home.settings.recognition.remembered_faces_a_pupil:
        reason = ENOUGH
    seen = _evidence(item, face)
    good = seen is not None and _is_good(seen)
    ticked = not reason and good and seen is not None and _is_nearest(seen, number)
    remembered = reason == ALREADY_ENROLLED
    name = display_name(entry) if entry else ""
    return RememberOffer(name, remembered, reason, good, ticked, count)


def may_be_ticked(home: Home, item: Item, face: int) -> bool:
    """Whether the tick "remember this face" stands ready before the face is named.

    It does where the machine's nearest pupil may be enrolled and the face is good. It has an effect
    only if that pupil is named then.
    """
    seen = _evidence(item, face)
    if seen is None or not isinstance(seen.identity, NearMatch) or not _is_good(seen):
        return False
    if seen.shown is not None:
        return False  # a face in a film is never remembered
    number, limit = seen.identity.pupil, home.settings.recognition.remembered_faces_a_pupil
    return bool(can_enrol(home.now().date(), number)) and remembered_of(number) < limit


def may_be_ticked_by_hand(home: Home, item: Item, face: int) -> bool:
    """Whether a person may tick "remember this face" where the tick does not stand ready.

    The face is good, but the machine was not near any pupil. Who is named then is compared before
    the face is stored, as for every other face.
    """
    seen = _evidence(item, face)
    if seen is None or seen.shown is not None or not _is_good(seen):
        return False  # a face in a film is never remembered
    return (
        isinstance(seen.identity, Unknown | Ambiguous | NearMatch)
        and home.settings.recognition.remembered_faces_a_pupil > 0
        and not may_be_ticked(home, item, face)
    )


def remembered_of(number: str) -> int:
    """How many faces of pictures are templates of the pupil with this admission number."""
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=number, templates__isnull=False)
    return photos.exclude(item=None).distinct().count()


def ask_to_remember(
    home: Home, item: Item, face: int, actor: str, *, by_hand: bool = False
) -> bool:
    """Queue a face that was just named, if it is offered. Returns whether it is queued.

    The running gate makes the templates within seconds (``remember_queued``).

    Args:
        home: The home of the item.
        item: The picture.
        face: Index of the face in the item's evidence.
        actor: Who named the face.
        by_hand: Whether a person ticked the choice, which was not ready.
    """
    offer = offer_for(home, item, face)
    if offer is None or not (offer.ticked or (by_hand and offer.possible and offer.is_good)):
        return False
    tag = StaffTag.objects.get(item=item, face=face)
    values = {"actor": actor, "created_at": home.now(), "refusal": ""}
    FaceToRemember.objects.update_or_create(
        tag=tag, defaults={**values, "admission_number": tag.admission_number}
    )
    return True


def remember_queued(home: Home, open_pool: OpenTaskRunner = AnalysisPool) -> int:
    """Make templates of all queued faces. Returns how many. Safe to repeat after a crash."""
    done: list[Item] = []
    queued = FaceToRemember.objects.filter(refusal="").select_related("tag__item")
    for row in queued.order_by("pk"):
        tag = row.tag
        try:
            if tag.admission_number != row.admission_number:
                raise CannotEnrol(CHANGED)
            _enrol(home, tag.item, tag.face, row.actor, open_pool)
        except CannotEnrol as error:
            row.refusal = str(error.args[0])[:300]
            row.save(update_fields=["refusal"])
        else:
            done.append(tag.item)
            row.delete()
    for item in {item.pk: item for item in done}.values():
        examine_event_again(home, item)
    return len(done)


def remember(
    home: Home, item_id: str, face: int, actor: str, open_pool: OpenTaskRunner = AnalysisPool
) -> str:
    """Make templates of a named face and examine the event's held pictures again.

    Args:
        home: The home of the item.
        item_id: The picture.
        face: Index of the face in the item's evidence.
        actor: Who named the face. Their word confirms the template.
        open_pool: Starts the worker.

    Returns:
        The pupil's admission number.

    Raises:
        CannotEnrol: The face may not or cannot be remembered; the message says why.
    """
    item = Item.objects.get(pk=item_id)
    number = _enrol(home, item, face, actor, open_pool)
    examine_event_again(home, item)
    return number


def _enrol(home: Home, item: Item, face: int, actor: str, open_pool: OpenTaskRunner) -> str:
    offer = offer_for(home, item, face)
    if offer is not None and offer.refusal:
        raise CannotEnrol(offer.refusal)
    number = enrol_face(home, item.pk, face, actor, open_pool)
    photos = enrolments_from(item, face).values_list("pk", flat=True)
    if _has_confirmed_portrait(number):
        confirm_photos(home, list(photos), actor, one_by_one=True)
    return number


def _has_confirmed_portrait(number: str) -> bool:
    """Whether somebody confirmed a portrait of the pupil that came with an import.

    Only then a person's word at naming confirms another face: the gate has compared it with a face
    that is known to be the pupil's. Otherwise it waits on the page Portraits.
    """
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=number, templates__isnull=False)
    return photos.filter(item=None).exclude(confirmed_at=None).exists()


def examine_event_again(home: Home, item: Item) -> int:
    """Queue the other held pictures of the event for an examination. Returns how many."""
    with transaction.atomic():
        held = Item.objects.filter(
            event=item.event, state=ItemState.DECIDED, needs_reexamination=True
        ).exclude(pk=item.pk)
        keys = list(held.values_list("pk", flat=True))
        count = requeue(home, Item.objects.filter(pk__in=keys))
        Item.objects.filter(pk__in=keys).update(needs_reexamination=False)
        detail = {"pictures": count}
        audit_log.record(home, "event.examined_again", f"item:{item.pk}", detail)
    return count


def _evidence(item: Item, face: int) -> FaceEvidence | None:
    evidence = from_json(item.evidence)
    known = isinstance(evidence, Examined) and face < len(evidence.faces)
    return evidence.faces[face] if isinstance(evidence, Examined) and known else None


def _is_nearest(face: FaceEvidence, number: str) -> bool:
    return isinstance(face.identity, Match | NearMatch) and face.identity.pupil == number


def _is_good(face: FaceEvidence) -> bool:
    quality = face.quality
    return (
        face.kind is FaceKind.FACE
        and quality is not None
        and quality.height_px >= GOOD_HEIGHT_PX
        and quality.mirror_agreement >= GOOD_MIRROR_AGREEMENT
    )
