"""Recall by hand: a pupil's pictures, an import's, an item, an event, a channel, or everything.

A picture taken back stays back until a person approves it anew; see ``decisions``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ChannelDecision,
    Publication,
    PublicationState,
    PupilChange,
    Shown,
    StaffApproval,
    VerdictWord,
)
from consent_gate.db.models.publications import OPEN
from consent_gate.decisions.ledger import BY_HAND, touch_channel
from consent_gate.home.home import Home
from publish.channel.folder import Trouble
from publish.recall.withdraw import remove_withdrawn


@dataclass(frozen=True)
class Selection:
    """Which pictures; what is given narrows it down, one of each is enough."""

    pupils: Collection[str] = ()
    """Admission numbers: pictures that show, or may show, one of them."""
    items: Collection[str] = ()
    events: Collection[str] = ()
    """Sub-folders of the inbox."""
    channels: Collection[str] = ()
    imports: Collection[int] = ()
    """Numbers of import runs: pictures that show, or may show, a pupil whom one of them changed."""


@dataclass(frozen=True)
class TakenBack:
    """What a recall did."""

    publications: tuple[Publication, ...]
    troubles: tuple[Trouble, ...]
    """Channels whose folder could not follow yet."""


def selected(selection: Selection) -> QuerySet[Publication]:
    """Pictures that are out or on their way out. An empty selection is everything."""
    rows = Publication.objects.filter(state__in=OPEN)
    if selection.pupils:
        shown = Shown.objects.filter(admission_number__in=list(selection.pupils))
        rows = rows.filter(item__in=shown.values("item"))
    if selection.imports:
        changed = PupilChange.objects.filter(run__in=list(selection.imports))
        numbers = changed.values("pupil__admission_number")
        rows = rows.filter(
            item__in=Shown.objects.filter(admission_number__in=numbers).values("item")
        )
    if selection.items:
        rows = rows.filter(item__in=list(selection.items))
    if selection.events:
        rows = rows.filter(item__event__in=list(selection.events))
    if selection.channels:
        rows = rows.filter(channel__in=list(selection.channels))
    return rows.order_by("channel", "released_at", "pk")


def take_back(home: Home, selection: Selection, by: str) -> TakenBack:
    """Call the pictures back in one transaction, then remove them."""
    with transaction.atomic():
        rows = list(selected(selection).select_for_update())
        _call_back(home, [row.pk for row in rows])
        for channel in sorted({row.channel for row in rows}):
            items = [row.item_id for row in rows if row.channel == channel]
            _note_withdrawn(home, channel, items)
            touch_channel(channel)
        audit_log.record_all(home, [_fact(row) for row in rows], by)
    troubles = remove_withdrawn(home)
    audit_log.save_anchor(home)
    return TakenBack(tuple(rows), tuple(troubles))


def _call_back(home: Home, keys: list[str]) -> None:
    """As ``ledger.call_back``, for many at once."""
    now = home.now()
    stood = StaffApproval.objects.filter(
        item=OuterRef("item"), channel=OuterRef("channel"), refused=False
    )
    for start in range(0, len(keys), 500):
        some = Publication.objects.filter(pk__in=keys[start : start + 500])
        some.update(cause=BY_HAND, approval_at_recall=Subquery(stood.values("at")[:1]))
        was_out = Q(released_at__isnull=False)
        some.filter(was_out).update(state=PublicationState.UNLISTED, withdrawn_at=now)
        some.exclude(was_out).update(state=PublicationState.ABANDONED)


def _note_withdrawn(home: Home, channel: str, items: list[str]) -> None:
    for start in range(0, len(items), 500):
        ChannelDecision.objects.filter(channel=channel, item__in=items[start : start + 500]).update(
            verdict=VerdictWord.WITHDRAWN, reasons=[], faces={}, decided_at=home.now()
        )


def _fact(row: Publication) -> audit_log.Fact:
    action = "publication.recalled" if row.released_at else "publication.abandoned"
    detail = {"publication": row.pk, "channel": row.channel, "cause": BY_HAND}
    return audit_log.Fact(action, f"item:{row.item_id}", detail)
