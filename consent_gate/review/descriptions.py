"""Describe the published pictures of an event that nobody has described."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ItemState, Publication
from consent_gate.decisions.ledger import update_text
from consent_gate.home.home import Home
from consent_gate.publication import OPEN
from consent_gate.review.validation import InvalidInput, check_description

MAX_ALT = 500
"""Characters; ``docs/manifest.schema.json`` has the same limit."""


def describe_event(home: Home, event: str, alt: str, actor: str) -> int:
    """Give each published picture of the event that has no description this one.

    Args:
        home: The installation.
        event: Folder below the inbox, without its subfolders.
        alt: The description.
        actor: Name for the audit log.

    Returns:
        The number of pictures.

    Raises:
        InvalidInput: The description is empty or names a pupil.
    """
    alt = alt.strip()[:MAX_ALT]
    if not alt:
        raise InvalidInput("Please say what the pictures show.")
    with transaction.atomic():
        items = list(undescribed(event).select_for_update())
        for title in {"", *(item.title for item in items)}:
            check_description(home, event, title, alt)
        for item in items:
            item.alt = alt
            update_text(item)
        keys = [item.pk for item in items]
        Item.objects.filter(pk__in=keys).update(alt=alt, revision=F("revision") + 1)
        audit_log.record_all(
            home, [audit_log.AuditEvent("item.described", f"item:{pk}", {}) for pk in keys], actor
        )
    return len(items)


def undescribed(event: str) -> QuerySet[Item]:
    """The published pictures of the event that have no description."""
    return published_of(event).filter(alt="")


def published_of(event: str) -> QuerySet[Item]:
    """The published pictures of the event, without those in its subfolders."""
    out = Publication.objects.filter(item=OuterRef("pk"), state__in=OPEN)
    return Item.objects.filter(Exists(out), event=event, state=ItemState.DECIDED)
