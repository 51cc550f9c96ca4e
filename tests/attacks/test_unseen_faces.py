"""Strangers turned, small, cut off or in front of others, in photos that show somebody else.

The faces are those of the demonstration photos, which are in the public domain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box, FaceKind
from ingest.decoding.decode import DecodeLimits
from ingest.faces.finder import FaceFinder, default_finder
from ingest.faces.protocols import RGB, FoundFace
from ingest.workers import rendition_tasks
from ingest.workers.worker_config import WorkerConfig
from publish.rendering.redact import Redaction
from publish.rendering.render import RenditionSpec
from publish.renditions.rendition import (
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
)
from tests.support.cached_analysis import start_worker

PHOTOS = Path(__file__).parents[2] / "consent_gate" / "operations" / "demo_photos"
STRANGERS = {
    "hopper_us_navy": (177, 117, 177, 218),
    "obama_white_house_2": (202, 229, 263, 404),
    "biden_white_house": (272, 116, 183, 242),
}
"""x, y, width, height of the faces, drawn by hand."""

HIDDEN = {
    "hopper_us_navy": (0, 160, 290),
    "obama_white_house_2": (50, 160, 290),
    "biden_white_house": (0, 50, 290),
}
"""Angles in degrees at which each is pasted with a part of the face hidden."""


@dataclass(frozen=True)
class Pasted:
    """Where a stranger's face is."""

    x: float
    y: float
    height: float


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return default_finder()


def photo(name: str) -> RGB:
    with Image.open(PHOTOS / f"{name}.jpg") as picture:
        return np.array(picture.convert("RGB"))


def scene(width: int, height: int) -> RGB:
    """A photo of this size that shows one person, large, on the left; the rest is background."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(60, 200, (height // 40, width // 40, 3), dtype=np.uint8)
    resized = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = np.asarray(resized, np.uint8)
    pupil = photo("collins_nasa")
    scale = 0.5 * height / pupil.shape[0]
    pupil = np.asarray(cv2.resize(pupil, None, fx=scale, fy=scale), np.uint8)
    picture[height // 4 : height // 4 + pupil.shape[0], 20 : 20 + pupil.shape[1]] = pupil
    return picture


COVERS = {
    "scarf": ((-0.2, 0.55, 1.2, 1.2), (52, 70, 110)),
    "hand": ((-0.05, 0.5, 1.0, 1.05), (205, 160, 135)),
    "glasses": ((0.03, 0.26, 0.97, 0.48), (20, 20, 24)),
}
"""Left, top, right and bottom of a cover, as shares of the face's box, and its colour."""


PAINTS = {
    "tiger": ((235, 130, 20), 0.55, ((0.2, 0.15), (0.8, 0.15), (0.2, 0.85), (0.8, 0.85))),
    "skull": ((235, 235, 230), 0.8, ((0.3, 0.38), (0.7, 0.38), (0.5, 0.6))),
}
"""Face paint: its colour, how much it covers, and the middles of the black spots, as shares of the
face's box."""


def paint(rgb: RGB, face: tuple[int, int, int, int], kind: str) -> RGB:
    """Paint a face, as at a school fair."""
    (x, y, across, down), (colour, opacity, spots) = face, PAINTS[kind]
    middle, axes = (x + across // 2, y + down // 2), (round(0.46 * across), round(0.5 * down))
    painted = rgb.copy()
    cv2.ellipse(painted, middle, axes, 0, 0, 360, colour, -1)
    painted = np.asarray(cv2.addWeighted(painted, opacity, rgb, 1 - opacity, 0), np.uint8)
    for right, low in spots:
        place = round(x + right * across), round(y + low * down)
        cv2.ellipse(painted, place, (across // 7, down // 14), 0, 0, 360, (15, 12, 10), -1)
    return painted


def paste(
    picture: RGB,
    name: str,
    at: tuple[float, float],
    height: float,
    degrees: float,
    *,
    cover: str | None = None,
    painted: str | None = None,
    mirrored: bool = False,
) -> Pasted:
    """Lay a head on the picture, turned anticlockwise about the middle of its face."""
    rgb, (x, y, across, down) = photo(name), STRANGERS[name]
    if cover is not None:
        (left, top, right, bottom), colour = COVERS[cover]
        rows = slice(round(y + top * down), round(y + bottom * down))
        rgb[rows, max(0, round(x + left * across)) : round(x + right * across)] = colour
    if painted is not None:
        rgb = paint(rgb, STRANGERS[name], painted)
    if mirrored:
        rgb, x = np.ascontiguousarray(rgb[:, ::-1]), rgb.shape[1] - x - across
    middle, scale = (x + across / 2, y + down / 2), height / down
    side = round(2.2 * height)
    turn = cv2.getRotationMatrix2D(middle, degrees, scale)
    turn[:, 2] = turn[:, 2] + np.array([side / 2 - middle[0], side / 2 - middle[1]])
    near = cv2.GaussianBlur(rgb, (0, 0), max(0.1, 0.4 / scale))
    piece = cv2.warpAffine(near, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    rows, columns = np.mgrid[:side, :side] - side / 2
    shows = np.clip((0.95 * height - np.hypot(rows, columns)) / (0.1 * height), 0, 1)[:, :, None]
    left, top = round(at[0] - side / 2), round(at[1] - side / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + side), min(picture.shape[0], top + side)
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    there = picture[y0:y1, x0:x1]
    there[:] = there * (1 - shows[part]) + piece[part] * shows[part]
    return Pasted(*at, height)


def unseen(found: Sequence[FoundFace], pasted: Sequence[Pasted]) -> list[int]:
    """Which of the faces no box is on."""
    return [
        index
        for index, face in enumerate(pasted)
        if not any(_is_on(one.box, face) for one in found)
    ]


def _is_on(box: Box, face: Pasted) -> bool:
    apart = math.hypot(box.x + box.width / 2 - face.x, box.y + box.height / 2 - face.y)
    size = math.sqrt(box.width * box.height)
    return apart <= 0.5 * face.height and 0.35 * face.height <= size <= 2.2 * face.height


@pytest.mark.slow
def test_strangers_turned_in_the_plane_are_seen_in_12_megapixels(finder: FaceFinder) -> None:
    picture = scene(4000, 3000)
    names = list(STRANGERS)
    pasted = [
        paste(picture, names[(i + j) % 3], (1900 + 500 * j, 350 + 560 * i), height, degrees)
        for i, degrees in enumerate((60, 90, 135, 180, 225))
        for j, height in enumerate((60, 100, 150))
    ]
    assert unseen(finder.find(picture), pasted) == []


def test_sixteen_small_strangers_turned_are_seen_in_2_megapixels(finder: FaceFinder) -> None:
    picture = scene(1600, 1200)
    spots = [(x, y) for x in (1000, 1150, 1300, 1500) for y in (300, 900)]
    pasted = [
        paste(picture, list(STRANGERS)[i % 3], (x, y + below), 40, degrees)
        for i, (x, y) in enumerate(spots)
        for degrees, below in ((60, 0), (120, 150))
    ]
    assert unseen(finder.find(picture), pasted) == []


@pytest.mark.slow
def test_strangers_mirrored_and_turned_are_seen(finder: FaceFinder) -> None:
    picture = scene(800, 600)
    pasted = [
        paste(picture, name, (400 + 150 * i, 75 + 150 * j), 40, degrees, mirrored=True)
        for i, name in enumerate(STRANGERS)
        for j, degrees in enumerate((75, 165, 255, 345))
    ]
    assert unseen(finder.find(picture), pasted) == []


def test_a_turned_stranger_cut_off_by_the_edge_is_seen(finder: FaceFinder) -> None:
    """A third of the face lies outside."""
    picture = scene(800, 600)
    pasted = [
        paste(picture, name, (450 + 200 * i, 600 - 8), 32, degrees)
        for i, (name, degrees) in enumerate(zip(list(STRANGERS)[:2], (75, 60), strict=True))
    ]
    assert unseen(finder.find(picture), pasted) == []


@pytest.mark.parametrize("every_angle", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_strangers_with_half_of_the_face_hidden_or_beyond_the_edge_are_seen(
    finder: FaceFinder, every_angle: bool
) -> None:
    """Each stranger under each cover: at one angle in the quick run, at three in the slow one."""
    picture = scene(960, 720)
    pasted = [
        paste(picture, name, (410 + 90 * (2 * k + i % 2), 60 + 110 * j), 32, degrees, cover=cover)
        for k, cover in enumerate(COVERS)
        for i, (name, angles) in enumerate(HIDDEN.items())
        for j, degrees in enumerate(angles, start=3 * (i // 2))
        if every_angle or j % 3 == k
    ]
    pasted += [
        paste(picture, name, place, 36, degrees)
        for i, (name, degrees) in enumerate(zip(STRANGERS, (0, 100, 200), strict=True))
        for place in ((450 + 170 * i, 720), (960, 120 + 200 * i))
    ]
    assert unseen(finder.find(picture), pasted) == []


@pytest.mark.slow
def test_strangers_with_painted_faces_are_seen(finder: FaceFinder) -> None:
    picture = scene(1600, 1200)
    pasted = [
        paste(picture, name, (900 + 180 * j, 150 + 160 * (3 * k + i)), height, 0, painted=kind)
        for k, kind in enumerate(PAINTS)
        for i, name in enumerate(STRANGERS)
        for j, height in enumerate((32, 48, 80, 120))
    ]
    assert unseen(finder.find(picture), pasted) == []


@pytest.mark.slow
def test_a_turned_stranger_is_seen_in_a_panorama_of_40_megapixels(finder: FaceFinder) -> None:
    """32 px high once it is published 3000 px wide."""
    picture = scene(12000, 3334)
    pasted = [
        paste(picture, name, (4000 + 3000 * i, 400 + 1200 * i), 130, 90 + 90 * i)
        for i, name in enumerate(STRANGERS)
    ]
    assert unseen(finder.find(picture), pasted) == []


def test_a_turned_stranger_is_seen_in_a_picture_larger_than_it_is_published(
    finder: FaceFinder,
) -> None:
    """32 px high once it is published 3000 px wide; what has no texture costs no search."""
    picture = np.full((1000, 6000, 3), 128, np.uint8)
    pasted = [
        paste(picture, name, (1500 + 1500 * i, 500), 64, 90 + 90 * i)
        for i, name in enumerate(STRANGERS)
    ]
    assert unseen(finder.find(picture), pasted) == []


@pytest.mark.parametrize(
    "height", [30, *(pytest.param(height, marks=pytest.mark.slow) for height in (40, 50))]
)
def test_a_child_before_a_poster_of_a_large_face_is_seen(finder: FaceFinder, height: int) -> None:
    poster = cv2.resize(photo("obama_white_house_2"), None, fx=1.6, fy=1.6)
    picture = np.asarray(poster, np.uint8)
    x, y, across, down = (1.6 * side for side in STRANGERS["obama_white_house_2"])
    pasted = [
        paste(picture, "hopper_us_navy", (x + 0.2 * across, y + 0.8 * down), height, 0),
        paste(picture, "biden_white_house", (x + 0.8 * across, y + 0.8 * down), height, 70),
    ]
    assert unseen(finder.find(picture), pasted) == []


CELL = 220
"""Side of the part of the picture that one poster has, in pixels."""


def paste_poster(picture: RGB, name: str, at: tuple[int, int], kind: str) -> None:
    """Paste a head with a face of 110 px, as a poster, a pale projection or a drawing."""
    paste(picture, name, at, 110, 0)
    half = CELL // 2
    there = picture[at[1] - half : at[1] + half, at[0] - half : at[0] + half]
    if kind == "projection":
        there[:] = 150 + 0.4 * (there.astype(np.float32) - there.mean())
    elif kind == "drawing":
        there[:] = (np.asarray(cv2.bilateralFilter(there.copy(), 9, 60, 9)) // 48) * 48 + 24


HOPPER, OBAMA, BIDEN = STRANGERS
BEFORE_POSTERS = (
    (BIDEN, "poster", OBAMA, (-14, -39), 37, 165, "glasses"),
    (HOPPER, "poster", OBAMA, (-30, 44), 32, 45, "scarf"),
    (HOPPER, "drawing", BIDEN, (31, 35), 29, 90, None),
    (BIDEN, "poster", OBAMA, (12, -39), 31, 225, "glasses"),
    (BIDEN, "poster", OBAMA, (-29, 16), 30, 120, "hand"),
    (HOPPER, "poster", BIDEN, (25, -20), 36, 195, None),
    (BIDEN, "poster", OBAMA, (-4, -26), 26, 0, "glasses"),
    (OBAMA, "poster", BIDEN, (-23, 17), 37, 45, "scarf"),
    (OBAMA, "poster", BIDEN, (-12, 26), 37, 285, "scarf"),
    (OBAMA, "projection", HOPPER, (-32, 38), 33, 345, "scarf"),
    (BIDEN, "poster", HOPPER, (30, -9), 37, 150, "glasses"),
    (OBAMA, "projection", HOPPER, (-18, 16), 34, 120, None),
    (BIDEN, "poster", OBAMA, (9, -35), 32, 345, "scarf"),
    (HOPPER, "poster", BIDEN, (20, -27), 35, 330, "glasses"),
    (HOPPER, "drawing", OBAMA, (14, 10), 37, 300, "glasses"),
    (OBAMA, "poster", HOPPER, (40, 88), 34, 10, None),
)
"""The person on a poster and its kind; the child, its place from the middle of the poster's face,
its height and angle, and what covers it. The last one is a badge below a face."""


@pytest.mark.slow
def test_children_before_posters_projections_and_drawings_are_seen(finder: FaceFinder) -> None:
    """The children are a quarter to a third as high as the face of 110 px behind them."""
    picture, pasted = np.full((4 * CELL, 4 * CELL, 3), 140, np.uint8), []
    for index, (large, kind, child, off, height, degrees, cover) in enumerate(BEFORE_POSTERS):
        at = CELL // 2 + CELL * (index % 4), CELL // 2 + CELL * (index // 4)
        paste_poster(picture, large, at, kind)
        place = at[0] + off[0], at[1] + off[1]
        pasted.append(paste(picture, child, place, height, degrees, cover=cover))
    assert unseen(finder.find(picture), pasted) == []


def test_the_rendered_picture_is_searched_at_every_angle(finder: FaceFinder) -> None:
    """The request lists only the pupil, as if the examination had missed the stranger."""
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    picture = scene(800, 600)
    (pupil,) = (face for face in finder.find(picture) if face.kind is FaceKind.FACE)
    paste(picture, "hopper_us_navy", (600, 300), 40, 75)
    request = RenditionRequest(RenditionSpec(max_side=800, quality=85), "", (pupil.box,))
    assert isinstance(
        make_rendition(picture, request, rendition_tasks._faces_at_any_angle), RenditionRefused
    )


@pytest.mark.parametrize(
    ("name", "cover", "height"),
    [("hopper_us_navy", "hand", 50), ("biden_white_house", "scarf", 36)],
)
def test_a_hidden_stranger_in_the_rendered_picture_stops_it(
    finder: FaceFinder, name: str, cover: str, height: int
) -> None:
    """The search of the rendered picture finds a possible face only."""
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    picture = scene(800, 600)
    (pupil,) = (face for face in finder.find(picture) if face.kind is FaceKind.FACE)
    hidden = paste(picture, name, (600, 300), height, 0, cover=cover)
    request = RenditionRequest(RenditionSpec(max_side=800, quality=85), "", (pupil.box,))
    refused = make_rendition(picture, request, rendition_tasks._faces_at_any_angle)
    assert isinstance(refused, RenditionRefused)
    assert any(_is_on(box, hidden) for box in refused.faces), "staff are shown where it is"


@pytest.mark.parametrize(("height", "degrees"), [(50, 0), (50, 70), (160, 0)])
def test_a_child_before_a_judged_poster_stops_the_rendered_picture(
    finder: FaceFinder, height: float, degrees: float
) -> None:
    """Only the poster's face was judged, as if the examination had missed the child before it."""
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    picture = np.asarray(cv2.resize(photo("obama_white_house_2"), None, fx=1.2, fy=1.2), np.uint8)
    x, y, across, down = (1.2 * side for side in STRANGERS["obama_white_house_2"])
    poster = Box(round(x), round(y), round(across), round(down))
    child = paste(picture, "hopper_us_navy", (x + 0.2 * across, y + 0.85 * down), height, degrees)
    request = RenditionRequest(RenditionSpec(max_side=1600, quality=85), "", (poster,))
    refused = make_rendition(picture, request, rendition_tasks._faces_at_any_angle)
    assert isinstance(refused, RenditionRefused)
    assert any(_is_on(box, child) for box in refused.faces)


def test_a_covered_head_does_not_stop_the_rendered_picture(finder: FaceFinder) -> None:
    """Hair and shoulders around a cover look like a hidden face."""
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    picture = scene(800, 600)
    face = paste(picture, "hopper_us_navy", (600, 300), 90, 0)
    judged = [found.box for found in finder.find(picture)]
    covers = [box for box in judged if _is_on(box, face)]
    spec = RenditionSpec(max_side=800, quality=85, redactions=tuple(map(Redaction, covers)))
    request = RenditionRequest(spec, "", tuple(box for box in judged if box not in covers))
    assert covers
    assert isinstance(
        make_rendition(picture, request, rendition_tasks._faces_at_any_angle), Rendition
    )


def test_a_face_found_in_the_largest_picture_stops_the_smaller_ones(finder: FaceFinder) -> None:
    """In the small picture the stranger is 15 px high, too small to be found there."""
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    picture = scene(800, 600)
    (pupil,) = (face for face in finder.find(picture) if face.kind is FaceKind.FACE)
    paste(picture, "hopper_us_navy", (600, 300), 40, 75)
    small, large = (
        RenditionRequest(RenditionSpec(max_side=side, quality=85), "", (pupil.box,))
        for side in (300, 800)
    )
    assert isinstance(rendition_tasks._renditions(picture, [small])[small], Rendition)
    made = rendition_tasks._renditions(picture, [small, large])
    assert [type(made[order]) for order in (small, large)] == [RenditionRefused] * 2


def test_a_judged_face_does_not_stop_a_picture(finder: FaceFinder) -> None:
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    picture = scene(800, 600)
    paste(picture, "hopper_us_navy", (600, 300), 60, 75)
    judged = tuple(face.box for face in finder.find(picture))
    orders = [
        RenditionRequest(RenditionSpec(max_side=side, quality=85), "", judged)
        for side in (400, 800)
    ]
    made = rendition_tasks._renditions(picture, orders)
    assert [type(made[order]) for order in orders] == [Rendition] * 2
