"""The enrolled face as a person sees it, to compare with a face in a picture.

Upright, small, no more than head and collar: what is needed to say "that is her", nothing else of
the enrolment photo (docs/adr/0012-portraits.md).
"""

from __future__ import annotations

from ingest.faces.align import ARCFACE_TEMPLATE, CROP_SIDE, aligned
from ingest.faces.protocols import RGB, Landmarks
from publish.rendering.render import RenditionSpec, render

SIDE = 160
"""Pixels: shown at 72, sharp on a doubled screen."""

_SCALE = 0.8
"""Of the crop that is embedded: that one ends at brow and chin, this one shows the hair."""

PLACES: Landmarks = (ARCFACE_TEMPLATE - CROP_SIDE / 2) * _SCALE + SIDE / 2
"""Where the five landmarks lie in the portrait."""


def face_thumbnail(rgb: RGB, landmarks: Landmarks) -> bytes:
    """A JPEG of ``SIDE`` x ``SIDE`` pixels of one face of a picture (height, width, 3; uint8)."""
    return render(aligned(rgb, landmarks, PLACES, SIDE), RenditionSpec(max_side=SIDE))
