"""The result of enrolling photos, and its messages for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consent_gate.messages import counted
from ingest.enrolment.plan import NotEnrolled

REASON_MESSAGES = {
    NotEnrolled.NO_SUCH_PUPIL: (
        "No pupil matches the file's name. Rename the file to the admission number."
    ),
    NotEnrolled.LEFT: "The pupil has left, so the photo was not opened.",
    NotEnrolled.NO_BIOMETRIC_CONSENT: "There is no biometric consent, so the photo was not opened.",
    NotEnrolled.OBJECTION: (
        "The pupil or a parent objects to face matching, so the photo was not opened."
    ),
    NotEnrolled.SEVERAL_PUPILS: (
        "The file's name fits several pupils. Rename the file to the admission number."
    ),
    NotEnrolled.NOT_A_PHOTO: "This is not a photo.",
}


@dataclass(frozen=True)
class EnrolmentReport:
    """The result of enrolling photos."""

    enrolled: tuple[str, ...]
    """Admission numbers of pupils who got templates."""
    not_enrolled: tuple[tuple[str, str], ...]
    """Admission number, or file name where the pupil isn't known, and a message for staff."""
    undated: int
    """The number of enrolled photos without a known date, whose age counts from today."""
    lookalikes: tuple[tuple[str, str], ...]
    """Pairs of pupils whom the models confuse."""
    recalled: int = 0
    """The number of publications recalled, because pupils are now lookalikes."""
    in_doubt: tuple[str, ...] = ()
    """Admission numbers of pupils whose unconfirmed photos do not look like the same child."""


def photos_report(enrolled: EnrolmentReport) -> dict[str, Any]:
    """The result as the JSON keys of the report of an import (``docs/contracts.md``)."""
    left_out = [{"pupil": pupil, "reason": reason} for pupil, reason in enrolled.not_enrolled]
    return {
        "enrolled": list(enrolled.enrolled),
        "not_enrolled": left_out,
        "recalled": enrolled.recalled,
        "warnings": _warnings(enrolled),
    }


def _warnings(enrolled: EnrolmentReport) -> list[dict[str, Any]]:
    messages = [
        f"The face models confuse pupils {first} and {second}. A picture of either is released"
        " without a check by staff only if both may be shown in that use."
        for first, second in enrolled.lookalikes
    ]
    messages += [
        f"The enrolment photos of pupil {number} do not look like the same child. Both wait on the"
        " page Portraits. Remove the wrong one there, then confirm the other."
        for number in enrolled.in_doubt
    ]
    if enrolled.enrolled:
        messages.append(
            f"{counted(len(enrolled.enrolled), 'portrait waits', 'portraits wait')} for"
            " confirmation. Somebody who knows the children must confirm each class on the page"
            " Portraits. Until then these portraits clear nobody."
        )
    if enrolled.undated:
        messages.append(
            f"{enrolled.undated} enrolment photos have no known date. Their age counts from the"
            " day of their first import."
        )
    return [{"row": 0, "column": "", "message": message} for message in messages]
