"""Read the history of publications, and write their steps. No other module changes their state.

The steps and the states that they lead to are those of ``consent_gate.publication``.
``tests/unit/docs/test_one_writer.py`` checks that no other module writes the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import Item, Publication, StaffApproval
from consent_gate.decisions.ledger import BatchEffects, DecisionContext, mark_manifest_dirty
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.model import Box, FilmSpan, KeptSound
from consent_gate.publication import (
    IN_MANIFEST,
    OPEN,
    Appearance,
    Cancel,
    ChannelStatus,
    History,
    List,
    Open,
    OpenPublication,
    PastRecall,
    Recall,
    RecordLost,
    Transition,
    Write,
    WrittenStep,
    recall_or_cancel,
    transitions_of,
)

BATCH_SIZE = 500
"""Rows of one statement: databases limit the parameters of a query."""


def appearance_of(publication: Publication) -> Appearance:
    """Return the redactions, crop, size and parts with which a publication was opened."""
    redactions = tuple(Box(*box) for box in publication.redactions)
    crop = Box(*publication.crop) if publication.crop else None
    kept, sound = publication.kept, publication.sound
    return Appearance(
        redactions,
        crop,
        publication.side,
        None if kept is None else _as_spans(kept),
        tuple(publication.covered),
        None if sound is None else KeptSound(sound["sha256"], _as_spans(sound["muted"])),
    )


def was_out(row: Publication) -> bool:
    """Whether a publication is in its folder, or was before it had to be made again."""
    return row.released_at is not None or row.state in IN_MANIFEST


def find_open_publication(item: Item, channel: str) -> Publication | None:
    """Return the publication of an item that is published or being made. None: there is none."""
    rows = [p for p in item.publications.all() if p.channel == channel and p.state in OPEN]
    return rows[0] if rows else None


def history_of(
    item: Item,
    channel: str,
    last_status: ChannelStatus | None = None,
    *,
    approval_withdrawn: bool = False,
) -> History:
    """Return the history of an item in a channel, for ``publication.next_step``.

    Args:
        item: The item, with its publications and approvals.
        channel: Name of the channel.
        last_status: Outcome of the last decision; None if there was none.
        approval_withdrawn: Whether an approval of the channel was withdrawn in this round.
    """
    current = find_open_publication(item, channel)
    approvals = [a for a in item.approvals.all() if a.channel == channel and not a.refused]
    return History(
        last_status=last_status,
        current=OpenPublication(appearance_of(current), was_out(current)) if current else None,
        recalls=tuple(
            PastRecall(row.cause, row.withdrawn_at is not None, row.approval_at_recall)
            for row in item.publications.all()
            if row.channel == channel and row.state not in OPEN
        ),
        approval=approvals[0].created_at if approvals else None,
        approval_withdrawn=approval_withdrawn,
    )


def open_publication(ctx: DecisionContext, item: Item, channel: str, step: Open) -> Publication:
    """Store that an item is to be published, and request its renditions.

    Call it inside the transaction of the decision.
    """
    (transition,) = transitions_of(step)
    publication = Publication.objects.create(
        id=new_id(),
        item=item,
        channel=channel,
        state=transition.after,
        file=f"{step.at:%Y-%m}/{new_id()}.jpg",
        title=item.title,
        alt=item.alt,
        redactions=[box.as_list() for box in step.appearance.redactions],
        crop=step.appearance.crop.as_list() if step.appearance.crop else None,
        side=step.appearance.side,
        kept=_as_lists(step.appearance.kept),
        covered=list(step.appearance.covered),
        sound=_as_json(step.appearance.sound),
        gate_covers=len(step.appearance.by_gate),
        intended_at=step.at,
    )
    _follow(ctx.home, transition, [publication], step, actor=ctx.actor, batch=ctx.batch)
    return publication


def _as_json(sound: KeptSound | None) -> dict[str, Any] | None:
    return None if sound is None else {"sha256": sound.sha256, "muted": _as_lists(sound.muted)}


def _as_spans(stored: Iterable[Sequence[int]]) -> tuple[FilmSpan, ...]:
    return tuple(FilmSpan(*span) for span in stored)


def _as_lists(spans: tuple[FilmSpan, ...] | None) -> list[list[int]] | None:
    return None if spans is None else [[span.from_ms, span.to_ms] for span in spans]


def record_lost_publication(item: Item, channel: str, key: str, step: RecordLost) -> None:
    """Rule 13: store that a publication which this home may never have held was recalled.

    The row records the recall for good; the next answer by staff replaces the last decision.
    """
    (transition,) = transitions_of(step)
    lost = {
        "item": item,
        "channel": channel,
        "state": transition.after,
        "file": f"lost/{key}",
        "cause": step.cause,
        "intended_at": step.at,
        "withdrawn_at": step.at,
        "confirmed_at": step.at,  # who held copies is not known any more
    }
    Publication.objects.get_or_create(pk=key, defaults=lost)


def recall_or_cancel_rows(
    home: Home,
    rows: Iterable[Publication],
    cause: str,
    now: datetime,
    actor: str = audit_log.SYSTEM_ACTOR,
) -> None:
    """Recall the publications that were out, and cancel the others. Call inside a transaction."""
    given = list(rows)
    for out in (True, False):
        chosen = [row for row in given if was_out(row) is out]
        apply_step(home, chosen, recall_or_cancel(out, cause, now), actor)


def apply_step(
    home: Home,
    rows: Sequence[Publication],
    step: WrittenStep,
    actor: str = audit_log.SYSTEM_ACTOR,
    batch: BatchEffects | None = None,
) -> list[Publication]:
    """Write a step for one publication or many, with its audit entries and what follows from it.

    Args:
        home: The installation.
        rows: The publications. Those in a state in which the step is not possible are left alone.
        step: What happens to them.
        actor: Name for the audit log.
        batch: Collects audit entries and changed manifests; None writes them at once.

    Returns:
        The publications that moved. Their objects have the new state. Other fields that the step
        wrote are not read back.
    """
    moved: list[Publication] = []
    with transaction.atomic(savepoint=False):
        for transition in transitions_of(step):
            done: list[Publication] = []
            for start in range(0, len(rows), BATCH_SIZE):
                done += _write(transition, rows[start : start + BATCH_SIZE], _fields_of(step))
            _follow(home, transition, done, step, actor=actor, batch=batch)
            moved += done
    return moved


def _fields_of(step: WrittenStep) -> dict[str, Any]:
    """The fields that a step writes besides the state."""
    if isinstance(step, Write):
        return asdict(step)
    if isinstance(step, List):
        return {"released_at": Coalesce("released_at", step.at)}
    if not isinstance(step, Recall | Cancel):
        return {}
    approvals = StaffApproval.objects.filter(
        item=OuterRef("item"), channel=OuterRef("channel"), refused=False
    )
    stood = Subquery(approvals.values("created_at")[:1])
    fields: dict[str, Any] = {"cause": step.cause, "approval_at_recall": stood}
    return fields | ({"withdrawn_at": step.at} if isinstance(step, Recall) else {})


def _write(
    transition: Transition, rows: Sequence[Publication], fields: dict[str, Any]
) -> list[Publication]:
    """Update the rows that may make this transition. Returns them."""
    keys = {row.pk for row in rows}
    if len(keys) > 1:  # the count alone does not say which of several rows were updated
        keys = set(_possible(transition, keys).select_for_update().values_list("pk", flat=True))
    if not keys or not _possible(transition, keys).update(state=transition.after, **fields):
        return []
    moved = [row for row in rows if row.pk in keys]
    for row in moved:
        row.state = transition.after
    return moved


def _possible(transition: Transition, keys: Iterable[str]) -> QuerySet[Publication]:
    rows = Publication.objects.filter(pk__in=keys, state__in=transition.before)
    out = Q(released_at__isnull=False) | Q(state__in=IN_MANIFEST)
    if transition.was_out is not None:
        rows = rows.filter(out if transition.was_out else ~out)
    return rows.filter(confirmed_at__isnull=False) if transition.confirmed else rows


def _follow(  # noqa: PLR0913  what was written, by whom, and where its effects are collected
    home: Home,
    transition: Transition,
    rows: list[Publication],
    step: WrittenStep,
    *,
    actor: str,
    batch: BatchEffects | None,
) -> None:
    """Write the audit entries of a step, mark the manifests, and request the renditions."""
    events = [_event(transition.audit, row, step) for row in rows if transition.audit]
    channels = {row.channel for row in rows if transition.changes_manifest}
    if batch is not None:
        batch.events += events
        batch.channels |= channels
    else:
        if events:
            audit_log.record_all(home, events, actor)
        for channel in sorted(channels):
            mark_manifest_dirty(channel)
    for row in rows if transition.renders else ():
        jobs.enqueue_renditions(home, row.item_id)


def _event(action: str, row: Publication, step: WrittenStep) -> audit_log.AuditEvent:
    detail: dict[str, object] = {"publication": row.pk, "channel": row.channel}
    if isinstance(step, Recall | Cancel):
        detail["cause"] = step.cause
    if isinstance(step, List):
        detail["sha256"] = row.sha256
    if isinstance(step, Open | List) and row.gate_covers:
        detail["covered_by_gate"] = row.gate_covers
    return audit_log.AuditEvent(action, f"item:{row.item_id}", detail)
