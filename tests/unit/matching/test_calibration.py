"""Calibration: the promise is kept on scores whose truth is known, and doubts are stated."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.matching.calibration import (
    Calibration,
    DetectionBySize,
    DetectionCounts,
    Volume,
    calibrate,
    refit,
)
from consent_gate.matching.gallery import (
    DLIB,
    SFACE,
    Gallery,
    Template,
    fused_scores,
    gallery_of,
)
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.statistics import det_curve, exact_share, fit_tail
from consent_gate.matching.thresholds import Tail, Thresholds
from consent_gate.operations.calibration_page import report

SHIPPED = shipped_thresholds()
VOLUME = Volume(unknown_faces_a_year=1000, publishable_share=0.8, basis="as told")
FOUND = DetectionBySize(
    portraits=40,
    unusable=2,
    sizes={
        12: DetectionCounts(10, 20, 10),
        24: DetectionCounts(39, 1, 0),
        96: DetectionCounts(0, 0, 0),
    },
)

NOT_MEASURED = "Enrolment photos are not kept. To measure this"


def school(pupils: int, pictures: int = 1, seed: int = 0) -> Gallery:
    random = np.random.default_rng(seed)
    templates = []
    for number in range(pupils):
        middle = random.normal(size=(2, 128))
        for _ in range(pictures):
            sface, dlib = middle + 0.5 * random.normal(size=(2, 128))
            shared = 20 * np.eye(128)[0] + dlib
            vectors = {
                SFACE: (sface / np.linalg.norm(sface)).astype(np.float32),
                DLIB: (shared / np.linalg.norm(shared)).astype(np.float32),
            }
            templates.append(Template(f"{number:06d}", vectors, SHIPPED.versions))
    return gallery_of(templates)


def test_a_small_school_keeps_the_values_in_force_and_is_told_why() -> None:
    result = calibrate(school(49), SHIPPED, VOLUME)
    assert result.proposed is None
    assert "49" in result.explanation
    assert result.false_accepts_a_year is None
    assert result.accept == SHIPPED.accept_fused(49)


def test_an_empty_school_can_be_calibrated_without_a_fall() -> None:
    result = calibrate(gallery_of([]), SHIPPED, VOLUME)
    assert result.proposed is None
    assert result.pupils == 0


def test_a_school_large_enough_gets_a_proposal_that_keeps_the_promise() -> None:
    result = calibrate(school(300), SHIPPED, VOLUME)
    assert result.proposed is not None
    strangers = school(3000, seed=1)
    line = result.proposed.accept_fused(300)
    taken = accepted(result.proposed, school(300), strangers, line)
    # one in a thousand was promised; of 3 000 strangers more than 9 would be 3 sigma off
    assert taken <= 9


def accepted(thresholds: Thresholds, enrolled: Gallery, strangers: Gallery, line: float) -> int:
    best = fused_scores(strangers.vectors, enrolled.vectors, thresholds).max(axis=1)
    return int((best >= line).sum())


def test_without_repeat_pictures_the_missed_share_is_not_invented() -> None:
    result = calibrate(school(60), SHIPPED, VOLUME)
    assert result.missed is None
    assert "could not be measured" in result.explanation


def test_repeat_pictures_give_a_missed_share_with_its_interval() -> None:
    result = calibrate(school(60, pictures=2), SHIPPED, VOLUME)
    assert result.missed is not None
    assert len(result.genuine) == 60
    assert result.missed.low <= result.missed.value <= result.missed.high


def test_a_line_above_everybody_misses_everybody() -> None:
    above = Tail(start=0.999, share=1e-9, scale=0.01, shape=0.0)
    strict = dataclasses.replace(SHIPPED, fused_tail=above)
    result = calibrate(school(30, pictures=2), strict, VOLUME)
    assert result.missed is not None
    assert result.missed.value == 1.0


def test_the_same_templates_always_give_the_same_proposal() -> None:
    assert refit(school(80), SHIPPED) == refit(school(80), SHIPPED)


def test_templates_of_other_models_are_not_calibrated() -> None:
    foreign = dataclasses.replace(SHIPPED, versions={**SHIPPED.versions, SFACE: "another"})
    with pytest.raises(ValueError, match="different models"):
        calibrate(school(60), foreign, VOLUME)


def test_pupils_whom_the_models_confuse_show_in_the_share_taken_for_another() -> None:
    result = calibrate(gallery_of([*twins(), *templates_of(school(30))]), SHIPPED, VOLUME)
    assert result.confused.value == pytest.approx(2 / 32)


def test_a_trust_of_thousands_is_measured_on_evenly_spread_pupils(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consent_gate.matching.pair_scores.MAXIMUM_TEMPLATES", 150)
    part = calibrate(school(300), SHIPPED, VOLUME)
    assert len(part.impostor) == 150 * 149
    assert part.pupils == 300
    monkeypatch.undo()
    whole = calibrate(school(300), SHIPPED, VOLUME)
    assert part.accept == pytest.approx(whole.accept, abs=0.04)


def test_the_line_is_raised_until_nine_in_ten_resamplings_keep_the_promise() -> None:
    gallery = school(60)
    assured = refit(gallery, SHIPPED)
    scores = fused_scores(gallery.vectors, gallery.vectors, SHIPPED)[np.triu_indices(60, 1)]
    plain = fit_tail(scores.astype(np.float64), shape=SHIPPED.fused_tail.shape)
    rate = SHIPPED.false_accept_rate / 60
    assert assured.fused_tail.shape == SHIPPED.fused_tail.shape
    assert assured.fused_tail.score_at(rate) > plain.score_at(rate) + 0.005


def test_the_fewer_pupils_were_measured_the_more_the_line_is_raised() -> None:
    raised = []
    for pupils in (60, 240):
        gallery = school(pupils)
        scores = fused_scores(gallery.vectors, gallery.vectors, SHIPPED)
        plain = fit_tail(
            scores[np.triu_indices(pupils, 1)].astype(np.float64), shape=SHIPPED.fused_tail.shape
        )
        assured = refit(gallery, SHIPPED, pupils=240)
        rate = SHIPPED.false_accept_rate / 240
        raised.append(assured.fused_tail.score_at(rate) - plain.score_at(rate))
    assert raised[0] > raised[1] > 0


def test_thresholds_for_a_larger_school_than_was_measured_are_assured_for_that_one() -> None:
    assert refit(school(60), SHIPPED, pupils=5000) != refit(school(60), SHIPPED)


def test_known_twins_do_not_lift_the_line_above_everybody() -> None:
    with_twins = gallery_of([*twins(), *templates_of(school(60))])
    told = refit(with_twins, SHIPPED, siblings=[("900002", "900001"), ("900001", "elsewhere")])
    untold = refit(with_twins, SHIPPED)
    alone = refit(school(60), SHIPPED)
    assert told.accept_fused(62) == pytest.approx(alone.accept_fused(62), abs=0.05)
    assert untold.accept_fused(62) > told.accept_fused(62) + 0.1


def twins() -> list[Template]:
    one = templates_of(school(1, seed=9))[0]
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


def test_a_known_tail_is_found_again() -> None:
    random = np.random.default_rng(0)
    scores = random.exponential(0.03, size=200_000)
    tail = fit_tail(scores)
    truth = 0.03 * np.log(1e6)
    assert tail.score_at(1e-6) == pytest.approx(truth, rel=0.15)


def test_a_tail_of_too_few_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="Too few"):
        fit_tail(np.linspace(0, 1, 100))


tails = st.builds(
    Tail,
    start=st.floats(-0.5, 0.9),
    share=st.floats(1e-4, 0.1),
    scale=st.floats(1e-3, 0.2),
    shape=st.floats(-0.4, 0.4),
)


@given(tails, st.floats(1e-9, 1.0), st.floats(1.0, 100.0))
def test_a_rarer_mistake_needs_a_higher_score(tail: Tail, rate: float, times: float) -> None:
    assert tail.score_at(rate / times) >= tail.score_at(rate)


@given(tails, st.floats(1e-3, 1.0))
def test_a_tail_reads_the_same_both_ways(tail: Tail, part: float) -> None:
    rate = tail.share * part
    assert tail.rate_at(tail.score_at(rate)) == pytest.approx(rate, rel=1e-6)


@given(st.integers(1, 30_000), st.integers(1, 30_000))
def test_a_larger_school_is_never_judged_more_loosely(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert SHIPPED.accept_fused(large) >= SHIPPED.accept_fused(small)
    assert SHIPPED.accept_sface(large) >= SHIPPED.accept_sface(small)


@pytest.mark.parametrize("templates", [50, 700, 25_000])
def test_both_lines_together_spend_the_promise_and_no_more(templates: int) -> None:
    fused = SHIPPED.fused_tail.rate_at(SHIPPED.accept_fused(templates))
    alone = SHIPPED.sface_tail.rate_at(SHIPPED.accept_sface(templates))
    assert templates * (fused + alone) == pytest.approx(SHIPPED.false_accept_rate)


def test_thresholds_survive_being_written_down() -> None:
    assert Thresholds.from_json(SHIPPED.to_json()) == SHIPPED


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", SHIPPED.to_json().replace("0.001", "NaN", 1)]
)
def test_a_damaged_file_of_thresholds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Thresholds.from_json(text)


def test_an_interval_is_the_exact_one() -> None:
    interval = exact_share(5, 100)  # Clopper and Pearson 1934, as tables give it
    assert (interval.low, interval.high) == pytest.approx((0.0164, 0.1128), abs=1e-4)


def test_no_error_in_a_thousand_trials_is_not_called_never() -> None:
    interval = exact_share(0, 1000)
    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(0.00368, abs=1e-5)


def test_the_trade_off_runs_from_accepting_all_to_missing_nearly_all() -> None:
    accepted_share, missed = det_curve(np.array([0.0, 0.1, 0.2]), np.array([0.6, 0.8]))
    assert accepted_share[0] == 1.0
    assert missed[0] == 0.0
    assert missed[-1] == 0.5
    assert accepted_share[-1] == 0.0
    accepted_share, _ = det_curve(np.array([0.0, 1.0]), np.array([0.5]), points=3)
    assert accepted_share.tolist() == [1.0, 0.5, 0.5], "who reaches the line is accepted"


def of_two_schools() -> list[Calibration]:
    return [calibrate(school(n, pictures=2), SHIPPED, VOLUME) for n in (20, 60)]


def test_the_report_stands_alone_and_names_no_pupil() -> None:
    for result in of_two_schools():
        page = report(result, date(2026, 11, 22), FOUND)
        assert "22 November 2026" in page
        assert page.count("data:image/svg+xml;base64,") == 3
        assert "http" not in page
        assert "000012" not in page


def test_words_of_the_figures_cannot_put_anything_into_the_page() -> None:
    result = dataclasses.replace(of_two_schools()[0], explanation="<script>1</script>")
    page = report(result, date(2026, 11, 22), None)
    assert "&lt;script&gt;1" in page
    assert "<script>" not in page


def test_the_report_says_how_many_small_faces_were_missed_and_how_they_were_looked_for() -> None:
    page = report(of_two_schools()[1], date(2026, 11, 22), FOUND)
    assert "Each face was made smaller, put into a plain picture" in page
    assert "<th>12 px</th><td>10</td><td>20</td><td>10</td><td>75.00%" in page
    assert "<th>24 px</th><td>39</td><td>1</td><td>0</td><td>100.00%" in page
    assert "96 px" not in page, "no portrait was that large: nothing is said of it"
    assert "2 were left out" in page
    assert NOT_MEASURED not in page


@pytest.mark.parametrize("found", [None, DetectionBySize(0, 3, {12: DetectionCounts(0, 0, 0)})])
def test_a_report_without_portraits_says_that_finding_was_not_measured(
    found: DetectionBySize | None,
) -> None:
    page = report(of_two_schools()[1], date(2026, 11, 22), found)
    assert NOT_MEASURED in page
    assert page.count("data:image/svg+xml;base64,") == 2


def test_wrong_releases_a_year_grow_with_the_faces_that_come_and_the_report_says_how_many() -> None:
    busy = dataclasses.replace(VOLUME, unknown_faces_a_year=3000, basis="counted in 900 photos")
    private = dataclasses.replace(VOLUME, publishable_share=0.4)
    quiet, loud, half = (
        calibrate(school(60), SHIPPED, volume) for volume in (VOLUME, busy, private)
    )
    assert quiet.false_accepts_a_year is not None
    assert loud.false_accepts_a_year is not None
    assert quiet.false_accepts_a_year.high > 0
    assert loud.false_accepts_a_year.high == pytest.approx(3 * quiet.false_accepts_a_year.high)
    assert half.false_accepts_a_year is not None
    assert half.false_accepts_a_year.high == pytest.approx(quiet.false_accepts_a_year.high / 2)
    assert "3000 (counted in 900 photos)" in report(loud, date(2026, 11, 22), None)


def test_the_report_says_when_nothing_is_proposed() -> None:
    small, large = of_two_schools()
    assert "No new values are proposed" in report(small, date(2026, 11, 22), None)
    assert "New values are proposed" in report(large, date(2026, 11, 22), None)
