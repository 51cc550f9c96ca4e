"""The names of a school's pupils, found by words that were read."""

from __future__ import annotations

import time
from itertools import product

from consent_gate.model import NamePart
from consent_gate.names.name_index import NameIndex, PupilName, key_of, words_of


def test_words_lose_accents_numbers_and_possessives() -> None:
    assert words_of("Zoë's 3 Bücher, O'Neil") == ["zoe", "bucher", "oneil"]


def test_letters_that_stand_apart_are_one_word() -> None:
    assert words_of("Z o e reads") == ["zoe", "reads"]


def test_a_name_is_found_by_its_key_in_either_order() -> None:
    index = NameIndex([PupilName("1", "Zoe", "Archer")])
    assert index.full(key_of("archerzoe")) == {"1"}
    assert index.two_words("archer", "zoe") == {"1"}
    assert index.single(NamePart.SURNAME, "archer") == {"1"}
    assert index.single(NamePart.FORENAME, "archer") == frozenset()


def test_a_short_name_is_found_only_exactly() -> None:
    index = NameIndex([PupilName("1", "Ann", "Lee")])
    assert index.nearest(key_of("annlee")) is not None
    assert index.nearest(key_of("annlex")) is None


def test_a_pupil_without_a_surname_is_not_found_by_the_forename() -> None:
    index = NameIndex([PupilName("1", "Zoe", "")])
    assert index.nearest("zoe") is None
    assert index.full("") == frozenset()


def test_a_large_school_is_searched_quickly() -> None:
    letters = "abcdefghij"
    forenames = ("".join(three) + "e" for three in product(letters, repeat=3))
    index = NameIndex(PupilName(name, name, "Whitcombe") for name in forenames)
    begin = time.process_time()
    for _ in range(20):
        index.nearest("somethingelse")
    assert time.process_time() - begin < 1
