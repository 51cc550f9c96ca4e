"""A photo whose covers of cells look like a face is published with grey covers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import COVER_GREY, Box
from publish.rendering.redact import Redaction
from publish.rendering.render import RenditionSpec
from publish.renditions.rendition import (
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
)
from tests.support.films import drawn_frames

HEAD = Box(100, 60, 80, 80)
OTHER = Box(10, 10, 40, 40)


def faces_in_cells(
    rgb: NDArray[np.uint8], _judged: Sequence[Box], _covered: Sequence[Box]
) -> list[Box]:
    is_grey = np.abs(rgb[70:130, 110:170].astype(int) - COVER_GREY).max() < 20
    return [] if is_grey else [HEAD]


def test_cells_that_look_like_a_face_become_grey_and_a_face_elsewhere_still_holds() -> None:
    (picture,) = drawn_frames(1)
    spec = RenditionSpec(redactions=(Redaction(HEAD, HEAD, None),))
    order = RenditionRequest(spec, "0" * 64, ())
    plain = make_rendition(picture, order, lambda *_: [])
    made = make_rendition(picture, order, faces_in_cells)
    assert isinstance(plain, Rendition)
    assert isinstance(made, Rendition)
    pixels = [
        np.asarray(cv2.imdecode(np.frombuffer(one.data, np.uint8), cv2.IMREAD_COLOR_RGB))
        for one in (plain, made)
    ]
    inside = [one[64:136, 104:176].astype(int) for one in pixels]
    assert np.abs(inside[0] - COVER_GREY).max() > 20
    assert np.abs(inside[1] - COVER_GREY).max() < 20
    refused = make_rendition(picture, order, lambda *_: [OTHER])
    assert isinstance(refused, RenditionRefused)
    assert refused.faces == (OTHER,)
