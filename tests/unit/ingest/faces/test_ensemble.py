"""When boxes are one face, when a face is certain, and the ways of looking at a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consent_gate.model import FaceKind
from ingest.faces.augmentation import AugmentedView
from ingest.faces.clustering import merge_detections
from ingest.faces.ensemble import FITTED_ENSEMBLE
from ingest.faces.protocols import RGB, Detection
from ingest.faces.resolve import resolve_faces

SCORE = st.floats(0.0, 1.0)
NETWORKS = ("yunet", "centerface")


def seen(
    detector: str, score: float, at: tuple[float, float, float, float] = (50, 50, 40, 50)
) -> Detection:
    return Detection(*at, score=score, landmarks=None, detector=detector)


def test_what_all_detectors_are_sure_of_is_a_face() -> None:
    (face,) = resolve_faces([seen("yunet", 0.9), seen("centerface", 0.8)], 200, 200)
    assert face.kind is FaceKind.FACE


def test_what_one_detector_half_believes_is_a_possible_face() -> None:
    (face,) = resolve_faces([seen("centerface", 0.6)], 200, 200)
    assert face.kind is FaceKind.POSSIBLE


def test_one_detector_alone_never_makes_a_face() -> None:
    for name in NETWORKS:
        assert FaceKind.FACE not in {f.kind for f in resolve_faces([seen(name, 0.999)], 200, 200)}


def test_what_one_detector_hardly_believes_is_nothing() -> None:
    assert resolve_faces([seen("yunet", 0.2)], 200, 200) == []


@given(SCORE, SCORE, st.sampled_from(NETWORKS), SCORE)
def test_a_surer_detector_never_makes_a_box_less_of_a_face(
    yunet: float, centerface: float, which: str, other: float
) -> None:
    scores = {"yunet": yunet, "centerface": centerface}
    more = scores | {which: max(other, scores[which])}
    assert FITTED_ENSEMBLE.probability(more) >= FITTED_ENSEMBLE.probability(scores)


def test_less_belief_is_asked_of_a_small_face_than_of_a_speck() -> None:
    scores = {"centerface": 0.25}
    assert FITTED_ENSEMBLE.kind(scores, height=30) is FaceKind.POSSIBLE
    assert FITTED_ENSEMBLE.kind(scores, height=9) is None


def test_boxes_on_one_face_become_one_between_them() -> None:
    boxes = [seen("yunet", 0.8, (50, 50, 40, 50)), seen("centerface", 0.8, (54, 50, 40, 50))]
    (face,) = resolve_faces(boxes, 200, 200)
    assert face.box.as_list() == [52, 50, 40, 50]


def test_two_people_side_by_side_stay_two() -> None:
    boxes = [seen("yunet", 0.8, (50, 50, 40, 50)), seen("yunet", 0.8, (80, 50, 40, 50))]
    assert len(merge_detections(boxes)) == 2


def test_eyes_and_nose_of_a_large_face_are_not_another_face() -> None:
    whole = [seen(n, 0.9, (50, 50, 200, 250)) for n in NETWORKS]
    part = [seen("yunet", 0.4, (80, 90, 110, 120)), seen("centerface", 0.3, (80, 90, 110, 120))]
    assert len(resolve_faces(whole + part, 400, 400)) == 1
    assert len(resolve_faces(part, 400, 400)) == 1


def test_a_child_in_front_of_a_large_face_is_not_swallowed_by_it() -> None:
    adult = [seen(n, 0.9, (50, 50, 200, 250)) for n in NETWORKS]
    child = [seen(n, 0.8, (120, 180, 70, 90)) for n in NETWORKS]
    assert [f.kind for f in resolve_faces(adult + child, 400, 400)] == [FaceKind.FACE] * 2


def test_a_box_outside_or_without_size_is_no_face() -> None:
    assert (
        resolve_faces(
            [seen("yunet", 0.9, (300, 50, 40, 50)), seen("yunet", 0.9, (5, 5, 0, 0))], 200, 200
        )
        == []
    )


def test_landmarks_are_estimated_where_no_detector_gives_any() -> None:
    (face,) = resolve_faces([seen("yunet", 0.9), seen("centerface", 0.9)], 200, 200)
    assert face.landmarks.shape == (5, 2)
    right_eye, left_eye = face.landmarks[:2]
    assert 50 < right_eye[0] < left_eye[0] < 90


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
