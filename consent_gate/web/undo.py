"""Taking back one's own last release or refusal, for a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from consent_gate.bootstrap import Home
from consent_gate.db.models import Item, StaffApproval

UNDO_SECONDS = 60


@dataclass(frozen=True)
class Undoable:
    """What one click takes back."""

    item: Item
    channels: tuple[str, ...]
    titles: tuple[str, ...]
    refused: bool


def undoable(home: Home, by: str) -> Undoable | None:
    """This person's last answer, while it is fresh; None when there is nothing to undo."""
    since = home.now() - timedelta(seconds=UNDO_SECONDS)
    fresh = StaffApproval.objects.filter(by=by, at__gte=since, second_person="")
    last = fresh.select_related("item").order_by("-at", "pk").first()
    if last is None:
        return None
    same = fresh.filter(item=last.item, refused=last.refused)
    channels = tuple(sorted(same.values_list("channel", flat=True)))
    titles = tuple(home.settings.channels[c].title for c in channels if c in home.settings.channels)
    return Undoable(last.item, channels, titles, last.refused)
