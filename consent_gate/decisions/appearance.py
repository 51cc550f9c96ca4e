"""The appearance of a picture when it is published: its redacted faces and its crop.

A published picture with another appearance than staff want now is recalled and rendered again.
"""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.db.models import Publication
from consent_gate.model import Box, Evidence, Examined, StaffInput, TagKind


@dataclass(frozen=True)
class Appearance:
    """Redactions and crop, in pixels of the upright original."""

    redactions: tuple[Box, ...] = ()
    """Boxes of redacted faces; ``publish.rendering.redact`` extends each to the whole head."""
    crop: Box | None = None
    """The part that is published; None publishes all of it."""


def wanted_appearance(evidence: Evidence, staff: StaffInput) -> Appearance:
    """The appearance that follows from the tags and the crop of staff today."""
    faces = evidence.faces if isinstance(evidence, Examined) else ()
    boxes = [*(face.box for face in faces), *staff.added_faces]
    redactions = (
        box
        for index, box in enumerate(boxes)
        if index in staff.tags and staff.tags[index].kind is TagKind.BLURRED
    )
    return Appearance(tuple(redactions), staff.crop)


def appearance_of(publication: Publication) -> Appearance:
    """The appearance that a publication was opened with."""
    redactions = tuple(Box(*box) for box in publication.redactions)
    return Appearance(redactions, Box(*publication.crop) if publication.crop else None)
