"""A list of pupils who were at an event, as offices export it."""

from __future__ import annotations

import pytest

from consent_gate.errors import ExportUnreadable
from consent_gate.register.event_names import SchoolNames
from sims_import.readers.pupil_list import PupilListUnclear, read_pupil_list

SCHOOL = SchoolNames(
    {"5B": "Year 5"},
    {
        "004123": "004123",
        "004124": "004124",
        "000009": "000009",
        "000010": "000010",
        "A123456789012": "004123",
    },
)


@pytest.mark.parametrize(
    "text",
    [
        "Adno\n4123\n4124\n",
        "Admission number;Surname\n004123;Ann\n004124;Ben\n",
        "Attendance report\n\nName,Adno,Reg,AM,PM\nAnn,004123,5B,/,\\\nBen,004124,5B,N,N\n",
        "4123\n4124\n",
        "4123,Ann\n4124,Ben\n",
        "UPN,Adno,Sessions\nA123456789012,4123,10\n,4124,10\n",
        "Name,Adno,Session\nAnn,4123,Mon\nBen,4124,Mon\nAnn,4123,Tue\n",
    ],
)
def test_the_pupils_of_a_list_are_read(text: str) -> None:
    assert read_pupil_list(text.encode(), "list.csv", SCHOOL) == ("004123", "004124")


@pytest.mark.parametrize(
    "text",
    [
        "Adno\n4123\n9999\n",
        "Name,Sessions,Present\nAnn Archer,10,9\nBen Archer,10,10\nCat Archer,10,10\n",
        "Name,Class\nAnn Archer,5B\n",
        "UPN,Lates\nZ999999999999,9\nZ999999999998,10\n",
        "hello",
    ],
)
def test_a_list_that_is_not_certain_names_nobody(text: str) -> None:
    with pytest.raises(PupilListUnclear):
        read_pupil_list(text.encode(), "list.csv", SCHOOL)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n\0", b"PK\x03\x04\0\0", b"\xff\xd8\xff\0\0"])
def test_a_file_that_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(ExportUnreadable):
        read_pupil_list(data, "list.csv", SCHOOL)
