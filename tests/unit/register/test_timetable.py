"""The school's timetable proposes who was at an event, and guesses nothing."""

from __future__ import annotations

from datetime import date

import pytest

from consent_gate.register.event_names import SchoolNames
from consent_gate.register.timetable import (
    MAX_BYTES,
    TimetableRow,
    classes_on_timetable,
    days_in,
    is_before_school_year,
    read_timetable,
)

SCHOOL = SchoolNames({"3W": "Year 3", "3B": "Year 3", "5B": "Year 5"}, {})
DAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27 museum",
        "museum_20261127",
        "27/11/2026",
        "27.11.2026 museum",
        "Museum 27 Nov 2026",
        "27th November 2026",
        "trips/2026_11_27",
    ],
)
def test_a_day_is_read_in_the_ways_of_schools(text: str) -> None:
    assert days_in(text) == {DAY}


@pytest.mark.parametrize(
    "text", ["museum", "31/02/2026", "27/11/26", "2026", "IMG_120261127", "27 xyz 2026", ""]
)
def test_what_is_no_certain_day_is_none(text: str) -> None:
    assert days_in(text) == set()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_file_of_the_office_is_read(encoding: str) -> None:
    text = "Date;Who;What\n27/11/2026;3W, 3B;Café trip\n\n2026-11-28;Year 5;Choir\nlater;5B;x\n"
    assert read_timetable(text.encode(encoding)) == (
        TimetableRow(DAY, ("3W", "3B", "Café trip")),
        TimetableRow(date(2026, 11, 28), ("Year 5", "Choir")),
    )


@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff\xfe", b'"2026-11-27', b"x" * (MAX_BYTES + 1), b"2026-11-27\n"]
)
def test_a_file_that_is_no_timetable_proposes_nothing(data: bytes) -> None:
    assert classes_on_timetable("2026-11-27", read_timetable(data), SCHOOL) == ()


def test_the_classes_of_the_day_are_proposed() -> None:
    rows = (TimetableRow(DAY, ("Year 3", "Museum")), TimetableRow(date(2026, 11, 28), ("5B",)))
    assert classes_on_timetable("2026-11-27 trip", rows, SCHOOL) == ("3B", "3W")
    assert classes_on_timetable("trip", rows, SCHOOL) == ()
    assert classes_on_timetable("2026-11-27 to 2026-11-28", rows, SCHOOL) == ()
    assert classes_on_timetable("2026-11-26", rows, SCHOOL) == ()


def test_of_several_events_of_a_day_the_one_that_the_folder_names_is_meant() -> None:
    rows = (TimetableRow(DAY, ("3W", "Museum")), TimetableRow(DAY, ("5B", "Choir")))
    assert classes_on_timetable("2026-11-27 choir practice", rows, SCHOOL) == ("5B",)
    assert classes_on_timetable("2026-11-27", rows, SCHOOL) == ()


def test_a_row_that_names_two_classes_in_one_cell_proposes_both() -> None:
    rows = (TimetableRow(DAY, ("3W & 5B", "Museum & zoo")),)
    assert classes_on_timetable("2026-11-27", rows, SCHOOL) == ("3W", "5B")


@pytest.mark.parametrize(
    ("event", "before"),
    [
        ("2026-07-10 3W assembly", True),
        ("archive/2019/3W assembly", True),
        ("2025-26 3W", True),
        ("2026-09-01 3W", False),
        ("2026-11-27 3W", False),
        ("2026/3W assembly", False),
        ("3W assembly", False),
    ],
)
def test_an_event_of_an_earlier_school_year_is_known_by_its_folder(
    event: str, before: bool
) -> None:
    assert is_before_school_year(event, DAY) is before
    assert not is_before_school_year("2026-11-27 3W", date(2027, 8, 31))
    assert is_before_school_year("2026-11-27 3W", date(2027, 9, 1))
