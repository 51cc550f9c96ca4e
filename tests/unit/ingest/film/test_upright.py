"""What has changed in a film is searched once more, within a limit."""

from __future__ import annotations

import numpy as np

from ingest.faces.protocols import RGB, Detection
from ingest.film.upright import LOOK_FROM, PIXELS_PER_SECOND, UprightLook
from tests.support.drawn_people import ANN, STRANGER, DrawnDetector, scene

WIDTH, HEIGHT = 320, 240


class Watched(DrawnDetector):
    """Notes what it is shown."""

    def __init__(self, score: float = 0.5) -> None:
        super().__init__("centerface_int8", score)
        self.shown: list[tuple[int, int]] = []

    def detect(self, rgb: RGB) -> list[Detection]:
        self.shown.append(rgb.shape[:2])
        return super().detect(rgb)


def find(look: UprightLook, rgb: RGB, time: float) -> list[tuple[int, int]]:
    found = look.find(rgb, rgb, time, is_known=False)
    return [(round(one.x), round(one.y)) for one in found]


def test_what_changes_is_searched_in_the_same_frame_and_nothing_else() -> None:
    detector = Watched()
    look = UprightLook(detector)
    assert find(look, scene((ANN, 20, 100)), 0.0) == [(20, 100)]
    assert detector.shown == [(HEIGHT, WIDTH)]
    assert find(look, scene((ANN, 20, 100)), 0.04) == []
    assert len(detector.shown) == 1
    assert find(look, scene((ANN, 20, 100), (STRANGER, 240, 20)), 0.08) == [(240, 20)]
    height, width = detector.shown[1]
    assert height * width < HEIGHT * WIDTH / 2


def test_what_all_detectors_searched_is_not_searched_again() -> None:
    detector = Watched()
    look = UprightLook(detector)
    first = scene((ANN, 20, 100))
    look.note_searched(first, first, 0.0)
    assert find(look, scene((ANN, 20, 100)), 0.04) == []
    assert find(look, scene((ANN, 24, 100)), 0.08) == [(24, 100)]


def test_a_large_place_is_found_in_pixels_of_the_frame() -> None:
    large = np.kron(scene((ANN, 20, 100)), np.ones((8, 8, 1), np.uint8))
    assert find(UprightLook(Watched()), large, 0.0) == [(160, 800)]


def test_the_pixels_of_each_second_are_limited() -> None:
    detector = Watched()
    look = UprightLook(detector)
    rng = np.random.default_rng(1)
    for number in range(75):
        noise = rng.integers(0, 255, (720, 1280, 3), dtype=np.uint8)
        look.find(noise, noise, number / 25, is_known=False)
    pixels = sum(height * width for height, width in detector.shown)
    assert 2 * PIXELS_PER_SECOND < pixels < 5 * PIXELS_PER_SECOND


def test_what_is_known_is_passed_over_and_remembered() -> None:
    detector = Watched()
    look, first = UprightLook(detector), scene((ANN, 20, 100))
    assert look.find(first, first, 0.0, is_known=True) == []
    assert detector.shown == []
    assert find(look, scene((ANN, 20, 100)), 0.04) == []
    assert find(look, scene((ANN, 20, 100), (STRANGER, 200, 20)), 0.08) == [(200, 20)]


def test_a_place_that_is_hardly_seen_is_not_followed() -> None:
    look = UprightLook(Watched(score=LOOK_FROM - 0.01))
    assert find(look, scene((ANN, 20, 100)), 0.0) == []
