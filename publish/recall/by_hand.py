"""Recall published pictures by hand: by pupil, import, item, event or channel, or all of them.

A recalled picture is published again only after a person has approved it again
(``consent_gate.decisions``).
"""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import QuerySet

from consent_gate.db import audit_log
from consent_gate.db.event_folders import in_folder
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    Item,
    Publication,
    PupilChange,
    PupilInItem,
)
from consent_gate.decisions.copies.closed_pictures import sync_closed_picture
from consent_gate.decisions.copies.sealed_copies import remove_sealed_copies
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.publications import recall_or_cancel_rows
from consent_gate.home.home import Home
from consent_gate.publication import BY_HAND, OPEN
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
    """Folders below the inbox; selects the pictures of the folders below them as well."""
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
        folders = [in_folder(event, "item__event") for event in selection.events]
        rows = rows.filter(reduce(or_, folders))
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
        recall_or_cancel_rows(home, [copy(row) for row in rows], BY_HAND, home.now(), actor)
        for channel in sorted({row.channel for row in rows}):
            items = [row.item_id for row in rows if row.channel == channel]
            _mark_decisions_withdrawn(home, channel, items)
    problems = remove_withdrawn(home)
    _close_pictures(home, {row.item_id for row in rows}, actor)
    problems = [*problems, *remove_withdrawn(home)] if rows else problems
    audit_log.save_anchor(home)
    return RecallResult(tuple(rows), tuple(problems))


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
