"""Turned, mirrored, tiled and scaled views map detections back to the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.faces.augmentation import AugmentedView
from ingest.faces.protocols import RGB, Detection


def seen(
    detector: str, score: float, at: tuple[float, float, float, float] = (50, 50, 40, 50)
) -> Detection:
    return Detection(*at, score=score, landmarks=None, detector=detector)


class Spot:
    """Finds the one white pixel: a detector to test ways of looking with."""

    name = "spot"

    def detect(self, rgb: RGB) -> list[Detection]:
        ys, xs = np.nonzero(rgb[:, :, 0] > 200)
        corners = np.array([[xs[0], ys[0]]] * 5, dtype=np.float32)
        return [Detection(float(xs[0]), float(ys[0]), 1, 1, 1.0, corners, self.name)]


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.data(),
    st.lists(st.sampled_from(["mirror", "turn 1", "turn 2", "turn 3"]), max_size=4),
)
def test_however_a_picture_is_turned_what_is_found_is_put_back_in_its_place(
    size: tuple[int, int], data: st.DataObject, ways: list[str]
) -> None:
    height, width = size
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[y, x] = 255
    view = AugmentedView(rgb, np.eye(3))
    for way in ways:
        view = view.mirror() if way == "mirror" else view.turn(int(way[-1]))
    (found,) = view.detect(Spot())
    assert (found.x, found.y, found.width, found.height) == (x, y, 1, 1)


def test_in_a_mirror_the_eyes_change_places() -> None:
    class Eyes:
        name = "eyes"

        def detect(self, rgb: RGB) -> list[Detection]:
            points = np.array([[2, 1], [8, 1], [5, 3], [3, 5], [7, 5]], np.float32)
            return [Detection(0, 0, 10, 6, 1.0, points, self.name)]

    (found,) = AugmentedView(np.zeros((6, 10, 3), np.uint8), np.eye(3)).mirror().detect(Eyes())
    assert found.landmarks is not None
    assert found.landmarks.tolist() == [[2, 1], [8, 1], [5, 3], [3, 5], [7, 5]]


@given(st.integers(1, 700), st.integers(1, 700))
def test_tiles_cover_every_pixel_and_keep_any_small_face_whole(width: int, height: int) -> None:
    side, overlap = 200, 40
    rgb = np.zeros((height, width, 3), np.uint8)
    spans = set()
    for tile in AugmentedView(rgb, np.eye(3)).tiles(side, overlap):
        left, top = int(tile.to_picture[0, 2]), int(tile.to_picture[1, 2])
        spans.add((left, left + tile.pixels.shape[1], top, top + tile.pixels.shape[0]))
    for length, low, high in ((width, 0, 1), (height, 2, 3)):
        for start in range(max(1, length - overlap + 1)):
            end = min(start + overlap, length)
            assert any(span[low] <= start and end <= span[high] for span in spans)


@pytest.mark.parametrize(("width", "long_side"), [(416, 1248), (2000, 1280), (1, 3)])
def test_a_picture_is_never_enlarged_more_than_so_many_times(width: int, long_side: int) -> None:
    square = AugmentedView(np.zeros((width, width, 3), np.uint8), np.eye(3))
    view = square.resized(1280, enlarge_at_most=3.0)
    assert max(view.pixels.shape[:2]) == long_side


@given(st.tuples(st.integers(41, 300), st.integers(41, 300)), st.integers(20, 40), st.data())
def test_in_a_shrunk_picture_everything_keeps_its_place(
    size: tuple[int, int], long_side: int, data: st.DataObject
) -> None:
    """Also where halving leaves out an odd last row."""
    height, width = size
    x, y = data.draw(st.integers(0, width - 16)), data.draw(st.integers(0, height - 16))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[y : y + 16, x : x + 16] = 255
    view = AugmentedView(rgb, np.eye(3)).resized(long_side, enlarge_at_most=3.0)
    weights = view.pixels[:, :, 0].astype(float)
    assume(weights.sum() > 0)
    rows, columns = np.indices(weights.shape) + 0.5
    middle = np.array([(columns * weights).sum(), (rows * weights).sum(), weights.sum()])
    found = view.to_picture @ (middle / weights.sum())
    assert np.abs(found[:2] - (x + 8, y + 8)).max() < 1.5 * view.scale


def test_a_window_at_the_edge_is_moved_into_the_picture() -> None:
    picture = AugmentedView(np.zeros((300, 500, 3), np.uint8), np.eye(3))
    window = picture.window((495, 2), 100)
    assert window.pixels.shape == (100, 100, 3)
    assert window.to_picture[:2, 2].tolist() == [400, 0]
    assert picture.window((250, 150), 400).pixels.shape == (300, 400, 3)


@pytest.mark.parametrize(
    ("at", "shown"),
    [((400, 0, 40, 50), True), ((390, 0, 40, 50), False), ((470, 60, 40, 50), False)],
)
def test_a_face_cut_by_a_window_is_not_taken_as_looked_at(
    at: tuple[float, float, float, float], shown: bool
) -> None:
    picture = AugmentedView(np.zeros((300, 500, 3), np.uint8), np.eye(3))
    assert picture.window((495, 2), 100).shows(seen("yunet", 0.9, at)) is shown
