"""Texts that look alike are the same text."""

# ruff: noqa: RUF001  letters that look alike are what is tested

from __future__ import annotations

import pytest

from consent_gate.names.lookalike_text import fold_case, plain_letters, skeleton


@pytest.mark.parametrize(
    "text",
    [
        "Аnn",
        "ＡＮＮ",
        "Ａｎｎ",
        "𝐀𝐧𝐧",
        "A\u0301n\u0327n",
        "A\u200bn\u00adn",
        "ᴀɴɴ",
        "🅐🅝🅝",
        "🇦🇳🇳",
        "A\u20ddnn",
        "An\u115fn",
    ],
)
def test_letters_are_read_as_they_look(text: str) -> None:
    assert plain_letters(text) == "ann"


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Søren Łukasz", "soren lukasz"), ("Zoë O'Brien", "zoe o'brien"), ("Анна", "ahha")],
)
def test_letters_with_strokes_are_letters(text: str, plain: str) -> None:
    assert plain_letters(text) == plain


def test_strokes_that_look_alike_are_one_letter() -> None:
    assert skeleton("LiIy K1ng") == skeleton("Lily King")
    assert skeleton("Tom Corner") == skeleton("Torn Comer")


def test_case_and_width_do_not_count() -> None:
    assert fold_case("J.Straße") == fold_case("ｊ.STRASSE")
    assert fold_case("j.shaw") != fold_case("j.shau")
