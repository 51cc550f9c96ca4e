"""Year groups and key stages, as registers, lists and folders write them."""

from __future__ import annotations

import time

import pytest

from consent_gate.register.year_groups import year_key, years_in, years_meant


def numbers(text: str) -> list[str]:
    """All years that a text names."""
    return [year for years in years_in(text) for year in sorted(years)]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Year 3 trip", ["3"]),
        ("year_3_trip", ["3"]),
        ("Y3s at the zoo", ["3"]),
        ("Years 3, 4 & 6", ["3", "4", "6"]),
        ("Y3/4", ["3", "4"]),
        ("Yr3+4", ["3", "4"]),
        ("Years 3 to 6", ["3", "4", "5", "6"]),
        ("Years 3 \N{EN DASH} 5", ["3", "4", "5"]),
        ("Y03-05", ["3", "4", "5"]),
        ("Year 10 vs Year 11", ["10", "11"]),
        ("Year 10 v 11", ["10", "11"]),
        ("Key Stage 1", ["1", "2"]),
        ("Sixth Form ball", ["12", "13"]),
        ("Reception and Year 1", ["1", "reception"]),
    ],
)
def test_the_years_of_a_text_are_read(text: str, years: list[str]) -> None:
    assert numbers(text) == years


@pytest.mark.parametrize(
    "text",
    [
        "Year 3 - 27 Nov 2026",
        "Year 3 - 4 December",
        "Year 3, 4th May",
        "Year 3 4 dec",
        "Year 3 2026-11-27",
        "Y3/2026-11-27",
        "Year 3-11.12.2026",
        "Year 3, 27/11/2026",
    ],
)
def test_a_day_beside_a_year_is_no_second_year(text: str) -> None:
    assert numbers(text) == ["3"]


@pytest.mark.parametrize("text", ["July 3", "end of yr 2026", "Year 2026", "Year 3W", "3", "by 3"])
def test_what_is_no_year_names_none(text: str) -> None:
    assert numbers(text) == []


def test_a_name_with_another_word_means_no_year() -> None:
    assert years_meant("Years 3 and 4") == (frozenset({"3"}), frozenset({"4"}))
    assert years_meant("KS1") == (frozenset({"1", "2"}),)
    assert years_meant("Year 3 trip") == ()
    assert years_meant("Year 3 and 4W") == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Year  3", "3"),
        ("Y03", "3"),
        ("3", "3"),
        ("Year R", "reception"),
        ("Reception", "reception"),
        ("N2", "nursery"),
        ("Leavers", "leavers"),
        ("", ""),
    ],
)
def test_a_year_of_the_register_has_one_key(text: str, key: str) -> None:
    assert year_key(text) == key


def test_a_long_hostile_name_is_read_at_once() -> None:
    begun = time.process_time()
    for text in ("year 3" + " and 4" * 3000 + "w", "y" * 20_000, "year 1-" * 5000, "3 & " * 5000):
        years_in(text)
    assert time.process_time() - begun < 2
