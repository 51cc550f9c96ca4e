"""The settings in force, to read: they are changed in the file, on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME, default_settings, load_settings


@dataclass(frozen=True)
class SettingRow:
    """One setting as it is in force."""

    name: str
    value: str
    is_changed: bool
    """Whether it differs from what a new home starts with."""


@dataclass(frozen=True)
class SettingTable:
    """One table of the file, e.g. ``[channels.website]``."""

    name: str
    lines: tuple[SettingRow, ...]


def in_force(home: Home) -> list[SettingTable]:
    """Every setting that the running gate goes by."""
    ours = dict(_tables("", home.settings.model_dump(mode="json", by_alias=True)))
    usual = dict(_tables("", default_settings().model_dump(mode="json", by_alias=True)))
    return [
        SettingTable(
            name,
            tuple(
                SettingRow(key, _value_text(value), value != usual.get(name, {}).get(key, value))
                for key, value in values.items()
            ),
        )
        for name, values in ours.items()
    ]


def settings_file_problem(home: Home) -> str:
    """In words, where the file says something else than the gate goes by; else empty."""
    try:
        waiting = load_settings(home.root / FILE_NAME) != home.settings
    except SettingsInvalid as error:
        return str(error)
    return "The file was changed since the gate was started: restart it." if waiting else ""


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
