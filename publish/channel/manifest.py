"""What a channel's folder tells its reader: one JSON file, replaced as a whole.

It holds no name, no source, no path of the home and no capture time; ``docs/manifest.schema.json``
is the contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from consent_gate.db.models import ChannelState, Publication, PublicationState
from consent_gate.db.models.publications import IN_MANIFEST, RECALLED
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from publish.channel.files import PublishedFile, files_of
from publish.channel.folder import MANIFEST

SCHEMA = "consent-gate/manifest@1"


def write_manifest(home: Home, channel: str) -> None:
    """Write the manifest that the ledger asks for. Repeating it changes nothing.

    The sequence number was raised in the transaction that changed the ledger, so a crash between
    that and this only delays the manifest; readers see the one before or this one, whole.
    """
    with transaction.atomic():
        state, _ = ChannelState.objects.select_for_update().get_or_create(channel=channel)
        rows = Publication.objects.filter(channel=channel)
        replace_with(manifest_path(home, channel), as_bytes(build_now(home, channel)))
        rows.filter(state=PublicationState.LISTED).update(state=PublicationState.LIVE)
        state.listed_sequence = state.sequence
        state.save(update_fields=["listed_sequence"])


def manifest_is_stale(home: Home, channel: str) -> bool:
    """Whether the manifest in the folder is older than the ledger, or missing."""
    state = ChannelState.objects.filter(channel=channel).first()
    current = state is not None and state.listed_sequence == state.sequence
    return not current or not manifest_path(home, channel).is_file()


def manifest_path(home: Home, channel: str) -> Path:
    """Where the reader finds it."""
    return home.approved(channel) / MANIFEST


def build_now(home: Home, channel: str) -> dict[str, Any]:
    """The manifest of this moment's ledger."""
    state = ChannelState.objects.filter(channel=channel).first()
    rows = Publication.objects.filter(channel=channel, state__in=(*IN_MANIFEST, *RECALLED))
    return build(channel, state.sequence if state else 0, home.now(), rows)


def as_bytes(manifest: dict[str, Any]) -> bytes:
    """As it is written and sent: UTF-8."""
    return json.dumps(manifest, ensure_ascii=False, indent=1).encode()


def build(
    channel: str, sequence: int, now: datetime, rows: Iterable[Publication]
) -> dict[str, Any]:
    """The manifest of these rows of the ledger."""
    ordered = sorted(rows, key=lambda row: (row.released_at or row.intended_at, row.pk))
    return {
        "schema": SCHEMA,
        "channel": channel,
        "sequence": sequence,
        "generated_at": _stamp(now),
        "items": [_entry(row) for row in ordered if row.state in IN_MANIFEST],
        "withdrawn": [_withdrawal(row) for row in ordered if row.state in RECALLED],
    }


def _entry(row: Publication) -> dict[str, Any]:
    entry = {
        "id": row.pk,
        "file": row.file,
        "sha256": row.sha256,
        "bytes": row.size,
        "width": row.width,
        "height": row.height,
        "title": row.title,
        "alt": row.alt,
        "released_at": _stamp(row.released_at),
    }
    siblings = files_of(row)[1:]
    return entry | {"siblings": [_sibling(sibling) for sibling in siblings]} if siblings else entry


def _sibling(part: PublishedFile) -> dict[str, Any]:
    return {
        "file": part.file,
        "sha256": part.sha256,
        "bytes": part.size,
        "type": part.kind.media_type,
    }


def _withdrawal(row: Publication) -> dict[str, Any]:
    return {"id": row.pk, "file": row.file, "withdrawn_at": _stamp(row.withdrawn_at)}


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
