"""Whether a place where a detector proposed a face shows one, from several close looks.

The place is cut out, turned upright, enlarged and shown to both detectors four times, a little
differently each time. A face is seen every time; a pattern in leaves or cloth is not. So the mean
of the log-odds separates the two where a single look does not: of 133 pasted faces that were
proposed and 139 places without one, a single look kept 39 % of the faces before it kept a false
place, the mean of four 77 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from consent_gate.model import FaceKind
from ingest.faces.agreement import FITTED, log_odds
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace, Landmarks
from ingest.faces.rotated_tiles import rotation, translation
from ingest.faces.settle import clipped
from ingest.faces.views import MIRRORED_ORDER, View

SEEN_FROM = 0.1
"""Score that one detector must give in the first look, or there are no others."""
FACE_FROM = 1.0
"""Sum of both detectors' mean log-odds from which a place shows a face."""
POSSIBLE_FROM = 0.0
"""The same for a possible face. In the fit half of the photos of ../shared/data/school three places
that were none reached -1, none that was not a part of a known face 0."""
SPECK = 14.0
"""Height in pixels below which a possible face is none: nobody can be recognised."""
UNSEEN = 0.05
"""What counts as the score of a detector that sees nothing."""
ENLARGE_AT_MOST = 4.0


@dataclass(frozen=True)
class Proposal:
    """A place where a detector half believes in a face."""

    middle: tuple[float, float]
    """x, y in pixels of the picture."""
    height: float
    """Of the face when it is turned upright, in pixels of the picture."""
    degrees: float
    """By which the picture must be turned anticlockwise to show the face upright."""
    score: float
    """The detector's own, 0-1."""


@dataclass(frozen=True)
class Look:
    """One way of showing a place to the detectors."""

    face_height: float
    """In pixels, as it is shown."""
    side: int
    """Of the square window around it."""
    degrees: float
    """Added to the turn."""
    mirrored: bool


LOOKS = (
    Look(44, 128, 0, mirrored=False),
    Look(64, 192, 0, mirrored=True),
    Look(64, 192, 8, mirrored=False),
    Look(90, 256, -8, mirrored=True),
)
"""The first is the cheapest, 3 ms: most places end there."""


def verified(rgb: RGB, proposal: Proposal, judges: Sequence[Detector]) -> FoundFace | None:
    """The face or possible face at a place of ``rgb`` (height, width, 3; uint8; RGB), or None."""
    seen = [_look(rgb, proposal, judges, LOOKS[0])]
    if max((one.score for one in seen[0].values()), default=0.0) < SEEN_FROM:
        return None
    seen += [_look(rgb, proposal, judges, look) for look in LOOKS[1:]]
    scores = {judge.name: _mean_score(seen, judge.name) for judge in judges}
    evidence = sum(log_odds(score) for score in scores.values())
    if evidence < (FACE_FROM if proposal.height < SPECK else POSSIBLE_FROM):
        return None
    surest = max((one for look in seen for one in look.values()), key=lambda one: one.score)
    box = clipped((surest.x, surest.y, surest.width, surest.height), rgb.shape[1], rgb.shape[0])
    if box is None or surest.landmarks is None:
        return None
    kind = FaceKind.FACE if evidence >= FACE_FROM else FaceKind.POSSIBLE
    return FoundFace(box, FITTED.belief(scores), kind, surest.landmarks)


def _mean_score(looks: Sequence[Mapping[str, Detection]], judge: str) -> float:
    """The score whose log-odds are the mean of those of all looks."""
    scores = [look[judge].score if judge in look else UNSEEN for look in looks]
    return 1 / (1 + math.exp(-sum(map(log_odds, scores)) / len(scores)))


def _look(
    rgb: RGB, proposal: Proposal, judges: Sequence[Detector], look: Look
) -> dict[str, Detection]:
    """By name of the judge what it sees at the place, in pixels of ``rgb``."""
    turned = replace(proposal, degrees=proposal.degrees + look.degrees)
    zoom = min(look.face_height / proposal.height, ENLARGE_AT_MOST)
    window = _window(rgb, turned, zoom, look.side)
    view = window.mirror() if look.mirrored else window
    seen: dict[str, Detection] = {}
    for judge in judges:
        there = (
            one
            for one in judge.detect(view.pixels)  # surest first
            if _is_at(one, look.side / 2, proposal.height * zoom)
        )
        if (one := next(there, None)) is not None:
            seen[judge.name] = _in_picture(view, one, turned.degrees)
    return seen


def _window(rgb: RGB, proposal: Proposal, zoom: float, side: int) -> View:
    """The place turned upright and scaled, in the middle of a square of ``side`` pixels."""
    x, y = proposal.middle
    source = View(rgb, np.eye(3))
    if zoom < 0.5:
        # Shrink first: turning takes one pixel in so many and would make noise of the rest.
        reach = math.ceil(side / zoom)
        left, top = max(0, int(x) - reach), max(0, int(y) - reach)
        part = np.ascontiguousarray(rgb[top : int(y) + reach, left : int(x) + reach])
        source = View(part, translation(left, top))
        source = source.resized(round(max(part.shape[:2]) * zoom), 1.0)
    to_window = (
        translation(side / 2, side / 2)
        @ np.diag([zoom, zoom, 1.0])
        @ rotation(proposal.degrees)
        @ translation(-x, -y)
        @ source.to_picture
    )
    turned = cv2.warpAffine(
        source.pixels,
        to_window[:2],
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return View(np.asarray(turned, np.uint8), source.to_picture @ np.linalg.inv(to_window))


def _is_at(found: Detection, middle: float, height: float) -> bool:
    """Whether it is the proposed face, not one beside it in the window."""
    apart = math.hypot(found.x + found.width / 2 - middle, found.y + found.height / 2 - middle)
    return apart < 0.5 * height and 0.5 * height < found.height < 2 * height


def _in_picture(view: View, found: Detection, degrees: float) -> Detection:
    """The detection in the picture. At an odd angle its upright box would be too large by half:
    width and height are mixed instead, so that the box keeps its area."""
    middle = np.array([found.x + found.width / 2, found.y + found.height / 2])
    x, y = _points(view, middle[None])[0]
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


def _landmarks(view: View, landmarks: Landmarks | None) -> Landmarks | None:
    if landmarks is None:
        return None
    points = _points(view, landmarks)
    return points[MIRRORED_ORDER] if view.mirrored else points


def _points(view: View, points: Landmarks) -> Landmarks:
    return np.asarray(points @ view.to_picture[:2, :2].T + view.to_picture[:2, 2], np.float32)
