"""Decide whether the review page offers a named face as an enrolment photo."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.db.models import Item, PupilEntry
from consent_gate.home.home import Home
from consent_gate.model import TagKind
from consent_gate.register.display import display_name
from consent_gate.web.pages.picture_faces import FaceView
from ingest.enrolment.from_picture import ALREADY_ENROLLED, refusal_reason


@dataclass(frozen=True)
class EnrolmentOffer:
    """Whether one face that staff named can become an enrolment photo."""

    name: str
    """Display name of the pupil."""
    is_enrolled: bool
    """Whether the face is an enrolment photo already."""
    refusal: str
    """Why it cannot be one, for staff; empty when they may try."""


def enrolment_offer(home: Home, item: Item, face: FaceView) -> EnrolmentOffer | None:
    """Return the offer for a face; None when staff have not named a pupil for it."""
    if face.tag is None or face.tag.kind is not TagKind.PUPIL:
        return None
    pupil = PupilEntry.objects.filter(admission_number=face.tag.pupil or "").first()
    if pupil is None:
        return None
    reason = refusal_reason(home, item, face.index)
    return EnrolmentOffer(display_name(pupil), reason == ALREADY_ENROLLED, reason)
