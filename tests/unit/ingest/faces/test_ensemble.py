"""How the detectors' scores make a face certain, possible or none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consent_gate.model import FaceKind
from ingest.faces.ensemble import FITTED_ENSEMBLE

SCORE = st.floats(0.0, 1.0)

NETWORKS = ("yunet", "centerface")


@given(SCORE, SCORE, st.sampled_from(NETWORKS), SCORE)
def test_a_surer_detector_never_makes_a_box_less_of_a_face(
    yunet: float, centerface: float, which: str, other: float
) -> None:
    scores = {"yunet": yunet, "centerface": centerface}
    more = scores | {which: max(other, scores[which])}
    assert FITTED_ENSEMBLE.probability(more) >= FITTED_ENSEMBLE.probability(scores)


def test_less_belief_is_asked_of_a_small_face_than_of_a_speck() -> None:
    scores = {"centerface": 0.25}
    assert FITTED_ENSEMBLE.kind(scores, height=30) is FaceKind.POSSIBLE
    assert FITTED_ENSEMBLE.kind(scores, height=9) is None
