"""Publish released pictures: bring the channels' folders in line with the ledger, step by step.

intended → render and verify the picture, write it under a temporary name → written
written  → in one transaction: check consent again, rename the file to its final name → listed
listed   → write the manifest that contains the picture → live

Every step can be repeated. After a crash, the next run reads the state from the ledger and
continues. If consent was withdrawn meanwhile, the publication is cancelled and its file removed.
A folder that cannot be used delays only its own channel. A picture that a person released waits
until that release can no longer be undone, and that of a live photo until its film was examined; a
recall never waits.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    Item,
    ItemState,
    Publication,
    PublicationState,
    StaffApproval,
)
from consent_gate.decisions.apply import apply_decision, verdicts_of
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.outdated_names import cannot_compare_names, must_compare_names
from consent_gate.decisions.publications import (
    apply_step,
    history_of,
    recall_or_cancel_rows,
    was_out,
)
from consent_gate.decisions.rendition_faces import add_rendition_faces
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.model import Reason
from consent_gate.publication import List, Write, WriteAgain, may_be_listed, wanted_appearance
from consent_gate.register.relevant import register_for_item
from publish.albums import remove_albums_with_names
from publish.channel import folder as channel_folder
from publish.channel.files import file_names_of, files_of
from publish.channel.folder import FolderProblem, folder_of
from publish.channel.manifest import manifest_is_stale, write_manifest
from publish.live_photo_wait import without_waiting_halves
from publish.name_check import fields_name_pupil
from publish.recall.captions import remove_captions_with_names
from publish.recall.withdraw import (
    catching_folder_errors,
    remove_partials,
    remove_withdrawn,
    remove_withdrawn_from,
)
from publish.renditions.ahead import started_ahead
from publish.renditions.rendition import RenditionRefused
from publish.renditions.requests import Renderer, WaitForRenditions, start_renditions
from publish.staging import has_content, move_into_place, staging_name, write_rendition

NAME_IN_TEXT = RenditionRefused(
    Reason.VISIBLE_NAME, "The title or description gives a pupil's name."
)
NAMES_NOT_COMPARED = RenditionRefused(
    Reason.TEXT_NOT_READ,
    "A pupil joined or was renamed since this photo was examined, and its original is deleted.",
)


def publish_pending(home: Home, renderer: Renderer | None) -> list[FolderProblem]:
    """Remove withdrawn pictures, then advance every open publication as far as possible.

    Withdrawn pictures are removed first, because rendering takes minutes. So are published texts
    that name a pupil.

    Args:
        home: The installation.
        renderer: Renders the pictures. None if remote workers render them; then only pictures
            that they have already written are placed and listed.

    Returns:
        The channels whose folders could not be brought in line. The next call tries them again.
    """
    problems = [*remove_withdrawn(home), *channel_folder.folder_problems(home)]
    remove_albums_with_names(home)
    remove_captions_with_names(home)
    unavailable = {problem.channel for problem in problems}
    ready = [channel for channel in home.settings.channels if channel not in unavailable]
    if renderer is not None:
        intended = publications_to_render(home).filter(channel__in=ready)
        items = (list(group) for _, group in groupby(intended, lambda p: p.item_id))
        for publications, wait in started_ahead(home, renderer, items):
            problems += _write_renditions(home, publications, wait)
    for publication in _in_state(PublicationState.WRITTEN, ready):
        problems += catching_folder_errors(
            publication.channel, partial(place_publication, home, publication)
        )
    for channel in ready:
        problems += catching_folder_errors(
            channel, partial(_write_manifest_and_sweep, home, channel)
        )
    problems = list(dict.fromkeys(problems))
    channel_folder.log_problems(problems)
    return problems


def publications_to_render(home: Home) -> QuerySet[Publication]:
    """Publications to render now. Those of one item are next to each other."""
    rows = _in_state(PublicationState.INTENDED, home.settings.channels)
    return without_waiting_halves(home, rows).exclude(_release_can_be_undone(home))


def render_publications(
    home: Home, renderer: Renderer, publications: list[Publication]
) -> list[FolderProblem]:
    """Render one item's pictures and write each to its channel's folder under a temporary name.

    ``publications`` are those of one item. Returns the channels whose folders could not be written.
    """
    return _write_renditions(home, publications, start_renditions(home, renderer, publications))


def _write_renditions(
    home: Home, publications: list[Publication], wait: WaitForRenditions
) -> list[FolderProblem]:
    """Write the renditions of one item that were started. Hold those that failed verification."""
    problems = []
    try:
        outcomes = wait()
    except StorageFull as error:  # the storage of the originals does not answer
        return [
            channel_folder.folder_problem(publication.channel, error)
            for publication in publications
        ]
    for publication, outcome in zip(publications, outcomes, strict=True):
        if isinstance(outcome, RenditionRefused):
            _hold_refused(home, publication, outcome)
            continue
        try:
            step = write_rendition(folder_of(home, publication.channel), publication, outcome)
            _record_rendition(home, publication, step)
        except (OSError, StorageFull) as error:
            problems.append(channel_folder.folder_problem(publication.channel, error))
    return problems


def place_publication(home: Home, publication: Publication) -> None:
    """Rename a written picture to its final name, if everyone in it is still cleared.

    Consent is checked in the same transaction. If the register gained a name meanwhile, the picture
    is examined again first, or held where its original is deleted.

    Raises:
        FolderUnavailable: The channel's folder is not there.
        OSError: The folder cannot be written.
    """
    folder = folder_of(home, publication.channel)
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        item = Item.objects.select_for_update().get(pk=row.item_id)
        if row.state != PublicationState.WRITTEN or item.state != ItemState.DECIDED:
            return  # an item that is examined again is decided again first
        ctx = DecisionContext(home, register_for_item(item, home.now().date()), home.now())
        if must_compare_names(item):
            apply_decision(replace(ctx, may_open=True), item)
            return
        if cannot_compare_names(item):
            _hold(ctx, row, NAMES_NOT_COMPARED)
            return
        staff = load_staff_input(item)
        verdict = verdicts_of(ctx, item, staff).get(row.channel)
        rules = {channel.name: channel for channel in ctx.rules.channels}
        evidence, channel = from_json(item.evidence), rules.get(row.channel)
        wanted = wanted_appearance(evidence, staff, channel, verdict)
        if not may_be_listed(verdict, history_of(item, row.channel), wanted):
            apply_decision(ctx, item)
        elif wanted.by_gate and not row.gate_covers:
            # Staff took back the answers that covered these faces, and the gate covers them itself.
            row.gate_covers = len(wanted.by_gate)
            row.save(update_fields=["gate_covers"])
            apply_step(ctx.home, [row], WriteAgain())
        elif fields_name_pupil(home, row.title, row.alt):
            _hold(ctx, row, NAME_IN_TEXT)
        else:
            _rename_into_place(ctx, row, folder)


def _rename_into_place(ctx: DecisionContext, row: Publication, folder: Path) -> None:
    """Rename all files of the picture, or mark it so that a later round does."""
    files = files_of(row)
    # Some files have their names already if the program stopped between a rename and the commit.
    unplaced = [file for file in files if not has_content(folder / file.name, file.sha256)]
    staged = [
        has_content(folder / staging_name(row, file.sha256), file.sha256) for file in unplaced
    ]
    if any(os.path.lexists(folder / file.name) for file in unplaced):
        # An existing file is never overwritten: the picture gets a new name, committed before use.
        # Before the first release only the files placed above are ours; after it, every name is.
        ours = (
            file_names_of(row) if row.released_at else [f.name for f in files if f not in unplaced]
        )
        for name in ours:
            (folder / name).unlink(missing_ok=True)
        row.file = f"{row.file.split('/')[0]}/{new_id()}.jpg"
        row.save(update_fields=["file"])
    elif not all(staged):
        # A clean-up tool or a restored backup lost the file: render it again from the vault.
        apply_step(ctx.home, [row], WriteAgain())
    else:
        for file in unplaced:
            move_into_place(folder / staging_name(row, file.sha256), folder / file.name)
        apply_step(ctx.home, [row], List(ctx.now))


def _write_manifest_and_sweep(home: Home, channel: str) -> None:
    """Remove pictures withdrawn during this run, write the manifest, delete temporary files.

    ``place_publication`` withdraws a picture that has lost its consent, and ``ingest --once`` has
    no later round to remove its file.
    """
    remove_withdrawn_from(home, channel)
    if manifest_is_stale(home, channel):
        write_manifest(home, channel)
    remove_partials(home, channel)


def _in_state(state: PublicationState, channels: Collection[str]) -> QuerySet[Publication]:
    rows = Publication.objects.filter(state=state, channel__in=channels).select_related("item")
    return rows.order_by("item__received_at", "item_id", "channel")


def _release_can_be_undone(home: Home) -> Exists:
    """A person released the picture less than ``review.undo_seconds`` ago.

    A time in the future (the clock was set back) does not delay the picture.
    """
    now = home.now()
    since = now - timedelta(seconds=home.settings.review.undo_seconds)
    approvals = StaffApproval.objects.filter(item=OuterRef("item"), channel=OuterRef("channel"))
    return Exists(approvals.filter(refused=False, created_at__gt=since, created_at__lte=now))


def _record_rendition(home: Home, publication: Publication, step: Write) -> None:
    """Record the files that were written for a publication, as it was when they were made.

    Otherwise the gate covers by now what staff covered then, and the picture was not examined.
    """
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        if row.gate_covers == publication.gate_covers:
            apply_step(home, [publication], step)


def _hold_refused(home: Home, publication: Publication, refusal: RenditionRefused) -> None:
    """Hold a picture that failed verification for staff, with the reason.

    Faces that the rendered picture showed are added to the evidence, so that staff see them.
    """
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        item = Item.objects.select_for_update().get(pk=row.item_id)
        if row.state != PublicationState.INTENDED:
            return
        if (refusal.faces or refusal.shown) and item.evidence != publication.item.evidence:
            return  # rendered again, with the faces that were found meanwhile
        ctx = DecisionContext(home, register_for_item(item, home.now().date()), home.now())
        _hold(ctx, row, refusal)
        is_decided = item.state == ItemState.DECIDED
        if is_decided and add_rendition_faces(item, refusal.faces, refusal.shown):
            apply_decision(ctx, item)


def _hold(ctx: DecisionContext, row: Publication, refusal: RenditionRefused) -> None:
    out = was_out(row)
    recall_or_cancel_rows(ctx.home, [row], refusal.reason.value, ctx.now)
    decision = ChannelDecision.objects.get(item=row.item_id, channel=row.channel)
    decision.verdict = ChannelStatus.WITHDRAWN if out else ChannelStatus.HELD
    decision.reasons = [refusal.reason.value]
    decision.save(update_fields=["verdict", "reasons"])
    detail = {
        "channel": row.channel,
        "verdict": decision.verdict,
        "why": refusal.message,
        "rule_book": ctx.rule_book,
    }
    audit_log.record(ctx.home, "item.decided", f"item:{row.item_id}", detail)
