"""What the names of classes, years and pupils mean that a school gives for an event."""

from __future__ import annotations

import pytest

from consent_gate.register.event_names import (
    NamedRoll,
    SchoolNames,
    classes_in_title,
    classes_listed,
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

MIXED = SchoolNames(
    classes={"Elm": "", "Ash": "Year 4", "Fir": "Year  R", "3": "Year 1", "A": "Year 2"},
    numbers={"000003": "000003", "000004": "000004", "002019": "002019", "000045": "000045"},
    mixed={
        "Elm": {"Year 3": ("000003",), "Year 4": ("000004",)},
        "": {"Year 4": ("000009",), "": ("000010",)},
    },
)
"""A small school: Elm has pupils of two years, and two pupils have no class."""


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


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("3W & 5B", ("3W", "5B")),
        ("3w/3b", ("3B", "3W")),
        ("Years 3 and 5", ("3B", "3W", "5B")),
        ("Year 3/5", ("3B", "3W", "5B")),
        ("Y5-6", ("5B", "Oak")),
        ("Year 3 and Oak", ("3B", "3W", "Oak")),
        ("KS2", ("3B", "3W", "5B", "Oak")),
        ("EYFS", ("RH",)),
        ("Year R", ("RH",)),
        ("r", ("RH",)),
    ],
)
def test_several_classes_or_years_in_one_name_are_understood(
    name: str, classes: tuple[str, ...]
) -> None:
    found = understand_names([name], SCHOOL)
    assert (set(found.classes), found.unknown) == (set(classes), ())


@pytest.mark.parametrize(
    "name",
    [
        "3W & 9Z",
        "Years 3 and 9",
        "Year 3-99",
        "Year 3 leavers",
        "3W and friends",
        "KS4 & KS1",
        "&",
        "/",
        "and",
    ],
)
def test_where_a_part_is_not_certain_the_whole_name_is_unknown(name: str) -> None:
    school = SchoolNames({"3W": "Year 3", "5B": "Year 5"}, {})
    assert understand_names([name], school) == NamedRoll((), (), (name,))


def test_the_number_of_a_pupil_who_left_is_never_read_as_two_other_pupils() -> None:
    assert understand_names(["2019/045"], MIXED) == NamedRoll((), (), ("2019/045",))


def test_a_year_means_its_classes_and_its_pupils_in_other_classes() -> None:
    assert understand_names(["Year 4"], MIXED) == NamedRoll(("Ash",), ("000004", "000009"))
    assert understand_names(["Year 3"], MIXED) == NamedRoll((), ("000003",))
    assert understand_names(["Elm"], MIXED) == NamedRoll(("Elm",))
    assert classes_listed(["Year 3", "Museum"], MIXED) == ("Elm",)


@pytest.mark.parametrize(
    ("event", "classes"),
    [
        ("Year 3 trip", ("Elm",)),
        ("Y3-4 swimming", ("Ash", "Elm")),
        ("Reception picnic", ("Fir",)),
        ("A trip to the zoo", ()),
        ("class-a assembly", ("A",)),
        ("class 3 assembly", ("3",)),
        ("3 little pigs", ()),
    ],
)
def test_a_class_with_an_odd_name_is_proposed_only_where_it_is_meant(
    event: str, classes: tuple[str, ...]
) -> None:
    assert classes_in_title(event, MIXED) == classes


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
        ("3W & 5B trip", ("3W", "5B")),
        ("Y3W swimming", ("3W",)),
        ("Y3/5", ("3B", "3W", "5B")),
        ("Year 3 v Year 5", ("3B", "3W", "5B")),
        ("Years 3 and 5 choir", ("3B", "3W", "5B")),
        ("KS2 carols", ("3B", "3W", "5B", "Oak")),
        ("EYFS picnic", ("RH",)),
        ("Year 3 - 5 December", ("3B", "3W")),
        ("Year 3 5.12.2026", ("3B", "3W")),
        ("23West open day", ()),
        ("2026-11-13 fair", ()),
        ("soaking wet sports day", ()),
    ],
)
def test_classes_are_proposed_from_the_name_of_a_folder(
    event: str, classes: tuple[str, ...]
) -> None:
    assert classes_in_title(event, SCHOOL) == classes
