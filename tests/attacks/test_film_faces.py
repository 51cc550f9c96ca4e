"""Somebody takes the place of a pupil in a film for a moment, and is judged.

The people are drawn: a face is a square with a pattern, and its colour is the person.
"""

from __future__ import annotations

import numpy as np
import pytest

from consent_gate.model import Examined, Reason
from ingest.faces.protocols import RGB
from tests.support.core_factories import ANN as ANNS_NUMBER
from tests.support.core_factories import (
    assert_held,
    assert_released,
    make_pupil,
    make_register,
    signed_input,
    website_verdict,
)
from tests.support.drawn_people import (
    ANN,
    SIDE,
    STRANGER,
    drawn_film,
    examine_drawn,
    scene,
    stored_evidence,
)

SCHOOL = make_register(make_pupil(ANNS_NUMBER))
X, Y = 100, 60
ONE, OTHER = np.random.default_rng(4).choice([-1.0, 1.0], (2, SIDE // 6, SIDE // 6))


def portrait(colour: tuple[int, int, int], likeness: float, x: int, contrast: float = 25.0) -> RGB:
    """A frame with a face that looks so much like Ann, 0-1, in everything but colour."""
    pattern = likeness * ONE + np.sqrt(1 - likeness**2) * OTHER
    picture = scene((colour, x, Y))
    face = np.array(colour) + contrast * np.kron(pattern, np.ones((6, 6)))[..., None]
    picture[Y : Y + SIDE, x : x + SIDE] = np.clip(face, 0, 255)
    return picture


def film_of(*strangers: int, likeness: float) -> Examined:
    """A second of Ann, with somebody else in her place in these frames."""
    frames = [
        portrait(STRANGER if n in strangers else ANN, likeness if n in strangers else 1.0, X + n)
        for n in range(25)
    ]
    return evidence_of(frames)


def evidence_of(frames: list[RGB]) -> Examined:
    return stored_evidence(examine_drawn(drawn_film(frames)))


def test_a_film_of_ann_alone_is_released() -> None:
    assert_released(website_verdict(film_of(likeness=1.0), SCHOOL, signed_input()))


@pytest.mark.parametrize("frames", [(12,), (4,), (12, 13), (24,)])
def test_a_lookalike_in_the_place_of_a_pupil_for_a_frame_is_judged(frames: tuple[int, ...]) -> None:
    evidence = film_of(*frames, likeness=0.82)
    assert_held(website_verdict(evidence, SCHOOL, signed_input()), Reason.AMBIGUOUS_MATCH)


@pytest.mark.parametrize("first", [3, 30])
def test_somebody_who_comes_and_goes_in_a_dissolve_is_judged(first: int) -> None:
    """No change is sudden, and Ann is clearer than the stranger in each second."""
    degrees = [*range(0, 75, 15), 60, 60, *range(60, -15, -15)]
    frames = []
    for n in range(50):
        turned = degrees[n - first] if 0 <= n - first < len(degrees) else 0
        is_ann = turned < 40
        likeness = float(np.cos(np.radians(turned)))
        frames.append(portrait(ANN if is_ann else STRANGER, likeness, X + n, 25 if is_ann else 21))
    evidence = evidence_of(frames)
    assert_held(website_verdict(evidence, SCHOOL, signed_input()), Reason.AMBIGUOUS_MATCH)
