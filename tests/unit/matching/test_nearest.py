"""The pupils whom a face resembles most."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.matching.gallery import MODELS, Probes, Template, gallery_of
from consent_gate.matching.nearest import LEAST_LIKENESS, nearest_pupils
from tests.support.face_vectors import NO_CENTRE, VERSIONS


def unit(*parts: float) -> NDArray[np.float32]:
    vector = np.zeros(128, np.float32)
    vector[: len(parts)] = parts
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def probe(vector: NDArray[np.float32], versions: dict[str, str] | None = None) -> Probes:
    return Probes(dict.fromkeys(MODELS, vector[np.newaxis]), versions or VERSIONS)


GALLERY = gallery_of(
    Template(pupil, dict.fromkeys(MODELS, vector), VERSIONS)
    for pupil, vector in (
        ("000001", unit(1, 0.2)),
        ("000002", unit(1, 1)),
        ("000003", unit(0.3, 1)),
        ("000004", unit(0, 1)),
        ("000005", unit(-1, 0)),
    )
)


EVERYBODY = GALLERY.pupils


def test_the_nearest_pupils_come_first_and_unlike_ones_not_at_all() -> None:
    assert nearest_pupils(GALLERY, probe(unit(1, 0)), NO_CENTRE, 3, EVERYBODY)[:2] == (
        "000001",
        "000002",
    )
    everybody = nearest_pupils(GALLERY, probe(unit(1, 0)), NO_CENTRE, 9, EVERYBODY)
    assert "000005" not in everybody


def test_a_face_of_other_models_has_no_nearest_pupil() -> None:
    other = dict.fromkeys(VERSIONS, "another")
    assert nearest_pupils(GALLERY, probe(unit(1, 0), other), NO_CENTRE, 3, EVERYBODY) == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_face_that_could_not_be_measured_has_no_nearest_pupil(value: float) -> None:
    vector = np.full(128, value, np.float32)
    assert nearest_pupils(GALLERY, probe(vector), NO_CENTRE, 3, EVERYBODY) == ()


def test_without_templates_nobody_is_near() -> None:
    assert nearest_pupils(gallery_of([]), probe(unit(1, 0)), NO_CENTRE, 3, EVERYBODY) == ()


def test_a_stranger_under_the_floor_gets_no_offer() -> None:
    """Scores are cosines here, so the floor is a cosine."""
    below, above = LEAST_LIKENESS - 0.01, LEAST_LIKENESS + 0.01
    gallery = gallery_of(
        Template(pupil, dict.fromkeys(MODELS, unit(score, np.sqrt(1 - score**2))), VERSIONS)
        for pupil, score in (("000001", below), ("000002", above))
    )
    assert nearest_pupils(gallery, probe(unit(1)), NO_CENTRE, 3, gallery.pupils) == ("000002",)


def test_pupils_who_may_not_be_compared_are_not_offered_and_do_not_count() -> None:
    allowed = ("000002", "000003", "999999")
    found = nearest_pupils(GALLERY, probe(unit(1, 0.5)), NO_CENTRE, 2, allowed)
    assert found == ("000002", "000003")
    assert nearest_pupils(GALLERY, probe(unit(1, 0)), NO_CENTRE, 3, ()) == ()
