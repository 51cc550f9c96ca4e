"""Mistakes in the settings file are reported and never loosen a rule."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from consent_gate.errors import SettingsInvalid
from consent_gate.home.settings import (
    Publishing,
    default_settings,
    default_toml,
    load_settings,
)
from consent_gate.model import DeviceRule, WhenNoFaces


def changed(tmp_path: Path, old: str, new: str) -> Path:
    assert default_toml().count(old) >= 1
    path = tmp_path / "consent-gate.toml"
    path.write_text(default_toml().replace(old, new, 1), encoding="utf-8")
    return path


def test_a_new_home_is_strict() -> None:
    rules = default_settings().rules_for_decide()
    assert [c.name for c in rules.channels] == ["website", "mag", "displays"]
    assert {c.when_no_faces for c in rules.channels} == {WhenNoFaces.HOLD}
    assert {c.unrecognisable_below_px for c in rules.channels} == {0}
    assert rules.register_max_age_days == 130
    assert rules.devices is DeviceRule.HOLD


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('when_no_faces = "hold"', 'when_no_faces = "relase"', "when_no_faces"),
        ("max_side = 1600", "max_side = 0", "max_side"),
        ("[rules]", "[ruels]", "ruels"),
        ("register_max_age_days = 130", "register_max_age_days = 4000", "register_max_age_days"),
        ('consent = "website"', 'consent = "biometric"', "not consent to publish"),
        ("[channels.website]", '[channels."../website"]', "small letters"),
        ("[school]", "[school", "not valid TOML"),
        ("four_eyes = false", 'four_eyes = "perhaps"', "four_eyes"),
    ],
)
def test_a_mistake_in_the_settings_is_reported_and_no_program_starts(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(SettingsInvalid, match=told):
        load_settings(changed(tmp_path, old, new))


def test_a_missing_settings_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_settings(tmp_path / "consent-gate.toml")


@pytest.mark.parametrize(
    ("sign_in", "told"),
    [
        ('google = { client_id = "x" }', "domains"),
        ('domains = ["a.example"]\nmicrosoft = { client_id = "x" }', "tenant"),
        (
            'domains = ["a.example"]\nmicrosoft = { client_id = "x", tenant = "common" }',
            "directory",
        ),
        ('google = { client_id = "x", issuer = "http://accounts.example" }', "https"),
        ('second_step = "sometimes"', "second_step"),
    ],
)
def test_a_sign_in_that_would_let_strangers_in_does_not_start(
    tmp_path: Path, sign_in: str, told: str
) -> None:
    path = tmp_path / "consent-gate.toml"
    before, _, _ = default_toml().partition("[sign_in]")
    path.write_text(f"{before}[sign_in]\n{sign_in}\n", encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=told):
        load_settings(path)


def offered() -> list[str]:
    """The lines of a new settings file that need only their mark taken away."""
    before_sign_in = default_toml().partition("# [sign_in.google]")[0]
    return re.findall(r"^# (\w+ = [^#\n]+)", before_sign_in, re.MULTILINE)


@pytest.mark.parametrize("line", offered())
def test_every_line_that_a_new_file_offers_is_understood(tmp_path: Path, line: str) -> None:
    path = changed(tmp_path, f"# {line}", line)
    if line.startswith("where"):
        path.write_text(path.read_text().replace('"sqlite"', '"postgresql"'))
    assert tomllib.loads(path.read_text()) != tomllib.loads(default_toml()), "it is one"
    assert load_settings(path)


@pytest.mark.parametrize("forms", ['["gif"]', '["webp", "webp"]', '"webp"'])
def test_an_unsupported_format_is_refused_in_the_settings(tmp_path: Path, forms: str) -> None:
    text = f'[channels.website]\ntitle = "Site"\nconsent = "website"\nalso = {forms}\n'
    path = tmp_path / "consent-gate.toml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid, match="also"):
        load_settings(path)


@pytest.mark.parametrize(
    ("style", "fill", "on_pages"),
    [
        ("grey", (96, 96, 96), "#606060"),
        ("colour", (47, 75, 124), "#2f4b7c"),
        ("cells", None, "#606060"),
    ],
)
def test_a_school_chooses_what_covers_look_like(
    style: str, fill: tuple[int, int, int] | None, on_pages: str
) -> None:
    chosen = Publishing.model_validate({"cover_style": style})
    assert (chosen.cover_fill, chosen.cover_on_pages) == (fill, on_pages)


@pytest.mark.parametrize("colour", ["blue", "#12345", "#1234567", "2f4b7c", "#2f4b7g", ""])
def test_the_colour_of_covers_is_six_hexadecimal_digits(colour: str) -> None:
    with pytest.raises(ValidationError):
        Publishing.model_validate({"cover_colour": colour})
