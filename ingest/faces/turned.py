"""Searching a picture at every in-plane angle.

Both detectors know faces up to about 25 degrees off the vertical. So the picture is searched at
eight angles, 45 degrees apart: a face is at most 22.5 degrees off in one of them. A quick detector
proposes places. Each place is then cut out, turned upright, enlarged and shown to both detectors,
whose scores count as any other detection's.

The picture is searched as large as it may be published, for what a reader cannot see nobody can
recognise, and once more a few times smaller for faces that fill the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import FaceKind
from ingest.faces.agreement import FITTED, log_odds
from ingest.faces.merge import Boxes
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.settle import clipped
from ingest.faces.views import MIRRORED_ORDER, View

Matrix = NDArray[np.float64]
"""Shape (3, 3): from coordinates of one picture to those of another, homogeneous."""


@dataclass(frozen=True)
class TurnedSettings:
    """Sizes in pixels. Measured by ``python -m benchmarks.coverage``; see docs/adr/0003."""

    largest: int = 3000
    """Long side of the largest picture that may be published (``max_side`` of the channels)."""
    overview: int = 640
    """Long side of the smaller picture, for large faces; at most half of the first one's."""
    angles: int = 8
    """Equally many degrees apart, the first upright."""
    tile: int = 640
    overlap: int = 96
    """A face larger than this is seen in the overview."""
    beyond: int = 48
    """How far the picture is continued, mirrored, beyond its edges: half a face becomes a whole."""
    proposed_from: float = 0.06
    """Score of the quick detector from which a place is looked at closely."""
    seen_from: float = 0.1
    """Score that one detector must give in the first close look, or there are no others."""
    enlarge_at_most: float = 4.0
    most: int = 300
    """Places looked at closely in one picture, surest first: a bound on the time it takes."""
    possible_from: float = 0.0
    """Sum of both detectors' mean log-odds from which a place may be a face."""
    face_from: float = 1.0
    """The same from which it is one; asked of a possible face below ``speck`` as well."""
    speck: float = 14.0
    """Height in pixels of the picture below which nobody can be recognised."""
    flat_below: int = 10
    """Grey levels within some 20 px under which there is nothing to be seen: sky, a bare wall."""


CLOSE_LOOKS = (
    (44.0, 128, 0.0, False),
    (64.0, 192, 0.0, True),
    (64.0, 192, 8.0, False),
    (90.0, 256, -8.0, True),
)
"""Height in pixels at which a proposed face is shown, side of the window around it, degrees added
to its turn, mirrored or not. The first look is the smallest: most places end there."""
BEYOND = 0.1
"""How far outside the picture a face's middle may lie, in its heights."""
UNSEEN = 0.05
"""What counts as the score of a detector that sees nothing in a close look."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A place where the quick detector half believes in a face."""

    middle: tuple[float, float]
    """x, y in pixels of the picture."""
    width: float
    height: float
    """Of the face as if it were upright, in pixels of the picture."""
    degrees: float
    """By which the picture must be turned anticlockwise to show the face upright."""
    score: float


class TurnedSearch:
    """Finds faces at any angle. Not to be shared between threads."""

    def __init__(
        self,
        quick: Detector,
        judges: Sequence[Detector],
        settings: TurnedSettings | None = None,
    ) -> None:
        self._quick = quick
        self._judges = judges
        self.settings = settings or TurnedSettings()

    def find(self, rgb: RGB, known: Boxes) -> list[FoundFace]:
        """The faces and possible faces where none is known yet, surest first.

        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB; ``known`` has one row
        (x, y, width, height) in its pixels for each face that was surely found.
        """
        height, width = rgb.shape[:2]
        places = [
            place
            for place in _strongest(self.proposals(rgb))
            if _is_inside(place, width, height) and not _is_known(place, known)
        ]
        judged = [self.judged(rgb, place) for place in places[: self.settings.most]]
        found = [face for face in judged if face is not None]
        return sorted(found, key=lambda face: -face.score)

    def proposals(self, rgb: RGB) -> list[Proposal]:
        """All places proposed at any angle and size; one face may be proposed many times."""
        chosen, whole = self.settings, View(rgb, np.eye(3))
        large = whole.resized(chosen.largest, 1.0)
        overview = large.resized(min(chosen.overview, max(large.pixels.shape[:2]) // 2), 1.0)
        found: list[Proposal] = []
        for plain in (large, overview):
            view = _with_mirrored_edges(plain, chosen.beyond)
            textured = _textured(view.pixels, chosen.flat_below)
            # Large faces are known up to 45 degrees off; upright the finder has seen them already.
            turns = (90.0, 180.0, 270.0) if plain is overview else _equal_turns(chosen.angles)
            for degrees in turns:
                for tile in _turned_tiles(view, degrees, textured, chosen.tile, chosen.overlap):
                    found += [
                        _proposal(tile, one, degrees)
                        for one in self._quick.detect(tile.pixels)
                        if one.score >= chosen.proposed_from
                    ]
        return found

    def judged(self, rgb: RGB, proposal: Proposal) -> FoundFace | None:
        """Whether a place shows a face, from several close looks; None when it does not."""
        looks = [self._look(rgb, proposal, *CLOSE_LOOKS[0])]
        if max((one.score for one in looks[0].values()), default=0.0) < self.settings.seen_from:
            return None
        looks += [self._look(rgb, proposal, *how) for how in CLOSE_LOOKS[1:]]
        scores = {judge.name: _mean_score(looks, judge.name) for judge in self._judges}
        evidence = sum(log_odds(score) for score in scores.values())
        chosen = self.settings
        is_speck = proposal.height < chosen.speck
        if evidence < (chosen.face_from if is_speck else chosen.possible_from):
            return None
        kind = FaceKind.FACE if evidence >= chosen.face_from else FaceKind.POSSIBLE
        return _found(rgb, looks, scores, kind)

    def _look(
        self,
        rgb: RGB,
        proposal: Proposal,
        face_at: float,
        side: int,
        degrees: float,
        mirrored: bool,
    ) -> dict[str, Detection]:
        """By name of the judge what it sees at the place, in pixels of ``rgb``."""
        turned = replace(proposal, degrees=proposal.degrees + degrees)
        zoom = min(face_at / proposal.height, self.settings.enlarge_at_most)
        view = _window(rgb, turned, zoom, side)
        view = view.mirror() if mirrored else view
        seen: dict[str, Detection] = {}
        for judge in self._judges:
            for one in judge.detect(view.pixels):  # surest first
                if _is_the_one(one, side / 2, proposal.height * zoom):
                    seen[judge.name] = _upright_box(view, one, turned)
                    break
        return seen


def _mean_score(looks: Sequence[Mapping[str, Detection]], judge: str) -> float:
    """The score whose log-odds are the mean of those of all looks."""
    scores = [look[judge].score if judge in look else UNSEEN for look in looks]
    mean = sum(log_odds(score) for score in scores) / len(scores)
    return 1 / (1 + math.exp(-mean))


def _found(
    rgb: RGB,
    looks: Sequence[Mapping[str, Detection]],
    scores: Mapping[str, float],
    kind: FaceKind,
) -> FoundFace | None:
    """The face with the box and landmarks of the surest single look."""
    one = max((seen for look in looks for seen in look.values()), key=lambda seen: seen.score)
    box = clipped((one.x, one.y, one.width, one.height), rgb.shape[1], rgb.shape[0])
    if box is None or one.landmarks is None:
        return None
    return FoundFace(box, FITTED.belief(scores), kind, one.landmarks)


def _equal_turns(count: int) -> tuple[float, ...]:
    return tuple(360 * step / count for step in range(count))


def _proposal(tile: View, found: Detection, degrees: float) -> Proposal:
    middle = np.array([found.x + found.width / 2, found.y + found.height / 2, 1.0])
    x, y = (tile.to_picture @ middle)[:2]
    roll = 0.0
    if found.landmarks is not None:
        across, down = found.landmarks[3:].mean(axis=0) - found.landmarks[:2].mean(axis=0)
        roll = math.degrees(math.atan2(-across, down))
    roll = float(np.clip(roll, -35, 35))
    scale = tile.scale
    return Proposal(
        (float(x), float(y)),
        found.width * scale,
        found.height * scale,
        degrees + roll,
        found.score,
    )


def _with_mirrored_edges(view: View, margin: int) -> View:
    margin = min(margin, min(view.pixels.shape[:2]) - 1)
    pixels = cv2.copyMakeBorder(
        view.pixels, margin, margin, margin, margin, cv2.BORDER_REFLECT_101
    )
    return View(np.asarray(pixels, np.uint8), view.to_picture @ _shift(-margin, -margin))


def _strongest(proposals: Sequence[Proposal]) -> list[Proposal]:
    """One proposal for each place and size: the surest."""
    kept: list[Proposal] = []
    for one in sorted(proposals, key=lambda proposal: -proposal.score):
        if not any(_same_place(one, other.middle, other.height) for other in kept):
            kept.append(one)
    return kept


def _is_inside(place: Proposal, width: int, height: int) -> bool:
    """Whether about half of it or more is in the picture, not in the mirror beyond its edge."""
    x, y = place.middle
    room = BEYOND * place.height
    return -room <= x <= width + room and -room <= y <= height + room


def _is_known(proposal: Proposal, known: Boxes) -> bool:
    return any(
        _same_place(proposal, (x + width / 2, y + height / 2), max(width, height))
        for x, y, width, height in known
    )


def _same_place(one: Proposal, middle: tuple[float, float], height: float) -> bool:
    """Whether both are of one size and place: two people's faces cannot be."""
    alike = 0.5 < one.height / max(height, 1e-6) < 2
    return alike and math.dist(one.middle, middle) < 0.4 * max(one.height, height)


def _turn(degrees: float) -> Matrix:
    """Turns a picture anticlockwise, as it is seen (y runs down)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _textured(rgb: RGB, least: int) -> NDArray[np.uint8]:
    """1 for each block of 8 x 8 pixels near which grey levels differ by ``least``, else 0."""
    height, width = rgb.shape[:2]
    size = max(1, width // 4), max(1, height // 4)
    grey = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    around = np.ones((5, 5), np.uint8)
    differ = (cv2.dilate(grey, around) - cv2.erode(grey, around)) >= least
    mask = cv2.dilate(differ.astype(np.uint8), np.ones((9, 9), np.uint8))
    blocks = max(1, -(-width // 8)), max(1, -(-height // 8))
    return np.asarray(
        cv2.resize(mask * 255, blocks, interpolation=cv2.INTER_AREA) > 0, dtype=np.uint8
    )


def _turned_tiles(
    view: View, degrees: float, textured: NDArray[np.uint8], tile: int, overlap: int
) -> Iterator[View]:
    """Parts of the turned picture that together show all of it that has texture."""
    height, width = view.pixels.shape[:2]
    corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    turned = _turn(degrees) @ corners
    low = turned.min(axis=1)[:2]
    across, down = np.ceil(turned.max(axis=1)[:2] - low - 1e-6).astype(int)
    to_turned = _shift(-low[0], -low[1]) @ _turn(degrees)
    # The same turn of the mask, whose pixels are blocks of 8 x 8.
    eighth = np.diag([1 / 8, 1 / 8, 1.0])
    small = eighth @ to_turned @ np.diag([8.0, 8.0, 1.0])
    size = -(-int(across) // 8) + 1, -(-int(down) // 8) + 1
    mask = cv2.warpAffine(textured, small[:2], size, flags=cv2.INTER_NEAREST)
    for left, top, right, bottom in _busy_parts(mask, int(across), int(down), tile, overlap):
        to_tile = _shift(-left, -top) @ to_turned
        if degrees == 0:
            pixels = np.ascontiguousarray(view.pixels[top:bottom, left:right])
        else:
            pixels = np.asarray(
                cv2.warpAffine(
                    view.pixels,
                    to_tile[:2],
                    (right - left, bottom - top),
                    flags=cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_CONSTANT,
                ),
                np.uint8,
            )
        yield View(pixels, view.to_picture @ np.linalg.inv(to_tile))


def _busy_parts(
    mask: NDArray[np.uint8], width: int, height: int, tile: int, overlap: int
) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of tiles that cover the mask, which has a pixel for 8 x 8."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return
    first, last = int(rows[0]) * 8, min(height, int(rows[-1] + 1) * 8)
    for top, bottom in _spans(first, last, tile, overlap):
        strip = mask[top // 8 : -(-bottom // 8)].any(axis=0)
        columns = np.flatnonzero(strip)
        if not len(columns):
            continue
        start, end = int(columns[0]) * 8, min(width, int(columns[-1] + 1) * 8)
        for left, right in _spans(start, end, tile, overlap):
            part = mask[top // 8 : -(-bottom // 8), left // 8 : -(-right // 8)]
            used_rows, used = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            if not len(used):
                continue
            x0, x1 = left // 8 * 8 + int(used[0]) * 8, left // 8 * 8 + int(used[-1] + 1) * 8
            y0, y1 = top // 8 * 8 + int(used_rows[0]) * 8, top // 8 * 8 + int(used_rows[-1] + 1) * 8
            yield max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)


def _spans(start: int, end: int, side: int, overlap: int) -> list[tuple[int, int]]:
    length = end - start
    count = max(1, -(-(length - overlap) // (side - overlap)))
    each = min(length, -(-(length + (count - 1) * overlap) // count))
    starts = [start + (i * (length - each)) // max(count - 1, 1) for i in range(count)]
    return [(one, one + each) for one in starts]


def _window(rgb: RGB, proposal: Proposal, zoom: float, side: int) -> View:
    """The place turned upright and enlarged, in the middle of a square of ``side`` pixels."""
    x, y = proposal.middle
    pixels, back = rgb, np.eye(3)
    if zoom < 0.5:
        # Shrink first: turning takes one pixel in so many and would make noise of the rest.
        reach = math.ceil(side / zoom)
        left, top = max(0, int(x) - reach), max(0, int(y) - reach)
        part = View(np.ascontiguousarray(rgb[top : int(y) + reach, left : int(x) + reach]),
                    _shift(left, top))
        part = part.resized(round(max(part.pixels.shape[:2]) * zoom), 1.0)
        pixels, back = part.pixels, part.to_picture
    to_window = (
        _shift(side / 2, side / 2)
        @ np.diag([zoom, zoom, 1.0])
        @ _turn(proposal.degrees)
        @ _shift(-x, -y)
        @ back
    )
    turned = cv2.warpAffine(
        pixels,
        to_window[:2],
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return View(np.asarray(turned, np.uint8), back @ np.linalg.inv(to_window))


def _is_the_one(found: Detection, middle: float, height: float) -> bool:
    """Whether it is the proposed face, not one beside it in the window."""
    apart = math.hypot(found.x + found.width / 2 - middle, found.y + found.height / 2 - middle)
    return apart < 0.5 * height and 0.5 * height < found.height < 2 * height


def _upright_box(view: View, found: Detection, proposal: Proposal) -> Detection:
    """The detection in the picture; its box as wide and high as a turned face's on average."""
    middle = np.array([found.x + found.width / 2, found.y + found.height / 2, 1.0])
    x, y = (view.to_picture @ middle)[:2]
    scale = view.scale
    sin2 = math.sin(math.radians(proposal.degrees)) ** 2
    width = scale * (found.width * (1 - sin2) + found.height * sin2)
    height = scale * (found.width * sin2 + found.height * (1 - sin2))
    landmarks = found.landmarks
    if landmarks is not None:
        points = landmarks @ view.to_picture[:2, :2].T + view.to_picture[:2, 2]
        landmarks = np.asarray(points[MIRRORED_ORDER] if view.mirrored else points, np.float32)
    return replace(
        found, x=float(x - width / 2), y=float(y - height / 2), width=float(width),
        height=float(height), landmarks=landmarks,
    )
