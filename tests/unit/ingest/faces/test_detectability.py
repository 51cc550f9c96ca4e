"""How small a face of one portrait may be and still be found."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from consent_gate.model import Box, FaceKind
from consent_gate.operations import demo
from ingest.faces.detectability import HEIGHTS, detectability
from ingest.faces.detectability import make_test_sheet as make_sheet
from ingest.faces.finder import FaceFinder, default_finder
from ingest.faces.finder_settings import PORTRAIT
from ingest.faces.protocols import RGB, FoundFace

pytestmark = pytest.mark.costly


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return default_finder()


def portrait() -> RGB:
    data = demo.portraits()["000101.jpg"]
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


class Blind:
    """A finder that sees nobody."""

    def find(self, rgb: RGB) -> list[FoundFace]:
        return []


class Elsewhere(Blind):
    """A finder that sees one face, where there is none."""

    def find(self, rgb: RGB) -> list[FoundFace]:
        return [FoundFace(Box(5, 5, 40, 40), 0.9, FaceKind.FACE, np.zeros((5, 2), np.float32))]


@pytest.mark.parametrize("blind", [Blind(), Elsewhere()])
def test_a_finder_that_sees_nobody_there_misses_every_size(
    finder: FaceFinder, blind: Blind
) -> None:
    kinds = detectability(portrait(), blind, finder.with_settings(PORTRAIT))
    assert kinds == dict.fromkeys(HEIGHTS)


def test_nothing_is_said_of_a_picture_without_a_face(finder: FaceFinder) -> None:
    assert detectability(np.full((400, 400, 3), 128, np.uint8), finder, finder) is None


@pytest.mark.parametrize("times", [1, 8])
def test_each_copy_lies_where_it_is_looked_for_and_is_as_high_as_said(times: int) -> None:
    picture = np.zeros((400 * times, 300 * times, 3), np.uint8)
    picture[100 * times : 200 * times, 80 * times : 160 * times] = 255
    sheet, places = make_sheet(picture, Box(80 * times, 100 * times, 80 * times, 100 * times))
    assert list(places) == list(HEIGHTS)
    for height, box in places.items():
        assert box.height == height
        inside = sheet[box.y : box.y + box.height, box.x : box.x + box.width]
        assert inside.mean() > 200
        assert sheet[box.y + box.height // 2, box.x - height // 4 - 1].max() < 60
    corner = sheet[0, 0].astype(int)
    assert np.abs(corner - sheet[-1, -1]).max() <= 1, "the rest is plain"


def test_nothing_is_enlarged() -> None:
    _, places = make_sheet(np.zeros((80, 80, 3), np.uint8), Box(20, 20, 25, 30))
    assert list(places) == [12, 16, 24]
