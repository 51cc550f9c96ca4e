"""Measure how long a recall of many pictures takes.

    python -m benchmarks.recall [PICTURES]

It measures a recall by hand, of all pictures at once, and a recall by an import, where every
picture is decided again. The ledger, the audit log, the files and the manifest are real. The
pictures have the same content, because rendering is not measured.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import heading
from consent_gate.bootstrap import configure_django, create_home
from consent_gate.home.home import Home

configure_django()

from django.db import transaction  # noqa: E402

from consent_gate.db.models import (  # noqa: E402
    ChannelDecision,
    ChannelStatus,
    Item,
    ItemState,
    Publication,
    PublicationState,
    PupilInItem,
)
from consent_gate.decisions.ledger import mark_manifest_dirty  # noqa: E402
from consent_gate.home.ids import new_id  # noqa: E402
from publish.channel.manifest import write_manifest  # noqa: E402
from publish.recall.by_hand import RecallSelection, recall_selection  # noqa: E402
from publish.recall.withdraw import remove_withdrawn  # noqa: E402
from tests.support.factories import World  # noqa: E402
from tests.support.fake_renderer import make_photo, published_files, withdraw_consent  # noqa: E402


def fill(home: Home, count: int) -> None:
    """Add ``count`` pictures of the same pupil, released in every channel."""
    first = Item.objects.filter(evidence__isnull=False)[0]
    shown = PupilInItem.objects.filter(item=first).values_list("admission_number", flat=True)[0]
    with transaction.atomic():
        items = [_copy(home, first) for _ in range(count)]
        Item.objects.bulk_create(items)
        PupilInItem.objects.bulk_create(
            PupilInItem(item=item, admission_number=shown) for item in items
        )
        for channel in home.settings.channels:
            _release(home, channel, items)
    for channel in home.settings.channels:
        write_manifest(home, channel)


def _copy(home: Home, first: Item) -> Item:
    item_id = new_id()
    return Item(
        id=item_id,
        sha256=hashlib.sha256(item_id.encode()).hexdigest(),
        size=1,
        source=f"copies/{item_id}.jpg",
        event="copies",
        state=ItemState.DECIDED,
        received_at=home.now(),
        decided_at=home.now(),
        evidence=_with_pixels(first.evidence or {}, item_id),
    )


def _with_pixels(evidence: dict[str, Any], item_id: str) -> dict[str, Any]:
    """The same faces in another picture: equal pixels would make it a copy."""
    pixels = hashlib.sha256(item_id.encode()).hexdigest()
    return {"examined": {**evidence["examined"], "pixels_sha256": pixels}}


def _release(home: Home, channel: str, items: list[Item]) -> None:
    now, data = home.now(), b"\xff\xd8" + b"as large as a website picture" * 4000
    folder = home.approved(channel) / f"{now:%Y-%m}"
    folder.mkdir(exist_ok=True)
    rows = []
    for item in items:
        row = Publication(
            id=new_id(),
            item=item,
            channel=channel,
            state=PublicationState.LISTED,
            file=f"{folder.name}/{new_id()}.jpg",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            width=1600,
            height=1200,
            intended_at=now,
            released_at=now,
        )
        (home.approved(channel) / row.file).write_bytes(data)
        rows.append(row)
    Publication.objects.bulk_create(rows)
    ChannelDecision.objects.bulk_create(
        ChannelDecision(item=i, channel=channel, verdict=ChannelStatus.RELEASED, decided_at=now)
        for i in items
    )
    mark_manifest_dirty(channel)


def _school(root: Path, count: int) -> Home:
    home = create_home(root)
    one = {"website": home.settings.channels["website"]}
    home.settings.channels.clear()
    home.settings.channels.update(one)
    world = World(home)
    world.make_import()
    world.make_pupil("000001")
    make_photo(home, "000001")
    fill(home, count)
    return home


class Clocks:
    """Seconds since its creation, by the clock and of this process's processor time."""

    def __init__(self) -> None:
        self._wall, self._work = time.monotonic(), time.process_time()

    def __str__(self) -> str:
        wall, work = time.monotonic() - self._wall, time.process_time() - self._work
        return f"{wall:.1f} s (processor {work:.1f} s)"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(heading(f"Recalling {count} pictures"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = _school(Path(folder) / "by-hand", count)
        clocks = Clocks()
        recall_selection(home, RecallSelection(), "benchmark")
        print(f"by hand:      {count} pictures in {clocks}")
        assert published_files(home) == {}
        home = _school(Path(folder) / "by-import", count)
        clocks = Clocks()
        recalled = withdraw_consent(home, "000001")
        print(f"by an import: {recalled} pictures decided in {clocks},")
        remove_withdrawn(home)
        print(f"              and gone in {clocks}")
        assert published_files(home) == {}


if __name__ == "__main__":
    main()
