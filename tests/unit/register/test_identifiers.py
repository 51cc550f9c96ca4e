"""Admission numbers compare as padded text; UPNs have a check letter."""

from __future__ import annotations

import pytest

from consent_gate.register.identifiers import read_admission_number, upn_is_sound


@pytest.mark.parametrize("text", ["4123", "004123", "4123.0", " 04123 ", "'004123"])
def test_admission_numbers_compare_as_padded_text(text: str) -> None:
    assert read_admission_number(text) == "004123"


@pytest.mark.parametrize("text", ["", "Total", "0", "000000", "4123.5", "two words", "1" * 21])
def test_what_is_no_admission_number_is_none(text: str) -> None:
    assert read_admission_number(text) is None


def test_admission_numbers_with_letters_stay() -> None:
    assert read_admission_number("a0123") == "A0123"


def test_upn_check_letters_follow_the_departments_rule() -> None:
    assert upn_is_sound("E204340217648")
    assert not upn_is_sound("F204340217648")
    assert not upn_is_sound("E20434021764")
    assert not upn_is_sound("I204340217648")


def test_one_wrong_digit_in_a_upn_is_noticed() -> None:
    sound = "E204340217648"
    for at in range(1, 13):
        wrong = sound[:at] + str((int(sound[at]) + 1) % 10) + sound[at + 1 :]
        assert not upn_is_sound(wrong)


def test_a_temporary_upn_ends_in_a_letter() -> None:
    total = sum(int(d) * place for place, d in enumerate("20434021764", start=2)) + 1 * 13
    letter = "ABCDEFGHJKLMNPQRTUVWXYZ"[total % 23]
    assert upn_is_sound(f"{letter}20434021764B")
