"""Remove the title and description of a published picture that name a pupil of today's register.

They were compared with the register when staff wrote them, and when the picture was published. A
pupil may have joined, or got another name, since.
"""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Item, Publication
from consent_gate.decisions.ledger import update_text
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST
from publish.albums import write_stale_manifests
from publish.name_check import captions_with_names


def remove_captions_with_names(home: Home) -> None:
    """Remove both texts where they name a pupil, each alone or together. Safe to repeat.

    The picture stays published without them. Call it outside a transaction.
    """
    rows = Publication.objects.filter(state__in=IN_MANIFEST).exclude(title="", alt="")
    texts = {(title, alt) for title, alt in rows.values_list("title", "alt").distinct()}
    named = captions_with_names(home, texts)
    if not named:
        return
    keys = {pk for pk, *text in rows.values_list("item", "title", "alt") if tuple(text) in named}
    with transaction.atomic():
        items = list(Item.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
        changed = [item for item in items if (item.title, item.alt) in named]
        for item in changed:
            item.title = item.alt = ""
            item.save(update_fields=["title", "alt"])
        for item in items:  # where staff wrote another text meanwhile, that one is published
            update_text(item)
        detail: dict[str, object] = {"cause": "visible_name"}
        events = [
            audit_log.AuditEvent("item.text_removed", f"item:{item.pk}", detail) for item in changed
        ]
        audit_log.record_all(home, events)
        published = Publication.objects.filter(item__in=items, state__in=IN_MANIFEST)
        channels = sorted(set(published.values_list("channel", flat=True)))
    write_stale_manifests(home, channels)
