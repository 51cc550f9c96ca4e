"""The numbers of the faces on a picture's page."""

from __future__ import annotations

from consent_gate.model import Box
from tests.support.factories import STRANGER, make_evidence


def test_nobody_is_numbered_before_somebody_who_stands_further_left() -> None:
    from consent_gate.web.pages.picture_faces import reading_order

    back_row = [Box(500, 100, 80, 90), Box(100, 130, 80, 90)]
    front_row = [Box(300, 400, 90, 100), Box(120, 380, 90, 100)]
    assert reading_order([*back_row, *front_row]) == {1: 1, 0: 2, 3: 3, 2: 4}
    assert len(reading_order([f.box for f in make_evidence(*[STRANGER] * 9).faces])) == 9
