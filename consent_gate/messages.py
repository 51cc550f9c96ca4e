"""Messages for staff: one for each reason, which says why a picture is held and what to do next.

No message names a pupil. The messages for ``never_publish`` and ``sealed`` give no cause.
"""

from __future__ import annotations

from collections.abc import Mapping

from consent_gate.model import BIOMETRIC, Reason

REASON_MESSAGES: Mapping[Reason, str] = {
    Reason.NOT_EXAMINED: (
        "This picture could not be checked. Open the original and, if it looks right,"
        " save it again and put the new copy into the photo folder."
    ),
    Reason.UNSUPPORTED_FORMAT: (
        "This file is not a kind of picture we can check. Save it as a JPEG and put the JPEG into"
        " the photo folder."
    ),
    Reason.NO_FACES_FOUND: (
        "No face was found in this picture. Look closely, and release it if nobody is in it."
    ),
    Reason.UNKNOWN_FACE: (
        "Someone in this picture is not recognised. Say who it is, or cover the face."
    ),
    Reason.AMBIGUOUS_MATCH: (
        "It is not certain which pupil this is. Look at the face and say who it is."
    ),
    Reason.LOW_QUALITY_FACE: (
        "A face is too small, dark or blurred to recognise. Say who it is, or cover the face."
    ),
    Reason.POSSIBLE_FACE: (
        "There may be a face here. Say who it is, or say that it is not a face."
    ),
    Reason.SAME_PUPIL_TWICE: (
        "Two faces in this picture are matched to the same pupil, so one of them is somebody else."
        " Say who each of them is."
    ),
    Reason.SIBLING_GUARD: (
        "This pupil has a brother or sister without an enrolment photo. This may be the brother or"
        " sister instead. Look at the face and say who it is."
    ),
    Reason.ENROLMENT_TOO_OLD: (
        "The enrolment photo of a pupil shown is missing or too old."
        " Say who it is, and ask the office for a new photo."
    ),
    Reason.ENROLMENT_UNCONFIRMED: (
        "Nobody has confirmed yet that the enrolment photo shows this pupil. Say who it is, or"
        " confirm the portrait on the page Portraits."
    ),
    Reason.CONSENT_MISSING: (
        "There is no consent on record for someone shown. Cover the face or leave the picture out;"
        " the office can ask the family."
    ),
    Reason.CONSENT_REFUSED: (
        "The family of someone shown said no to this use. Cover the face or leave the picture out."
    ),
    Reason.CONSENT_EXPIRED: (
        "The consent for someone shown has run out or has not begun."
        " Cover the face or leave the picture out; the office can ask the family."
    ),
    Reason.BIOMETRIC_CONSENT_MISSING: (
        "This pupil may not be recognised by the computer. Look at the face and say who it is."
    ),
    Reason.NEVER_PUBLISH: (
        "This picture shows, or may show, someone who must not be published."
        " It cannot be released; please choose another."
    ),
    Reason.REGISTER_STALE: (
        "The consent list is out of date or waits for confirmation, so nothing new is published."
        " Ask the office to import a new export from SIMS or to answer the questions of the import."
    ),
    Reason.UNREGISTERED_DEVICE: (
        "This picture does not seem to come from one of the school's cameras."
        " Release it only if you know who took it and that this was allowed."
    ),
    Reason.VISIBLE_NAME: (
        "A name can be read in this picture. Cover it, or leave the picture out."
    ),
    Reason.UNREAD_TEXT: (
        "There is text beside a person that the computer could not read. Look whether it is a name:"
        " cover it, or release the picture if it may be read."
    ),
    Reason.TOO_RECOGNISABLE: (
        "A face is larger, or turned more towards the camera, than this place shows. Cover the"
        " face, cut it away, or choose another picture."
    ),
    Reason.TEXT_NOT_READ: (
        "Nobody has looked for names in this picture yet. The gate examines it again. Look for"
        " names yourself if you release it now."
    ),
    Reason.SEALED: (
        "This picture is sealed. The safeguarding lead looks after it; please leave it alone."
    ),
    Reason.AWAITING_SECOND_PERSON: (
        "One person has approved this picture. Ask a colleague to look at it and approve it too."
    ),
    Reason.REFUSED_BY_STAFF: (
        "A member of staff refused this picture here. Talk to them before you change this."
    ),
    Reason.SEEN_BEFORE: (
        "A copy of this picture, or one that it shows, was sealed, or was refused or recalled here;"
        " or it is half of a live photo whose other half is held. Look at that one first. Release"
        " this one only if the cause does not count."
    ),
    Reason.NOT_AT_EVENT: (
        "This face looks most like a pupil who is not among those named for this event. Say who it"
        " is. If the pupil was there, add the class to the event in the queue."
    ),
    Reason.EVENT_ROLL_UNCLEAR: (
        "A class or pupil named for this event is not in the school's consent list, so nobody is"
        " cleared automatically. Choose the classes of the event in the queue, or correct its"
        " classes.txt."
    ),
    Reason.NOT_LISTENED: (
        "Nobody has listened yet to the parts of this film in which somebody may speak a name."
        " Listen to them and say so, mute them, or publish the film without sound."
    ),
}
"""For each reason what it means and what the reviewer can do."""


def reason_message(reason: Reason) -> str:
    """Return the message for staff about a reason."""
    return REASON_MESSAGES[reason]


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 picture``, ``2 pictures``.

    ``plural`` defaults to ``singular`` with an *s*.
    """
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def purpose_title(purpose: str, titles: Mapping[str, str]) -> str:
    """Return the name that staff use for a purpose of consent.

    ``titles`` has the title of each purpose in the settings. Other purposes keep their identifier.
    """
    return {BIOMETRIC: "face matching", **titles}.get(purpose, purpose)


def recalled_text(count: int) -> str:
    """Return the message for staff after a recall: ``3 published pictures were withdrawn.``"""
    return counted(count, "published picture was", "published pictures were") + " withdrawn."


LABELS: Mapping[Reason, str] = {
    Reason.NOT_EXAMINED: "could not be checked",
    Reason.UNSUPPORTED_FORMAT: "not a kind of picture we can check",
    Reason.NO_FACES_FOUND: "no face found",
    Reason.UNKNOWN_FACE: "someone not recognised",
    Reason.AMBIGUOUS_MATCH: "not certain who it is",
    Reason.LOW_QUALITY_FACE: "a face too unclear to recognise",
    Reason.POSSIBLE_FACE: "possibly another face",
    Reason.SAME_PUPIL_TWICE: "same pupil twice",
    Reason.SIBLING_GUARD: "brother or sister without photo",
    Reason.ENROLMENT_TOO_OLD: "enrolment photo too old",
    Reason.ENROLMENT_UNCONFIRMED: "enrolment photo not confirmed",
    Reason.CONSENT_MISSING: "no consent on record",
    Reason.CONSENT_REFUSED: "family said no",
    Reason.CONSENT_EXPIRED: "consent has run out",
    Reason.BIOMETRIC_CONSENT_MISSING: "no consent for face matching",
    Reason.NEVER_PUBLISH: "must not be published",
    Reason.REGISTER_STALE: "consent list out of date",
    Reason.UNREGISTERED_DEVICE: "not a school camera",
    Reason.VISIBLE_NAME: "a name can be read",
    Reason.UNREAD_TEXT: "text that could not be read",
    Reason.TOO_RECOGNISABLE: "a face too easy to recognise",
    Reason.TEXT_NOT_READ: "not yet searched for names",
    Reason.SEALED: "sealed",
    Reason.AWAITING_SECOND_PERSON: "waits for a second person",
    Reason.REFUSED_BY_STAFF: "refused by staff",
    Reason.SEEN_BEFORE: "copy of a closed picture",
    Reason.NOT_AT_EVENT: "looks like a pupil who was not there",
    Reason.EVENT_ROLL_UNCLEAR: "classes of the event not clear",
    Reason.NOT_LISTENED: "nobody listened to the sound",
}
"""For each reason a label of a few words, for tables and buttons."""
