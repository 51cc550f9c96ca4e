"""Titles and descriptions never give a child's full name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.names.name_index import NameIndex, PupilName
from consent_gate.names.written_names import names_across, pupils_named

INDEX = NameIndex(
    [
        PupilName("1", "Ann", "Archer"),
        PupilName("2", "Zoë", "O'Brien"),
        PupilName("3", "Mary-Jane", "Smith-Jones"),
        PupilName("4", "Will", "Young"),
    ]
)


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
        "IMG_0042-AnnArcher.JPG",
        "2026-11 sports day/Ann Archer 5B",
        "Mary Jones",
    ],
)
def test_a_full_name_is_found_however_it_is_written(text: str) -> None:
    assert pupils_named(text, INDEX)


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
    assert pupils_named(text, INDEX) == frozenset()


@pytest.mark.parametrize(
    ("forename", "surname", "text"),
    [
        ("Maria de los Angeles Ruiz", "Garcia", "Maria de los Angeles Ruiz Mary Louise Garcia"),
        ("Jean Luc", "de la Cruz Santos y Vega", "Jean Luc A. de la Cruz Santos y Vega"),
        ("J", "Lo", "I J Lo"),
        ("B", "C", "B a C"),
    ],
)
def test_long_names_and_names_of_one_letter_are_found(
    forename: str, surname: str, text: str
) -> None:
    assert pupils_named(text, NameIndex([PupilName("1", forename, surname)])) == {"1"}


def test_a_first_name_alone_is_found_where_the_school_wants_that() -> None:
    assert pupils_named("Ann wins", INDEX, first_names_too=True)
    assert pupils_named("Mary Jane wins", INDEX, first_names_too=True)
    assert not pupils_named("Anna wins", INDEX, first_names_too=True)
    assert not pupils_named("Ann wins", INDEX)


def test_a_pupil_without_a_recorded_name_is_in_no_text() -> None:
    names = [PupilName("1", "", ""), PupilName("2", "", "text"), PupilName("3", "any", "")]
    assert not pupils_named("any text", NameIndex(names))


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6))
def test_a_name_is_found_whatever_stands_around_it(before: list[str], after: list[str]) -> None:
    assert "1" in pupils_named(" ".join([*before, "Ann Archer", *after]), INDEX)


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
    assert names_across(INDEX, fields)
    assert names_across(INDEX, fields[::-1])


@pytest.mark.parametrize(
    "fields",
    [
        ("Ann runs", "", ""),
        ("Ann runs", "Year 5 at sports day"),
        ("The archer", "Year 5"),
        ("Ann Archer wins",),  # one field alone is the matter of pupils_named
        ("Ann shows her new bow to the fair's best known archer", "Sports day"),
        ("Ann Young", "Will Archer-Field's team"),
        ("Annabel", "Archer"),
    ],
)
def test_words_of_different_pupils_in_different_fields_may_go_out(fields: tuple[str, ...]) -> None:
    names = [PupilName("1", "Ann", "Archer-Hill"), PupilName("2", "Zoë", "O'Brien")]
    assert not names_across(NameIndex(names), fields)
