"""Tells whether a picture shows a face of a closed picture with the same pixels.

Two pictures of one scene share their background, so points of the background place one in the
other (``picture_points``). In a copy each face has the same pixels as before, in another picture it
has not. Of each face of a closed picture the signs of 143 coarse shades are kept: a cosine
transform of the brightness, compared with its median.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import cv2
import numpy as np
import numpy.typing as npt

from consent_gate.matching.copies.cosine_transform import lowest_frequencies
from consent_gate.model import Box

MAX_FACES = 40
"""Most faces of a closed picture that are kept: the largest."""
SAME_FACE_BITS = 28
"""Largest number of different bits, of 143, for a face with the same pixels."""

_SIDE = 32
"""Side in pixels of the patch to which a face is scaled."""
_FREQUENCIES = 12
_MARGIN = 0.1
"""Share of the face's width and height that is added on each side."""
_MIN_SHOWN = 10
"""Smallest side in pixels of a face that can be compared."""
_MIN_INSIDE = 0.8
"""Smallest share of a face that must lie in the picture."""
_SHIFTS = (-5.0, -3.0, -1.5, 0.0, 1.5, 3.0, 5.0)
"""Shifts that are tried, in pixels of the patch."""
_GROWTHS = (0.94, 1.0, 1.06)
"""Scales that are tried."""

_TRANSFORM = lowest_frequencies(_FREQUENCIES, _SIDE)

FACE = np.dtype([("box", "<f4", (4,)), ("bits", "u1", ((_FREQUENCIES**2 + 7) // 8,))])
"""A face: left, top, width and height in pixels of the reduced closed picture, and its signs."""

Luma = npt.NDArray[np.uint8]
Faces = npt.NDArray[np.void]
Affine = npt.NDArray[np.float64]


def faces_of(luma: Luma, boxes: Sequence[Box], scale: float) -> Faces:
    """Describe the faces of a closed picture.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255.
        boxes: Face boxes in pixels of ``luma``.
        scale: From pixels of ``luma`` to pixels of the reduced closed picture.
    """
    largest = sorted(boxes, key=lambda box: -box.width * box.height)[:MAX_FACES]
    faces = np.zeros(len(largest), FACE)
    for face, box in zip(faces, largest, strict=True):
        sides = np.array([box.x, box.y, box.width, box.height], dtype=np.float64)
        face["box"] = sides * scale
        move = _to_box(sides)
        face["bits"] = _signs(_patch(_smooth(luma, move), move))
    return faces


def shows_a_face(faces: Faces, luma: Luma, move: Affine, *, is_negative: bool) -> bool | None:
    """Whether a picture shows one of these faces with the same pixels.

    Args:
        faces: The faces of a closed picture.
        luma: Brightness of the picture, ``(height, width)``, 0 to 255.
        move: From pixels of the reduced closed picture to pixels of ``luma``, ``(3, 3)``; affine.
        is_negative: Whether the picture shows the closed one as a negative.

    Returns:
        None if no face can be compared: each lies outside the picture or is too small in it.
    """
    result: bool | None = None
    for face in faces:
        place = move @ _to_box(face["box"].astype(np.float64))
        if not _is_shown(place, luma.shape):
            continue
        if _distance(face["bits"], luma, place, is_negative) <= SAME_FACE_BITS:
            return True
        result = False
    return result


def _to_box(sides: npt.NDArray[np.float64]) -> Affine:
    """From pixels of the patch to pixels of the picture, ``(3, 3)``."""
    left, top, width, height = sides
    left, width = left - width * _MARGIN, width * (1 + 2 * _MARGIN)
    top, height = top - height * _MARGIN, height * (1 + 2 * _MARGIN)
    return np.array([[width / _SIDE, 0, left], [0, height / _SIDE, top], [0, 0, 1.0]])


def _scale(move: Affine) -> float:
    return float(np.sqrt(abs(np.linalg.det(move[:2, :2]))))


def _is_shown(move: Affine, shape: tuple[int, ...]) -> bool:
    corners = move @ np.array([[0, _SIDE, 0, _SIDE], [0, 0, _SIDE, _SIDE], [1, 1, 1, 1]])
    whole = inside = 1.0
    for line, length in ((corners[0], shape[1]), (corners[1], shape[0])):
        whole *= float(np.ptp(line))
        inside *= float(np.ptp(np.clip(line, 0, length)))
    return _scale(move) * _SIDE >= _MIN_SHOWN and inside >= _MIN_INSIDE * whole


def _distance(signs: npt.NDArray[np.uint8], luma: Luma, place: Affine, is_negative: bool) -> int:
    """The fewest different bits over small shifts and scales."""
    smooth = _smooth(luma, place)
    least = _FREQUENCIES**2
    for growth, across, down in product(_GROWTHS, _SHIFTS, _SHIFTS):
        rest = _SIDE / 2 * (1 - growth)
        tried = np.array([[growth, 0, rest + across], [0, growth, rest + down], [0, 0, 1.0]])
        patch = _patch(smooth, place @ tried)
        found = _signs(255 - patch if is_negative else patch)
        least = min(least, int(np.bitwise_count(found ^ signs).sum()))
    return least


def _smooth(luma: Luma, move: Affine) -> Luma:
    """``luma`` without detail that is finer than a pixel of the patch."""
    scale = _scale(move)
    if scale <= 1.3:
        return luma
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), 0.4 * scale), dtype=np.uint8)


def _patch(luma: Luma, move: Affine) -> npt.NDArray[np.float64]:
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(luma, move[:2], (_SIDE, _SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, dtype=np.float64)


def _signs(patch: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    frequencies = (_TRANSFORM @ patch @ _TRANSFORM.T).ravel()[1:]  # without the mean brightness
    return np.packbits(frequencies > np.median(frequencies))
