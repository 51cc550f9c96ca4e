"""A database address is checked, and written into the settings file without other changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_gate.errors import SettingsInvalid
from consent_gate.home import database_url
from consent_gate.home.settings import default_toml, load_settings
from consent_gate.home.settings_machine import Database


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("postgresql://oak:secret@db/gate", "Leave out the password"),
        ("mysql://oak@db/gate", "postgresql://ROLE"),
        ("postgresql://oak@db/gate?schema=Oak%20Field", "schema"),
        ("postgresql://oak@db/gate?sslmode=maybe", "sslmode"),
        ("postgresql://oak@db:99999/gate", "not an address"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_reason(wrong: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        database_url.from_address(wrong)


def test_only_the_lines_about_the_database_change(tmp_path: Path) -> None:
    file, before = tmp_path / "consent-gate.toml", default_toml()
    file.write_text(before)
    database_url.replace_section(file, Database(engine="sqlite", name="a"))
    chosen = Database(engine="postgresql", host="db", user="oak", schema="oak")  # type: ignore[call-arg]
    database_url.replace_section(file, chosen)
    assert load_settings(file).database == chosen
    kept = [line for line in before.splitlines() if not line.startswith("engine")]
    assert [line for line in file.read_text().splitlines() if line in kept] == kept
