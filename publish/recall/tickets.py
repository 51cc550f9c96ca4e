"""Recall tickets: track until everybody who may have a copy of a recalled picture has deleted it.

A ticket waits for a confirmation from every reader of the feed that downloaded the picture. It also
waits for staff if the channel is printed, or if it has no feed, because then nobody else knows
which copies exist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import (
    Confirmation,
    FeedDownload,
    FeedToken,
    Publication,
    PublicationState,
)
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.publication import RECALLED

OVERDUE_AFTER = timedelta(days=1)
"""How long after its recall an open ticket is reported."""

STAFF = "staff"
"""Name under which staff confirm for printed copies and for channels without a feed."""


class PublicationNotRecalled(ItemNotFound):
    """No recalled picture has this id."""

    next_step = "'consent-gate tickets list' shows what is open."


@dataclass(frozen=True)
class Download:
    """A reader's downloads of a picture before its recall."""

    reader: str
    last_at: datetime
    count: int
    """Number of downloads."""


@dataclass(frozen=True)
class Ticket:
    """One recalled picture with copies that are not confirmed as deleted."""

    publication: Publication
    downloads: tuple[Download, ...]
    waits_for: tuple[str, ...]
    """Readers who have not confirmed. Empty if only the file in the folder must be removed."""


def open_tickets(home: Home, rows: Iterable[Publication] | None = None) -> list[Ticket]:
    """A ticket for each publication.

    Args:
        home: The installation.
        rows: Recalled publications. None: all with an open ticket, the oldest recall first.
    """
    if rows is None:
        unconfirmed = Publication.objects.filter(state__in=RECALLED, confirmed_at=None)
        rows = unconfirmed.order_by("withdrawn_at", "pk")
    rows = list(rows)
    downloads, confirmed = _downloads_by_publication(rows), _confirmations(rows)
    staff_channels = channels_needing_staff_confirmation(home)
    tickets = []
    for row in rows:
        expected = _expected_confirmations(row, downloads[row.pk], staff_channels)
        waits_for = tuple(sorted(expected - confirmed[row.pk]))
        tickets.append(Ticket(row, tuple(downloads[row.pk]), waits_for))
    return tickets


def overdue_tickets(home: Home) -> list[Ticket]:
    """Open tickets of pictures that were recalled more than ``OVERDUE_AFTER`` ago."""
    limit = home.now() - OVERDUE_AFTER
    late = Publication.objects.filter(state__in=RECALLED, confirmed_at=None, withdrawn_at__lt=limit)
    return open_tickets(home, late.order_by("withdrawn_at", "pk"))


def confirm(home: Home, publications: Collection[Publication], reader: str, actor: str) -> None:
    """Record that a reader has deleted its copies of these pictures. Safe to repeat.

    Args:
        home: The installation.
        publications: Recalled publications.
        reader: Name of the reader, or ``STAFF``.
        actor: Name for the audit log.

    Raises:
        PublicationNotRecalled: One of the pictures is not recalled; nothing is recorded.
    """
    with transaction.atomic():
        rows = [Publication.objects.select_for_update().get(pk=p.pk) for p in publications]
        if any(row.state not in RECALLED for row in rows):
            raise PublicationNotRecalled("This picture has not been recalled.")
        known = _confirmations(rows)
        new = [row for row in rows if reader not in known[row.pk]]
        Confirmation.objects.bulk_create(
            Confirmation(publication=row, reader=reader, actor=actor, created_at=home.now())
            for row in new
        )
        events = [_audit_event("recall.confirmed", row, {"reader": reader}) for row in new]
        audit_log.record_all(home, events, actor)
    close_confirmed(home, rows)


def close_confirmed(home: Home, rows: Iterable[Publication]) -> None:
    """Close the tickets of these publications that wait for nobody and whose file is removed."""
    keys = [row.pk for row in rows]
    with transaction.atomic():
        for start in range(0, len(keys), 500):
            removed = Publication.objects.filter(
                pk__in=keys[start : start + 500], state=PublicationState.REMOVED, confirmed_at=None
            )
            tickets = open_tickets(home, removed)
            done = [t.publication for t in tickets if not t.waits_for]
            Publication.objects.filter(pk__in=[p.pk for p in done]).update(confirmed_at=home.now())
            audit_log.record_all(home, [_audit_event("recall.closed", row, {}) for row in done])


def channels_needing_staff_confirmation(home: Home) -> set[str]:
    """Names of the channels that are printed or have no valid feed token."""
    valid = FeedToken.objects.filter(Q(ends_at=None) | Q(ends_at__gt=home.now()))
    with_feed = set(valid.values_list("channel", flat=True))
    channels = home.settings.channels.items()
    return {name for name, channel in channels if channel.printed or name not in with_feed}


def _expected_confirmations(
    row: Publication, downloads: Iterable[Download], staff_channels: set[str]
) -> set[str]:
    readers = {download.reader for download in downloads}
    return readers | ({STAFF} if row.channel in staff_channels else set())


def _downloads_by_publication(rows: list[Publication]) -> dict[str, list[Download]]:
    """Downloads by publication id; the successive tokens of one reader count together."""
    found: dict[str, dict[str, Download]] = defaultdict(dict)
    for batch in _batches([row.pk for row in rows]):
        records = FeedDownload.objects.filter(publication__in=batch).select_related("token")
        for record in records.order_by("last_at"):
            reader, by_reader = record.token.reader, found[record.publication_id]
            earlier = by_reader[reader].count if reader in by_reader else 0
            by_reader[reader] = Download(reader, record.last_at, earlier + record.count)
    return defaultdict(list, {key: list(downloads.values()) for key, downloads in found.items()})


def _confirmations(rows: list[Publication]) -> dict[str, set[str]]:
    """Readers that have confirmed, by publication id."""
    found: dict[str, set[str]] = defaultdict(set)
    for batch in _batches([row.pk for row in rows]):
        records = Confirmation.objects.filter(publication__in=batch)
        for publication, reader in records.values_list("publication_id", "reader"):
            found[publication].add(reader)
    return found


def _batches(keys: list[str]) -> Iterable[list[str]]:
    """Lists of at most 500 keys: databases limit the parameters of one query."""
    return (keys[start : start + 500] for start in range(0, len(keys), 500))


def _audit_event(action: str, row: Publication, detail: dict[str, object]) -> audit_log.AuditEvent:
    detail = {"publication": row.pk, "channel": row.channel, **detail}
    return audit_log.AuditEvent(action, f"item:{row.item_id}", detail)
