"""Recognises copies of closed pictures: pictures that a person sealed, refused or recalled.

A new examination is compared with the closed pictures (``link_to_earlier``). After a picture is
closed, ``compare_open_pictures`` compares the stored previews of all others, a batch at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
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
from consent_gate.matching.same_moment import COMPARED_SIDE, is_other_moment
from consent_gate.model import Box, Evidence, Examined
from consent_gate.vault.originals import read_part

BATCH_SIZE = 100
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
    for row, distance in zip(rows, nearest, strict=True):
        same = bool(pixels) and row.pixels_sha256 == pixels
        same = same or (bool(item.live_photo) and row.item.live_photo == item.live_photo)
        if row.sealed:
            is_copy = same or distance <= BURST_DISTANCE
        else:
            is_copy = same or (
                distance <= COPY_DISTANCE and not _is_other_moment(home, row, evidence, preview)
            )
        if is_copy:
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
        preview = _stored_preview(ctx.home, item)
        hashes = _hashes_of(preview)
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
    return _hashes_of(_stored_preview(home, item))


def _hashes_of(preview: bytes | None) -> bytes:
    luma = _brightness(preview, HASHED_SIDE)
    return b"" if luma is None else picture_hashes(luma)


def _is_other_moment(
    home: Home, row: ClosedPicture, evidence: Evidence, preview: bytes | None
) -> bool:
    """Whether the faces show that a picture is no copy of a closed one. False if in doubt."""
    earlier = from_json(row.item.evidence)
    if not isinstance(earlier, Examined) or not isinstance(evidence, Examined):
        return False
    if earlier.film is not None or evidence.film is not None:
        return False  # the preview of a film shows one moment, and its faces are of others
    first = _brightness(_stored_preview(home, row.item), COMPARED_SIDE)
    second = _brightness(preview, COMPARED_SIDE)
    if first is None or second is None:
        return False
    return is_other_moment(first, _faces_in(earlier, first), second, _faces_in(evidence, second))


def _faces_in(evidence: Examined, preview: npt.NDArray[np.uint8]) -> list[Box]:
    """The face boxes in pixels of the preview."""
    scale = preview.shape[1] / evidence.width
    return [
        Box(*(round(side * scale) for side in (box.x, box.y, box.width, box.height)))
        for box in (face.box for face in evidence.faces)
    ]


def _stored_preview(home: Home, item: Item) -> bytes | None:
    try:
        return read_part(home, item, "preview")
    except (OSError, StorageFull, DecryptionError):
        return None


def _brightness(preview: bytes | None, side: int) -> npt.NDArray[np.uint8] | None:
    """Brightness of a preview, ``(height, width)``, at most ``side`` pixels a side; or None."""
    if preview is None:
        return None
    try:
        with Image.open(io.BytesIO(preview), formats=["JPEG"]) as picture:
            picture.draft("L", (side, side))
            small = picture.convert("L")
            small.thumbnail((side, side), Image.Resampling.BOX)
            return np.asarray(small, dtype=np.uint8)
    except (OSError, UnidentifiedImageError, ValueError):
        return None
