"""Recognises copies of closed pictures: pictures that a person sealed, refused or recalled.

A new examination is compared with the closed pictures (``link_to_earlier``). After a picture is
closed, ``compare_open_pictures`` compares the stored previews of all others, a batch at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ClosedPicture, Item, ItemState, SeenBefore, StaffApproval
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.copies.copy_traits import (
    brightness,
    decrypt_description,
    faces_in,
    hashes_of,
    stored_preview,
)
from consent_gate.decisions.copies.sealed_copies import SealedCopy, seal_copy
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import is_sealed_copy, signed_channels
from consent_gate.home.home import Home
from consent_gate.matching.copies.closed_description import DESCRIBED_SIDE, shown_in
from consent_gate.matching.copies.picture_hash import BURST_DISTANCE, COPY_DISTANCE, distances
from consent_gate.matching.copies.same_moment import COMPARED_SIDE, is_other_moment
from consent_gate.model import Evidence, Examined

BATCH_SIZE = 20
"""Stored previews compared in one transaction; about two seconds of work."""


def link_to_earlier(
    home: Home, item: Item, evidence: Evidence, hashes: bytes, preview: bytes | None
) -> bool:
    """Link an item to the closed pictures that it is a copy of. Call inside a transaction.

    The two halves of a live photo count as copies. A picture with another hash is no copy. A
    picture with a like hash is no copy where the faces in both previews show that it was taken at
    another moment; of a sealed picture there is no preview, so the hash decides. Approvals from
    before a new link are deleted for the closed channels: the person who signed did not know of the
    earlier picture.

    Args:
        home: The home.
        item: The picture.
        evidence: What was found in it.
        hashes: ``picture_hashes`` of it.
        preview: Its preview, JPEG; None if it has none.

    Returns:
        Whether it is a copy of a sealed picture.
    """
    pixels = evidence.pixels_sha256 if isinstance(evidence, Examined) else ""
    rows = list(ClosedPicture.objects.exclude(item=item).select_related("item"))
    nearest = distances(hashes, [bytes(row.hashes) for row in rows])
    others: list[ClosedPicture] = []
    for row, distance in zip(rows, nearest, strict=True):
        same = bool(pixels) and row.pixels_sha256 == pixels
        same = same or (bool(item.live_photo) and row.item.live_photo == item.live_photo)
        if same or distance <= (BURST_DISTANCE if row.sealed else COPY_DISTANCE):
            if same or row.sealed or not _is_other_moment(home, row, evidence, preview):
                link_copy(home, row, item)
        else:
            others.append(row)
    for row in _shown_rows(home, others, preview):
        link_copy(home, row, item, is_certain=False)
    return any(is_sealed_copy(row) for row in item.seen_before.select_related("earlier"))


def compare_open_pictures(ctx: DecisionContext) -> list[SealedCopy]:
    """Compare one batch of stored previews with recently closed pictures.

    Call inside a transaction. A picture without a readable preview is examined again instead.

    Returns:
        Copies that were sealed, for ``remove_sealed_copies``.
    """
    waiting = ClosedPicture.objects.filter(compared=False).order_by("-compared_to").first()
    if waiting is None:
        return []
    rows = list(ClosedPicture.objects.filter(compared=False, compared_to=waiting.compared_to))
    open_items = Item.objects.filter(state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    items = list(open_items.filter(pk__gt=waiting.compared_to).order_by("pk")[:BATCH_SIZE])
    changed: list[tuple[Item, frozenset[str]]] = []
    sealed: list[SealedCopy] = []
    for item in items:
        preview = stored_preview(ctx.home, item)
        hashes = hashes_of(preview)
        if not hashes and item.wrapped_key is not None and item.state == ItemState.DECIDED:
            Item.objects.filter(pk=item.pk).update(needs_reexamination=True)
        before = set(item.seen_before.values_list("pk", flat=True))
        signed = signed_channels(item)
        is_sealed = link_to_earlier(ctx.home, item, from_json(item.evidence), hashes, preview)
        if set(item.seen_before.values_list("pk", flat=True)) == before:
            continue
        if is_sealed:
            sealed += seal_copy(ctx, item)
        elif item.evidence is not None:
            changed.append((item, signed - signed_channels(item)))
    for item, unsigned in changed:
        apply_decision(replace(ctx, unapproved=unsigned), item)
    keys = [row.pk for row in rows]
    done = len(items) < BATCH_SIZE
    last = items[-1].pk if items else waiting.compared_to
    ClosedPicture.objects.filter(pk__in=keys).update(compared=done, compared_to=last)
    return sealed


def link_copy(home: Home, row: ClosedPicture, item: Item, *, is_certain: bool = True) -> None:
    """Record that ``item`` is a copy; a new link deletes approvals for the closed channels.

    Args:
        home: The home.
        row: The closed picture.
        item: The copy.
        is_certain: Whether it is a copy as a whole. False never makes a certain link uncertain.
    """
    link, created = SeenBefore.objects.get_or_create(
        item=item, earlier=row, defaults={"created_at": home.now(), "is_certain": is_certain}
    )
    if is_certain and not link.is_certain:
        SeenBefore.objects.filter(pk=link.pk).update(is_certain=True)
    if created:
        reopen_channels(home, item, home.settings.channels if row.sealed else row.channels)
        detail: dict[str, object] = {"earlier": row.item_id}
        audit_log.record(home, "item.seen_before", f"item:{item.pk}", detail)


def reopen_channels(home: Home, item: Item, channels: Iterable[str]) -> None:
    """Delete the approvals of an item for channels, each with an audit entry.

    Args:
        home: The home.
        item: The item.
        channels: Names of the channels.
    """
    rows = StaffApproval.objects.filter(item=item, refused=False, channel__in=list(channels))
    for row in rows:
        detail: dict[str, object] = {"channels": [row.channel]}
        audit_log.record(home, "channel.reopened", f"item:{item.pk}", detail)
        row.delete()


def _shown_rows(
    home: Home, rows: Sequence[ClosedPicture], preview: bytes | None
) -> list[ClosedPicture]:
    """The closed pictures that the preview of a picture shows."""
    described = [(row, decrypt_description(home, row)) for row in rows]
    usable = [(row, found) for row, found in described if found is not None]
    luma = brightness(preview, DESCRIBED_SIDE) if usable else None
    if luma is None:
        return []
    return [usable[index][0] for index in shown_in(luma, [found for _, found in usable])]


def _is_other_moment(
    home: Home, row: ClosedPicture, evidence: Evidence, preview: bytes | None
) -> bool:
    """Whether the faces show that a picture is no copy of a closed one. False if in doubt."""
    earlier = from_json(row.item.evidence)
    if not isinstance(earlier, Examined) or not isinstance(evidence, Examined):
        return False
    if earlier.film is not None or evidence.film is not None:
        return False  # the preview of a film shows one moment, and its faces are of others
    first = brightness(stored_preview(home, row.item), COMPARED_SIDE)
    second = brightness(preview, COMPARED_SIDE)
    if first is None or second is None:
        return False
    return is_other_moment(first, faces_in(earlier, first), second, faces_in(evidence, second))
