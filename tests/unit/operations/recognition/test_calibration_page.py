"""The calibration report as a page: it states every figure and names no pupil."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from consent_gate.matching.calibration import (
    Calibration,
    DetectionBySize,
    DetectionCounts,
    Volume,
    calibrate,
)
from consent_gate.matching.own_templates import YearFaces
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.operations.recognition.calibration_page import report
from tests.support.galleries import make_gallery

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


def of_two_schools() -> list[Calibration]:
    return [calibrate(make_gallery(n, pictures=2), SHIPPED, VOLUME) for n in (20, 60)]


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
        calibrate(make_gallery(60), SHIPPED, volume) for volume in (VOLUME, busy, private)
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


def test_a_year_whose_pupils_are_too_alike_is_warned_of() -> None:
    years = (YearFaces("Reception", 31, 0.62, 4), YearFaces("Year 6", 28, 0.31, 0))
    page = report(of_two_schools()[1], date(2026, 11, 22), None, years)
    assert "<strong>Reception:</strong> 4 of\n31 pupils look so alike" in page
    assert "<strong>Year 6:</strong>" not in page
    assert "<th>Year 6</th><td>28</td><td>0.310</td>" in page


def test_years_without_confusion_and_years_that_were_not_measured_are_told_apart() -> None:
    calm = (YearFaces("Year 6", 28, 0.31, 0),)
    assert "In no year is a pupil so like another" in report(
        of_two_schools()[1], date(2026, 11, 22), None, calm
    )
    page = report(of_two_schools()[1], date(2026, 11, 22), None)
    assert "In no year" not in page
    assert "Not measured: no year has 10 enrolled pupils" in page
