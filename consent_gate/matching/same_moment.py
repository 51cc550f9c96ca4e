"""Tells a copy of a picture from another picture of the same scene, by the faces in both.

Two pictures from a tripod share their background, and a perceptual hash takes them for copies. In
a copy each visible face has the same pixels as before. In another picture no face has. The two
pictures are laid over each other by points of the background, and the faces are compared.

Rates: ``python -m benchmarks.closed_copies``, and docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from consent_gate.model import Box

COMPARED_SIDE = 512
"""Longest side in pixels to which both pictures are scaled."""
SAME_FACE = 0.8
"""Smallest correlation of fine detail, -1 to 1, at which a face counts as the same pixels. The
copies of the benchmark have 0.93 or more; nine in ten other pictures have less."""
MIN_COMMON_POINTS = 60
"""Fewest common points with which the position of one picture over the other is certain."""

_POINTS = 1500
_POINT_ERROR = 2.0
"""Largest distance of a common point from its place, in pixels of the scaled picture."""
_SHIFT = 2
"""Largest remaining shift of a face that is tried, in pixels of the scaled picture."""
_MIN_FACE = 8
"""Smallest side of a face that can be compared, in pixels of the scaled picture."""
_MIN_OVERLAP = 0.95
"""Smallest share of a face that must lie in both pictures."""

Luma = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Affine = npt.NDArray[np.float64]


def is_other_moment(
    earlier: Luma, earlier_faces: Sequence[Box], later: Luma, later_faces: Sequence[Box]
) -> bool:
    """Return whether two pictures of one scene were certainly taken at different moments.

    True only if all of this holds:

    1. Each picture has at least one face. Other differences do not count, so a copy with a caption
       or a cover is still a copy.
    2. The background of one can be laid over the other with at least ``MIN_COMMON_POINTS``.
    3. Every face of both pictures can be compared: it lies in both pictures and is large enough.
    4. No face has the same pixels in both.

    Args:
        earlier: Brightness, ``(height, width)``, 0 to 255, of any size.
        earlier_faces: Its face boxes in pixels of ``earlier``.
        later: Brightness of the other picture; it may be turned, mirrored, cropped or scaled.
        later_faces: Its face boxes in pixels of ``later``.
    """
    if not earlier_faces or not later_faces:
        return False
    first, first_scale = _scaled(earlier)
    second, second_scale = _scaled(later)
    placed = _placement(first, second)
    if placed is None:
        return False
    height, width = first.shape
    laid = np.asarray(cv2.warpAffine(second, placed, (width, height)), dtype=np.uint8)
    covered = cv2.warpAffine(np.full_like(second, 255), placed, (width, height)) > 0
    unmoved = np.array([[1.0, 0, 0], [0, 1, 0]])
    corners = [_corners(box, first_scale, unmoved) for box in earlier_faces]
    corners += [_corners(box, second_scale, placed) for box in later_faces]
    details = _detail(first), _detail(laid)
    for region in corners:
        likeness = _likeness(region, details, covered)
        if likeness is None or likeness >= SAME_FACE:
            return False
    return True


def _scaled(luma: Luma) -> tuple[Luma, float]:
    scale = COMPARED_SIDE / max(luma.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=how)
    return np.asarray(resized, dtype=np.uint8), scale


def _placement(first: Luma, second: Luma) -> Affine | None:
    """The transformation from ``second`` to ``first``, ``(2, 3)``; None if it is uncertain."""
    cv2.setRNGSeed(0)  # the same two pictures always get the same answer
    finder = cv2.ORB.create(_POINTS)
    points, descriptors = finder.detectAndCompute(first, None)
    best: Affine | None = None
    most = MIN_COMMON_POINTS - 1
    width = second.shape[1]
    for mirror in (np.eye(3), np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])):
        view = second if mirror[0, 0] > 0 else np.ascontiguousarray(second[:, ::-1])
        view_points, view_descriptors = finder.detectAndCompute(view, None)
        if descriptors is None or view_descriptors is None:
            continue
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(
            view_descriptors, descriptors
        )
        if len(pairs) <= most:
            continue
        found, inliers = cv2.estimateAffinePartial2D(
            np.array([view_points[pair.queryIdx].pt for pair in pairs]),
            np.array([points[pair.trainIdx].pt for pair in pairs]),
            method=cv2.RANSAC,
            ransacReprojThreshold=_POINT_ERROR,
        )
        if found is not None and int(inliers.sum()) > most:
            most = int(inliers.sum())
            best = np.asarray(found, dtype=np.float64) @ mirror
    return best


def _corners(box: Box, scale: float, move: Affine) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box in the scaled earlier picture."""
    left, top = box.x * scale, box.y * scale
    right, bottom = left + box.width * scale, top + box.height * scale
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    moved = corners @ move[:, :2].T + move[:, 2]
    (x0, y0), (x1, y1) = np.floor(moved.min(axis=0)), np.ceil(moved.max(axis=0))
    return int(x0), int(y0), int(x1), int(y1)


def _detail(luma: Luma) -> Plane:
    """Fine detail without the brightness, so that a brightened copy is still the same."""
    plane = luma.astype(np.float32)
    fine = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), 4.0)
    return np.asarray(fine, dtype=np.float32)


def _likeness(
    corners: tuple[int, int, int, int],
    details: tuple[Plane, Plane],
    covered: npt.NDArray[np.bool_],
) -> float | None:
    """The largest correlation over small shifts; None if the face cannot be compared."""
    height, width = covered.shape
    left, top, right, bottom = corners
    area = (right - left) * (bottom - top)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if right - left < _MIN_FACE or bottom - top < _MIN_FACE:
        return None
    if covered[top:bottom, left:right].sum() < _MIN_OVERLAP * area:
        return None
    face = details[0][top:bottom, left:right]
    around = details[1][
        max(top - _SHIFT, 0) : bottom + _SHIFT, max(left - _SHIFT, 0) : right + _SHIFT
    ]
    return float(np.max(cv2.matchTemplate(around, face, cv2.TM_CCOEFF_NORMED)))
