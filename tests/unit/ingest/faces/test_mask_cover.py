"""Rectangles contain everything that a mask marks, and a face at a cut is whole in one of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ingest.faces.mask_cover import CoverCosts, Mask, cover

COSTS = CoverCosts(overlap=6, multiple=2, max_area=900, call=31)
FACE = 6


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 1))
)
def test_every_part_no_larger_than_the_overlap_is_whole_in_a_rectangle(small: Mask) -> None:
    mask = np.kron(small, np.ones((8, 8), np.uint8)).astype(np.uint8)
    pieces = cover(mask, COSTS)
    covered = np.zeros_like(mask)
    for piece in pieces:
        covered[piece.top : piece.bottom, piece.left : piece.right] = 1
    assert (covered >= mask).all()
    for top in range(0, mask.shape[0] - FACE + 1, 3):
        for left in range(0, mask.shape[1] - FACE + 1, 3):
            if mask[top : top + FACE, left : left + FACE].all():
                assert any(
                    piece.left <= left
                    and piece.top <= top
                    and piece.right >= left + FACE
                    and piece.bottom >= top + FACE
                    for piece in pieces
                )


def test_nothing_marked_needs_no_rectangle() -> None:
    assert cover(np.zeros((20, 30), np.uint8), COSTS) == []


def test_parts_far_apart_are_not_covered_by_one_rectangle() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[2:10, 2:10] = mask[90:98, 90:98] = 1
    pieces = cover(mask, COSTS)
    assert sum((piece.right - piece.left) * (piece.bottom - piece.top) for piece in pieces) == 128


def test_a_large_part_is_cut() -> None:
    pieces = cover(np.ones((60, 60), np.uint8), COSTS)
    assert all((p.right - p.left) * (p.bottom - p.top) <= COSTS.max_area for p in pieces)
