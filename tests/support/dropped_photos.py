"""Photos without faces that a test drops into the inbox while the gate runs."""

from __future__ import annotations

from consent_gate.db.models import Item, ItemState
from consent_gate.home.home import Home
from tests.support.images import jpeg, scene


def drop_photos(home: Home, count: int = 5, first: int = 0) -> None:
    """Write ``count`` different photos into the inbox, numbered from ``first`` on."""
    for number in range(first, first + count):
        (home.inbox / f"IMG_{number}.jpg").write_bytes(jpeg(scene(96, 64, seed=number)))


def all_decided(count: int) -> bool:
    """Return whether exactly so many pictures are decided."""
    return Item.objects.filter(state=ItemState.DECIDED).count() == count
