"""Tells a copy of a picture from another picture of the same scene, by the faces in both.

Two pictures from a tripod share their background, and a perceptual hash takes them for copies. In
a copy each visible face has the same pixels as before. In another picture no face has. The two
pictures are laid over each other by points of the background, and the faces are compared. A copy
that was stretched or filtered has the same pixels nowhere. So the background beside each face must
have the same pixels, before a difference of the face counts.

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
SAME_SURROUNDINGS = 0.9
"""Smallest correlation of fine detail at which a place beside a face counts as the same pixels."""
MIN_SAME_PLACES = 3
"""Fewest places beside a face that must have the same pixels before the face proves anything."""
SAME_BLURRED_FACE = 0.93
"""Smallest correlation of two faces that are both blurred at which they count as the same."""
MIN_COMMON_POINTS = 60
"""Fewest common points with which the position of one picture over the other is certain."""

_POINTS = 1500
_POINT_ERROR = 2.0
"""Largest distance of a common point from its place, in pixels of the scaled picture."""
_SHIFT = 2
"""Largest remaining shift of a place beside a face, in pixels of the scaled picture."""
_FACE_SHIFT = 6
"""Largest remaining shift of a face that is tried. It is larger, so that a face in a copy is found
wherever the places beside it are."""
_BLUR = 5
"""Part of a face's width that is the standard deviation of the blur."""
_MIN_PLACE = 24
"""Smallest side of a place beside a face, in pixels of the scaled picture."""
_MIN_FACE = 8
"""Smallest side of a face that can be compared, in pixels of the scaled picture."""
_MIN_OVERLAP = 0.95
"""Smallest share of a face that must lie in both pictures."""

Luma = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Affine = npt.NDArray[np.float64]
Corners = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the scaled earlier picture."""

_PLACES = [
    (across * far, down * far)
    for far in (1.25, 2.25)
    for across in (-1, 0, 1)
    for down in (-1, 0, 1)
    if across or down
]
"""Places beside a face: distances from its middle, in widths and heights of a place."""


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
    5. Beside every face there are ``MIN_SAME_PLACES`` places with the same pixels in both. A copy
       that was stretched, filtered or blurred has none there, as it has none in the face.
    6. No face is the same in both after both are blurred, as a face is that was blurred or made
       of squares in a copy.

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
        likeness = _likeness(region, details, covered, _FACE_SHIFT)
        if likeness is None or likeness >= SAME_FACE or _is_same_blurred(region, first, laid):
            return False
        if not _has_same_surroundings(region, corners, details, covered):
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


def _corners(box: Box, scale: float, move: Affine) -> Corners:
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


def _has_same_surroundings(
    face: Corners,
    faces: Sequence[Corners],
    details: tuple[Plane, Plane],
    covered: npt.NDArray[np.bool_],
) -> bool:
    """Rule 5: whether enough places beside a face have the same pixels in both pictures."""
    left, top, right, bottom = face
    width, height = max(right - left, _MIN_PLACE), max(bottom - top, _MIN_PLACE)
    middle, centre = (left + right) // 2, (top + bottom) // 2
    same = 0
    for across, down in _PLACES:
        x = round(middle + across * width - width / 2)
        y = round(centre + down * height - height / 2)
        place = (x, y, x + width, y + height)
        if any(_overlap(place, other) for other in faces):
            continue
        likeness = _likeness(place, details, covered, _SHIFT)
        same += likeness is not None and likeness >= SAME_SURROUNDINGS
    return same >= MIN_SAME_PLACES


def _overlap(one: Corners, other: Corners) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_same_blurred(face: Corners, first: Luma, laid: Luma) -> bool:
    """Rule 6: whether a face is the same in both pictures after both are blurred."""
    left, top, right, bottom = (max(side, 0) for side in face)
    blur = (right - left) / _BLUR
    one, other = (
        cv2.GaussianBlur(plane[top:bottom, left:right].astype(np.float32), (0, 0), blur)
        for plane in (first, laid)
    )
    found = cv2.matchTemplate(one, np.asarray(other), cv2.TM_CCOEFF_NORMED)
    return float(found.max()) >= SAME_BLURRED_FACE


def _likeness(
    corners: Corners,
    details: tuple[Plane, Plane],
    covered: npt.NDArray[np.bool_],
    shift: int,
) -> float | None:
    """The largest correlation over small shifts; None if the region cannot be compared."""
    height, width = covered.shape
    left, top, right, bottom = corners
    area = (right - left) * (bottom - top)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if right - left < _MIN_FACE or bottom - top < _MIN_FACE:
        return None
    if covered[top:bottom, left:right].sum() < _MIN_OVERLAP * area:
        return None
    region = details[0][top:bottom, left:right]
    around = details[1][max(top - shift, 0) : bottom + shift, max(left - shift, 0) : right + shift]
    return float(np.max(cv2.matchTemplate(around, region, cv2.TM_CCOEFF_NORMED)))
