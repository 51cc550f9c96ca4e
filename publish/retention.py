"""Deleting what the school need not keep (UK GDPR art. 5(1)(e)); the periods are its settings.

Erasing destroys the item's wrapped key in the transaction that says so, which makes every copy of
the encrypted file unreadable, backups of the vault included; the files go afterwards. A picture
that is out stays out without its original: it can still be recalled, not made again. What is sealed
is never deleted here.
"""

from __future__ import annotations

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
    InboxSighting,
    Item,
    ItemState,
    Publication,
    PublicationState,
)
from consent_gate.db.models.publications import OPEN
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.decisions.ledger import mark_manifest_dirty
from consent_gate.home.home import Home
from consent_gate.vault.originals import vault_of

BATCH_SIZE = 500
"""Items in one round: a first round over an archive does not hold up the pictures."""

PARTS = ("original", "preview")


@dataclass(frozen=True)
class RetentionResult:
    """What a round deleted."""

    refused: int = 0
    """Items that staff refused everywhere, erased."""
    originals: int = 0
    previews: int = 0
    withdrawn: int = 0
    """Entries of pictures taken back, gone from the manifests."""


def retention_round(home: Home) -> RetentionResult:
    """Delete what is past its period. Safe to repeat and to stop at any step."""
    _remove_keyless(home)
    _forget_file_names(home)
    keep = home.settings.retention
    return RetentionResult(
        refused=_each(home, keep.refused_days, _refused, _erase_files),
        originals=_each(home, keep.originals_days, _old_originals, _destroy_original),
        previews=_remove_previews(home, keep.previews_days),
        withdrawn=_settle_recalls(home, keep.withdrawn_days),
    )


def erase_item(home: Home, item: Item, cause: str, actor: str = audit_log.SYSTEM_ACTOR) -> None:
    """Forget an item: key, evidence, texts and where it came from. Call inside a transaction.

    It must not be out. What stays is the hash of the file, so that it is not taken in again.
    """
    item.state = ItemState.ERASED
    item.wrapped_key, item.evidence = None, None
    item.title = item.alt = item.source = item.event = ""
    item.save()
    delete_enrolments(home, item, actor)
    item.shown.all().delete()
    item.tags.all().delete()
    item.approvals.all().delete()
    audit_log.record(home, "item.erased", f"item:{item.pk}", {"cause": cause}, actor)


def _refused(before: datetime) -> QuerySet[Item]:
    """Decided long ago, refused by staff in at least one channel and open or waiting in none."""
    decisions = ChannelDecision.objects.filter(item=OuterRef("pk"))
    alive = decisions.filter(verdict__in=(ChannelStatus.RELEASED, ChannelStatus.HELD))
    refused = decisions.filter(verdict=ChannelStatus.REFUSED)
    old = Item.objects.filter(state=ItemState.DECIDED, decided_at__lt=before)
    return old.filter(Exists(refused), ~Exists(alive), ~_is_out())


def _old_originals(before: datetime) -> QuerySet[Item]:
    old = Item.objects.filter(state=ItemState.DECIDED, received_at__lt=before)
    return old.exclude(wrapped_key=None)


def _old_previews(before: datetime) -> QuerySet[Item]:
    """Those nobody has to look at any more."""
    held = ChannelDecision.objects.filter(item=OuterRef("pk"), verdict=ChannelStatus.HELD)
    old = Item.objects.filter(state=ItemState.DECIDED, decided_at__lt=before)
    return old.filter(~Exists(held)).exclude(wrapped_key=None)


def _is_out() -> Exists:
    return Exists(Publication.objects.filter(item=OuterRef("pk"), state__in=OPEN))


def _each(
    home: Home,
    days: int,
    due: Callable[[datetime], QuerySet[Item]],
    delete: Callable[[Home, Item], bool],
) -> int:
    """Delete from every item that is due; each in its own transaction, files after it."""
    if not days:
        return 0
    before = home.now() - timedelta(days=days)
    done = 0
    for item_id in list(due(before).values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            item = due(before).select_for_update().filter(pk=item_id).first()
            gone = item is not None and delete(home, item)
        done += gone
    _remove_keyless(home)
    return done


def _erase_files(home: Home, item: Item) -> bool:
    erase_item(home, item, "refused_days")
    return True


def _destroy_original(home: Home, item: Item) -> bool:
    """An item that is not out is forgotten altogether; one that is out stays known, for recalls."""
    if not Publication.objects.filter(item=item, state__in=OPEN).exists():
        erase_item(home, item, "originals_days")
        return True
    item.wrapped_key, item.source = None, ""
    item.save(update_fields=["wrapped_key", "source"])
    detail = {"cause": "originals_days"}
    audit_log.record(home, "item.original_destroyed", f"item:{item.pk}", detail)
    return True


def _remove_previews(home: Home, days: int) -> int:
    """The file goes first: an entry for a preview that is still there would be untrue."""
    vault, gone = vault_of(home), []
    if days:
        due = _old_previews(home.now() - timedelta(days=days)).values_list("pk", flat=True)
        there = (pk for pk in due if vault.exists(pk, "preview"))
        gone = list(islice(there, BATCH_SIZE))
    for item_id in gone:
        vault.remove(item_id, "preview")
    detail = {"cause": "previews_days"}
    with transaction.atomic():
        facts = [audit_log.AuditEvent("item.preview_removed", f"item:{pk}", detail) for pk in gone]
        audit_log.record_all(home, facts)
    return len(gone)


def _settle_recalls(home: Home, days: int) -> int:
    """A recall nobody has confirmed stays in the manifest however old it is."""
    if not days:
        return 0
    closed = Publication.objects.filter(
        state=PublicationState.REMOVED, confirmed_at__lt=home.now() - timedelta(days=days)
    )
    with transaction.atomic():
        rows = list(closed.select_for_update()[:BATCH_SIZE])
        Publication.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=PublicationState.CLOSED
        )
        for channel in sorted({row.channel for row in rows}):
            mark_manifest_dirty(channel)
        audit_log.record_all(home, [_settled(row) for row in rows])
    return len(rows)


def _settled(row: Publication) -> audit_log.AuditEvent:
    about: dict[str, object] = {"publication": row.pk, "channel": row.channel}
    return audit_log.AuditEvent("recall.settled", f"item:{row.item_id}", about)


def _forget_file_names(home: Home) -> None:
    """Names of erased items' files, once the files have left the inbox: they may name a child."""
    for sighting in InboxSighting.objects.filter(item__state=ItemState.ERASED):
        if not (home.inbox / sighting.source).exists():
            sighting.delete()


def _remove_keyless(home: Home) -> None:
    """Vault files whose key is destroyed: of this round, or of one that was stopped."""
    vault = vault_of(home)
    keyless = set(Item.objects.filter(wrapped_key=None).values_list("pk", flat=True))
    for part in PARTS:
        for name in list(vault.item_ids(part)) if keyless else ():
            if name in keyless:
                vault.remove(name, part)
