"""Recognises copies of closed pictures: pictures that a person sealed, refused or recalled.

A new examination is compared with the closed pictures (``link_to_earlier``). After a picture is
closed, ``compare_open_pictures`` compares the stored previews of all others, a batch at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from PIL import Image, UnidentifiedImageError

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ClosedPicture, Item, ItemState, SeenBefore, StaffApproval
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.sealed_copies import SealedCopy, seal_copy
from consent_gate.decisions.staff_input import is_sealed_copy, signed_channels
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.picture_hash import (
    BURST_DISTANCE,
    COPY_DISTANCE,
    HASHED_SIDE,
    distances,
    picture_hashes,
)
from consent_gate.model import Evidence, Examined
from consent_gate.vault.originals import read_part

BATCH_SIZE = 100
"""Stored previews compared in one transaction; about two seconds of work."""


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
            link_copy(home, row, item)
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


def link_copy(home: Home, row: ClosedPicture, item: Item) -> None:
    """Record that ``item`` is a copy; a new link deletes approvals for the closed channels."""
    _, created = SeenBefore.objects.get_or_create(
        item=item, earlier=row, defaults={"created_at": home.now()}
    )
    if created:
        delete_approvals(home, item, row.channels)
        detail: dict[str, object] = {"earlier": row.item_id}
        audit_log.record(home, "item.seen_before", f"item:{item.pk}", detail)


def delete_approvals(home: Home, item: Item, channels: Iterable[str]) -> None:
    rows = StaffApproval.objects.filter(item=item, refused=False, channel__in=list(channels))
    for row in rows:
        detail: dict[str, object] = {"channels": [row.channel]}
        audit_log.record(home, "channel.reopened", f"item:{item.pk}", detail)
        row.delete()


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
