"""Store the school's own list of brothers and sisters in a JSON file in the home."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home

Families = tuple[tuple[str, ...], ...]
"""One tuple of admission numbers for each family."""


def save_families(home: Home, families: Families) -> None:
    """Replace the list. The next import uses it."""
    replace_with(_path(home), json.dumps(families).encode(), 0o600)


def load_families(home: Home) -> Families:
    """Return the list; empty if the school gave none."""
    path = _path(home)
    if not path.exists():
        return ()
    return tuple(tuple(family) for family in json.loads(path.read_text("utf-8")))


def remove_from_families(home: Home, numbers: Collection[str]) -> None:
    """Remove erased pupils from the list. A family with one pupil left is removed too."""
    families = load_families(home)
    if any(number in numbers for family in families for number in family):
        remaining = (tuple(n for n in family if n not in numbers) for family in families)
        save_families(home, tuple(family for family in remaining if len(family) > 1))


def _path(home: Home) -> Path:
    return home.root / "sims-siblings.json"
