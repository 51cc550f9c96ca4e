"""Delete data after the retention periods of the settings (UK GDPR art. 5(1)(e)).

Erasing an item destroys its wrapped key in the same transaction as the audit entry. This makes
every copy of the encrypted file unreadable, also in backups of the vault. The files are deleted
afterwards. A published picture stays published without its original: it can be recalled, but not
rendered again. Sealed items are never deleted here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    ClosedPicture,
    InboxSighting,
    Item,
    ItemState,
    Publication,
    PublicationState,
)
from consent_gate.decisions.copies.closed_pictures import forget_closed_picture, forget_hashes
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.decisions.publications import apply_step
from consent_gate.home.filesystem import path_from_text
from consent_gate.home.home import Home
from consent_gate.publication import OPEN, Close
from consent_gate.vault.originals import ALL_PARTS, remove_staff_parts, vault_of
from publish.integrity.quarantine import delete_old_quarantine

BATCH_SIZE = 500
"""Items in one round, so that the first round over a large archive does not delay releases."""


@dataclass(frozen=True)
class RetentionResult:
    """How much a round deleted."""

    refused: int = 0
    """Erased items that staff had refused and that no channel releases or holds."""
    originals: int = 0
    """Originals past their period."""
    previews: int = 0
    """Previews past their period."""
    withdrawn: int = 0
    """Entries of recalled pictures removed from the manifests."""


def retention_round(home: Home) -> RetentionResult:
    """Delete up to ``BATCH_SIZE`` objects of each kind that are past their period.

    Safe to repeat, and safe to interrupt at any step.
    """
    _remove_keyless(home)
    _delete_erased_sightings(home)
    delete_old_quarantine(home)
    keep = home.settings.retention
    _forget_closed(home, keep.closed_days)
    return RetentionResult(
        refused=_delete_due(home, keep.refused_days, _due_refused, _erase_files),
        originals=_delete_due(home, keep.originals_days, _due_originals, _destroy_original),
        previews=_remove_previews(home, keep.previews_days),
        withdrawn=_close_recalls(home, keep.withdrawn_days),
    )


def erase_item(home: Home, item: Item, cause: str, actor: str = audit_log.SYSTEM_ACTOR) -> None:
    """Erase an item's key, evidence, texts and source. Call inside a transaction.

    The SHA-256 of the file stays, so that the same file is not ingested again.

    Args:
        home: The installation.
        item: An item without an open publication.
        cause: Reason for the audit log.
        actor: Name for the audit log.
    """
    item.state = ItemState.ERASED
    item.wrapped_key, item.evidence = None, None
    item.title = item.alt = item.source = item.event = ""
    item.save()
    delete_enrolments(home, item, actor)
    item.shown.all().delete()
    item.tags.all().delete()
    item.approvals.all().delete()
    forget_closed_picture(item)
    audit_log.record(home, "item.erased", f"item:{item.pk}", {"cause": cause}, actor)


def _due_refused(before: datetime) -> QuerySet[Item]:
    """Items refused by staff in at least one channel, and neither released nor held in any."""
    decisions = ChannelDecision.objects.filter(item=OuterRef("pk"))
    active = decisions.filter(verdict__in=(ChannelStatus.RELEASED, ChannelStatus.HELD))
    refused = decisions.filter(verdict=ChannelStatus.REFUSED)
    old = Item.objects.filter(state=ItemState.DECIDED, decided_at__lt=before)
    return old.filter(Exists(refused), ~Exists(active), ~_has_open_publication())


def _due_originals(before: datetime) -> QuerySet[Item]:
    old = Item.objects.filter(state=ItemState.DECIDED, received_at__lt=before)
    return old.exclude(wrapped_key=None)


def _due_previews(before: datetime) -> QuerySet[Item]:
    """Items that are held in no channel, so that staff need no preview."""
    held = ChannelDecision.objects.filter(item=OuterRef("pk"), verdict=ChannelStatus.HELD)
    old = Item.objects.filter(state=ItemState.DECIDED, decided_at__lt=before)
    return old.filter(~Exists(held)).exclude(wrapped_key=None)


def _has_open_publication() -> Exists:
    return Exists(Publication.objects.filter(item=OuterRef("pk"), state__in=OPEN))


def _delete_due(
    home: Home,
    days: int,
    due: Callable[[datetime], QuerySet[Item]],
    delete: Callable[[Home, Item], bool],
) -> int:
    """Call ``delete`` for every due item in a transaction of its own, then delete the files."""
    if not days:
        return 0
    before = home.now() - timedelta(days=days)
    count = 0
    for item_id in list(due(before).values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            item = due(before).select_for_update().filter(pk=item_id).first()
            deleted = item is not None and delete(home, item)
        count += deleted
    _remove_keyless(home)
    return count


def _erase_files(home: Home, item: Item) -> bool:
    erase_item(home, item, "refused_days")
    return True


def _destroy_original(home: Home, item: Item) -> bool:
    """Erase an unpublished item; of a published one delete the original only, for recalls."""
    if not Publication.objects.filter(item=item, state__in=OPEN).exists():
        erase_item(home, item, "originals_days")
        return True
    item.wrapped_key, item.source = None, ""
    item.save(update_fields=["wrapped_key", "source"])
    detail = {"cause": "originals_days"}
    audit_log.record(home, "item.original_destroyed", f"item:{item.pk}", detail)
    return True


def _forget_closed(home: Home, days: int) -> None:
    """Delete old hashes of refused and recalled pictures; those of sealed pictures stay."""
    if days:
        before = home.now() - timedelta(days=days)
        with transaction.atomic():
            old = ClosedPicture.objects.filter(sealed=False, created_at__lt=before)
            for row in old[:BATCH_SIZE]:
                forget_hashes(row)


def _remove_previews(home: Home, days: int) -> int:
    """Delete each file before writing its audit entry, so that no entry is untrue."""
    vault, removed = vault_of(home), []
    if days:
        due = _due_previews(home.now() - timedelta(days=days)).values_list("pk", flat=True)
        present = (pk for pk in due if vault.exists(pk, "preview"))
        removed = list(islice(present, BATCH_SIZE))
    for item_id in removed:
        remove_staff_parts(home, item_id)
    detail = {"cause": "previews_days"}
    with transaction.atomic():
        audit_log.record_all(
            home,
            [audit_log.AuditEvent("item.preview_removed", f"item:{pk}", detail) for pk in removed],
        )
    return len(removed)


def _close_recalls(home: Home, days: int) -> int:
    """Remove old confirmed recalls from the manifests. Unconfirmed ones stay at any age."""
    if not days:
        return 0
    closed = Publication.objects.filter(
        state=PublicationState.REMOVED, confirmed_at__lt=home.now() - timedelta(days=days)
    )
    with transaction.atomic():
        rows = list(closed.select_for_update()[:BATCH_SIZE])
        return len(apply_step(home, rows, Close()))


def _delete_erased_sightings(home: Home) -> None:
    """Delete the recorded file names of erased items once their files have left the inbox.

    A file name may contain a child's name.
    """
    for sighting in InboxSighting.objects.filter(item__state=ItemState.ERASED):
        if not os.path.lexists(home.inbox / path_from_text(sighting.source)):
            sighting.delete()


def _remove_keyless(home: Home) -> None:
    """Delete vault files whose key is destroyed, also after an interrupted round."""
    vault = vault_of(home)
    keyless = set(Item.objects.filter(wrapped_key=None).values_list("pk", flat=True))
    for part in ALL_PARTS:
        for name in list(vault.item_ids(part)) if keyless else ():
            if name in keyless:
                vault.remove(name, part)
