"""What the names of classes, years and pupils mean that a school gives for an event."""

from __future__ import annotations

import pytest

from consent_gate.register.event_names import (
    NamedRoll,
    SchoolNames,
    classes_in_title,
    split_names,
    understand_names,
)

SCHOOL = SchoolNames(
    classes={
        "3W": "Year  3",
        "3B": "3",
        "5B": "Year 5",
        "Oak": "Year 6",
        "RH": "Reception",
        "13": "Year 10",
    },
    numbers={"004123": "004123", "A123456789012": "004123"},
)


def test_a_list_has_one_name_on_a_line_or_several_between_commas() -> None:
    text = "# who came\n3W, 5B;Oak\n\n  Year   3 \n3W\r\n"
    assert split_names(text) == ("3W", "5B", "Oak", "Year 3")


@pytest.mark.parametrize(
    ("name", "classes"),
    [("3w", ("3W",)), (" OAK ", ("Oak",)), ("Year 3", ("3B", "3W")), ("yr 5", ("5B",))],
)
def test_a_class_or_a_year_is_understood(name: str, classes: tuple[str, ...]) -> None:
    assert understand_names([name], SCHOOL) == NamedRoll(classes)


@pytest.mark.parametrize("name", ["4123", "004123", "A123456789012"])
def test_a_pupil_is_named_by_admission_number_or_upn(name: str) -> None:
    assert understand_names([name], SCHOOL) == NamedRoll((), ("004123",))


@pytest.mark.parametrize("name", ["3", "3X", "Year 9", "Ann Smith", "W", "9999"])
def test_what_is_not_certain_stays_unknown(name: str) -> None:
    assert understand_names([name], SCHOOL) == NamedRoll((), (), (name,))


@pytest.mark.parametrize(
    ("event", "classes"),
    [
        ("3W assembly", ("3W",)),
        ("2026/3w_and-5b-trip", ("3W", "5B")),
        ("Year 3 trip", ("3B", "3W")),
        ("y3-museum", ("3B", "3W")),
        ("reception-nativity", ("RH",)),
        ("oak class picnic", ("Oak",)),
        ("23West open day", ()),
        ("2026-11-13 fair", ()),
        ("soaking wet sports day", ()),
    ],
)
def test_classes_are_proposed_from_the_name_of_a_folder(
    event: str, classes: tuple[str, ...]
) -> None:
    assert classes_in_title(event, SCHOOL) == classes
