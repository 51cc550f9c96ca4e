"""Combine what the detectors found in one frame: each face once, with the data for linking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.place_crops import Proposal
from ingest.faces.protocols import RGB, Detection, FoundFace
from ingest.faces.resolve import clipped
from ingest.faces.rotation_search import KNOWN_PLACE
from ingest.faces.same_places import SAME_PLACE, is_same_place
from ingest.film.tracks import PATCH_SIDE, Patch, Place, Sighting, overlap

SAME_FACE = 0.4
"""Intersection over union from which the scout's box and the ensemble's are one face."""
MAX_CUT_OFF = 0.08
"""Share of a face's height that may lie outside the frame."""


def sightings_of(
    rgb: RGB,
    by_scout: Sequence[Detection],
    by_ensemble: Sequence[FoundFace] | None,
    unverified: Sequence[Detection] = (),
) -> list[Sighting]:
    """Return each face of a frame once.

    Args:
        rgb: The frame in RGB, shape (height, width, 3), uint8.
        by_scout: What the scout found. Boxes without landmarks are left out.
        by_ensemble: What all detectors found; None if they did not search this frame.
        unverified: What quick detectors found besides. One at the place of a known face shows the
            same face.
    """
    unnamed = [one for one in by_scout if one.landmarks is not None]
    sightings = []
    for face in by_ensemble or ():
        place = place_from(face.box.as_list())
        same = [one for one in unnamed if overlap(place, place_of(one)) >= SAME_FACE]
        unnamed = [one for one in unnamed if one not in same]
        best = max(same, key=lambda one: one.score, default=None)
        sightings.append(_sighting(rgb, best, face))
    sightings += [_sighting(rgb, one, None) for one in unnamed]
    for one in unverified:
        _add_unverified(sightings, rgb, one)
    return sightings


def _add_unverified(sightings: list[Sighting], rgb: RGB, found: Detection) -> None:
    """Add what a quick detector found to a frame; changes the list in place."""
    place = place_of(found)
    for index, known in enumerate(sightings):
        is_upright = known.seen_by_scout or known.by_ensemble
        if is_upright and shows_same(place, known.place, apart=KNOWN_PLACE):
            if found.score > known.score:
                assert found.landmarks is not None  # noqa: S101  others are not proposed
                sightings[index] = replace(
                    known, score=found.score, landmarks=found.landmarks, unverified=place
                )
            return
    one = _sighting(rgb, squared(found), None)
    sightings.append(replace(one, seen_by_scout=False, scout_score=None, unverified=place))


def squared(found: Detection) -> Detection:
    """A square of the same middle: the sides of a turned box depend on the angle of the search."""
    side = (found.width + found.height) / 2
    x, y = found.x + (found.width - side) / 2, found.y + (found.height - side) / 2
    return replace(found, x=x, y=y, width=side, height=side)


def shows_same(place: Place, other: Place, *, apart: float = SAME_PLACE) -> bool:
    """Whether two boxes, perhaps at different angles, show one face.

    ``apart`` is the distance of the centres, in heights of the larger face, below which they do.
    """
    x, y, width, height = place
    proposal = Proposal((x + width / 2, y + height / 2), max(width, height), 0.0, 0.0)
    left, top, across, down = other
    centre = left + across / 2, top + down / 2
    return is_same_place(proposal, centre, max(across, down), apart=apart)


def _sighting(rgb: RGB, by_scout: Detection | None, by_ensemble: FoundFace | None) -> Sighting:
    """One face that at least one of the two saw."""
    scores = [one.score for one in (by_scout, by_ensemble) if one is not None]
    if by_scout is not None:
        place, landmarks = place_of(by_scout), by_scout.landmarks
    else:
        assert by_ensemble is not None  # noqa: S101  one of them saw it
        place, landmarks = place_from(by_ensemble.box.as_list()), by_ensemble.landmarks
    assert landmarks is not None  # noqa: S101  the scout's boxes without landmarks are left out
    return Sighting(
        place,
        max(scores),
        landmarks if by_ensemble is None else by_ensemble.landmarks,
        patch_of(rgb, place),
        by_ensemble=by_ensemble is not None,
        seen_by_scout=by_scout is not None,
        cut_off=_is_cut_off(place, rgb.shape[1], rgb.shape[0]),
        kind=by_ensemble.kind if by_ensemble is not None else None,
        scout_score=by_scout.score if by_scout is not None else None,
    )


def _is_cut_off(place: Place, width: int, height: int) -> bool:
    """Return whether the edge of the frame cuts a box, or the box was clipped to the frame."""
    x, y, across, down = place
    room = MAX_CUT_OFF * down
    touches = x <= 0 or y <= 0 or x + across >= width or y + down >= height
    beyond = max(-x, -y, x + across - width, y + down - height)
    was_clipped = touches and float(x).is_integer() and float(y).is_integer()
    return was_clipped or beyond > room


def patch_of(rgb: RGB, place: Place) -> Patch:
    """Return the patch of a face, for comparison with the next frame."""
    grey = grey_of(rgb, place, PATCH_SIDE)
    if grey is None:
        return np.zeros((PATCH_SIDE, PATCH_SIDE), np.float32)
    centred = grey - grey.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length if length > 1 else centred * 0, np.float32)


def grey_of(rgb: RGB, place: Place, side: int) -> NDArray[np.float32] | None:
    """Return a face in grey, 0-255, shape (side, side); None if it lies outside the frame."""
    box = clipped(place, rgb.shape[1], rgb.shape[0])
    if box is None:
        return None
    inside = rgb[box.y : box.y + box.height, box.x : box.x + box.width]
    resized = cv2.resize(inside, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_RGB2GRAY), np.float32)


def resized(rgb: RGB, side: int, *, enlarge: bool = False) -> tuple[RGB, float]:
    """Return the picture scaled to this long side, and the factor back to its own pixels.

    A smaller picture is returned unchanged, unless ``enlarge`` is set.
    """
    long_side = max(rgb.shape[:2])
    if long_side <= side and not enlarge:
        return rgb, 1.0
    factor = side / long_side
    size = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8), 1 / factor


def scaled(found: Detection, factor: float) -> Detection:
    """Return a detection with box and landmarks multiplied by ``factor``."""
    landmarks = None if found.landmarks is None else found.landmarks * np.float32(factor)
    return Detection(
        found.x * factor,
        found.y * factor,
        found.width * factor,
        found.height * factor,
        found.score,
        landmarks,
        found.detector,
    )


def place_of(found: Detection) -> Place:
    """Return the box of a detection."""
    return (found.x, found.y, found.width, found.height)


def place_from(values: Sequence[float]) -> Place:
    """Return a box from x, y, width and height."""
    x, y, width, height = (float(value) for value in values)
    return (x, y, width, height)
