"""Build and write a channel's manifest: a JSON file that lists its pictures.

The file is replaced atomically. It contains no name of a person, no source file name, no path of
the home and no capture time. ``docs/manifest.schema.json`` is the contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from consent_gate.db.models import ChannelState, Publication, PublicationState
from consent_gate.decisions.publications import apply_step
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST, RECALLED, Announce
from publish.channel.albums import albums_of_channel
from publish.channel.files import PublishedFile, files_of, film_of
from publish.channel.folder import MANIFEST, folder_of

SCHEMA = "consent-gate/manifest@1"


def write_manifest(home: Home, channel: str) -> None:
    """Write the manifest of the current ledger and mark its pictures as live. Safe to repeat.

    The transaction that changed the ledger has raised the sequence number. A crash before this
    call only delays the manifest. Readers see the old manifest or the new one, never a part.

    Raises:
        OSError: The folder cannot be written.
    """
    with transaction.atomic():
        state, _ = ChannelState.objects.select_for_update().get_or_create(channel=channel)
        listed = list(Publication.objects.filter(channel=channel, state=PublicationState.LISTED))
        replace_with(manifest_path(home, channel), encode(build_current(home, channel)))
        apply_step(home, listed, Announce())
        state.listed_sequence = state.sequence
        state.save(update_fields=["listed_sequence"])


def refresh_public_manifests(home: Home) -> None:
    """Write the manifests of the gallery's channels again, with the present time.

    The gallery shows nothing when the time is too old: then the gate does not run, and a
    withdrawal may be missing. A manifest that is behind the ledger is left to the release round.

    Raises:
        OSError: A folder cannot be written.
        FolderUnavailable: A folder is missing.
    """
    for channel in home.settings.gallery.channels:
        folder_of(home, channel)
        if not manifest_is_stale(home, channel):
            write_manifest(home, channel)


def manifest_is_stale(home: Home, channel: str) -> bool:
    """Whether the manifest in the folder is older than the ledger, or missing."""
    state = ChannelState.objects.filter(channel=channel).first()
    current = state is not None and state.listed_sequence == state.sequence
    return not current or not manifest_path(home, channel).is_file()


def manifest_path(home: Home, channel: str) -> Path:
    """Path of the channel's manifest."""
    return home.approved(channel) / MANIFEST


def build_current(home: Home, channel: str) -> dict[str, Any]:
    """The manifest of the current ledger."""
    state = ChannelState.objects.filter(channel=channel).first()
    rows = Publication.objects.filter(channel=channel, state__in=(*IN_MANIFEST, *RECALLED))
    sequence, albums = state.sequence if state else 0, albums_of_channel(home, channel)
    return build(channel, sequence, home.now(), rows, albums)


def encode(manifest: dict[str, Any]) -> bytes:
    """The manifest as JSON in UTF-8, as it is written and sent."""
    return json.dumps(manifest, ensure_ascii=False, indent=1).encode()


def build(
    channel: str,
    sequence: int,
    now: datetime,
    rows: Iterable[Publication],
    albums: Mapping[str, str],
) -> dict[str, Any]:
    """The manifest of these publications.

    Args:
        channel: Name of the channel.
        sequence: The channel's sequence number.
        now: Time for ``generated_at``.
        rows: Released and recalled publications; others are ignored.
        albums: Titles of albums, by publication id. They name no pupil.
    """
    ordered = sorted(rows, key=lambda row: (row.released_at or row.intended_at, row.pk))
    return {
        "schema": SCHEMA,
        "channel": channel,
        "sequence": sequence,
        "generated_at": _stamp(now),
        "items": [
            _entry(row, albums.get(row.pk, "")) for row in ordered if row.state in IN_MANIFEST
        ],
        "withdrawn": [_withdrawal(row) for row in ordered if row.state in RECALLED],
    }


def _entry(row: Publication, album: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
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
    if album:
        entry["album"] = album
    if row.gate_covers:
        entry["covered"] = row.gate_covers
    film = film_of(row)
    if film is not None:
        poster = {"file": row.file, "sha256": row.sha256, "bytes": row.size}
        sound = {} if row.sound is None else {"sound": True}
        return entry | {
            "kind": "film",
            "file": film.name,
            "sha256": film.sha256,
            "bytes": film.size,
            "duration": film.seconds,
            "poster": poster,
            **sound,
        }
    alternates = files_of(row)[1:]
    if not alternates:
        return entry
    return entry | {"siblings": [_alternate_entry(file) for file in alternates]}


def _alternate_entry(file: PublishedFile) -> dict[str, Any]:
    return {
        "file": file.name,
        "sha256": file.sha256,
        "bytes": file.size,
        "type": file.kind.media_type,
    }


def _withdrawal(row: Publication) -> dict[str, Any]:
    film = film_of(row)
    file = row.file if film is None else film.name
    return {"id": row.pk, "file": file, "withdrawn_at": _stamp(row.withdrawn_at)}


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
