"""What the pages say of a face or a channel: plain words for school staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consent_gate.messages import LABELS
from consent_gate.model import Ambiguous, FaceEvidence, Match, NotMatched, Reason, Tag, TagKind

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
    "possible": "Perhaps a face",
    "poor": "Hard to see",
    "check": "Please check",
    "cut": "Cut away",
}
"""How a face is marked, in words; the names are also the style sheet's."""

FACE_REASONS: Mapping[Reason, str] = {
    Reason.NOT_EXAMINED: "could not be checked",
    Reason.UNKNOWN_FACE: "not recognised",
    Reason.AMBIGUOUS_MATCH: "could be more than one pupil",
    Reason.LOW_QUALITY_FACE: "too hard to see",
    Reason.POSSIBLE_FACE: "not certainly a face",
    Reason.SAME_PUPIL_TWICE: "named twice in this picture",
    Reason.SIBLING_GUARD: "may be a brother or sister",
    Reason.ENROLMENT_TOO_OLD: "enrolment photo too old",
    Reason.CONSENT_MISSING: "no consent on record",
    Reason.CONSENT_REFUSED: "the family said no",
    Reason.CONSENT_EXPIRED: "consent has run out",
    Reason.BIOMETRIC_CONSENT_MISSING: "to be named by hand",
    Reason.NEVER_PUBLISH: "must not be shown",
    Reason.REGISTER_STALE: "face matching waits for the office",
}
"""What is said after "one face" or after a name; of a whole picture ``wording.LABELS`` speak."""


def face_reason_text(reason: Reason) -> str:
    """The reason as said of one face."""
    return FACE_REASONS.get(reason, LABELS[reason])


TAGS: Mapping[TagKind, str] = {
    TagKind.NOT_A_FACE: "Not a face",
    TagKind.BLURRED: "Will be covered",
    TagKind.CANNOT_TELL: "Nobody can tell who this is",
}


def likeness_text(face: FaceEvidence | None) -> str:
    """How sure the machine is of those it offers for a face; empty where it offers nobody."""
    match face.identity if face else None:
        case Match():
            return "Very alike, and nobody else comes near"
        case Ambiguous(pupils=pupils):
            others = "another pupil is" if len(pupils) == 2 else "other pupils are"
            return f"Alike, but {others} just as much"
        case _:
            return ""


def mark_of(reasons: Iterable[Reason]) -> str:
    """The mark of a face that is held for these reasons; ``cleared`` for none."""
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
    """Who a face is, as far as anybody knows, and what stands in the way."""
    who = _tag_text(tag, names) if tag else _match_text(face, names)
    blocks = [face_reason_text(r) for r in reasons if r not in _ALREADY_SAID]
    return f"{who}: {', '.join(blocks)}." if blocks else f"{who}."


_ALREADY_SAID = frozenset({Reason.UNKNOWN_FACE, Reason.AMBIGUOUS_MATCH, Reason.POSSIBLE_FACE})


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
        case NotMatched():
            return "Not clear enough to recognise"
        case None:
            return "Drawn by staff"
    perhaps = face is not None and face.kind.value == "possible"
    return (
        "This may or may not be a face" if perhaps else "Looks like nobody with an enrolment photo"
    )
