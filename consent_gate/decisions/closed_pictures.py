"""Recognises copies of pictures that a person sealed, refused or recalled by hand.

Only closed pictures have stored hashes. A new examination is compared with them
(``link_to_earlier``). When a picture is closed, pictures with the same pixels are held at once.
``compare_open_pictures`` then compares the stored previews of all others, a batch at a time.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, UnidentifiedImageError

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    ClosedPicture,
    Item,
    ItemState,
    Publication,
    SeenBefore,
    StaffApproval,
)
from consent_gate.decisions import sealing
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import is_sealed_copy, signed_channels
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.picture_hash import (
    BURST_DISTANCE,
    COPY_DISTANCE,
    HASHED_SIDE,
    STORED_BYTES,
    distances,
    picture_hashes,
)
from consent_gate.model import Evidence, Examined
from consent_gate.publication import NEED_A_NEW_APPROVAL
from consent_gate.register.repository import load_register
from consent_gate.vault.originals import read_part

BATCH_SIZE = 100
"""Stored previews compared in one transaction; about two seconds of work."""


def sync_closed_picture(
    ctx: DecisionContext, item: Item, hashes: bytes | None = None
) -> list[SealedCopy]:
    """Update the row of a closed picture after a person's decision about the picture.

    Copies with the same pixels are held, recalled or sealed at once. If the picture is no longer
    closed, its row is deleted and its copies are decided again. Call inside a transaction.

    Args:
        ctx: The context of the decisions.
        item: The picture, in the state after the person's decision.
        hashes: ``preview_hashes`` of a picture that was just sealed, because its preview cannot be
            opened any more. None reads the preview.

    Returns:
        Copies that were sealed, for ``remove_sealed_copies``.
    """
    row = ClosedPicture.objects.filter(item=item).first()
    sealed, channels = item.state == ItemState.SEALED, _closed_channels(item)
    if not (sealed or channels):
        if row is not None:
            copies = _copies_of(row)
            row.delete()
            _redecide(ctx, copies)
        return []
    row = row or ClosedPicture(item=item, created_at=ctx.now)
    before = (row.sealed, list(row.channels))
    if row.pk is not None and before == (sealed, channels):
        return []
    gained = set(channels) - set(row.channels)
    row.sealed, row.channels = sealed, channels
    _fill_from_stored(ctx.home, row, item, hashes)
    if gained or sealed:
        row.compared, row.compared_to = False, ""
    row.save()
    return _apply_to_copies(ctx, row, gained)


def link_to_earlier(home: Home, item: Item, evidence: Evidence, hashes: bytes) -> bool:
    """Link an item to the closed pictures that it is a copy of. Call inside a transaction.

    Approvals from before a new link are deleted for the closed channels: the person who signed did
    not know of the earlier picture.

    Returns:
        Whether it is a copy of a sealed picture.
    """
    pixels = evidence.pixels_sha256 if isinstance(evidence, Examined) else ""
    rows = list(ClosedPicture.objects.exclude(item=item))
    nearest = distances(hashes, [bytes(row.hashes) for row in rows])
    for row, distance in zip(rows, nearest, strict=True):
        same = bool(pixels) and row.pixels_sha256 == pixels
        if same or distance <= (BURST_DISTANCE if row.sealed else COPY_DISTANCE):
            _link(home, row, item)
    return any(is_sealed_copy(row) for row in item.seen_before.select_related("earlier"))


def fill_closed_picture(item: Item, evidence: Evidence, hashes: bytes) -> None:
    """Store the pixels' digest and missing hashes of a closed item after an examination."""
    row = ClosedPicture.objects.filter(item=item).first()
    if row is None or not isinstance(evidence, Examined):
        return
    before = (row.pixels_sha256, bytes(row.hashes))
    row.pixels_sha256 = evidence.pixels_sha256
    row.hashes = bytes(row.hashes) or hashes[:STORED_BYTES]
    if before != (row.pixels_sha256, row.hashes):
        row.compared, row.compared_to = False, ""
        row.save()


@dataclass(frozen=True)
class SealedCopy:
    """A copy of a sealed picture that was sealed in this transaction."""

    item: Item
    intact: bool
    """Whether the stored original was intact."""


def remove_sealed_copies(home: Home, copies: Iterable[SealedCopy]) -> None:
    """Delete previews and inbox files of sealed copies. Call after the transaction."""
    for copy in copies:
        sealing.remove_copies(home, copy.item, intact=copy.intact)


def seal_copy(ctx: DecisionContext, item: Item) -> list[SealedCopy]:
    """Seal a copy of a sealed picture without showing it to anybody. Call inside a transaction.

    The safeguarding lead is notified as for any sealed picture. If the item's key cannot be opened,
    the item is not sealed, and its link to the sealed picture holds it in all channels.

    Returns:
        The sealed copy, for ``remove_sealed_copies``; empty if it could not be sealed.
    """
    intact = sealing.is_intact(ctx.home, item)
    try:
        sealing.seal_item(ctx.home, item)
    except DecryptionError:
        apply_decision(replace(ctx, may_open=True), item)  # the link holds it in any case
        return []
    delete_enrolments(ctx.home, item, ctx.actor)
    item.state = ItemState.SEALED
    item.revision += 1
    item.save(update_fields=["state", "revision", "wrapped_key", "title", "alt"])
    detail: dict[str, object] = {"intact": intact, "copy_of_sealed": True}
    audit_log.record(ctx.home, "item.sealed", f"item:{item.pk}", detail)
    apply_decision(ctx, item)
    return [SealedCopy(item, intact)]


def forget_closed_picture(item: Item) -> None:
    """Delete the hashes of an item that is erased. Copies that are held stay held.

    Call inside a transaction.
    """
    item.seen_before.all().delete()
    for row in ClosedPicture.objects.filter(item=item):
        forget_hashes(row)


def forget_hashes(row: ClosedPicture) -> None:
    """Delete the row of a closed picture. Held copies stay held. Call inside a transaction."""
    row.copies.update(earlier=None, sealed=row.sealed, channels=row.channels)
    row.delete()


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
        hashes = preview_hashes(ctx.home, item)
        if not hashes and item.wrapped_key is not None and item.state == ItemState.DECIDED:
            Item.objects.filter(pk=item.pk).update(needs_reexamination=True)
        before = set(item.seen_before.values_list("pk", flat=True))
        signed = signed_channels(item)
        is_sealed = link_to_earlier(ctx.home, item, from_json(item.evidence), hashes)
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


def _closed_channels(item: Item) -> list[str]:
    """Channels that a person refused, or recalled the item from without a later approval."""
    refused = StaffApproval.objects.filter(item=item, refused=True)
    recalled = Publication.objects.filter(item=item, cause__in=NEED_A_NEW_APPROVAL)
    before = Publication.objects.filter(item=item).exclude(approval_at_recall=None)
    approved = StaffApproval.objects.filter(item=item, refused=False).exclude(
        created_at__in=before.values("approval_at_recall")
    )
    by_hand = set(recalled.values_list("channel", flat=True))
    by_hand -= set(approved.values_list("channel", flat=True))
    return sorted(set(refused.values_list("channel", flat=True)) | by_hand)


def _fill_from_stored(home: Home, row: ClosedPicture, item: Item, hashes: bytes | None) -> None:
    evidence = from_json(item.evidence)
    if isinstance(evidence, Examined):
        row.pixels_sha256 = evidence.pixels_sha256
    if row.hashes:
        return
    found = preview_hashes(home, item) if hashes is None else hashes
    row.hashes = found[:STORED_BYTES]
    if not row.hashes and item.state == ItemState.DECIDED and item.wrapped_key is not None:
        Item.objects.filter(pk=item.pk).update(needs_reexamination=True)


def _apply_to_copies(
    ctx: DecisionContext, row: ClosedPicture, gained: Collection[str]
) -> list[SealedCopy]:
    """Hold, recall or seal the linked copies and all pictures with the same pixels."""
    known = set(row.copies.values_list("item", flat=True))
    if row.pixels_sha256:
        same = Item.objects.filter(evidence__examined__pixels_sha256=row.pixels_sha256)
        known |= set(same.exclude(pk=row.item_id).values_list("pk", flat=True))
    open_items = Item.objects.filter(
        pk__in=known, state__in=(ItemState.DECIDED, ItemState.RECEIVED)
    ).select_for_update()
    sealed: list[SealedCopy] = []
    for item in open_items:
        signed = signed_channels(item)
        _link(ctx.home, row, item)
        _delete_approvals(ctx.home, item, gained)
        if row.sealed:
            sealed += seal_copy(_context_for_copies(ctx), item)
        else:
            unsigned = signed - signed_channels(item)
            apply_decision(replace(_context_for_copies(ctx), unapproved=unsigned), item)
    return sealed


def _context_for_copies(ctx: DecisionContext) -> DecisionContext:
    """``ctx`` with the whole register, because a copy may show other pupils than the original."""
    return replace(ctx, register=load_register(ctx.now.date()), may_open=False)


def _link(home: Home, row: ClosedPicture, item: Item) -> None:
    """Record that ``item`` is a copy; a new link deletes approvals for the closed channels."""
    _, created = SeenBefore.objects.get_or_create(
        item=item, earlier=row, defaults={"created_at": home.now()}
    )
    if created:
        _delete_approvals(home, item, row.channels)
        detail: dict[str, object] = {"earlier": row.item_id}
        audit_log.record(home, "item.seen_before", f"item:{item.pk}", detail)


def _delete_approvals(home: Home, item: Item, channels: Iterable[str]) -> None:
    rows = StaffApproval.objects.filter(item=item, refused=False, channel__in=list(channels))
    for row in rows:
        detail: dict[str, object] = {"channels": [row.channel]}
        audit_log.record(home, "channel.reopened", f"item:{item.pk}", detail)
        row.delete()


def _copies_of(row: ClosedPicture) -> list[str]:
    return list(row.copies.values_list("item", flat=True))


def _redecide(ctx: DecisionContext, keys: Collection[str]) -> None:
    copies = Item.objects.filter(pk__in=keys, state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    for item in copies.exclude(evidence=None):
        apply_decision(_context_for_copies(ctx), item)


def preview_hashes(home: Home, item: Item) -> bytes:
    """``picture_hashes`` of the stored preview; empty if it is missing or cannot be read."""
    try:
        data = read_part(home, item, "preview")
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as preview:
            preview.draft("L", (HASHED_SIDE, HASHED_SIDE))
            small = preview.convert("L")
            small.thumbnail((HASHED_SIDE, HASHED_SIDE), Image.Resampling.BOX)
            return picture_hashes(np.asarray(small, dtype=np.uint8))
    except (OSError, StorageFull, DecryptionError, UnidentifiedImageError, ValueError):
        return b""
