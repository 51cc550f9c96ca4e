"""A place that is moved, scaled or rotated a little."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from ingest.faces.nudges import NUDGES, Nudge, first_settled, first_sure, nudged
from ingest.faces.place_crops import Proposal
from ingest.faces.rotated_tiles import rotation


@pytest.mark.parametrize("degrees", [0.0, 37.0, 90.0, 200.0])
def test_a_nudge_down_moves_towards_the_chin_at_any_angle(degrees: float) -> None:
    place = Proposal((100.0, 50.0), 20.0, degrees, 0.1)
    moved = nudged(place, Nudge(right=0.1, down=0.5))
    offset = np.array([*np.subtract(moved.centre, place.centre), 0.0])
    assert rotation(degrees) @ offset == pytest.approx([2.0, 10.0, 0.0])
    assert (moved.height, moved.degrees) == (20.0, degrees)


def test_a_nudge_changes_size_and_angle() -> None:
    moved = nudged(Proposal((100.0, 50.0), 20.0, 30.0, 0.1), Nudge(size=1.25, degrees=15))
    assert moved == Proposal((100.0, 50.0), 25.0, 45.0, 0.1)


def test_no_nudge_leaves_the_face() -> None:
    """So that the box still shows whose face it is."""
    place = Proposal((100.0, 50.0), 20.0, 30.0, 0.1)
    for nudge in NUDGES:
        other = nudged(place, nudge)
        assert math.dist(other.centre, place.centre) <= 0.25 * place.height
        assert 0.75 <= other.height / place.height <= 1.3


def test_no_more_nudges_are_tried_once_one_is_sure() -> None:
    tried: list[Proposal] = []

    def classify(place: Proposal) -> float:
        tried.append(place)
        return float(len(tried))

    place = Proposal((100.0, 50.0), 20.0, 30.0, 0.1)
    assert first_sure(place, classify, 3.0) == nudged(place, NUDGES[2])
    assert len(tried) == 3
    assert first_sure(place, lambda _: 2.9, 3.0) is None


@pytest.mark.parametrize(
    ("log_odds", "corrections"),
    [
        ((3, 3), 2),
        ((0, 3, 3), 3),
        ((3, 2.9, 3), None),
        ((-1.1, 3, 3), None),
        ((0, 0, 3, 3), None),
    ],
)
def test_a_place_counts_once_two_successive_corrections_are_sure(
    log_odds: Sequence[float], corrections: int | None
) -> None:
    """A watch looked like a face after one correction, and not after the next."""
    numbers = iter(log_odds)
    place = Proposal((100.0, 50.0), 20.0, 30.0, 0.1)
    settled = first_settled(
        place,
        lambda one: nudged(one, Nudge(size=1.1)),
        lambda _: next(numbers),
        enough=3.0,
        least=-1.0,
    )
    height = None if settled is None else settled.height
    assert height == (None if corrections is None else pytest.approx(20 * 1.1**corrections))
