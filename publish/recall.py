"""Taking pictures back: out of the manifest first, then out of the folder."""

from __future__ import annotations

from pathlib import Path

from consent_gate.bootstrap import Home
from consent_gate.db.models import Publication, PublicationState
from consent_gate.filesystem import sync_folder
from publish.manifest import is_due, list_channel


def remove_withdrawn(home: Home) -> int:
    """Remove every picture the ledger calls back. Safe to repeat. Returns how many went."""
    removed = 0
    for channel in home.settings.channels:
        rows = list(Publication.objects.filter(channel=channel, state=PublicationState.UNLISTED))
        if not rows:
            continue
        if is_due(home, channel):
            list_channel(home, channel)
        _remove_files(home.approved(channel), [row.file for row in rows])
        Publication.objects.filter(
            pk__in=[row.pk for row in rows], state=PublicationState.UNLISTED
        ).update(state=PublicationState.REMOVED)
        removed += len(rows)
    _remove_abandoned(home)
    return removed


def _remove_abandoned(home: Home) -> None:
    """What was on its way out when consent went: half-made files, under either name."""
    for row in Publication.objects.filter(state=PublicationState.ABANDONED):
        folder = home.approved(row.channel)
        (folder / f".partial-{row.pk}").unlink(missing_ok=True)
        (folder / row.file).unlink(missing_ok=True)


def _remove_files(folder: Path, files: list[str]) -> None:
    touched = set()
    for name in files:
        path = folder / name
        path.unlink(missing_ok=True)
        touched.add(path.parent)
    for parent in touched:
        if parent.is_dir():
            sync_folder(parent)
