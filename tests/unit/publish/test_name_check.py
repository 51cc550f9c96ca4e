"""Titles and descriptions never give a child's full name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.name_check import Name, find_full_names, names_across

PUPILS = [
    Name("Ann", "Archer"),
    Name("Zoë", "O'Brien"),
    Name("Mary-Jane", "Smith-Jones"),
    Name("Will", "Young"),
]


@pytest.mark.parametrize(
    "text",
    [
        "Ann Archer wins the race",
        "ANN ARCHER",
        "ann\u00a0archer",
        "Archer, Ann (5B)",
        "Ann Mary Louise Archer",
        "Ann's... Archer",
        "An\u200bn Arch\u00ader",
        "with Ann Archer's painting",
        "Zoe OBrien",
        "Zoe\u0308 O\u2019Brien",
        "ZOË O'BRIEN",
        "Mary Jane Smith Jones",
        "Mary-Jane Smith\u2011Jones",
        "ann_archer.jpg",
    ],
)
def test_a_full_name_is_found_however_it_is_written(text: str) -> None:
    assert find_full_names(text, PUPILS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Year 5 at sports day",
        "Ann wins the race",
        "The Archers on stage",
        "Anna Archer-Field",
        "Ann shows her new bow to the fair's best known archer",
        "The choir will sing for the young and the old",
        "Jones the baker and Mary",
    ],
)
def test_other_texts_may_go_out(text: str) -> None:
    assert find_full_names(text, PUPILS) == ()


def test_a_first_name_alone_is_found_where_the_school_wants_that() -> None:
    assert find_full_names("Ann wins", PUPILS, first_names_too=True) == (PUPILS[0],)
    assert find_full_names("Anna wins", PUPILS, first_names_too=True) == ()


def test_a_pupil_without_a_recorded_name_is_in_no_text() -> None:
    assert find_full_names("any text", [Name("", ""), Name("", "text"), Name("any", "")]) == ()


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6))
def test_a_name_is_found_whatever_stands_around_it(before: list[str], after: list[str]) -> None:
    assert PUPILS[0] in find_full_names(" ".join([*before, "Ann Archer", *after]), PUPILS)


@pytest.mark.parametrize(
    "fields",
    [
        ("Ann at sports day", "The Archer family wins again"),
        ("A race", "ANN runs", "archer"),
        ("Mary in the hall", "", "Jane Smith Jones sings"),
        ("Zoe\u0308 jumps", "the O\u2019Brien cup"),
        ("A n n runs", "Archer"),
        ("\u0410nn runs", "Archer"),
    ],
)
def test_a_name_split_over_title_description_and_album_is_found(fields: tuple[str, ...]) -> None:
    names = tuple(PUPILS)
    assert names_across(names, fields)
    assert names_across(names, fields[::-1])


@pytest.mark.parametrize(
    "fields",
    [
        ("Ann runs", "", ""),
        ("Ann runs", "Year 5 at sports day"),
        ("The archer", "Year 5"),
        ("Ann Archer wins",),  # one field alone is the matter of find_full_names
        ("Ann shows her new bow to the fair's best known archer", "Sports day"),
        ("Ann Young", "Will Archer-Field's team"),
        ("Annabel", "Archer"),
    ],
)
def test_words_of_different_pupils_in_different_fields_may_go_out(fields: tuple[str, ...]) -> None:
    assert not names_across((Name("Ann", "Archer-Hill"), Name("Zoë", "O'Brien")), fields)
