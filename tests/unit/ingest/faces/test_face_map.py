"""The map of the upright search marks faces at every angle, and enough around them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from consent_gate.errors import ModelUnavailable
from ingest.faces import face_map
from ingest.faces.detectors.centerface_int8 import CenterFaceInt8, MappingCenterFaceInt8
from ingest.faces.face_map import CELL, REACH, MappedTile, marked_places
from ingest.faces.place_proposals import RotationSettings
from ingest.faces.protocols import RGB
from ingest.faces.rotated_tiles import FINE

PHOTOS = Path(__file__).parents[4] / "consent_gate" / "operations" / "demo_photos"
FACES = {
    "hopper_us_navy": (177, 117, 177, 218),
    "obama_white_house_2": (202, 229, 263, 404),
    "biden_white_house": (272, 116, 183, 242),
}
"""x, y, width, height of the faces, drawn by hand."""
SPACING = 120
ANGLES = range(0, 360, 15)


@pytest.fixture(scope="module")
def detector() -> MappingCenterFaceInt8:
    return MappingCenterFaceInt8(0.02)


def turned(name: str, height: float, degrees: float) -> RGB:
    """A square around a face of this height in pixels, rotated anticlockwise."""
    with Image.open(PHOTOS / f"{name}.jpg") as picture:
        rgb = np.array(picture.convert("RGB"))
    (x, y, across, down), scale = FACES[name], height / FACES[name][3]
    turn = cv2.getRotationMatrix2D((x + across / 2, y + down / 2), degrees, scale)
    turn[:, 2] = turn[:, 2] + SPACING / 2 - np.array([x + across / 2, y + down / 2])
    near = cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale)
    square = cv2.warpAffine(near, turn, (SPACING, SPACING), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(square, np.uint8)


@pytest.mark.parametrize(("name", "height"), list(product(FACES, (20, 32, 60))))
def test_a_face_is_marked_at_every_angle(
    detector: MappingCenterFaceInt8, name: str, height: int
) -> None:
    rows = [
        np.concatenate([turned(name, height, degrees) for degrees in ANGLES[start : start + 6]], 1)
        for start in range(0, len(ANGLES), 6)
    ]
    _, log_odds = detector.detect_and_map(np.concatenate(rows))
    side = SPACING // CELL
    squares = log_odds[: 4 * side, : 6 * side].reshape(4, side, 6, side)
    near = slice(side // 2 - 1, side // 2 + 2)
    highest = squares[:, near, :, near].max(axis=(1, 3)).ravel()
    least = RotationSettings().min_log_odds
    assert [a for a, value in zip(ANGLES, highest, strict=True) if value < least] == []


def test_the_map_does_not_change_what_is_detected(detector: MappingCenterFaceInt8) -> None:
    picture = np.concatenate([turned(name, 50, 10) for name in FACES], axis=1)
    plain, mapped = CenterFaceInt8(0.02).detect(picture), detector.detect_and_map(picture)[0]
    assert len(plain) >= len(FACES)
    assert [(one.x, one.y, one.score) for one in plain] == [
        (one.x, one.y, one.score) for one in mapped
    ]


@given(
    st.tuples(st.integers(40, 300), st.integers(40, 300)),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 10**6),
)
def test_all_within_reach_of_a_marked_cell_is_searched(
    size: tuple[int, int], column: int, row: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    log_odds = np.where(rng.random((9, 7)) < 0.05, -4.0, -4.1).astype(np.float32)
    tile = MappedTile(CELL * column, CELL * row, log_odds)
    marked = marked_places(size, [tile], -4.0)
    assert marked.shape == (-(-size[0] // FINE), -(-size[1] // FINE))
    y, x = (np.mgrid[: marked.shape[0], : marked.shape[1]] + 0.5) * FINE
    for down, right in np.argwhere(log_odds >= -4.0):
        middle = CELL * (column + right + 0.5), CELL * (row + down + 0.5)
        if middle[0] < size[1] and middle[1] < size[0]:
            near = np.hypot(x - middle[0], y - middle[1]) <= REACH - CELL
            assert marked[near].all()
    if not (log_odds >= -4.0).any():
        assert not marked.any()


def test_what_is_no_number_is_searched() -> None:
    log_odds = np.full((9, 7), -9.0, np.float32)
    assert not marked_places((72, 56), [MappedTile(0, 0, log_odds)], -4.0).any()
    log_odds[4, 3] = np.nan
    assert marked_places((72, 56), [MappedTile(0, 0, log_odds)], -4.0).any()


def test_other_weights_than_the_measured_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "face_map.npz"
    changed.write_bytes(face_map.WEIGHTS.read_bytes() + b"\0")
    monkeypatch.setattr(face_map, "WEIGHTS", changed)
    with pytest.raises(ModelUnavailable, match="measured"):
        MappingCenterFaceInt8()
