"""The search at other angles looks where the picture has changed, and at no more than it may."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ingest.faces.protocols import RGB, Detection
from ingest.film import turned
from ingest.film.sightings import shows_same, sightings_of
from ingest.film.turned import ANGLES, SmallFrame, TurnedSearch

WIDTH, HEIGHT = 640, 360
LANDMARKS = np.array([[2, 3], [8, 3], [5, 6], [3, 9], [7, 9]], np.float32)


class Counter:
    """A detector that finds one place in each picture, and remembers their sizes."""

    name = "counter"

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    @property
    def pixels(self) -> int:
        return sum(across * down for across, down in self.sizes)

    def detect(self, rgb: RGB) -> list[Detection]:
        height, width = rgb.shape[:2]
        self.sizes.append((width, height))
        x, y = width / 2 - 10, height / 2 - 10
        return [Detection(x, y, 20, 20, 0.9, LANDMARKS, self.name)]


def small(rgb: RGB) -> SmallFrame:
    return SmallFrame(rgb, 2.0)


def textured(seed: int = 1) -> RGB:
    blocks = np.random.default_rng(seed).integers(40, 220, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    return np.kron(blocks, np.ones((8, 8, 1), np.uint8))


def changed(rgb: RGB, x: int, y: int, side: int) -> RGB:
    other = rgb.copy()
    other[y : y + side, x : x + side] = textured(2)[y : y + side, x : x + side]
    return other


def test_what_has_not_changed_is_not_searched_again() -> None:
    detector = Counter()
    search, picture = TurnedSearch(detector), textured()
    search.note_searched(small(picture), 0.0)
    noise = np.random.default_rng(3).integers(-3, 4, picture.shape)
    noisy = np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)
    assert search.find(small(noisy), 0.04, is_known=False) == []
    assert detector.sizes == []


def test_what_has_changed_is_searched_at_each_angle_in_the_same_frame() -> None:
    detector = Counter()
    search, picture = TurnedSearch(detector), textured()
    search.note_searched(small(picture), 0.0)
    found = search.find(small(changed(picture, 300, 100, 40)), 0.04, is_known=False)
    assert len(detector.sizes) == len(ANGLES)
    assert detector.pixels < len(ANGLES) * WIDTH * HEIGHT / 4
    assert len(found) == 1  # in pixels of the judged frame
    assert shows_same((620, 220, 40, 40), (found[0].x, found[0].y, 40, 40), apart=0.5)


def test_what_is_new_is_searched_in_the_same_frame_though_the_camera_moves() -> None:
    detector = Counter()
    noise = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6).astype(np.float32)
    picture = np.clip((smooth - 127) * 8 + 127, 0, 255).astype(np.uint8)
    search = TurnedSearch(detector)
    search.note_searched(small(picture), 0.0)
    for number, (across, down) in enumerate([(3, 1), (7, -2), (12, 1)], 1):
        moved = np.roll(picture, (down, across), axis=(0, 1))
        if number == 3:
            detector.sizes.clear()
            moved = changed(moved, 300, 100, 40)
        search.find(small(moved), number / 25, is_known=False)
    assert len(detector.sizes) >= len(ANGLES)
    assert detector.pixels < len(ANGLES) * WIDTH * HEIGHT / 2


def test_what_appears_after_black_frames_is_searched() -> None:
    detector = Counter()
    search, black = TurnedSearch(detector), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    search.note_searched(small(black), 0.0)
    for number in range(1, 4):
        assert search.find(small(black), number / 25, is_known=False) == []
    search.find(small(changed(black, 300, 100, 40)), 4 / 25, is_known=False)
    assert len(detector.sizes) == len(ANGLES)


def test_everything_is_searched_again_after_a_while() -> None:
    detector = Counter()
    search, picture = TurnedSearch(detector), textured()
    search.note_searched(small(picture), 0.0)
    for number in range(len(ANGLES)):
        search.find(small(picture), turned.AGAIN_SECONDS + number / 25, is_known=False)
    assert detector.pixels >= 0.9 * len(ANGLES) * WIDTH * HEIGHT


def test_while_the_camera_moves_the_angles_take_turns_within_the_limit() -> None:
    detector = Counter()
    search, picture = TurnedSearch(detector), textured()
    search.note_searched(small(picture), 0.0)
    searched = [0.0] * len(ANGLES)
    for number in range(1, 101):
        search.find(small(np.roll(picture, 5 * number, axis=1)), number / 25, is_known=False)
        for index, angle in enumerate(search._angles):
            searched[index] = max(searched[index], number / 25 - angle.last_at)
    whole = turned.MOST_PIXELS + 4 * turned.PIXELS_PER_SECOND + 2 * WIDTH * HEIGHT
    assert detector.pixels <= whole
    assert max(searched) < turned.AGAIN_SECONDS + 0.5


def test_frames_that_are_known_leave_the_rest_as_it_was() -> None:
    """Or an examination that goes on would search other places."""
    frames = [changed(textured(), 40 * n % 500, 20 * n % 300, 50) for n in range(14)]
    whole, again = Counter(), Counter()
    first, second = TurnedSearch(whole), TurnedSearch(again)
    expected = [first.find(small(f), n / 25, is_known=False) for n, f in enumerate(frames)]
    for number, frame in enumerate(frames):
        found = second.find(small(frame), number / 25, is_known=number < 8)
        assert [(d.x, d.y) for d in found] == (
            [] if number < 8 else [(d.x, d.y) for d in expected[number]]
        )
    assert again.sizes == whole.sizes[-len(again.sizes) :]


@pytest.mark.parametrize(("score", "is_turned"), [(0.9, True), (0.3, False)])
def test_a_face_seen_upright_and_turned_is_one_with_the_landmarks_of_the_surer(
    score: float, *, is_turned: bool
) -> None:
    upright = Detection(100, 100, 40, 50, 0.5, LANDMARKS + 100, "yunet")
    lying = Detection(96, 104, 50, 40, score, LANDMARKS + 110, "yunet")
    (one,) = sightings_of(textured(), [upright], None, [lying])
    assert one.place == (100, 100, 40, 50)
    assert one.scout_score == 0.5
    assert (one.unverified is not None) is is_turned
    assert one.landmarks[0, 0] == (112 if is_turned else 102)


def test_a_child_before_a_poster_is_a_turned_face_of_its_own() -> None:
    poster = Detection(100, 50, 160, 200, 0.95, LANDMARKS + 100, "yunet")
    child = Detection(165, 130, 40, 36, 0.4, LANDMARKS + 160, "yunet")
    faces = sightings_of(textured(), [poster], None, [child])
    assert [face.unverified is not None for face in faces] == [False, True]
    assert not faces[1].seen_by_scout
