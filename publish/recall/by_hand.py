"""Recall published pictures by hand: by pupil, import, item, event or channel, or all of them.

A recalled picture is published again only after a person has approved it again
(``consent_gate.decisions``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    Item,
    Publication,
    PublicationState,
    PupilChange,
    PupilInItem,
    StaffApproval,
)
from consent_gate.db.models.publications import OPEN
from consent_gate.decisions.closed_pictures import remove_sealed_copies, sync_closed_picture
from consent_gate.decisions.ledger import BY_HAND, DecisionContext, mark_manifest_dirty
from consent_gate.home.home import Home
from consent_gate.register.relevant import register_for_item
from publish.channel.folder import FolderProblem
from publish.recall.withdraw import remove_withdrawn


@dataclass(frozen=True)
class RecallSelection:
    """Which pictures to recall.

    A picture is selected if it matches one value of every field that is not empty.
    """

    pupils: Collection[str] = ()
    """Admission numbers; selects pictures that show, or may show, one of these pupils."""
    items: Collection[str] = ()
    """Ids of items."""
    events: Collection[str] = ()
    """Sub-folders of the inbox."""
    channels: Collection[str] = ()
    """Names of channels."""
    imports: Collection[int] = ()
    """Numbers of import runs; selects pictures that show, or may show, a pupil whom one of these
    runs changed."""


@dataclass(frozen=True)
class RecallResult:
    """What a recall did."""

    publications: tuple[Publication, ...]
    """The recalled publications, as they were before."""
    problems: tuple[FolderProblem, ...]
    """Channels whose files could not be removed yet."""


def select_publications(selection: RecallSelection) -> QuerySet[Publication]:
    """Published and pending pictures that match. An empty selection matches all of them."""
    rows = Publication.objects.filter(state__in=OPEN)
    if selection.pupils:
        shown = PupilInItem.objects.filter(admission_number__in=list(selection.pupils))
        rows = rows.filter(item__in=shown.values("item"))
    if selection.imports:
        changed = PupilChange.objects.filter(run__in=list(selection.imports))
        numbers = changed.values("pupil__admission_number")
        rows = rows.filter(
            item__in=PupilInItem.objects.filter(admission_number__in=numbers).values("item")
        )
    if selection.items:
        rows = rows.filter(item__in=list(selection.items))
    if selection.events:
        rows = rows.filter(item__event__in=list(selection.events))
    if selection.channels:
        rows = rows.filter(channel__in=list(selection.channels))
    return rows.order_by("channel", "released_at", "pk")


def recall_selection(home: Home, selection: RecallSelection, actor: str) -> RecallResult:
    """Recall the selected pictures in one transaction, then remove their files.

    Args:
        home: The installation.
        selection: Which pictures.
        actor: Name for the audit log.
    """
    with transaction.atomic():
        rows = list(select_publications(selection).select_for_update())
        _recall_publications(home, [row.pk for row in rows])
        for channel in sorted({row.channel for row in rows}):
            items = [row.item_id for row in rows if row.channel == channel]
            _mark_decisions_withdrawn(home, channel, items)
            mark_manifest_dirty(channel)
        audit_log.record_all(home, [_audit_event(row) for row in rows], actor)
    problems = remove_withdrawn(home)
    _close_pictures(home, {row.item_id for row in rows}, actor)
    problems = [*problems, *remove_withdrawn(home)] if rows else problems
    audit_log.save_anchor(home)
    return RecallResult(tuple(rows), tuple(problems))


def _recall_publications(home: Home, keys: list[str]) -> None:
    """Does the same as ``ledger.recall_publication``, for many publications at once."""
    now = home.now()
    approvals = StaffApproval.objects.filter(
        item=OuterRef("item"), channel=OuterRef("channel"), refused=False
    )
    for start in range(0, len(keys), 500):
        batch = Publication.objects.filter(pk__in=keys[start : start + 500])
        batch.update(cause=BY_HAND, approval_at_recall=Subquery(approvals.values("created_at")[:1]))
        was_out = Q(released_at__isnull=False)
        batch.filter(was_out).update(state=PublicationState.WITHDRAWING, withdrawn_at=now)
        batch.exclude(was_out).update(state=PublicationState.CANCELLED)


def _close_pictures(home: Home, items: Collection[str], actor: str) -> None:
    """Remember the recalled pictures, so that copies of them are held.

    It comes after the recall, which must not wait for it: one picture takes some milliseconds.
    """
    for pk in sorted(items):
        with transaction.atomic():
            now = home.now()
            item = Item.objects.select_for_update().get(pk=pk)
            ctx = DecisionContext(home, register_for_item(item, now.date()), now, actor)
            sealed = sync_closed_picture(ctx, item)
        remove_sealed_copies(home, sealed)


def _mark_decisions_withdrawn(home: Home, channel: str, items: list[str]) -> None:
    for start in range(0, len(items), 500):
        ChannelDecision.objects.filter(channel=channel, item__in=items[start : start + 500]).update(
            verdict=ChannelStatus.WITHDRAWN, reasons=[], faces={}, decided_at=home.now()
        )


def _audit_event(row: Publication) -> audit_log.AuditEvent:
    action = "publication.recalled" if row.released_at else "publication.abandoned"
    detail = {"publication": row.pk, "channel": row.channel, "cause": BY_HAND}
    return audit_log.AuditEvent(action, f"item:{row.item_id}", detail)
