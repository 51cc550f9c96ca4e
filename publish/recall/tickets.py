"""Recall tickets: a picture taken back stays open until whoever may hold a copy says it is gone.

A ticket waits for every feed consumer that fetched the picture; and for staff where copies are on
paper, or where the channel has no feed, so that nobody else can say what was copied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

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
from consent_gate.db.models.publications import RECALLED
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home

STAFF = "staff"
"""Answers for printed copies, and for folders that were read without a feed."""


class PublicationNotRecalled(ItemNotFound):
    """There is no recalled picture with this id."""

    next_step = "'consent-gate tickets list' shows what is open."


@dataclass(frozen=True)
class Download:
    """That a consumer fetched the picture before it was taken back."""

    consumer: str
    last_at: datetime
    count: int


@dataclass(frozen=True)
class Ticket:
    """One recalled picture that is not settled."""

    publication: Publication
    downloads: tuple[Download, ...]
    waits_for: tuple[str, ...]
    """Consumers who have not confirmed; empty while only the file is still to be removed."""


def open_tickets(home: Home, rows: Iterable[Publication] | None = None) -> list[Ticket]:
    """Tickets that are open, oldest first; of the given publications, or of all."""
    if rows is None:
        waiting = Publication.objects.filter(state__in=RECALLED, confirmed_at=None)
        rows = waiting.order_by("withdrawn_at", "pk")
    rows = list(rows)
    pulled, confirmed = _downloads(rows), _confirmed(rows)
    asks_staff = channels_that_ask_staff(home)
    return [
        Ticket(
            row,
            tuple(pulled[row.pk]),
            tuple(sorted(_asked(row, pulled[row.pk], asks_staff) - confirmed[row.pk])),
        )
        for row in rows
    ]


def confirm(home: Home, publications: Collection[Publication], consumer: str, actor: str) -> None:
    """Note that a consumer's copies are gone. Repeating it changes nothing.

    Raises PublicationNotRecalled where one of the pictures was not taken back.
    """
    with transaction.atomic():
        rows = [Publication.objects.select_for_update().get(pk=p.pk) for p in publications]
        if any(row.state not in RECALLED for row in rows):
            raise PublicationNotRecalled("This picture was not taken back.")
        known = _confirmed(rows)
        new = [row for row in rows if consumer not in known[row.pk]]
        Confirmation.objects.bulk_create(
            Confirmation(publication=row, consumer=consumer, actor=actor, created_at=home.now())
            for row in new
        )
        facts = [_fact("recall.confirmed", row, {"consumer": consumer}) for row in new]
        audit_log.record_all(home, facts, actor)
    close_answered(home, rows)


def close_answered(home: Home, rows: Iterable[Publication]) -> None:
    """Close those of the tickets that wait for nobody and whose file is gone."""
    keys = [row.pk for row in rows]
    with transaction.atomic():
        for start in range(0, len(keys), 500):
            removed = Publication.objects.filter(
                pk__in=keys[start : start + 500], state=PublicationState.REMOVED, confirmed_at=None
            )
            tickets = open_tickets(home, removed)
            done = [t.publication for t in tickets if not t.waits_for]
            Publication.objects.filter(pk__in=[p.pk for p in done]).update(confirmed_at=home.now())
            audit_log.record_all(home, [_fact("recall.closed", row, {}) for row in done])


def channels_that_ask_staff(home: Home) -> set[str]:
    """Channels with printed copies, or without anybody who reads a feed."""
    live = FeedToken.objects.filter(Q(ends_at=None) | Q(ends_at__gt=home.now()))
    fed = set(live.values_list("channel", flat=True))
    return {n for n, c in home.settings.channels.items() if c.printed or n not in fed}


def _asked(row: Publication, pulled: Iterable[Download], asks_staff: set[str]) -> set[str]:
    return {p.consumer for p in pulled} | ({STAFF} if row.channel in asks_staff else set())


def _downloads(rows: list[Publication]) -> dict[str, list[Download]]:
    """By publication: who fetched it; a consumer's rotated tokens count as one."""
    found: dict[str, dict[str, Download]] = defaultdict(dict)
    for batch in _slices([row.pk for row in rows]):
        reads = FeedDownload.objects.filter(publication__in=batch).select_related("token")
        for read in reads.order_by("last_at"):
            name, of_it = read.token.consumer, found[read.publication_id]
            times = of_it[name].count if name in of_it else 0
            of_it[name] = Download(name, read.last_at, times + read.count)
    return defaultdict(list, {key: list(of_it.values()) for key, of_it in found.items()})


def _confirmed(rows: list[Publication]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for batch in _slices([row.pk for row in rows]):
        answers = Confirmation.objects.filter(publication__in=batch)
        for publication, consumer in answers.values_list("publication_id", "consumer"):
            found[publication].add(consumer)
    return found


def _slices(keys: list[str]) -> Iterable[list[str]]:
    """As many at once as every database takes in one question."""
    return (keys[start : start + 500] for start in range(0, len(keys), 500))


def _fact(action: str, row: Publication, detail: dict[str, object]) -> audit_log.AuditEvent:
    about = {"publication": row.pk, "channel": row.channel, **detail}
    return audit_log.AuditEvent(action, f"item:{row.item_id}", about)
