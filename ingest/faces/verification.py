"""Decide whether a proposed place shows a face.

The place is cut out, rotated upright, enlarged and shown to both detectors four times, each time
with another scale and angle. A face is detected every time; a pattern in leaves or cloth is not. So
the mean of the log-odds separates the two better than one detection: of 133 pasted faces that were
proposed and 139 places without a face, one crop kept 39 % of the faces before it kept a place
without a face; the mean of four kept 77 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.augmentation import MIRRORED_ORDER, AugmentedView
from ingest.faces.ensemble import FITTED_ENSEMBLE, score_log_odds
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace, Landmarks
from ingest.faces.resolve import clipped
from ingest.faces.rotated_tiles import rotation, translation

MIN_FIRST_SCORE = 0.1
"""If no detector gives this score in the first crop, the others are not made."""
MIN_LOG_ODDS_SO_FAR = (-3.0, -2.0, -1.0)
"""Sum of both detectors' mean log-odds after one, two and three crops below which no more are made.
In the fit half the least of 747 places that passed with all four was -2.6, -1.7 and -0.5; of 131
places of school photos that did not pass, 35, 13 and 9 reached these values."""
MIN_FACE_LOG_ODDS = 1.0
"""Sum of both detectors' mean log-odds from which a place shows a face."""
MIN_POSSIBLE_LOG_ODDS = 0.0
"""The same for a possible face. In the fit half of the photos of the made-up school three places
without a face reached -1, and none reached 0 except parts of known faces."""
MIN_POSSIBLE_HEIGHT = 14.0
"""Height in pixels below which a possible face is left out, because nobody can be recognised."""
MIN_POSSIBLE_CONTRAST = 15.0
"""Grey levels between the 5th and the 95th percentile of the visible box, below which a possible
face is left out. In the fit half 300 whole faces had 50.9 or more and 300 of low contrast 17.0 or
more; dark hair at an edge, which the mirrored margin made look like a face, had 13.0."""
UNSEEN = 0.05
"""The score that counts where a detector found nothing."""
MAX_ENLARGEMENT = 4.0


@dataclass(frozen=True)
class Proposal:
    """A place where a detector found a face with a low score or more."""

    centre: tuple[float, float]
    """x, y in pixels of the picture."""
    height: float
    """The height of the upright face in pixels of the picture."""
    degrees: float
    """The anticlockwise rotation of the picture that shows the face upright."""
    score: float
    """The detector's own score, 0-1."""


@dataclass(frozen=True)
class CropVariant:
    """One way of showing a place to the detectors."""

    face_height: float
    """Height of the face in the crop, in pixels."""
    side: int
    """Side of the square crop, in pixels."""
    degrees: float
    """Degrees added to the rotation."""
    mirrored: bool


VARIANTS = (
    CropVariant(44, 128, 0, mirrored=False),
    CropVariant(64, 192, 0, mirrored=True),
    CropVariant(64, 192, 8, mirrored=False),
    CropVariant(90, 256, -8, mirrored=True),
)
"""The first is the cheapest (3 ms). Most places are rejected there."""


def verify_proposal(
    rgb: RGB, proposal: Proposal, verifiers: Sequence[Detector]
) -> FoundFace | None:
    """The face or possible face at a place of ``rgb`` (height, width, 3; uint8; RGB), or None."""
    crops = [_detect_in_crop(rgb, proposal, verifiers, VARIANTS[0])]
    if max((found.score for found in crops[0].values()), default=0.0) < MIN_FIRST_SCORE:
        return None
    for variant, least in zip(VARIANTS[1:], MIN_LOG_ODDS_SO_FAR, strict=True):
        if _log_odds(_mean_scores(crops, verifiers)) < least:
            return None
        crops.append(_detect_in_crop(rgb, proposal, verifiers, variant))
    scores = _mean_scores(crops, verifiers)
    log_odds = _log_odds(scores)
    is_small = proposal.height < MIN_POSSIBLE_HEIGHT
    if log_odds < (MIN_FACE_LOG_ODDS if is_small else MIN_POSSIBLE_LOG_ODDS):
        return None
    best = max((found for crop in crops for found in crop.values()), key=lambda found: found.score)
    box = clipped((best.x, best.y, best.width, best.height), rgb.shape[1], rgb.shape[0])
    if box is None or best.landmarks is None:
        return None
    kind = FaceKind.FACE if log_odds >= MIN_FACE_LOG_ODDS else FaceKind.POSSIBLE
    if kind is FaceKind.POSSIBLE and contrast(rgb, box) < MIN_POSSIBLE_CONTRAST:
        return None
    return FoundFace(box, FITTED_ENSEMBLE.probability(scores), kind, best.landmarks)


def contrast(rgb: RGB, box: Box) -> float:
    """Grey levels between the 5th and the 95th percentile of the pixels in ``box``."""
    inside = rgb[box.y : box.y + box.height, box.x : box.x + box.width]
    grey = cv2.cvtColor(np.ascontiguousarray(inside), cv2.COLOR_RGB2GRAY)
    dark, light = np.percentile(grey, (5, 95))
    return float(light - dark)


def _log_odds(scores: Mapping[str, float]) -> float:
    """The sum of the log-odds of each detector's score."""
    return sum(score_log_odds(score) for score in scores.values())


def _mean_scores(
    crops: Sequence[Mapping[str, Detection]], verifiers: Sequence[Detector]
) -> dict[str, float]:
    """By name of the detector, the score whose log-odds are the mean of those of all crops."""
    means = {
        verifier.name: sum(
            score_log_odds(crop[verifier.name].score if verifier.name in crop else UNSEEN)
            for crop in crops
        )
        / len(crops)
        for verifier in verifiers
    }
    return {name: 1 / (1 + math.exp(-mean)) for name, mean in means.items()}


def _detect_in_crop(
    rgb: RGB, proposal: Proposal, verifiers: Sequence[Detector], variant: CropVariant
) -> dict[str, Detection]:
    """The detection of each verifier at the place, in pixels of ``rgb``, by verifier name."""
    rotated = replace(proposal, degrees=proposal.degrees + variant.degrees)
    zoom = min(variant.face_height / proposal.height, MAX_ENLARGEMENT)
    crop = _crop(rgb, rotated, zoom, variant.side)
    view = crop.mirror() if variant.mirrored else crop
    detections: dict[str, Detection] = {}
    for verifier in verifiers:
        at_place = (
            found
            for found in verifier.detect(view.pixels)  # highest score first
            if _is_at(found, variant.side / 2, proposal.height * zoom)
        )
        if (found := next(at_place, None)) is not None:
            detections[verifier.name] = _to_picture(view, found, rotated.degrees)
    return detections


def _crop(rgb: RGB, proposal: Proposal, zoom: float, side: int) -> AugmentedView:
    """The place rotated upright and scaled, in the centre of a square of ``side`` pixels."""
    x, y = proposal.centre
    source = AugmentedView(rgb, np.eye(3))
    if zoom < 0.5:
        # Shrink first: warping samples single pixels and would alias.
        reach = math.ceil(side / zoom)
        left, top = max(0, int(x) - reach), max(0, int(y) - reach)
        part = np.ascontiguousarray(rgb[top : int(y) + reach, left : int(x) + reach])
        source = AugmentedView(part, translation(left, top))
        source = source.resized(round(max(part.shape[:2]) * zoom), 1.0)
    to_crop = (
        translation(side / 2, side / 2)
        @ np.diag([zoom, zoom, 1.0])
        @ rotation(proposal.degrees)
        @ translation(-x, -y)
        @ source.to_picture
    )
    pixels = cv2.warpAffine(
        source.pixels,
        to_crop[:2],
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return AugmentedView(np.asarray(pixels, np.uint8), source.to_picture @ np.linalg.inv(to_crop))


def _is_at(found: Detection, centre: float, height: float) -> bool:
    """Whether it is the proposed face and not one beside it in the crop."""
    x, y = found.x + found.width / 2, found.y + found.height / 2
    is_similar_size = 0.5 * height < found.height < 2 * height
    return is_similar_size and math.hypot(x - centre, y - centre) < 0.5 * height


def _to_picture(view: AugmentedView, found: Detection, degrees: float) -> Detection:
    """The detection in pixels of the picture.

    At an odd angle the upright box around the rotated one would be too large by half. Width and
    height are mixed instead, so that the box keeps its area.
    """
    centre = np.array([[found.x + found.width / 2, found.y + found.height / 2]])
    x, y = _points(view, centre)[0]
    lying = math.sin(math.radians(degrees)) ** 2
    width = view.scale * (found.width * (1 - lying) + found.height * lying)
    height = view.scale * (found.width * lying + found.height * (1 - lying))
    return replace(
        found,
        x=float(x - width / 2),
        y=float(y - height / 2),
        width=width,
        height=height,
        landmarks=_landmarks(view, found.landmarks),
    )


def _landmarks(view: AugmentedView, landmarks: Landmarks | None) -> Landmarks | None:
    if landmarks is None:
        return None
    points = _points(view, landmarks)
    return points[MIRRORED_ORDER] if view.mirrored else points


def _points(view: AugmentedView, points: Landmarks) -> Landmarks:
    return np.asarray(points @ view.to_picture[:2, :2].T + view.to_picture[:2, 2], np.float32)
