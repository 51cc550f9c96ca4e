"""Decide whether the review page offers a named face as an enrolment photo."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.db.models import FaceToRemember, Item, PupilEntry
from consent_gate.home.home import Home
from consent_gate.model import TagKind
from consent_gate.register.display import display_name
from consent_gate.web.pages.picture_faces import FaceView
from ingest.enrolment.remember import offer_for


@dataclass(frozen=True)
class EnrolmentOffer:
    """Whether one face that staff named can become an enrolment photo."""

    name: str
    """Display name of the pupil."""
    is_enrolled: bool
    """Whether the face is an enrolment photo already."""
    is_waiting: bool
    """Whether the gate makes templates of it within seconds."""
    refusal: str
    """Why it cannot be one, for staff; empty when they may try."""


def enrolment_offer(home: Home, item: Item, face: FaceView) -> EnrolmentOffer | None:
    """Return the offer for a face; None when staff have not named a pupil for it."""
    if face.tag is None or face.tag.kind is not TagKind.PUPIL:
        return None
    pupil = PupilEntry.objects.filter(admission_number=face.tag.pupil or "").first()
    if pupil is None:
        return None
    offer = offer_for(home, item, face.index)
    if offer is None:
        return None
    waiting = FaceToRemember.objects.filter(tag__item=item, tag__face=face.index).first()
    return EnrolmentOffer(
        display_name(pupil),
        is_enrolled=offer.is_remembered,
        is_waiting=waiting is not None and not waiting.refusal,
        refusal=(waiting.refusal if waiting else "") or offer.refusal,
    )
