"""Add what a rendered picture showed, and the examination did not find, to the picture's evidence.

A face or possible face that nobody judged holds the picture. Staff can answer only for a box that
they see, so it is listed with the faces of the examination, as a possible face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import Item, StaffTag
from consent_gate.decisions.enrolments import enrolments_from
from consent_gate.model import (
    Box,
    Evidence,
    Examined,
    FaceEvidence,
    FaceKind,
    NotMatched,
    Reason,
    Shown,
    Unknown,
)

MAX_ADDED = 50
"""Boxes of one answer that are listed; a worker that was taken over could return more."""


def add_rendition_faces(item: Item, boxes: Sequence[Box], shown: Sequence[Shown] = ()) -> bool:
    """Add these faces to the evidence of a picture. Call inside a transaction, with a locked item.

    Faces that staff drew follow those of the evidence, so they get new numbers.

    Args:
        item: The picture. It is saved with the evidence and a new revision.
        boxes: Faces in pixels of the upright original.
        shown: When and where a film shows them.

    Returns:
        Whether one was added. A box that shows a face of the picture is not.
    """
    before = from_json(item.evidence)
    if not isinstance(before, Examined):
        return False
    drawn = list(StaffTag.objects.filter(item=item, box__isnull=False).order_by("-face"))
    if before.film is not None:
        after = with_film_faces(before, shown)
    else:
        after = with_rendition_faces(before, boxes, [Box(*tag.box) for tag in drawn if tag.box])
    added = len(after.faces) - len(before.faces)
    if added == 0:
        return False
    for tag in drawn:  # the highest number first, as two tags may not have one number
        enrolments_from(item, tag.face).update(face=tag.face + added)
        tag.face += added
        tag.save(update_fields=["face"])
    item.evidence = to_json(after)
    item.revision += 1
    item.save(update_fields=["evidence", "revision"])
    return True


def with_rendition_faces(
    evidence: Examined, boxes: Sequence[Box], drawn: Sequence[Box] = ()
) -> Examined:
    """The evidence with these boxes, where no face of the evidence and no drawn face is, at its
    end."""
    known = [*(face.box for face in evidence.faces), *drawn]
    added: list[FaceEvidence] = []
    for box in boxes[:MAX_ADDED]:
        inside = _clipped(box, evidence)
        if inside is not None and not _is_at_any(inside, known):
            known.append(inside)
            added.append(FaceEvidence(inside, 0.0, FaceKind.POSSIBLE, Unknown(), in_rendition=True))
    return replace(evidence, faces=(*evidence.faces, *added))


def with_film_faces(evidence: Examined, shown: Sequence[Shown]) -> Examined:
    """The evidence of a film with these faces at its end. Nobody knows yet who they are."""
    known = {face.shown for face in evidence.faces}
    added: list[FaceEvidence] = []
    for track in shown[:MAX_ADDED]:
        box = _clipped(Box(*track.path[0][1:]), evidence) if track.path else None
        if box is None or track in known:
            continue
        known.add(track)
        identity = NotMatched(Reason.POSSIBLE_FACE)
        possible = FaceKind.POSSIBLE
        added.append(FaceEvidence(box, 0.0, possible, identity, shown=track, in_rendition=True))
    return replace(evidence, faces=(*evidence.faces, *added))


def with_earlier_rendition_faces(before: Evidence, after: Evidence) -> Evidence:
    """The evidence of a new examination, with the faces that renditions of the same pixels showed.

    Otherwise the picture would be held, and staff be asked, once more after each examination.
    """
    if not isinstance(before, Examined) or not isinstance(after, Examined):
        return after
    if before.pixels_sha256 != after.pixels_sha256:
        return after
    earlier = [face for face in before.faces if face.in_rendition]
    if after.film is not None:
        return with_film_faces(after, [face.shown for face in earlier if face.shown is not None])
    return with_rendition_faces(after, [face.box for face in earlier])


def _clipped(box: Box, picture: Examined) -> Box | None:
    left, top = max(0, box.x), max(0, box.y)
    right = min(picture.width, box.x + box.width)
    bottom = min(picture.height, box.y + box.height)
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top)


def _is_at_any(box: Box, known: Sequence[Box]) -> bool:
    return any(other.is_place_of(box) for other in known)
