"""Starts the examination of one photo, and records its result with the decisions."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import Item, ItemState
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.bursts import place_in_queue
from consent_gate.decisions.copies.closed_pictures import fill_closed_picture
from consent_gate.decisions.copies.copy_detection import link_to_earlier
from consent_gate.decisions.copies.sealed_copies import SealedCopy, remove_sealed_copies, seal_copy
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.outdated_approvals import (
    faces_moved,
    outdates_approvals,
    shows_other_frames,
)
from consent_gate.decisions.rendition_faces import with_earlier_rendition_faces
from consent_gate.decisions.staff_input import (
    delete_approvals,
    delete_film_edit,
    delete_staff_input,
    drawn_faces,
    load_staff_input,
    signed_channels,
)
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.bursts import burst_key
from consent_gate.model import Evidence, NotExamined
from consent_gate.publication import Appearance, wanted_appearance
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from consent_gate.register.relevant import register_for_item
from consent_gate.vault.originals import (
    read_part,
    remove_checkpoint,
    save_film_view,
    save_preview,
)
from ingest.film.staff_view import unpacked
from ingest.visible_names import evidence_of, shows_text
from ingest.workers.analysis_pool import TaskRunner
from ingest.workers.examination import Examination, not_examined
from ingest.workers.in_flight import completed_future
from ingest.workers.served_file import OnProgress
from ingest.workers.submit import open_if_film, submit_film
from ingest.workers.worker import examine
from publish.recall.withdraw import remove_withdrawn
from publish.verification.mp4 import plain_structure

log = logging.getLogger("consent_gate")

MAX_ATTEMPTS = 3
"""A photo whose examination began this often without a result is held and not tried again."""


TOO_LARGE = (
    "The file is too large to be examined. Save the picture in a smaller size and copy that in."
)


class FilmMustWait(Exception):
    """The item is a film, and as many films as may be are examined already."""


class StaleGallery(Exception):
    """The workers' gallery is no longer the one in force. Start again with the new gallery."""


def refund_attempts(item_ids: Collection[str]) -> None:
    """Decrement ``attempts`` for examinations that a shutdown or a pool failure interrupted."""
    if item_ids:
        items = Item.objects.filter(pk__in=item_ids, attempts__gt=0)
        items.update(attempts=F("attempts") - 1)


@dataclass(frozen=True)
class StartedExamination:
    """An examination under way."""

    future: Future[Examination]
    is_film: bool


def start_examination(
    home: Home,
    pool: TaskRunner,
    item_id: str,
    on_progress: OnProgress = lambda *_: None,
    *,
    may_be_film: bool = True,
) -> StartedExamination:
    """Start one examination. The attempt is counted first, so that a crash is counted too.

    Args:
        home: The installation.
        pool: Runs the examination.
        item_id: The item.
        on_progress: Called with how far the examination of a film is.
        may_be_film: Whether a film may be started now.

    Raises:
        FilmMustWait: It is a film, and no film may be started. The attempt is not counted.
        StorageFull: The store of the originals does not answer.
    """
    Item.objects.filter(pk=item_id).update(attempts=F("attempts") + 1)
    item = Item.objects.get(pk=item_id)
    if item.attempts > MAX_ATTEMPTS:
        forget_checkpoint(home, item_id)
        return _failed("The program ended several times while it examined this photo.")
    try:
        film = open_if_film(home, item)
        if film is not None and not may_be_film:
            film.close()
            refund_attempts([item_id])
            raise FilmMustWait
        if film is not None:
            return StartedExamination(
                submit_film(home, pool, item, film, on_progress), is_film=True
            )
        if item.size > home.settings.analysis.max_megabytes << 20:
            return _failed(TOO_LARGE)
        data = read_part(home, item)
    except (OSError, DecryptionError):
        return _failed("The safe copy of the photo cannot be read.")
    return StartedExamination(pool.submit(examine, data), is_film=False)


def forget_checkpoint(home: Home, item_id: str) -> None:
    """Delete how far the examination of a film was, because it has ended.

    If that fails, ``scheduling.lock`` deletes it at a later start.
    """
    try:
        remove_checkpoint(home, item_id)
    except (OSError, StorageFull):
        log.warning("How far the examination of item %s was could not be deleted yet.", item_id)


def _failed(message: str) -> StartedExamination:
    return StartedExamination(completed_future(not_examined(message)), is_film=False)


def record_examination(
    home: Home, item_id: str, examination: Examination, loaded_version: GalleryVersion
) -> None:
    """Write evidence, decisions of every channel and audit entries in one transaction.

    Does nothing where the item was decided or sealed meanwhile. A copy of a sealed picture is
    sealed; its preview and its evidence are not stored.

    Raises:
        StaleGallery: The faces were compared with other templates than those in force. Nothing is
            recorded. A child enrolled meanwhile might have been matched to a sibling, and the
            register no longer guards against a sibling without a template.
    """
    sealed: list[SealedCopy] = []
    with transaction.atomic():
        item = Item.objects.select_for_update().get(pk=item_id)
        _keep_live_photo(item, examination.live_photo)
        fill_closed_picture(
            home, item, examination.evidence, examination.hashes, examination.preview
        )
        if item.state != ItemState.RECEIVED:
            return  # already decided, or sealed while it was examined
        if gallery_version(home) != loaded_version:
            raise StaleGallery
        signed = signed_channels(item)
        if link_to_earlier(
            home, item, examination.evidence, examination.hashes, examination.preview
        ):
            register = register_for_item(item, home.now().date())
            sealed = seal_copy(DecisionContext(home, register, home.now()), item)
        else:
            _record_evidence(home, item, examination, signed)
    if sealed:
        remove_withdrawn(home)
        remove_sealed_copies(home, sealed)


def _keep_live_photo(item: Item, digest: str) -> None:
    """Store to which live photo the item belongs. The digest comes from a worker."""
    if re.fullmatch("[0-9a-f]{64}", digest) and item.live_photo != digest:
        item.live_photo = digest
        item.save(update_fields=["live_photo"])


def _record_evidence(
    home: Home, item: Item, examination: Examination, signed: frozenset[str]
) -> None:
    """Save evidence and decisions. ``signed`` has the channels approved before the examination."""
    if examination.preview is not None:
        save_preview(home, item, examination.preview)
    before, changed = from_json(item.evidence), False
    evidence = evidence_of(home, examination, drawn_faces(item))
    evidence = _with_stored_view(home, item, evidence, examination.film_view)
    evidence = with_earlier_rendition_faces(before, evidence)
    if item.evidence is not None:
        item.revision += 1  # a page that was opened before shows other faces, or other numbers
    if faces_moved(before, evidence):
        changed = wanted_appearance(before, load_staff_input(item)) != Appearance()
        delete_staff_input(item)
        delete_enrolments(home, item, audit_log.SYSTEM_ACTOR)
    elif outdates_approvals(before, evidence, load_staff_input(item)):
        delete_approvals(item)
    if item.film_edit is not None and shows_other_frames(before, evidence):
        changed = True
        delete_film_edit(item)
    item.evidence = to_json(evidence)
    item.attempts = 0
    item.shows_text = shows_text(examination)
    item.names_outdated = False
    item.queue_place = place_in_queue(item, evidence)
    item.burst_key = burst_key(evidence)
    item.save(
        update_fields=[
            "evidence",
            "attempts",
            "revision",
            "shows_text",
            "names_outdated",
            "queue_place",
            "burst_key",
        ]
    )
    audit_log.record(home, "item.examined", f"item:{item.pk}", _summary(evidence))
    register = register_for_item(item, home.now().date())
    unsigned = frozenset(home.settings.channels) if changed else signed - signed_channels(item)
    apply_decision(
        DecisionContext(home, register, home.now(), may_open=True, unapproved=unsigned), item
    )


def _with_stored_view(home: Home, item: Item, evidence: Evidence, view: bytes | None) -> Evidence:
    """Store what staff see of a film. Returns the evidence, which says whether they can see it.

    The worker may have been taken over by the film, so the stored film must have the plain
    structure of a published one, as many frames as were judged, and the sound if that may be kept.
    """
    if isinstance(evidence, NotExamined) or evidence.film is None:
        return evidence
    structure = None if view is None else plain_structure(unpacked(view)[1])
    sound = evidence.film.sound
    is_viewable = (
        structure is not None
        and structure.frames == evidence.film.frames
        and (structure.channels > 0 or sound is None or not sound.sha256)
    )
    if view is not None and is_viewable:
        save_film_view(home, item, view)
    return replace(evidence, film=replace(evidence.film, is_viewable=is_viewable))


def _summary(evidence: Evidence) -> dict[str, object]:
    """For the audit: the numbers of faces and names and the digest of the pixels, no identities."""
    if isinstance(evidence, NotExamined):
        return {"not_examined": evidence.reason.value}
    return {
        "faces": len(evidence.faces),
        "pixels": evidence.pixels_sha256,
        "text": evidence.text_check.value,
        "names": len(evidence.names),
    }
