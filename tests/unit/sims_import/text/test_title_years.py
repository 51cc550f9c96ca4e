"""Tests of years in titles."""

from datetime import date

import pytest

from sims_import.text.title_years import ended_title

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    "title",
    [
        "Photo consent 2019",
        "Consents 2025/26",
        "Consents 2024-2025",
        "2025\u201326 media consent",
        "AY23/24",
    ],
)
def test_a_year_that_has_ended_is_found(title: str) -> None:
    assert ended_title(["Millfields", title], TODAY) == title


@pytest.mark.parametrize(
    "title",
    [
        "Photo consent 2026",
        "Consents 2026/27",
        "Consent form version 3, date 12/03/2024",
        "Media policy 2023",
        "Millfields (est. 1962)",
        "Pupils 2019/45",
        "Years 10/11 and 12/13",
        "Media consent 26/27",
        "Signed 21/22/2024",
        "Printed: 20/11/2025 08:14",
        "Ref 20190",
    ],
)
def test_other_numbers_and_years_are_not(title: str) -> None:
    assert ended_title([title], TODAY) is None


def test_a_later_year_counts_in_the_same_title_only() -> None:
    assert ended_title(["Consents 2019 to 2026"], TODAY) is None
    assert ended_title(["Consents 2019/20", "(c) 2026 Example Ltd"], TODAY) == "Consents 2019/20"
