"""The only way out. Each step makes the folders agree with one state of the ledger.

intended → the picture is made, proven and written beside its place → written
written  → in one transaction: consent is asked for again, the file gets its name → listed
listed   → the manifest that names it is put in place → live

Every step may be repeated. After a crash the next run finds the state in the ledger and goes on;
a picture whose consent went meanwhile is abandoned and its file removed. A folder that cannot be
used holds its own channel only. What a person released waits until it can no longer be undone;
what comes back never waits.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from consent_gate.db import audit_log, jobs
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
from consent_gate.decisions.appearance import appearance_of, wanted_appearance
from consent_gate.decisions.apply import apply_decision, verdicts_of
from consent_gate.decisions.ledger import DecisionContext, mark_manifest_dirty, recall_publication
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import atomic_file, sync_folder
from consent_gate.home.home import Home
from consent_gate.ids import new_id
from consent_gate.model import Reason, Release
from consent_gate.register.relevant import register_for_item
from publish.channel import folder as channel_folder
from publish.channel.files import file_names_of, files_of
from publish.channel.folder import FolderProblem, folder_of, require_space
from publish.channel.manifest import manifest_is_stale, write_manifest
from publish.name_check import contains_pupil_name
from publish.recall.withdraw import (
    PARTIAL,
    catching_folder_errors,
    remove_partials,
    remove_withdrawn,
    remove_withdrawn_from,
)
from publish.rendition import Rendition, RenditionRefused
from publish.rendition_requests import Renderer, renditions_of

NAME_IN_TEXT = RenditionRefused(
    Reason.VISIBLE_NAME, "The title or description gives a pupil's name."
)


def publish_pending(home: Home, renderer: Renderer | None) -> list[FolderProblem]:
    """Take back what must come back, then carry every open publication as far as it goes.

    What was withdrawn before is removed before anything is made: making pictures takes minutes.
    Without a renderer the pictures are made by worker machines; here they are placed and listed.
    Returns the channels whose folders could not follow; they are tried again next time.
    """
    found = [*remove_withdrawn(home), *channel_folder.folder_problems(home)]
    away = {trouble.channel for trouble in found}
    ready = [channel for channel in home.settings.channels if channel not in away]
    if renderer is not None:
        intended = publications_to_render(home).filter(channel__in=ready)
        for _, group in groupby(intended, lambda p: p.item_id):
            found += render_publications(home, renderer, list(group))
    for publication in _in_state(PublicationState.WRITTEN, ready):
        found += catching_folder_errors(
            publication.channel, partial(place_publication, home, publication)
        )
    for channel in ready:
        found += catching_folder_errors(channel, partial(_follow_ledger, home, channel))
    found = list(dict.fromkeys(found))
    channel_folder.log_problems(found)
    return found


def publications_to_render(home: Home) -> QuerySet[Publication]:
    """Publications whose pictures are to be made now, those of one item together."""
    rows = _in_state(PublicationState.INTENDED, home.settings.channels)
    return rows.exclude(_may_be_undone(home))


def render_publications(
    home: Home, renderer: Renderer, publications: list[Publication]
) -> list[FolderProblem]:
    """Make one item's pictures, each beside its place. One that cannot be proven is not published.

    All publications are of the same item: its original is opened once.
    """
    found = []
    try:
        made = renditions_of(home, renderer, publications)
    except StorageFull as error:  # the store of the originals does not answer
        return [
            channel_folder.folder_problem(publication.channel, error)
            for publication in publications
        ]
    for publication, outcome in zip(publications, made, strict=True):
        if isinstance(outcome, RenditionRefused):
            _refuse(home, publication, outcome)
            continue
        try:
            _write_one(home, publication, outcome)
        except (OSError, StorageFull) as error:
            found.append(channel_folder.folder_problem(publication.channel, error))
    return found


def place_publication(home: Home, publication: Publication) -> None:
    """Give the file its name, if everyone in it is still cleared at this very moment."""
    folder = folder_of(home, publication.channel)
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        item = Item.objects.select_for_update().get(pk=row.item_id)
        if row.state != PublicationState.WRITTEN or item.state != ItemState.DECIDED:
            return  # a picture that is to be examined again waits for that
        ctx = DecisionContext(home, register_for_item(item, home.now().date()), home.now())
        staff = load_staff_input(item)
        verdict = verdicts_of(ctx, item, staff).get(row.channel)
        same_look = appearance_of(row) == wanted_appearance(from_json(item.evidence), staff)
        if not (isinstance(verdict, Release) and same_look):
            apply_decision(ctx, item)
        elif contains_pupil_name(home, f"{row.title}\n{row.alt}"):
            _hold(ctx, row, NAME_IN_TEXT)
        else:
            _rename_into_place(ctx, row, folder)


def _rename_into_place(ctx: DecisionContext, row: Publication, folder: Path) -> None:
    """Every file of the picture under its name, or none of them listed."""
    parts = files_of(row)
    # Those in place already: the program stopped between a rename and the commit.
    left = [part for part in parts if not _holds(folder / part.file, part.sha256)]
    waits = [_holds(folder / staging_name(row, part.sha256), part.sha256) for part in left]
    if any(os.path.lexists(folder / part.file) for part in left):
        # Never over something that is there. The new name is committed before it is used.
        # Before its first release nothing else under the old name is ours; after it, everything is.
        ours = file_names_of(row) if row.released_at else [p.file for p in parts if p not in left]
        for name in ours:
            (folder / name).unlink(missing_ok=True)
        row.file = f"{row.file.split('/')[0]}/{new_id()}.jpg"
        row.save(update_fields=["file"])
    elif not all(waits):
        # Lost to a cleaner or a restored backup: made again from the vault.
        row.state = PublicationState.INTENDED
        row.save(update_fields=["state"])
        jobs.enqueue_renditions(ctx.home, row.item_id)
    else:
        for part in left:
            _place(folder / staging_name(row, part.sha256), folder / part.file)
        _mark_listed(ctx, row)


def staging_name(publication: Publication, sha256: str) -> str:
    """What a picture is called while it waits, unseen by readers, beside its final place.

    The bytes are part of the name: two programs at work at once cannot swap them.
    """
    return f"{PARTIAL}{publication.pk}-{sha256[:16]}"


def _follow_ledger(home: Home, channel: str) -> None:
    """Remove what was withdrawn while pictures were made, write the manifest, sweep.

    ``place_publication`` itself withdraws a picture whose consent went; a single run has no next
    round.
    """
    remove_withdrawn_from(home, channel)
    if manifest_is_stale(home, channel):
        write_manifest(home, channel)
    remove_partials(home, channel)


def _in_state(state: PublicationState, channels: Collection[str]) -> QuerySet[Publication]:
    rows = Publication.objects.filter(state=state, channel__in=channels).select_related("item")
    return rows.order_by("item__received_at", "item_id", "channel")


def _may_be_undone(home: Home) -> Exists:
    """A person released it so lately that they may still think again.

    A time in the future, where the clock was set back, holds nothing up.
    """
    now = home.now()
    since = now - timedelta(seconds=home.settings.review.undo_seconds)
    signed = StaffApproval.objects.filter(item=OuterRef("item"), channel=OuterRef("channel"))
    return Exists(signed.filter(refused=False, created_at__gt=since, created_at__lte=now))


def _write_one(home: Home, publication: Publication, made: Rendition) -> None:
    """The whole files under their waiting names, then the ledger. Raises OSError or StorageFull."""
    folder = folder_of(home, publication.channel)
    require_space(folder, len(made.data) + sum(len(sibling.data) for sibling in made.siblings))
    for data in (made.data, *(sibling.data for sibling in made.siblings)):
        _write_staged(folder, publication, data)
    sync_folder(folder)
    Publication.objects.filter(pk=publication.pk, state=PublicationState.INTENDED).update(
        state=PublicationState.WRITTEN,
        sha256=_digest(made.data),
        size=len(made.data),
        width=made.width,
        height=made.height,
        siblings=[
            {
                "kind": sibling.kind.value,
                "sha256": _digest(sibling.data),
                "bytes": len(sibling.data),
            }
            for sibling in made.siblings
        ],
    )


def _write_staged(folder: Path, publication: Publication, data: bytes) -> None:
    waiting = folder / staging_name(publication, _digest(data))
    beside = waiting.with_name(f"{PARTIAL}{publication.pk}-{new_id()}")
    with atomic_file(waiting, partial=beside) as file:
        file.write(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refuse(home: Home, publication: Publication, why: RenditionRefused) -> None:
    """The picture could not be proven: hold it, with the reason, for a person."""
    with transaction.atomic():
        row = Publication.objects.select_for_update().get(pk=publication.pk)
        if row.state == PublicationState.INTENDED:
            _hold(
                DecisionContext(home, register_for_item(row.item, home.now().date()), home.now()),
                row,
                why,
            )


def _hold(ctx: DecisionContext, row: Publication, why: RenditionRefused) -> None:
    recall_publication(ctx, row, why.reason.value)
    was_out = row.state == PublicationState.WITHDRAWING
    decision = ChannelDecision.objects.get(item=row.item_id, channel=row.channel)
    decision.verdict = ChannelStatus.WITHDRAWN if was_out else ChannelStatus.HELD
    decision.reasons = [why.reason.value]
    decision.save(update_fields=["verdict", "reasons"])
    detail = {"channel": row.channel, "verdict": decision.verdict, "why": why.detail}
    audit_log.record(ctx.home, "item.decided", f"item:{row.item_id}", detail)


def _mark_listed(ctx: DecisionContext, row: Publication) -> None:
    row.state = PublicationState.LISTED
    row.released_at = row.released_at or ctx.now
    row.save(update_fields=["state", "released_at"])
    mark_manifest_dirty(row.channel)
    detail = {"publication": row.pk, "channel": row.channel, "sha256": row.sha256}
    audit_log.record(ctx.home, "publication.released", f"item:{row.item_id}", detail)


def _holds(path: Path, sha256: str) -> bool:
    """Whether a plain file is there with exactly the bytes that were proven."""
    try:
        return not path.is_symlink() and _digest(path.read_bytes()) == sha256
    except OSError:
        return False


def _place(waiting: Path, final: Path) -> None:
    """Rename into a folder that is one, not a link to elsewhere. Raises OSError."""
    if final.parent.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    final.parent.mkdir(exist_ok=True)
    waiting.replace(final)
    sync_folder(final.parent)
    sync_folder(final.parent.parent)
