"""Create, rotate, end and check feed tokens. A token lets one reader read one channel.

A token is ``<id>.<secret>``. The id finds the row. The secret is 256 random bits; the database
stores only its SHA-256, and it is compared in constant time. The token is shown once.
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
from consent_gate.home.ids import new_id
from publish.recall.tickets import STAFF

DUMMY_DIGEST = "0" * 64
"""Compared with if no row has the id, so that the check takes the same time."""


class NoSuchChannel(ItemNotFound):
    """The settings have no channel of this name, or the reader's name is not allowed."""

    next_step = "The channels are the [channels.…] blocks of consent-gate.toml."


def new_token(home: Home, channel: str, reader: str, overlap: timedelta, actor: str) -> str:
    """Create a token. The reader's older tokens for the channel end after ``overlap``.

    Args:
        home: The installation.
        channel: Name of the channel.
        reader: Name of the reader, 1 to 60 characters, not ``STAFF``.
        overlap: How long older tokens stay valid.
        actor: Name for the audit log.

    Returns:
        The token as ``<id>.<secret>``.

    Raises:
        NoSuchChannel: There is no such channel, or the reader's name is not allowed.
    """
    if channel not in home.settings.channels:
        raise NoSuchChannel(f"There is no channel '{channel}'.")
    require_reader_name(reader)
    secret, now = secrets.token_urlsafe(32), home.now()
    with transaction.atomic():
        older = FeedToken.objects.filter(channel=channel, reader=reader)
        for row in older.filter(Q(ends_at=None) | Q(ends_at__gt=now + overlap)):
            _end(home, row, now + overlap, actor)
        token = FeedToken.objects.create(
            id=new_id(),
            channel=channel,
            reader=reader,
            secret_sha256=_sha256(secret),
            created_at=now,
        )
        detail = {"token": token.pk, "reader": reader}
        audit_log.record(home, "feed.token_made", f"channel:{channel}", detail, actor)
    return f"{token.pk}.{secret}"


def require_reader_name(name: str) -> None:
    """Check the name of a reader.

    Raises:
        NoSuchChannel: It is empty, too long, the word that stands for staff, or looks like another
            name because of its spaces.
    """
    is_plain = name == " ".join(name.split()) and name.isprintable()
    if not name or not is_plain or name.casefold() == STAFF or len(name) > 60:
        raise NoSuchChannel(
            f"A reader cannot be called '{name}'. Use 1 to 60 characters, not '{STAFF}'."
        )


def end_token(home: Home, token_id: str, actor: str) -> None:
    """End a token at once.

    Raises:
        ItemNotFound: No token has this id.
    """
    with transaction.atomic():
        token = FeedToken.objects.select_for_update().filter(pk=token_id).first()
        if token is None:
            raise ItemNotFound("There is no such token.")
        _end(home, token, home.now(), actor)


def _end(home: Home, token: FeedToken, ended_at: datetime, actor: str) -> None:
    """Call inside a transaction. A restore does not make it valid again (``db.revocations``)."""
    token.ends_at = ended_at
    token.save(update_fields=["ends_at"])
    detail = {"token": token.pk, "at": ended_at.isoformat(timespec="seconds")}
    audit_log.record(home, "feed.token_ended", f"channel:{token.channel}", detail, actor)


def valid_token(home: Home, presented: str, channel: str) -> FeedToken | None:
    """The row of a presented token, or None if it is not valid for this channel now."""
    token_id, _, secret = presented.partition(".")
    row = FeedToken.objects.filter(pk=token_id[:26]).first()
    matches = hmac.compare_digest(_sha256(secret), row.secret_sha256 if row else DUMMY_DIGEST)
    if row is None or not matches or row.channel != channel:
        return None
    return row if row.ends_at is None or row.ends_at > home.now() else None


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
