"""A turned picture is shown whole, what is found in it is put back, and flat parts are left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.model import FaceKind
from ingest.faces.augmentation import AugmentedView
from ingest.faces.protocols import Detection
from ingest.faces.resolve import resolve_faces
from ingest.faces.rotated_tiles import corner_mask, rotated_tiles, with_mirrored_edges


@given(
    st.tuples(st.integers(40, 400), st.integers(40, 400)),
    st.sampled_from([45.0 * step for step in range(8)]),
    st.data(),
)
def test_every_place_is_in_a_tile_and_is_put_back_where_it_was(
    size: tuple[int, int], degrees: float, data: st.DataObject
) -> None:
    height, width = size
    y, x = data.draw(st.integers(3, height - 4)), data.draw(st.integers(3, width - 4))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[y - 2 : y + 3, x - 2 : x + 3] = 255
    mask = np.ones((-(-height // 4), -(-width // 4)), np.uint8)
    tiles = list(rotated_tiles(AugmentedView(rgb, np.eye(3)), degrees, mask, 160, 40))
    brightest = max(tiles, key=lambda tile: int(tile.pixels.sum()))
    rows, columns = np.nonzero(brightest.pixels[:, :, 0] > 127)
    middle = brightest.to_picture @ np.array([columns.mean(), rows.mean(), 1.0])
    assert np.hypot(middle[0] - x, middle[1] - y) < 1.5


def test_a_flat_picture_is_not_searched_and_a_faint_face_sized_patch_is() -> None:
    rgb = np.full((600, 800, 3), 120, np.uint8)
    rgb[300:330, 400:430] = 132
    view = AugmentedView(rgb, np.eye(3))
    assert not corner_mask(np.full_like(rgb, 120), 2.0).any()
    shown = list(rotated_tiles(view, 45.0, corner_mask(rgb, 2.0), 640, 96))
    assert shown
    pixels = sum(tile.pixels.shape[0] * tile.pixels.shape[1] for tile in shown)
    assert pixels < 180 * 180


def test_a_straight_edge_is_not_searched() -> None:
    rgb = np.full((600, 800, 3), 60, np.uint8)
    rgb[:, 400:] = 200
    assert not corner_mask(rgb, 2.0).any()


def test_beyond_its_edge_a_picture_is_continued_in_a_mirror() -> None:
    rgb = np.arange(30 * 40 * 3, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8)
    view = with_mirrored_edges(AugmentedView(rgb, np.eye(3)), 8)
    assert (view.pixels[:, 8 - 5] == view.pixels[:, 8 + 5]).all()
    assert (view.to_picture @ np.array([8.0, 8.0, 1.0]))[:2] == pytest.approx([0.0, 0.0])


def test_a_half_believed_child_before_a_poster_is_not_taken_for_a_part_of_it() -> None:
    poster = [Detection(50, 50, 300, 400, 0.9, None, name) for name in ("yunet", "centerface")]
    child = [Detection(120, 180, 32, 40, 0.4, None, "centerface")]
    eyes_and_nose = [Detection(120, 180, 140, 160, 0.4, None, "centerface")]
    assert [f.kind for f in resolve_faces(poster + child, 500, 500)] == [
        FaceKind.FACE,
        FaceKind.POSSIBLE,
    ]
    assert len(resolve_faces(poster + eyes_and_nose, 500, 500)) == 1
