"""How a picture is to look when it goes out: what staff had covered, and what they cut away.

A picture that is out with another look than staff want now is called back and made anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.db.models import Publication
from consent_gate.model import Box, Evidence, Examined, StaffInput, TagKind


@dataclass(frozen=True)
class Appearance:
    """Covers and crop, in pixels of the upright original."""

    redactions: tuple[Box, ...] = ()
    """Faces that are covered; ``publish.rendering.redact`` adds the rest of the head."""
    crop: Box | None = None
    """The part that is kept; None keeps all."""


def wanted_appearance(evidence: Evidence, staff: StaffInput) -> Appearance:
    """What staff want by now."""
    faces = evidence.faces if isinstance(evidence, Examined) else ()
    boxes = [*(face.box for face in faces), *staff.added_faces]
    covers = (
        box
        for index, box in enumerate(boxes)
        if index in staff.tags and staff.tags[index].kind is TagKind.BLURRED
    )
    return Appearance(tuple(covers), staff.crop)


def appearance_of(publication: Publication) -> Appearance:
    """What is out, or on its way out."""
    covers = tuple(Box(*box) for box in publication.redactions)
    return Appearance(covers, Box(*publication.crop) if publication.crop else None)
