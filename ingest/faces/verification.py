"""Decide whether a proposed place shows a face.

The place is cut out, rotated upright and scaled. ``PlaceClassifier`` judges it and its mirror image
by the inner layers of CenterFace; most places are rejected there. Both detectors then see the place
four times, each time with another scale and angle. Where both are sure every time, the place is a
``face``. Where the classifier alone is sure, as with dark glasses or a hidden mouth, it is
``possible``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.augmentation import MIRRORED_ORDER, AugmentedView
from ingest.faces.ensemble import FITTED_ENSEMBLE, score_log_odds
from ingest.faces.likely_places import QUICK
from ingest.faces.nudges import first_settled, first_sure, nudged
from ingest.faces.place_classifier import SIDE, PlaceClassifier
from ingest.faces.place_crops import CropVariant, Halvings, Proposal, place_crop, zoom_of
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace, Landmarks
from ingest.faces.resolve import TYPICAL_LANDMARKS, clipped

MIN_CLASSIFIED = 0.0
"""The classifier's log-odds below which a place shows no face. In 25 pictures of the fit half, of
people who were left out of the fit, 1 of 134 faces had less at all its places."""
MIN_FIRST_CLASSIFIED = -2.0
"""The same for the first large crop, below which the second is not made."""
MIN_POSSIBLE_CLASSIFIED = 2.6
"""The classifier's log-odds from which a place is a possible face, whatever the detectors say. In
the same 25 pictures 98 % of the proposed faces of 20 to 48 px had 2.5 or more at one of their
places, and no other place of this size had as much."""
MIN_POSSIBLE_LARGE_CLASSIFIED = 3.0
"""The same for a place of ``LARGE`` pixels or more. There 32 of 34 faces had 3.2 or more, and no
other place; two other places had 2.8."""
MIN_HINT_CLASSIFIED = 3.0
"""The mean of the log-odds of a place that only ``small_faces`` proposed and of that place after
one correction, below which it is no possible face."""
MIN_NUDGED_CLASSIFIED = 3.3
"""The same for a smaller place after a nudge. Of 300 hidden faces of 20 to 32 px of people who were
left out of the fit, 19 had 0 to 2.6 at all their places; of 12 of these one of eight nudges had 3.3
or more, and of 2 of 127 other places in 20 crowd pictures. In 20 photos of the made-up school no
other place had 0 to 2.6. A badge with two eyes and a mouth had 3.24."""
MIN_SETTLED_CLASSIFIED = 3.3
"""The same for two successive corrections of a place. In the portraits of the demonstration a hand
had 4.1 after one correction, and -1.1 after the next one."""
MIN_CORRECTED_CLASSIFIED = -1.0
"""The same after a correction, below which no further one is made."""
LARGE = 48.0
"""Height in pixels of the largest picture that may be published."""
CORRECTED = 76.0
"""The same below which a place is corrected: small hidden faces are often drawn too large."""
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
TYPICAL_WIDTH = 0.77
"""Width of a face's box in heights (the median of the strangers' boxes)."""


CLASSIFIED = (
    CropVariant(SIDE / 2, SIDE, 0, mirrored=False),
    CropVariant(56, SIDE, 6, mirrored=True),
)
"""The large crops that it sees (1 ms each)."""
VARIANTS = (
    CropVariant(44, 128, 0, mirrored=False),
    CropVariant(64, 192, 0, mirrored=True),
    CropVariant(64, 192, 8, mirrored=False),
    CropVariant(90, 256, -8, mirrored=True),
)
"""What the detectors see. The first is the cheapest (2 ms)."""


def verify_proposal(
    views: Halvings,
    proposal: Proposal,
    verifiers: Sequence[Detector],
    classifier: PlaceClassifier,
    scale: float = 1.0,
) -> FoundFace | None:
    """The face or possible face at a place of the picture, or None.

    Args:
        views: The picture and its halves.
        proposal: The place.
        verifiers: The detectors that see it.
        classifier: Judges it first.
        scale: Pixels of the picture to one of the largest picture that may be published.
    """
    rgb, is_large = views[0].pixels, proposal.height >= LARGE * scale
    classified = _classified(views, proposal, classifier)
    kind, crops, scores = None, list[Mapping[str, Detection]](), _mean_scores([{}], verifiers)
    if classified >= MIN_CLASSIFIED:
        crops = _detect_in_crops(views, proposal, verifiers)
        scores = _mean_scores(crops, verifiers)
        least = MIN_POSSIBLE_LARGE_CLASSIFIED if is_large else MIN_POSSIBLE_CLASSIFIED
        kind = _kind(_log_odds(scores), proposal.height, is_possible=classified >= least)
    if kind is not FaceKind.FACE and not _is_supported(views, proposal, classified, classifier):
        return None
    if kind is None and proposal.height < CORRECTED * scale:
        sure = _settled(views, proposal, classifier)
        if sure is not None and sure.height >= LARGE * scale:
            sure = None
        if sure is None and classified >= MIN_CLASSIFIED and not is_large:
            classify = partial(_classified, views, classifier=classifier)
            sure = first_sure(proposal, classify, MIN_NUDGED_CLASSIFIED)
        if sure is not None and sure.height >= MIN_POSSIBLE_HEIGHT:
            kind, proposal, crops = FaceKind.POSSIBLE, sure, []
    if kind is None:
        return None
    seen = [found for crop in crops for found in crop.values()] or [_typical_face(views, proposal)]
    best = max(seen, key=lambda found: found.score)
    box = clipped((best.x, best.y, best.width, best.height), rgb.shape[1], rgb.shape[0])
    if box is None or best.landmarks is None:
        return None
    if kind is FaceKind.POSSIBLE and contrast(rgb, box) < MIN_POSSIBLE_CONTRAST:
        return None
    return FoundFace(box, FITTED_ENSEMBLE.probability(scores), kind, best.landmarks)


def _is_supported(
    views: Halvings, proposal: Proposal, classified: float, classifier: PlaceClassifier
) -> bool:
    """Whether the classifier supports a place enough, if no detector proposed it."""
    if not proposal.is_hint:
        return True
    corrected = _corrected(views, proposal, classifier)
    return (classified + _classified(views, corrected, classifier)) / 2 >= MIN_HINT_CLASSIFIED


def _detect_in_crops(
    views: Halvings, proposal: Proposal, verifiers: Sequence[Detector]
) -> list[Mapping[str, Detection]]:
    """What is seen in each crop; no more crops are made where the scores are too low."""
    crops: list[Mapping[str, Detection]] = []
    for variant, least in zip(VARIANTS, (*MIN_LOG_ODDS_SO_FAR, -math.inf), strict=True):
        crops.append(_detect_in_crop(views, proposal, verifiers, variant))
        if _log_odds(_mean_scores(crops, verifiers)) < least:
            break
    return crops


def _settled(views: Halvings, proposal: Proposal, classifier: PlaceClassifier) -> Proposal | None:
    """The place of a face near a proposed place, after corrections, or None."""
    return first_settled(
        proposal,
        partial(_corrected, views, classifier=classifier),
        partial(_classified, views, classifier=classifier),
        MIN_SETTLED_CLASSIFIED,
        MIN_CORRECTED_CLASSIFIED,
    )


def _corrected(views: Halvings, place: Proposal, classifier: PlaceClassifier) -> Proposal:
    """The place after one correction."""
    [nudge] = classifier.corrections([place_crop(views, place, QUICK).pixels])
    return nudged(place, nudge)


def _classified(views: Halvings, proposal: Proposal, classifier: PlaceClassifier) -> float:
    """The mean of the classifier's log-odds for both large crops; lower where the first is low."""
    first, second = CLASSIFIED
    log_odds = classifier.log_odds(place_crop(views, proposal, first).pixels)
    if log_odds < MIN_FIRST_CLASSIFIED:
        return min(log_odds, MIN_CLASSIFIED - 1)
    return (log_odds + classifier.log_odds(place_crop(views, proposal, second).pixels)) / 2


def _kind(log_odds: float, height: float, *, is_possible: bool) -> FaceKind | None:
    if log_odds >= MIN_FACE_LOG_ODDS:
        return FaceKind.FACE
    is_possible = is_possible or log_odds >= MIN_POSSIBLE_LOG_ODDS
    return FaceKind.POSSIBLE if is_possible and height >= MIN_POSSIBLE_HEIGHT else None


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
    views: Halvings, proposal: Proposal, verifiers: Sequence[Detector], variant: CropVariant
) -> dict[str, Detection]:
    """The detection of each verifier at the place, in pixels of the picture, by verifier name."""
    view = place_crop(views, proposal, variant)
    height = proposal.height * zoom_of(proposal, variant)
    detections: dict[str, Detection] = {}
    for verifier in verifiers:
        at_place = (
            found
            for found in verifier.detect(view.pixels)  # highest score first
            if _is_at(found, variant.side / 2, height)
        )
        if (found := next(at_place, None)) is not None:
            detections[verifier.name] = in_picture(view, found, proposal.degrees + variant.degrees)
    return detections


def _typical_face(views: Halvings, proposal: Proposal) -> Detection:
    """A face of usual proportions at the place, in pixels of the picture."""
    variant = VARIANTS[0]
    height = proposal.height * zoom_of(proposal, variant)
    width = TYPICAL_WIDTH * height
    x, y = (variant.side - width) / 2, (variant.side - height) / 2
    landmarks = np.asarray(TYPICAL_LANDMARKS * (width, height) + (x, y), np.float32)
    found = Detection(x, y, width, height, proposal.score, landmarks, "")
    return in_picture(place_crop(views, proposal, variant), found, proposal.degrees)


def _is_at(found: Detection, centre: float, height: float) -> bool:
    """Whether it is the proposed face and not one beside it in the crop."""
    x, y = found.x + found.width / 2, found.y + found.height / 2
    is_similar_size = 0.5 * height < found.height < 2 * height
    return is_similar_size and math.hypot(x - centre, y - centre) < 0.5 * height


def in_picture(view: AugmentedView, found: Detection, degrees: float) -> Detection:
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
