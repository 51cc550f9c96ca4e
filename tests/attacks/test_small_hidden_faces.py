"""Small strangers with a part of the face hidden, whose place no detector proposes.

The faces are those of the demonstration photos, which are in the public domain.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ingest.faces.finder import FaceFinder, default_finder
from tests.attacks.test_unseen_faces import paste, scene, unseen


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return default_finder()


@pytest.mark.parametrize(("height", "degrees"), [(21, 285), (20, 165)])
def test_a_small_stranger_with_dark_glasses_out_of_focus_is_seen(
    finder: FaceFinder, height: int, degrees: float
) -> None:
    picture = np.ascontiguousarray(scene(480, 360)[60:160, 280:440])
    pasted = paste(picture, "biden_white_house", (80, 50), height, degrees, cover="glasses")
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)
    assert unseen(finder.find(blurred), [pasted]) == []
