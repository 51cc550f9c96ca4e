"""Finds a closed picture inside another picture: cropped, tilted, in a collage, on a screen.

A perceptual hash describes a picture as a whole, so it misses a picture that is only part of
another one. Here a picture is described by ORB points: corners at eight sizes, each with its
direction and 256 comparisons of brightness around it. Of a closed picture 300 points are kept. They
lie in the other picture in the same arrangement, wherever and however large it is shown.

The other picture is described in four views: as it is, as a negative, mirrored, and both.
``likely_copies`` chooses the closed pictures that are worth a look. Then one affine transformation
must place enough points (``placed``). ``face_patches`` compares the faces after that. Rates:
docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

CLOSED_SIDE = 512
"""Longest side in pixels to which a closed picture is reduced."""
VIEW_SIDE = 800
"""Longest side in pixels to which a picture is reduced that is compared with closed ones. It is
larger, because it may show the closed picture in a small part."""
CLOSED_POINTS = 300
"""Most points of a closed picture."""
VIEW_POINTS = 1200
"""Most points of a picture that is compared."""
MIN_PLACED = 8
"""Fewest points that must be placed. Of different photos at most 6 are."""
POINT = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("angle", "<f4"), ("size", "<f4"), ("bits", "u1", (32,))]
)
"""A point: place and diameter in pixels of the reduced picture, direction in degrees."""

_LEVELS = 8
_LEVEL_FACTOR = 1.2
_MIN_SIDE = 64
"""Smallest side in pixels of a picture that has points: a point needs 31 pixels on each side."""
_CORNER = 7
"""Least difference of brightness at a corner."""
_DETECTED = 20
"""Corners that are looked at for each point that is kept, so that text does not get all of them."""
_CELLS = 8
"""The strongest points are kept in each cell of a grid of this side."""
_MATCH_BITS = 72
_CLEARLY_NEARER = 0.85
"""The nearest point must be nearer than this share of the distance of the second nearest."""
_PLACE_ERROR = 6.0
"""Largest distance of a placed point from its place, in pixels of the view."""
_TURN_ERROR, _SIZE_ERROR = 25.0, 0.75
"""Largest errors of a placed point's direction, in degrees, and size, in powers of two."""
_SCALES, _STRETCH = (0.08, 8.0), 2.2
"""Smallest and largest scale of the closed picture in a view, and the ratio of both directions."""

Luma = npt.NDArray[np.uint8]
Points = npt.NDArray[np.void]
Affine = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """A picture as it is, mirrored, as a negative, or both."""

    points: Points
    is_negative: bool
    from_view: Affine
    """From pixels of the reduced view to pixels of the picture that was given, ``(3, 3)``."""


@dataclass(frozen=True)
class Placement:
    """Where a closed picture lies in a view."""

    points: int
    """How many points of the closed picture have their place in the view."""
    move: Affine
    """From pixels of the reduced closed picture to pixels of the picture that was given: an affine
    transformation, ``(3, 3)``."""


def reduced(luma: Luma, side: int) -> tuple[Luma, float]:
    """The picture with at most ``side`` pixels a side, and the factor of its size."""
    scale = min(1.0, side / max(luma.shape))
    if scale == 1.0:
        return luma, scale
    small = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), scale


def points_of(luma: Luma) -> Points:
    """The points of a picture that is closed, in pixels of ``reduced(luma, CLOSED_SIDE)``.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255.

    Returns:
        At most ``CLOSED_POINTS`` of type ``POINT``; none of a picture without corners.
    """
    small, _ = reduced(luma, CLOSED_SIDE)
    return _described(small, _corners(small, CLOSED_POINTS))


def views_of(luma: Luma) -> list[View]:
    """The four views of a picture that is compared with closed pictures.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255.
    """
    small, scale = reduced(luma, VIEW_SIDE)
    corners = _corners(small, VIEW_POINTS)
    grow = np.diag([1 / scale, 1 / scale, 1.0])
    last = small.shape[1] - 1
    mirror = np.array([[-1.0, 0, last], [0, 1, 0], [0, 0, 1]])
    mirrored = [_turned(c, 180 - c.angle, last - c.pt[0]) for c in corners]
    views = []
    for picture, found, move in (
        (small, corners, grow),
        (np.ascontiguousarray(small[:, ::-1]), mirrored, grow @ mirror),
    ):
        views.append(View(_described(picture, found), is_negative=False, from_view=move))
        # In a negative each point has the opposite direction, and each comparison turns round.
        opposite = _described(picture, [_turned(c, c.angle + 180, c.pt[0]) for c in found])
        opposite["bits"] = ~opposite["bits"]
        views.append(View(opposite, is_negative=True, from_view=move))
    return views


def placed(closed: Points, view: View) -> Placement | None:
    """Place a closed picture in a view; None if fewer than ``MIN_PLACED`` points have a place."""
    matches = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(
        np.ascontiguousarray(closed["bits"]), np.ascontiguousarray(view.points["bits"]), k=2
    )
    near = [
        pair[0]
        for pair in matches
        if len(pair) == 2
        and pair[0].distance <= _MATCH_BITS
        and pair[0].distance < _CLEARLY_NEARER * pair[1].distance
    ]
    first = closed[[match.queryIdx for match in near]]
    second = view.points[[match.trainIdx for match in near]]
    if len(first) >= MIN_PLACED:
        alike = _largest_group(first, second)
        first, second = first[alike], second[alike]
    if len(first) < MIN_PLACED:
        return None
    cv2.setRNGSeed(0)  # the same two pictures always get the same answer
    move, inliers = cv2.estimateAffine2D(
        _places(first),
        _places(second),
        method=cv2.RANSAC,
        ransacReprojThreshold=_PLACE_ERROR,
        maxIters=500,
    )
    if move is None or not _is_possible(np.asarray(move, np.float64)):
        return None
    agree = inliers.ravel().astype(bool) & _fits(np.asarray(move, np.float64), first, second)
    if agree.sum() < MIN_PLACED:
        return None
    whole = np.vstack([np.asarray(move, np.float64), [0, 0, 1]])
    return Placement(int(agree.sum()), view.from_view @ whole)


def _corners(luma: Luma, most: int) -> list[cv2.KeyPoint]:
    """Corners from all parts of a picture, and of all sizes."""
    if min(luma.shape) < _MIN_SIDE:
        return []
    finder = cv2.ORB.create(most * _DETECTED, _LEVEL_FACTOR, _LEVELS, fastThreshold=_CORNER)
    found = finder.detect(luma, None)
    if not found:
        return []
    place = np.array([corner.pt for corner in found]) * _CELLS / luma.shape[::-1]
    cell = place.astype(int) @ (1, _CELLS)
    strength = np.array([corner.response for corner in found])
    level = np.array([corner.octave for corner in found])
    shares = _LEVEL_FACTOR ** -np.arange(_LEVELS)
    kept: list[int] = []
    for octave, share in enumerate(shares / shares.sum()):
        here = np.flatnonzero(level == octave)
        order = here[np.lexsort((-strength[here], cell[here]))]
        rank = np.arange(len(order)) - np.searchsorted(cell[order], cell[order])
        kept += order[np.argsort(rank, kind="stable")[: int(share * most)]].tolist()
    return [found[index] for index in kept]


def _turned(corner: cv2.KeyPoint, angle: float, x: float) -> cv2.KeyPoint:
    return cv2.KeyPoint(x, corner.pt[1], corner.size, angle % 360, corner.response, corner.octave)


def _described(luma: Luma, corners: Sequence[cv2.KeyPoint]) -> Points:
    found, bits = cv2.ORB.create(1, _LEVEL_FACTOR, _LEVELS).compute(luma, list(corners))
    points = np.zeros(len(found), POINT)
    if len(found):
        points["x"], points["y"] = np.array([corner.pt for corner in found]).T
        points["angle"] = [corner.angle for corner in found]
        points["size"] = [corner.size for corner in found]
        points["bits"] = bits
    return points


def _largest_group(first: Points, second: Points) -> npt.NDArray[np.bool_]:
    """The matches that turn and scale alike, around the match that most agree with."""
    turn = second["angle"] - first["angle"]
    size = np.log2(second["size"] / first["size"])
    alike = (_turns_apart(turn[:, None], turn) < _TURN_ERROR) & (
        np.abs(size[:, None] - size) < _SIZE_ERROR
    )
    group: npt.NDArray[np.bool_] = alike[alike.sum(axis=1).argmax()]
    return group


def _turns_apart(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32] | float
) -> npt.NDArray[np.float32]:
    apart: npt.NDArray[np.float32] = np.abs((one - other + 180) % 360 - 180)
    return apart


def _is_possible(move: Affine) -> bool:
    """Whether a picture may be shown so: not mirrored, not tiny or huge, not very stretched."""
    large, small = np.linalg.svd(move[:, :2])[1]
    in_range = _SCALES[0] <= small and large <= _SCALES[1] and large <= _STRETCH * small
    return bool(in_range and np.linalg.det(move[:, :2]) > 0)


def _fits(move: Affine, first: Points, second: Points) -> npt.NDArray[np.bool_]:
    """Whether each match turns and scales as the whole picture does."""
    turn = np.degrees(np.arctan2(move[1, 0] - move[0, 1], move[0, 0] + move[1, 1]))
    scale = np.sqrt(np.linalg.det(move[:, :2]))
    size = np.log2(second["size"] / first["size"] / scale)
    turns = _turns_apart(second["angle"] - first["angle"], float(turn))
    fits: npt.NDArray[np.bool_] = (turns < _TURN_ERROR) & (np.abs(size) < _SIZE_ERROR)
    return fits


def _places(points: Points) -> npt.NDArray[np.float64]:
    return np.column_stack([points["x"], points["y"]]).astype(np.float64)
