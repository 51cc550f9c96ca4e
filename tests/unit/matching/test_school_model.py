"""A face model of the school decides only by figures that were accepted for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.matching.calibration import Calibration, Volume, calibrate
from consent_gate.matching.gallery import DLIB, SCHOOL, SFACE, Gallery, Probes, Template, gallery_of
from consent_gate.matching.lookalike_pairs import lookalikes
from consent_gate.matching.own_templates import disagreeing_pupils
from consent_gate.matching.school_model import (
    EXPONENTIAL,
    SchoolModelUse,
    match_by_school_model,
    thresholds_before_calibration,
    with_rule_4,
)
from consent_gate.matching.thresholds import Tail, Thresholds
from consent_gate.model import Ambiguous, Match, NotMatched, Unknown
from tests.support.face_vectors import THRESHOLDS, VERSIONS, someone, unit

MODEL = "model-1"
Person = dict[str, NDArray[np.float32]]
TAIL = Tail(start=0.3, share=0.002, scale=0.02, shape=EXPONENTIAL)
OWN = replace(
    thresholds_before_calibration(MODEL, THRESHOLDS),
    fused_tail=TAIL,
    sface_tail=TAIL,
    fitted_on="x",
)
BESIDE, INSTEAD = SchoolModelUse(OWN), SchoolModelUse(OWN, beside=False)
VOLUME = Volume(100, 1.0, "as entered")


def person(seed: int, length: int = 256) -> Person:
    own = np.random.default_rng(1000 + seed).normal(size=length)
    return {**someone(seed), SCHOOL: unit(own)}


def template(pupil: str, vectors: Person, version: str = MODEL) -> Template:
    return Template(pupil, vectors, VERSIONS | {SCHOOL: version})


def probes(*people: Person, version: str = MODEL) -> Probes:
    stacked = {model: np.stack([p[model] for p in people]) for model in (SFACE, SCHOOL)}
    return Probes(stacked, VERSIONS | {SCHOOL: version})


def school(count: int = 60) -> Gallery:
    return gallery_of(template(f"{n:06d}", person(n)) for n in range(count))


def judged(gallery: Gallery, face: Probes, use: SchoolModelUse = BESIDE) -> object:
    return match_by_school_model(gallery, face, THRESHOLDS, use)[0]


@pytest.mark.parametrize("use", [BESIDE, INSTEAD])
def test_a_pupil_is_matched_and_a_stranger_is_not(use: SchoolModelUse) -> None:
    gallery = school()
    found = judged(gallery, probes(person(7)), use)
    assert isinstance(found, Match)
    assert found.pupil == "000007"
    assert judged(gallery, probes(person(999)), use) == Unknown()


def test_a_model_that_nobody_accepted_decides_nothing() -> None:
    found = match_by_school_model(
        school(), probes(person(7), person(999)), THRESHOLDS, SchoolModelUse(None, "not yet")
    )
    assert [type(one) for one in found] == [NotMatched, NotMatched]
    assert {one.detail for one in found if isinstance(one, NotMatched)} == {"not yet"}


def test_beside_sface_both_must_agree() -> None:
    stranger_to_sface = person(7) | {SFACE: person(999)[SFACE]}
    assert judged(school(), probes(stranger_to_sface)) == Unknown()
    assert isinstance(judged(school(), probes(stranger_to_sface), INSTEAD), Match)


def test_sface_alone_matches_nobody() -> None:
    assert judged(school(), probes(person(7) | {SCHOOL: person(999)[SCHOOL]})) == Unknown()


@pytest.mark.parametrize("use", [BESIDE, INSTEAD])
def test_figures_of_another_model_are_never_compared(use: SchoolModelUse) -> None:
    assert isinstance(judged(school(), probes(person(7), version="model-2"), use), NotMatched)
    other = gallery_of([template("000007", person(7), "model-2")])
    assert isinstance(judged(other, probes(person(7)), use), NotMatched)
    for_other = replace(use, thresholds=replace(OWN, versions={SCHOOL: "model-2"}))
    assert isinstance(judged(school(), probes(person(7)), for_other), NotMatched)


@pytest.mark.parametrize("use", [BESIDE, INSTEAD])
def test_templates_without_figures_of_the_model_match_nobody(use: SchoolModelUse) -> None:
    only_package = {SFACE: person(7)[SFACE], DLIB: person(7)[DLIB]}
    gallery = gallery_of([Template("000007", only_package, VERSIONS)])
    assert isinstance(judged(gallery, probes(person(7)), use), NotMatched)


def test_a_vector_of_another_length_is_not_compared() -> None:
    assert isinstance(judged(school(), probes(person(7, length=128))), NotMatched)


def test_templates_of_two_lengths_are_no_gallery() -> None:
    from consent_gate.errors import ModelUnavailable

    with pytest.raises(ModelUnavailable):
        gallery_of([template("1", person(1)), template("2", person(2, length=128))])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("model", [SFACE, SCHOOL])
def test_a_face_that_is_not_measured_is_held(model: str, value: float) -> None:
    broken = person(7) | {model: np.full(len(person(7)[model]), value, np.float32)}
    assert not isinstance(judged(school(), probes(broken)), Match)


def test_a_face_that_fits_two_pupils_is_ambiguous() -> None:
    twins = {SCHOOL: unit(person(1)[SCHOOL] + person(2)[SCHOOL])}
    assert isinstance(judged(school(), probes(person(1) | twins), INSTEAD), Ambiguous)


def test_before_a_calibration_no_face_reaches_the_line() -> None:
    use = SchoolModelUse(thresholds_before_calibration(MODEL, THRESHOLDS), beside=False)
    assert judged(school(), probes(person(7)), use) == Unknown()


# --- calibration


def calibrated(gallery: Gallery) -> Calibration:
    before = thresholds_before_calibration(MODEL, THRESHOLDS)
    return with_rule_4(calibrate(gallery, before, VOLUME))


def test_a_calibration_is_made_of_figures_of_this_model_alone() -> None:
    proposed = calibrated(school()).proposed
    assert proposed is not None
    assert dict(proposed.versions) == {SCHOOL: MODEL}
    assert proposed.fused_tail.shape == EXPONENTIAL
    assert Thresholds.from_json(proposed.to_json()) == proposed
    found = judged(school(), probes(person(7)), SchoolModelUse(proposed))
    assert isinstance(found, Match)


def test_its_line_is_above_every_pair_of_pupils() -> None:
    result = calibrated(school())
    assert result.accept > result.impostor.max()
    assert len(result.impostor) == 60 * 59


def test_few_pupils_are_too_few() -> None:
    result = calibrated(school(40))
    assert result.proposed is None
    assert result.accept > 1


def with_own(own: NDArray[np.float32], pictures: int = 1) -> Gallery:
    """Sixty pupils, with these vectors by the school's own model."""
    return gallery_of(
        template(f"{n:06d}", person(n) | {SCHOOL: own[n * pictures + k]})
        for n in range(60)
        for k in range(pictures)
    )


def test_a_constant_model_is_not_proposed() -> None:
    result = calibrated(with_own(np.tile(unit(np.ones(64)), (60, 1))))
    assert result.proposed is None
    assert "tell the pupils of this school apart" in result.explanation


def test_a_nearly_constant_model_is_not_proposed() -> None:
    noise = 1e-3 * np.random.default_rng(0).normal(size=(60, 64))
    result = calibrated(with_own(np.stack([unit(np.ones(64) + row) for row in noise])))
    assert result.proposed is None


def test_a_model_that_answers_at_random_is_not_proposed_where_pupils_have_two_pictures() -> None:
    rows = np.random.default_rng(0).normal(size=(120, 64))
    result = calibrated(with_own(np.stack([unit(row) for row in rows]), pictures=2))
    assert result.proposed is None
    assert "second pictures" in result.explanation


def test_pupils_whom_the_model_confuses_are_lookalikes() -> None:
    people = [person(n) for n in range(60)]
    people[2] |= {SCHOOL: unit(people[1][SCHOOL] + 0.1 * people[2][SCHOOL])}
    gallery = gallery_of(template(f"{n:06d}", one) for n, one in enumerate(people))
    assert lookalikes(gallery, OWN) == [("000001", "000002")]
    assert lookalikes(gallery, THRESHOLDS) == []


def test_a_pupils_templates_that_disagree_are_named() -> None:
    people = [template(f"{n:06d}", person(n)) for n in range(60)]
    people.append(template("000007", person(7) | {SCHOOL: person(500)[SCHOOL]}))
    assert disagreeing_pupils(gallery_of(people), OWN) == ("000007",)
