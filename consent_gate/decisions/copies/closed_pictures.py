"""Keeps hashes and descriptions of pictures that a person sealed, refused or recalled by hand.

Only closed pictures have them. When a picture is closed, pictures with the same pixels are
held at once. ``consent_gate.decisions.copies.copy_detection`` compares all others.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ClosedPicture, Item, ItemState, Publication, StaffApproval
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.copies.copy_detection import link_copy, reopen_channels
from consent_gate.decisions.copies.copy_traits import (
    CopyTraits,
    encrypt_description,
    stored_traits,
    traits_of,
)
from consent_gate.decisions.copies.sealed_copies import SealedCopy, seal_copy
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import signed_channels
from consent_gate.home.home import Home
from consent_gate.model import Evidence, Examined
from consent_gate.publication import NEED_A_NEW_APPROVAL
from consent_gate.register.repository import load_register


def sync_closed_picture(
    ctx: DecisionContext, item: Item, traits: CopyTraits | None = None
) -> list[SealedCopy]:
    """Update the row of a closed picture after a person's decision about the picture.

    Copies with the same pixels are held, recalled or sealed at once. If the picture is no longer
    closed, its row is deleted and its copies are decided again. Call inside a transaction.

    Args:
        ctx: The context of the decisions.
        item: The picture, in the state after the person's decision.
        traits: ``stored_traits`` of a picture that was just sealed, because its preview cannot be
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
    _fill_from_stored(ctx.home, row, item, traits)
    if gained or sealed:
        row.compared, row.compared_to = False, ""
    row.save()
    return _apply_to_copies(ctx, row, gained)


def fill_closed_picture(
    home: Home, item: Item, evidence: Evidence, hashes: bytes, preview: bytes | None
) -> None:
    """Store the pixels' digest and missing traits of a closed item after an examination.

    Args:
        home: The home.
        item: The item.
        evidence: What was found in it.
        hashes: ``picture_hashes`` of it.
        preview: Its preview, JPEG; None if it has none.
    """
    row = ClosedPicture.objects.filter(item=item).first()
    if row is None or not isinstance(evidence, Examined):
        return
    before = (row.pixels_sha256, bytes(row.hashes), bytes(row.description))
    row.pixels_sha256 = evidence.pixels_sha256
    _fill(home, row, traits_of(evidence, preview, hashes))
    if before != (row.pixels_sha256, bytes(row.hashes), bytes(row.description)):
        row.compared, row.compared_to = False, ""
        row.save()


def forget_closed_picture(item: Item) -> None:
    """Delete what is kept of an item that is erased. Copies that are held stay held.

    Call inside a transaction.
    """
    item.seen_before.all().delete()
    for row in ClosedPicture.objects.filter(item=item):
        forget_hashes(row)


def forget_hashes(row: ClosedPicture) -> None:
    """Delete the row of a closed picture. Held copies stay held. Call inside a transaction."""
    row.copies.update(earlier=None, sealed=row.sealed, channels=row.channels)
    row.delete()


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


def _fill(home: Home, row: ClosedPicture, traits: CopyTraits) -> None:
    """Store the traits that the row does not have yet."""
    row.hashes = bytes(row.hashes) or traits.hashes
    if not row.description:
        encrypt_description(home, row, traits.description)


def _fill_from_stored(
    home: Home, row: ClosedPicture, item: Item, traits: CopyTraits | None
) -> None:
    evidence = from_json(item.evidence)
    if isinstance(evidence, Examined):
        row.pixels_sha256 = evidence.pixels_sha256
    if row.hashes and row.description:
        return
    _fill(home, row, stored_traits(home, item) if traits is None else traits)
    if not row.hashes and item.state == ItemState.DECIDED and item.wrapped_key is not None:
        Item.objects.filter(pk=item.pk).update(needs_reexamination=True)


def _apply_to_copies(
    ctx: DecisionContext, row: ClosedPicture, gained: Collection[str]
) -> list[SealedCopy]:
    """Hold, recall or seal the linked copies, all pictures with the same pixels, and the other half
    of a live photo."""
    known: set[str] = set()
    if row.pixels_sha256:
        same = Item.objects.filter(evidence__examined__pixels_sha256=row.pixels_sha256)
        known |= set(same.exclude(pk=row.item_id).values_list("pk", flat=True))
    if row.item.live_photo:
        halves = Item.objects.filter(live_photo=row.item.live_photo).exclude(pk=row.item_id)
        known |= set(halves.values_list("pk", flat=True))
    known |= set(row.copies.filter(is_certain=True).values_list("item", flat=True))
    uncertain = set(row.copies.values_list("item", flat=True)) - known
    open_items = Item.objects.filter(
        pk__in=known | uncertain, state__in=(ItemState.DECIDED, ItemState.RECEIVED)
    ).select_for_update()
    sealed: list[SealedCopy] = []
    for item in open_items:
        signed = signed_channels(item)
        is_certain = item.pk in known
        link_copy(ctx.home, row, item, is_certain=is_certain)
        reopen_channels(ctx.home, item, ctx.home.settings.channels if row.sealed else gained)
        if row.sealed and is_certain:
            sealed += seal_copy(_context_for_copies(ctx), item)
        else:
            unsigned = signed - signed_channels(item)
            apply_decision(replace(_context_for_copies(ctx), unapproved=unsigned), item)
    return sealed


def _context_for_copies(ctx: DecisionContext) -> DecisionContext:
    """``ctx`` with the whole register, because a copy may show other pupils than the original."""
    return replace(ctx, register=load_register(ctx.now.date()), may_open=False)


def _copies_of(row: ClosedPicture) -> list[str]:
    return list(row.copies.values_list("item", flat=True))


def _redecide(ctx: DecisionContext, keys: Collection[str]) -> None:
    copies = Item.objects.filter(pk__in=keys, state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    for item in copies.exclude(evidence=None):
        apply_decision(_context_for_copies(ctx), item)
