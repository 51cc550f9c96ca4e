"""Labels and sentences about faces, for school staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consent_gate.messages import LABELS
from consent_gate.model import (
    Ambiguous,
    FaceEvidence,
    Match,
    NearMatch,
    NotMatched,
    Reason,
    Tag,
    TagKind,
)

NO_CONSENT = frozenset(
    {
        Reason.CONSENT_MISSING,
        Reason.CONSENT_REFUSED,
        Reason.CONSENT_EXPIRED,
        Reason.NEVER_PUBLISH,
    }
)
TOO_POOR = frozenset({Reason.LOW_QUALITY_FACE, Reason.NOT_EXAMINED})

MARKS = {
    "cleared": "Cleared",
    "no-consent": "No consent",
    "unknown": "Not recognised",
    "possible": "Possible face",
    "poor": "Hard to see",
    "check": "Please check",
    "cut": "Cropped out",
}
"""Mark of a face to its label. The marks are also class names in the style sheet."""


def mark_label(mark: str, *, is_film: bool) -> str:
    """Return the label of a mark."""
    return "Cut out" if is_film and mark == "cut" else MARKS[mark]


def film_time(seconds: float) -> str:
    """Return a time in a film: minutes, seconds and tenths."""
    minutes, tenths = divmod(int(10 * seconds), 600)
    return f"{minutes}:{tenths // 10:02d}.{tenths % 10}"


FACE_REASONS: Mapping[Reason, str] = {
    Reason.NOT_EXAMINED: "could not be checked",
    Reason.UNKNOWN_FACE: "not recognised",
    Reason.AMBIGUOUS_MATCH: "could be more than one pupil",
    Reason.LOW_QUALITY_FACE: "too hard to see",
    Reason.POSSIBLE_FACE: "may not be a face",
    Reason.SAME_PUPIL_TWICE: "named twice in this picture",
    Reason.SIBLING_GUARD: "may be a brother or sister",
    Reason.ENROLMENT_TOO_OLD: "enrolment photo too old",
    Reason.ENROLMENT_UNCONFIRMED: "enrolment photo not confirmed",
    Reason.CONSENT_MISSING: "no consent on record",
    Reason.CONSENT_REFUSED: "the family said no",
    Reason.CONSENT_EXPIRED: "consent has run out",
    Reason.BIOMETRIC_CONSENT_MISSING: "must be named by hand",
    Reason.NEVER_PUBLISH: "must not be shown",
    Reason.REGISTER_STALE: "face matching paused until confirmed",
    Reason.NOT_AT_EVENT: "not among those named for this event",
}
"""Reason as a phrase after "one face" or a name. ``messages.LABELS`` is for whole pictures."""


def face_reason_text(reason: Reason) -> str:
    """Return the phrase for a reason that holds one face."""
    return FACE_REASONS.get(reason, LABELS[reason])


TAGS: Mapping[TagKind, str] = {
    TagKind.NOT_A_FACE: "Not a face",
    TagKind.BLURRED: "Will be covered",
    TagKind.CANNOT_TELL: "Nobody can tell who this is",
}


def likeness_text(face: FaceEvidence | None) -> str:
    """Return how sure the face match is; empty when there is no match."""
    match face.identity if face else None:
        case Match():
            return "A very close match, and no other pupil is close"
        case Ambiguous(pupils=pupils):
            others = "another pupil is" if len(pupils) == 2 else "other pupils are"
            return f"A close match, but {others} just as close"
        case NearMatch():
            return "A fairly close match, and no other pupil is as close"
        case _:
            return ""


def face_mark(reasons: Iterable[Reason]) -> str:
    """Return the mark for the reasons that hold a face; ``cleared`` for none."""
    found = set(reasons)
    if not found:
        return "cleared"
    if found & NO_CONSENT:
        return "no-consent"
    if Reason.POSSIBLE_FACE in found:
        return "possible"
    if Reason.UNKNOWN_FACE in found:
        return "unknown"
    return "poor" if found & TOO_POOR else "check"


def face_sentence(
    face: FaceEvidence | None, tag: Tag | None, names: Mapping[str, str], reasons: list[Reason]
) -> str:
    """Return one sentence: who the face is, as far as known, and what holds it."""
    who = _tag_text(tag, names) if tag else _match_text(face, names)
    blocks = [face_reason_text(r) for r in reasons if r not in _IN_MATCH_TEXT]
    return f"{who}: {', '.join(blocks)}." if blocks else f"{who}."


_IN_MATCH_TEXT = frozenset({Reason.UNKNOWN_FACE, Reason.AMBIGUOUS_MATCH, Reason.POSSIBLE_FACE})


def _tag_text(tag: Tag, names: Mapping[str, str]) -> str:
    if tag.kind is TagKind.PUPIL:
        return names.get(tag.pupil or "", "A pupil who is not on the register")
    if tag.kind is TagKind.ADULT_WITH_AGREEMENT:
        return f"Adult who agreed ({tag.basis})"
    return TAGS[tag.kind]


def _match_text(face: FaceEvidence | None, names: Mapping[str, str]) -> str:
    match face.identity if face else None:
        case Match(pupil=pupil):
            return names.get(pupil, "A pupil who is not on the register")
        case Ambiguous(pupils=pupils):
            return "Could be " + " or ".join(names.get(p, "somebody else") for p in pupils)
        case NearMatch(pupil=pupil):
            return f"Perhaps {names.get(pupil, 'somebody else')}"
        case NotMatched():
            return "Not clear enough to recognise"
        case None:
            return "Drawn by staff"
    perhaps = face is not None and face.kind.value == "possible"
    return "This may not be a face" if perhaps else "Does not match any enrolment photo"
