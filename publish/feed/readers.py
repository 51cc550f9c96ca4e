"""Readers of the feeds: which are silent, and giving one another name.

A reader is a program or site that reads one channel, such as ``wordpress``. Its successive tokens
belong to the same reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import Confirmation, FeedToken
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from publish.feed.tokens import require_reader_name

SILENT_AFTER = timedelta(days=1)
"""Readers ask every few minutes. A reader that is silent for a day may still show withdrawn
pictures."""


@dataclass(frozen=True)
class SilentReader:
    """A reader with a valid token that has not read its feed for ``SILENT_AFTER``."""

    channel: str
    reader: str
    last_read_at: datetime | None
    """None: never."""


def silent_readers(home: Home) -> list[SilentReader]:
    """Readers that have been silent for too long, by channel and name.

    A reader counts from its newest token where it has never read.
    """
    now = home.now()
    valid = FeedToken.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now))
    readers = sorted(set(valid.values_list("channel", "reader")))
    found = []
    for channel, reader in readers:
        tokens = list(FeedToken.objects.filter(channel=channel, reader=reader))
        reads = [token.last_used_at for token in tokens if token.last_used_at is not None]
        last = max(reads, default=None)
        if now - (last or max(token.created_at for token in tokens)) > SILENT_AFTER:
            found.append(SilentReader(channel, reader, last))
    return found


def rename_reader(home: Home, channel: str, old: str, new: str, actor: str) -> None:
    """Give a reader another name. Its tokens, its confirmations and its open tickets move with it.

    The new name must be free: copies of one reader must not count as deleted because another
    reader confirmed.

    Raises:
        ItemNotFound: The channel has no such reader, or has one with the new name.
    """
    require_reader_name(new)
    with transaction.atomic():
        tokens = FeedToken.objects.filter(channel=channel)
        confirmations = Confirmation.objects.filter(publication__channel=channel)
        if not tokens.filter(reader=old).exists():
            raise ItemNotFound(f"The channel '{channel}' has no reader '{old}'.")
        if tokens.filter(reader=new).exists() or confirmations.filter(reader=new).exists():
            raise ItemNotFound(f"The channel '{channel}' has a reader '{new}' already.")
        tokens.filter(reader=old).update(reader=new)
        confirmations.filter(reader=old).update(reader=new)
        detail = {"from": old, "to": new}
        audit_log.record(home, "feed.reader_renamed", f"channel:{channel}", detail, actor)
