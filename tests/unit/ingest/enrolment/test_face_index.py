"""Photos of one pupil under another's name, and what "looks like" means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from consent_gate.home.home import Home
from consent_gate.matching.gallery import DLIB, SFACE, Template, gallery_of
from consent_gate.model import Quality
from ingest.enrolment import face_index
from ingest.enrolment.face_index import EnrolledFaceIndex
from ingest.faces.enrolment_face import EnrolmentFace
from tests.support.face_vectors import NEARLY, NO_CENTRE, THRESHOLDS, VERSIONS, template

PUPILS = 50


def index_of(monkeypatch: pytest.MonkeyPatch, templates: Sequence[Template]) -> EnrolledFaceIndex:
    gallery = gallery_of(templates)
    monkeypatch.setattr(face_index, "load_gallery", lambda *_, **__: gallery)
    monkeypatch.setattr(face_index, "thresholds_in_force", lambda: NO_CENTRE)
    return EnrolledFaceIndex(cast(Home, None))


def face_like_the_first(score: float) -> EnrolmentFace:
    """A face with this score with the first pupil, and 0 with the others."""
    vector = np.zeros(128, np.float32)
    vector[0], vector[-1] = score, np.sqrt(1 - score**2)
    return EnrolmentFace(
        {SFACE: vector, DLIB: vector}, VERSIONS, Quality(112, 9.0, 0.0, 99.0, 50.0, 1.0), b""
    )


def along(axis: int) -> Template:
    axes = np.eye(128, dtype=np.float32)
    return template(f"{axis:06d}", {SFACE: axes[axis], DLIB: axes[axis]})


@pytest.mark.parametrize("pictures", [1, 3])
def test_more_portraits_of_a_pupil_let_no_photo_of_the_pupil_pass_as_another(
    monkeypatch: pytest.MonkeyPatch, pictures: int
) -> None:
    templates = [*[along(0)] * (pictures - 1), *(along(n) for n in range(PUPILS))]
    index, line = index_of(monkeypatch, templates), NO_CENTRE.accept_fused(PUPILS)
    assert index.match(face_like_the_first(line + NEARLY)) == {"000000"}
    assert index.match(face_like_the_first(line - NEARLY)) == set()


def test_two_photos_look_alike_at_the_score_of_one_pair_of_strangers_in_five_hundred(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = index_of(monkeypatch, [along(0)])
    line = THRESHOLDS.fused_tail.start
    assert THRESHOLDS.fused_tail.rate_at(line) == pytest.approx(1 / 500, rel=0.01)
    assert index.is_like(line)
    assert not index.is_like(line - NEARLY)
