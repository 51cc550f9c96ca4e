"""Calibration keeps the promised error rate on scores whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from consent_gate.matching.calibration import Volume, calibrate, refit
from consent_gate.matching.gallery import DLIB, SFACE, Gallery, Template, fused_scores, gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.statistics import fit_tail
from consent_gate.matching.thresholds import Tail, Thresholds
from tests.support.galleries import make_gallery

SHIPPED = shipped_thresholds()

VOLUME = Volume(unknown_faces_a_year=1000, publishable_share=0.8, basis="as told")


def test_a_small_school_keeps_the_values_in_force_and_is_told_why() -> None:
    result = calibrate(make_gallery(49), SHIPPED, VOLUME)
    assert result.proposed is None
    assert "49" in result.explanation
    assert result.false_accepts_a_year is None
    assert result.accept == SHIPPED.accept_fused(49)


def test_an_empty_school_can_be_calibrated_without_a_fall() -> None:
    result = calibrate(gallery_of([]), SHIPPED, VOLUME)
    assert result.proposed is None
    assert result.pupils == 0


def test_a_school_large_enough_gets_a_proposal_that_keeps_the_promise() -> None:
    result = calibrate(make_gallery(300), SHIPPED, VOLUME)
    assert result.proposed is not None
    strangers = make_gallery(3000, seed=1)
    line = result.proposed.accept_fused(300)
    taken = accepted(result.proposed, make_gallery(300), strangers, line)
    # one in a thousand was promised; of 3 000 strangers more than 9 would be 3 sigma off
    assert taken <= 9


def accepted(thresholds: Thresholds, enrolled: Gallery, strangers: Gallery, line: float) -> int:
    best = fused_scores(strangers.vectors, enrolled.vectors, thresholds).max(axis=1)
    return int((best >= line).sum())


def test_without_repeat_pictures_the_missed_share_is_not_invented() -> None:
    result = calibrate(make_gallery(60), SHIPPED, VOLUME)
    assert result.missed is None
    assert "could not be measured" in result.explanation


def test_repeat_pictures_give_a_missed_share_with_its_interval() -> None:
    result = calibrate(make_gallery(60, pictures=2), SHIPPED, VOLUME)
    assert result.missed is not None
    assert len(result.genuine) == 60
    assert result.missed.low <= result.missed.value <= result.missed.high


def test_a_line_above_everybody_misses_everybody() -> None:
    above = Tail(start=0.999, share=1e-9, scale=0.01, shape=0.0)
    strict = dataclasses.replace(SHIPPED, fused_tail=above)
    result = calibrate(make_gallery(30, pictures=2), strict, VOLUME)
    assert result.missed is not None
    assert result.missed.value == 1.0


def test_the_same_templates_always_give_the_same_proposal() -> None:
    assert refit(make_gallery(80), SHIPPED) == refit(make_gallery(80), SHIPPED)


def test_templates_of_other_models_are_not_calibrated() -> None:
    foreign = dataclasses.replace(SHIPPED, versions={**SHIPPED.versions, SFACE: "another"})
    with pytest.raises(ValueError, match="different models"):
        calibrate(make_gallery(60), foreign, VOLUME)


def test_pupils_whom_the_models_confuse_show_in_the_share_taken_for_another() -> None:
    result = calibrate(gallery_of([*twins(), *templates_of(make_gallery(30))]), SHIPPED, VOLUME)
    assert result.confused.value == pytest.approx(2 / 32)


def test_a_trust_of_thousands_is_measured_on_evenly_spread_pupils(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consent_gate.matching.pair_scores.MAXIMUM_TEMPLATES", 150)
    part = calibrate(make_gallery(300), SHIPPED, VOLUME)
    assert len(part.impostor) == 150 * 149
    assert part.pupils == 300
    monkeypatch.undo()
    whole = calibrate(make_gallery(300), SHIPPED, VOLUME)
    assert part.accept == pytest.approx(whole.accept, abs=0.04)


def test_the_line_is_raised_until_nine_in_ten_resamplings_keep_the_promise() -> None:
    gallery = make_gallery(60)
    assured = refit(gallery, SHIPPED)
    scores = fused_scores(gallery.vectors, gallery.vectors, SHIPPED)[np.triu_indices(60, 1)]
    plain = fit_tail(scores.astype(np.float64), shape=SHIPPED.fused_tail.shape)
    rate = SHIPPED.false_accept_rate / 60
    assert assured.fused_tail.shape == SHIPPED.fused_tail.shape
    assert assured.fused_tail.score_at(rate) > plain.score_at(rate) + 0.005


def test_the_fewer_pupils_were_measured_the_more_the_line_is_raised() -> None:
    raised = []
    for pupils in (60, 240):
        gallery = make_gallery(pupils)
        scores = fused_scores(gallery.vectors, gallery.vectors, SHIPPED)
        plain = fit_tail(
            scores[np.triu_indices(pupils, 1)].astype(np.float64), shape=SHIPPED.fused_tail.shape
        )
        assured = refit(gallery, SHIPPED, pupils=240)
        rate = SHIPPED.false_accept_rate / 240
        raised.append(assured.fused_tail.score_at(rate) - plain.score_at(rate))
    assert raised[0] > raised[1] > 0


def test_thresholds_for_a_larger_school_than_was_measured_are_assured_for_that_one() -> None:
    assert refit(make_gallery(60), SHIPPED, pupils=5000) != refit(make_gallery(60), SHIPPED)


def test_known_twins_do_not_lift_the_line_above_everybody() -> None:
    with_twins = gallery_of([*twins(), *templates_of(make_gallery(60))])
    told = refit(with_twins, SHIPPED, siblings=[("900002", "900001"), ("900001", "elsewhere")])
    untold = refit(with_twins, SHIPPED)
    alone = refit(make_gallery(60), SHIPPED)
    assert told.accept_fused(62) == pytest.approx(alone.accept_fused(62), abs=0.05)
    assert untold.accept_fused(62) > told.accept_fused(62) + 0.1


def twins() -> list[Template]:
    one = templates_of(make_gallery(1, seed=9))[0]
    return [Template(pupil, one.vectors, one.versions) for pupil in ("900001", "900002")]


def templates_of(gallery: Gallery) -> list[Template]:
    return [
        Template(
            gallery.pupils[owner],
            {model: gallery.vectors[model][row] for model in (SFACE, DLIB)},
            gallery.versions,
        )
        for row, owner in enumerate(gallery.owners)
    ]
