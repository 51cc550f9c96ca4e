"""The school's own list of brothers and sisters, kept in the home beside the mapping."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home

Families = tuple[tuple[str, ...], ...]
"""Admission numbers, one tuple a family."""


def save_families(home: Home, families: Families) -> None:
    """Replace the list; it counts from the next import on."""
    replace_with(_path(home), json.dumps(families).encode(), 0o600)


def load_families(home: Home) -> Families:
    """The list, empty where the school gave none."""
    path = _path(home)
    if not path.exists():
        return ()
    return tuple(tuple(family) for family in json.loads(path.read_text("utf-8")))


def remove_from_families(home: Home, numbers: Collection[str]) -> None:
    """Take an erased pupil out of the list."""
    families = load_families(home)
    if any(number in numbers for family in families for number in family):
        left = (tuple(n for n in family if n not in numbers) for family in families)
        save_families(home, tuple(family for family in left if len(family) > 1))


def _path(home: Home) -> Path:
    return home.root / "sims-siblings.json"
