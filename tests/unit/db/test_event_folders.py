"""A folder belongs to the folders above it, and to no folder whose name only begins alike."""

from __future__ import annotations

from consent_gate.db.event_folders import with_folders_above


def test_the_nearest_folder_comes_first() -> None:
    assert with_folders_above("trip/day 1/bus") == ["trip/day 1/bus", "trip/day 1", "trip"]
    assert with_folders_above("trip") == ["trip"]
    assert with_folders_above("") == [""]
