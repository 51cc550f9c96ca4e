"""The only way out. Each step makes the folders agree with one state of the ledger.

intended → the picture is made, proven and written beside its place → written
written  → in one transaction: consent is asked for again, the file gets its name → listed
listed   → the manifest that names it is put in place → live

Every step may be repeated. After a crash the next run finds the state in the ledger and goes on;
a picture whose consent went meanwhile is abandoned and its file removed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from django.db import transaction

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.decisions import settle, verdicts_of
from consent_gate.db.ledger import Round, call_back, touch_channel
from consent_gate.db.models import ChannelDecision, Item, Publication, PublicationState, VerdictWord
from consent_gate.db.originals import read_part
from consent_gate.db.register_store import load_register
from consent_gate.db.staff_store import load_staff_input
from consent_gate.errors import Undecryptable
from consent_gate.evidence_codec import from_json
from consent_gate.filesystem import sync_folder
from consent_gate.model import Box, Examined, Reason, Release, StaffInput, TagKind
from consent_gate.settings import Channel
from publish.manifest import is_due, list_channel
from publish.recall import remove_withdrawn
from publish.redact import Redaction
from publish.render import RenditionSpec
from publish.rendition import Refused, Rendition, RenditionOrder


class Renderer(Protocol):
    """Makes and proves pictures, in another process."""

    def make_rendition(self, data: bytes, order: RenditionOrder) -> Rendition | Refused:
        """The picture, or why there must be none."""
        ...


def publish_pending(home: Home, renderer: Renderer) -> None:
    """Carry every open publication as far as it goes, then take back what must come back."""
    for publication in _in_state(PublicationState.INTENDED):
        write(home, renderer, publication)
    for publication in _in_state(PublicationState.WRITTEN):
        make_visible(home, publication)
    for channel in home.settings.channels:
        if is_due(home, channel):
            list_channel(home, channel)
    remove_withdrawn(home)


def write(home: Home, renderer: Renderer, publication: Publication) -> None:
    """Make the picture beside its place. A picture that cannot be proven is not published."""
    item = publication.item
    evidence = from_json(item.evidence)
    made: Rendition | Refused
    if not isinstance(evidence, Examined):
        made = Refused(Reason.NOT_EXAMINED, "The evidence is gone.")
    else:
        made = _render(home, renderer, publication, evidence)
    if isinstance(made, Refused):
        _refuse(home, publication, made)
        return
    _write_whole(partial_path(home, publication), made.data)
    Publication.objects.filter(pk=publication.pk, state=PublicationState.INTENDED).update(
        state=PublicationState.WRITTEN,
        sha256=hashlib.sha256(made.data).hexdigest(),
        size=len(made.data),
        width=made.width,
        height=made.height,
    )


def make_visible(home: Home, publication: Publication) -> None:
    """Give the file its name, if everyone in it is still cleared at this very moment."""
    partial, final = partial_path(home, publication), final_path(home, publication)
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        item = Item.objects.select_for_update().get(pk=row.item_id)
        if row.state != PublicationState.WRITTEN:
            return
        this = Round(home, load_register(home.now().date()), home.now())
        verdict = verdicts_of(this, item, load_staff_input(item))[row.channel]
        if not isinstance(verdict, Release):
            settle(this, item)
        elif not _holds(partial, row) and not _holds(final, row):
            # Lost to a cleaner or a restored backup: made again from the vault.
            row.state = PublicationState.INTENDED
            row.save(update_fields=["state"])
        else:
            _place(partial, final)
            _mark_listed(this, row)
    row.refresh_from_db()
    if row.state == PublicationState.ABANDONED:
        partial.unlink(missing_ok=True)
        final.unlink(missing_ok=True)


def partial_path(home: Home, publication: Publication) -> Path:
    """Where a picture waits, unseen by readers, in the file system of its final place."""
    return home.approved(publication.channel) / f".partial-{publication.pk}"


def final_path(home: Home, publication: Publication) -> Path:
    """Where readers find the picture."""
    return home.approved(publication.channel) / publication.file


def rendition_spec(channel: Channel, redactions: Iterable[Redaction]) -> RenditionSpec:
    """How the channel wants its pictures."""
    return RenditionSpec(
        max_side=channel.max_side,
        quality=channel.quality,
        progressive=channel.progressive,
        redactions=tuple(redactions),
    )


def redactions_of(evidence: Examined, staff: StaffInput) -> list[Redaction]:
    """What staff asked to be blurred, in pixels of the upright original."""
    return [
        Redaction(box)
        for index, box in enumerate(_all_boxes(evidence, staff))
        if index in staff.tags and staff.tags[index].kind is TagKind.BLURRED
    ]


def _all_boxes(evidence: Examined, staff: StaffInput) -> list[Box]:
    return [*(face.box for face in evidence.faces), *staff.added_faces]


def _in_state(state: PublicationState) -> list[Publication]:
    rows = Publication.objects.filter(state=state).select_related("item")
    return list(rows.order_by("intended_at", "pk"))


def _render(
    home: Home, renderer: Renderer, publication: Publication, evidence: Examined
) -> Rendition | Refused:
    staff = load_staff_input(publication.item)
    channel = home.settings.channels[publication.channel]
    order = RenditionOrder(
        spec=rendition_spec(channel, redactions_of(evidence, staff)),
        pixels_sha256=evidence.pixels_sha256,
        judged=tuple(_all_boxes(evidence, staff)),
    )
    try:
        data = read_part(home, publication.item)
    except (OSError, Undecryptable):
        return Refused(Reason.NOT_EXAMINED, "The safe copy of the photo cannot be read.")
    return renderer.make_rendition(data, order)


def _refuse(home: Home, publication: Publication, why: Refused) -> None:
    """The picture could not be proven: hold it, with the reason, for a person."""
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        if row.state != PublicationState.INTENDED:
            return
        this = Round(home, load_register(home.now().date()), home.now())
        call_back(this, row, why.reason.value)
        decision = ChannelDecision.objects.get(item=row.item_id, channel=row.channel)
        decision.verdict, decision.reasons = VerdictWord.HELD, [why.reason.value]
        decision.save(update_fields=["verdict", "reasons"])
        detail = {"channel": row.channel, "verdict": "held", "why": why.detail}
        trail.record(home, "item.decided", f"item:{row.item_id}", detail)


def _mark_listed(this: Round, row: Publication) -> None:
    row.state = PublicationState.LISTED
    row.released_at = this.now
    row.save(update_fields=["state", "released_at"])
    touch_channel(row.channel)
    detail = {"publication": row.pk, "channel": row.channel, "sha256": row.sha256}
    trail.record(this.home, "publication.released", f"item:{row.item_id}", detail)


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _holds(path: Path, row: Publication) -> bool:
    """Whether the file is there with exactly the bytes that were proven."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256
    except OSError:
        return False


def _place(partial: Path, final: Path) -> None:
    if partial.exists():
        final.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(final)
        sync_folder(final.parent)
