"""What differs between two examinations of a picture, and whether approvals still fit. Pure."""

from __future__ import annotations

from consent_gate.model import Evidence, Identity, Match, NotExamined, StaffInput, TagKind


def faces_moved(before: Evidence, after: Evidence) -> bool:
    """Whether a face number may now mean another face than the one that staff tagged."""
    if isinstance(before, NotExamined) or isinstance(after, NotExamined):
        return True
    if (before.width, before.height) != (after.width, after.height):
        return True  # a crop and drawn faces are in pixels
    return [(face.box, face.shown) for face in before.faces] != [
        (face.box, face.shown) for face in after.faces
    ]


def outdates_approvals(before: Evidence, after: Evidence, staff: StaffInput) -> bool:
    """Whether a picture with the same faces shows something that nobody knew who approved it."""
    return (
        shows_other_frames(before, after)
        or _has_new_names(before, after)
        or _contradicts(before, after, staff)
    )


def shows_other_frames(before: Evidence, after: Evidence) -> bool:
    """Whether a film was decoded to other frames than those that staff could watch."""
    if isinstance(before, NotExamined) or isinstance(after, NotExamined):
        return True
    is_film = before.film is not None or after.film is not None
    return is_film and before.pixels_sha256 != after.pixels_sha256


def _has_new_names(before: Evidence, after: Evidence) -> bool:
    """Whether a name can be read that could not be read before."""
    if isinstance(before, NotExamined) or isinstance(after, NotExamined):
        return True
    return not set(before.names).issuperset(after.names)


def _contradicts(before: Evidence, after: Evidence, staff: StaffInput) -> bool:
    """Whether a face now matches a pupil who is not the person that staff named.

    The pupil may have been enrolled since. A cover needs no name, so it is not contradicted.
    """
    if isinstance(before, NotExamined) or isinstance(after, NotExamined):
        return True
    for index, (old, new) in enumerate(zip(before.faces, after.faces, strict=True)):
        tag, pupil = staff.tags.get(index), _matched(new.identity)
        if tag is None or tag.kind is TagKind.BLURRED or pupil is None:
            continue
        if pupil not in {tag.pupil, _matched(old.identity)}:
            return True
    return False


def _matched(identity: Identity) -> str | None:
    """The admission number that a face is matched to."""
    return identity.pupil if isinstance(identity, Match) else None
