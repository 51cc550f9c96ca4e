"""Reading cells: consent answers, dates, years and addresses."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.model import Answer
from sims_import.text.values import (
    address_key,
    read_answer,
    read_date,
    read_run_date,
    read_year,
)


@pytest.mark.parametrize(
    "text",
    ["T", "True", "TRUE", "Y", "Yes", "yes.", "1", "1.0", "\u2713", "Given", "Granted", "Agreed"],
)
def test_what_schools_write_for_yes_is_a_yes(text: str) -> None:
    assert read_answer(text) is Answer.GIVEN


@pytest.mark.parametrize(
    "text", ["F", "False", "N", "No", "0", "0.0", "Refused", "Withdrawn", "Not given", "No consent"]
)
def test_what_schools_write_for_no_is_a_refusal(text: str) -> None:
    assert read_answer(text) is Answer.REFUSED


@pytest.mark.parametrize("text", ["", "-", "N/A", "Unknown", "Pending", "Not stated", "?"])
def test_a_blank_consent_is_never_yes(text: str) -> None:
    assert read_answer(text) is Answer.NOT_STATED


@pytest.mark.parametrize(
    "text", ["x", "X", "2", "Yes but not online", "Mum said so", "Yes/No", "TT"]
)
def test_an_answer_we_do_not_know_is_none(text: str) -> None:
    assert read_answer(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "04/09/2026",
        "4/9/2026",
        "04-09-2026",
        "04.09.26",
        "2026-09-04",
        "2026-09-04T00:00:00",
        "04/09/2026 00:00",
        "4 Sep 2026",
        "4th September 2026",
        "46269",
        "46269.0",
    ],
)
def test_dates_are_read_the_british_way(text: str) -> None:
    assert read_date(text) == date(2026, 9, 4)


@pytest.mark.parametrize("text", ["", "31/02/2026", "Year 5", "004123", "12345678", "yesterday"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


@given(st.dates(date(1930, 1, 1), date(2099, 12, 31)))
def test_excel_serial_dates_read_back(day: date) -> None:
    assert read_date(str((day - date(1899, 12, 30)).days)) == day


@pytest.mark.parametrize(
    "text",
    [
        "Run: 04/09/2026",
        "Run date 04/09/2026 08:15",
        "Report run on 4 September 2026",
        "Printed: 04-09-2026",
        "As at 04/09/2026",
        "Date: 2026-09-04",
    ],
)
def test_the_report_says_when_it_was_run(text: str) -> None:
    assert read_run_date(text) == date(2026, 9, 4)


@pytest.mark.parametrize(
    "text", ["Millfields Community School", "Year 5", "04/09/2026", "Total 244"]
)
def test_a_date_without_a_word_is_not_the_run_date(text: str) -> None:
    assert read_run_date(text) is None


@pytest.mark.parametrize("text", ["Year 5", "year 5", "Yr 5", "Y5", "5", "05", "5.0"])
def test_years_are_written_one_way(text: str) -> None:
    assert read_year(text) == "Year 5"


def test_reception_stays_reception() -> None:
    assert read_year("Reception") == "Reception"


def test_siblings_share_an_address_key_however_it_is_typed() -> None:
    first = address_key("Moss", "1 High St,  AB1 2CD")
    assert first == address_key("MOSS", "1 high st AB12CD")
    assert first != address_key("Moss", "2 High St AB1 2CD")
    assert address_key("Moss", " , ") == "" == address_key("", "1 High St")


def test_the_address_cannot_be_read_from_its_key() -> None:
    assert "high" not in address_key("Moss", "1 High St")
