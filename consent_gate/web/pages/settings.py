"""View model of the Settings page, which is read-only. Settings are changed in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME, default_settings, load_settings


@dataclass(frozen=True)
class SettingRow:
    """One setting with its value in force."""

    name: str
    value: str
    is_changed: bool
    """Whether it differs from the default."""


@dataclass(frozen=True)
class SettingTable:
    """One table of the settings file, e.g. ``[channels.website]``."""

    name: str
    rows: tuple[SettingRow, ...]


def settings_in_force(home: Home) -> list[SettingTable]:
    """Return every setting that the running gate uses, by table."""
    current = dict(_tables("", home.settings.model_dump(mode="json", by_alias=True)))
    defaults = dict(_tables("", default_settings().model_dump(mode="json", by_alias=True)))
    return [
        SettingTable(
            name,
            tuple(
                SettingRow(key, _value_text(value), value != defaults.get(name, {}).get(key, value))
                for key, value in values.items()
            ),
        )
        for name, values in current.items()
    ]


def settings_file_problem(home: Home) -> str:
    """Return a message when the file differs from the settings in force; else empty."""
    try:
        differs = load_settings(home.root / FILE_NAME) != home.settings
    except SettingsInvalid as error:
        return str(error)
    if not differs:
        return ""
    return "The settings file has changed. Restart the gate to use the new settings."


def _tables(name: str, values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    if plain:
        yield name, plain
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _tables(f"{name}.{key}".removeprefix("."), value)


def _value_text(value: Any) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_value_text(part) for part in value) or "none"
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part)
    return str(value) if value not in ("", None) else "not set"
