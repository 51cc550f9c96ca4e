"""Render a thumbnail of an enrolled face, which staff compare with a face in a picture.

It is upright and small and shows only head and collar, which is enough to recognise a pupil;
nothing else of the enrolment photo is kept (docs/adr/0012-portraits.md).
"""

from __future__ import annotations

from ingest.faces.align import ARCFACE_TEMPLATE, CROP_SIDE, aligned
from ingest.faces.protocols import RGB, Landmarks
from publish.rendering.render import RenditionSpec, render

SIDE = 160
"""Pixels a side: shown at 72, and sharp on a screen with double resolution."""

_SCALE = 0.8
"""Scale relative to the crop that is embedded, which ends at brow and chin; this one shows the
hair."""

PLACES: Landmarks = (ARCFACE_TEMPLATE - CROP_SIDE / 2) * _SCALE + SIDE / 2
"""Where the five landmarks lie in the thumbnail, in pixels."""


def face_thumbnail(rgb: RGB, landmarks: Landmarks) -> bytes:
    """A JPEG of one face, ``SIDE`` x ``SIDE`` pixels.

    ``rgb`` is the whole picture: shape (height, width, 3), dtype uint8, colour order RGB.
    """
    return render(aligned(rgb, landmarks, PLACES, SIDE), RenditionSpec(max_side=SIDE))
