"""Tokens that let one consumer read one channel: made, rotated, ended, checked.

A token is ``<id>.<secret>``. The id finds the row; the secret is 256 random bits, kept only as its
SHA-256 and compared in constant time. It is printed once and cannot be shown again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import FeedToken
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.ids import new_id
from publish.recall.tickets import STAFF

NOBODY = "0" * 64
"""Compared with when no row has the id, so that the answer takes as long."""


class NoSuchChannel(ItemNotFound):
    """No channel of that name is in the settings, or no consumer may be called so."""

    next_step = "The channels are the [channels.…] blocks of consent-gate.toml."


def new_token(home: Home, channel: str, consumer: str, overlap: timedelta, actor: str) -> str:
    """A fresh token; the consumer's older ones end after the overlap. Raises NoSuchChannel."""
    if channel not in home.settings.channels:
        raise NoSuchChannel(f"There is no channel '{channel}'.")
    if not consumer.strip() or consumer == STAFF or len(consumer) > 60:
        raise NoSuchChannel(f"A consumer cannot be called '{consumer}'.")
    secret, now = secrets.token_urlsafe(32), home.now()
    with transaction.atomic():
        older = FeedToken.objects.filter(channel=channel, consumer=consumer)
        for row in older.filter(Q(ends_at=None) | Q(ends_at__gt=now + overlap)):
            _end(home, row, now + overlap, actor)
        token = FeedToken.objects.create(
            id=new_id(),
            channel=channel,
            consumer=consumer,
            secret_sha256=_digest(secret),
            created_at=now,
        )
        detail = {"token": token.pk, "consumer": consumer}
        audit_log.record(home, "feed.token_made", f"channel:{channel}", detail, actor)
    return f"{token.pk}.{secret}"


def end_token(home: Home, token_id: str, actor: str) -> None:
    """Stop a token at once. Raises ItemNotFound."""
    with transaction.atomic():
        token = FeedToken.objects.select_for_update().filter(pk=token_id).first()
        if token is None:
            raise ItemNotFound("There is no such token.")
        _end(home, token, home.now(), actor)


def _end(home: Home, token: FeedToken, ended_at: datetime, actor: str) -> None:
    """Call inside a transaction. No restore makes it valid again (``db.closings``)."""
    token.ends_at = ended_at
    token.save(update_fields=["ends_at"])
    detail = {"token": token.pk, "at": ended_at.isoformat(timespec="seconds")}
    audit_log.record(home, "feed.token_ended", f"channel:{token.channel}", detail, actor)


def token_of(home: Home, presented: str, channel: str) -> FeedToken | None:
    """The token, if it is whole, in force and for this channel."""
    token_id, _, secret = presented.partition(".")
    row = FeedToken.objects.filter(pk=token_id[:26]).first()
    right = hmac.compare_digest(_digest(secret), row.secret_sha256 if row else NOBODY)
    if row is None or not right or row.channel != channel:
        return None
    return row if row.ends_at is None or row.ends_at > home.now() else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
