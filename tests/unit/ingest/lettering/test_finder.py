"""Lines of text are marked at any angle."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.lettering.finder import TextFinder
from tests.support.lettering import Card, make_picture_with


@pytest.mark.parametrize("turn", [0, 30, 90])
def test_a_line_is_marked_with_its_angle(finder: TextFinder, turn: float) -> None:
    picture = make_picture_with(Card(("Harvest festival",), 16, turn), width=640, height=480)
    best = finder.lines(picture)[0]
    assert abs((best.angle - turn + 90) % 180 - 90) < 8
    assert best.length > 3 * best.height


def test_the_corners_of_a_line_go_round_it_from_its_top_left(finder: TextFinder) -> None:
    picture = make_picture_with(Card(("Harvest festival",), 16), width=640, height=480)
    corners = finder.lines(picture)[0].corners()
    assert corners.shape == (4, 2)
    assert corners[0, 0] < corners[1, 0]
    assert corners[0, 1] < corners[3, 1]


def test_a_picture_without_text_has_no_lines(finder: TextFinder) -> None:
    assert finder.lines(np.full((480, 640, 3), 120, np.uint8)) == []


def test_a_picture_of_any_size_has_a_probability_for_each_pixel(finder: TextFinder) -> None:
    found = finder.probabilities(np.zeros((45, 77, 3), np.uint8))
    assert found.shape == (45, 77)
