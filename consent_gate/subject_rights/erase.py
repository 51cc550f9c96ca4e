"""Erase a pupil from the whole home (UK GDPR art. 17) and write a certificate.

Published pictures are recalled first. A picture that shows only the pupil is erased. A picture that
also shows others stays, without the pupil's name in its evidence, and is held until a person
reviews it. So is a picture that this pupil's entry held, such as one of a brother or sister
(``erasure_holds``).
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from typing import Any

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    EnrolmentPhoto,
    ImportRun,
    Item,
    ItemState,
    PupilEntry,
    ReviewNote,
    Template,
)
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.pupil_references import pictures_of, renumber_in_pictures
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.model import Examined
from consent_gate.register.relevant import pupils_shown
from consent_gate.register.repository import load_register
from consent_gate.register.sibling_lists import remove_from_families
from consent_gate.subject_rights.access import find_pupil, numbers_of
from consent_gate.subject_rights.erasure_holds import (
    before_erasure,
    guard_relatives,
    hold_for_a_person,
    pictures_held_by,
    relatives_of,
)
from consent_gate.subject_rights.search import ErasureSearch, search_all_stores, search_terms
from consent_gate.subject_rights.waiting_data import waiting_data
from ingest.enrolment import upload_queue
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.withdraw import sync_folders
from publish.retention import erase_item, retention_round
from sims_import.applying import store

NOT_COVERED = (
    "The audit trail: it names the pupil only by a pseudonym, which the school's key makes from the"
    " admission number. Nobody who lacks the number can tell who it was.",
    "Files that the school put into the inbox, under the names that it gave them.",
    "Exports that lie in the folder 'sims' and are not imported yet. They may take consent back for"
    " others, so they stay. An import of them adds a pupil again whom they list: take them"
    " out, or erase the pupil again afterwards.",
    "Workbooks, ZIPs and photos in the folders 'sims' and 'inbox': only their names are searched.",
    "Photos that were not examined before this erasure. They are no longer matched with the pupil.",
    "Backups made before this erasure still hold the pupil, encrypted, until they are deleted. A"
    " restore erases the pupil again if it finds the revocation list (docs/backup.md). If it does"
    " not, erase the pupil again.",
    "Pictures that also show others: they are held, and no longer linked to the pupil.",
    "Files in the folder 'quarantine', which lay among published pictures and were not put there by"
    " the gate. Nobody knows who is shown in them. They are deleted after 30 days.",
    "A mark, without a name, on brothers, sisters and lookalikes of a pupil who is still at the"
    " school. It holds their new pictures and ends with the next import of the whole school.",
)
"""The exclusions that each certificate lists."""

ERASED = "(erased)"
"""Replaces an admission number in the summaries of imports."""


def erase_pupil(home: Home, number: str, actor: str) -> dict[str, Any]:
    """Erase a pupil and return the certificate, which names nobody. Safe to repeat.

    Args:
        home: the school's home.
        number: admission number of the pupil, current or former.
        actor: who is named in the audit trail and the certificate.

    Raises:
        ItemNotFound: No pupil has or had the admission number.
    """
    entry = find_pupil(number)
    numbers, terms = numbers_of(entry), search_terms(entry)
    recalled = recall_selection(home, RecallSelection(pupils=numbers), actor)
    with transaction.atomic():
        destroyed = {
            "pictures_taken_back": len(recalled.publications),
            **_erase(home, entry, actor),
        }
        subject = audit_log.pupil_subject(home, numbers[0])
        audit_log.record(home, "pupil.erased", subject, destroyed, actor)
    remove_from_families(home, numbers)
    destroyed["waiting_files"] = _empty_drop_folder(home, numbers)
    retention_round(home)
    sync_folders(home)
    return _write_certificate(home, subject, destroyed, search_all_stores(home, terms), actor)


def _erase(home: Home, entry: PupilEntry, actor: str) -> dict[str, int]:
    """Delete or rewrite every row about the pupil. Returns counts. Call inside a transaction."""
    numbers = numbers_of(entry)
    pictures = pictures_of(numbers)
    register = load_register(home.now().date())
    ctx = DecisionContext(home, register, home.now(), actor)
    before = before_erasure(ctx, pictures_held_by(entry, register, ctx.rules), numbers)
    alone = [item for item in pictures if _shows_nobody_else(item, numbers)]
    for item in alone:
        erase_item(home, item, "pupil_erased", actor)
        item.decisions.update(basis=[], faces={})
    for number in numbers:
        renumber_in_pictures(number, None)
    counts = {
        "pictures_erased": len(alone),
        "pictures_unlinked": len(pictures) - len(alone),
        "templates": Template.objects.filter(photo__pupil=entry).count(),
        "enrolment_photos": EnrolmentPhoto.objects.filter(pupil=entry).count(),
        "consents": entry.consents.count(),
        "imports_with_the_pupil": entry.history.count(),
        "colleagues_notes": _erase_notes(search_terms(entry), pictures),
    }
    relatives = relatives_of(entry)
    entry.delete()
    store.link_siblings(home)
    for run in ImportRun.objects.all():
        run.summary = _redact(run.summary, numbers)
        run.save(update_fields=["summary"])
    ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
    held = hold_for_a_person(ctx, before)
    guard_relatives(relatives)
    counts["pictures_for_a_person"] = len(held)
    others = {item.pk for item in (*pictures, *held)} - {item.pk for item in alone}
    apply_decisions(ctx, Item.objects.filter(pk__in=others).exclude(evidence=None))
    return counts


def _erase_notes(terms: re.Pattern[str], pictures: list[Item]) -> int:
    """Delete notes on the pupil's pictures and notes that name the pupil. Returns the count."""
    of_pictures = ReviewNote.objects.filter(item__in=pictures)
    named = [note.pk for note in ReviewNote.objects.iterator() if terms.search(note.text)]
    notes = of_pictures | ReviewNote.objects.filter(pk__in=named)
    return notes.delete()[0]


def _shows_nobody_else(item: Item, numbers: list[str]) -> bool:
    """Whether the pupil's face is the only one, and no other pupil's name can be read."""
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined) or len(evidence.faces) != 1:
        return False
    tagged = item.tags.values_list("admission_number", flat=True)
    faces = pupils_shown(replace(evidence, names=()), tagged)
    others = any(name.pupil not in numbers for name in evidence.names)
    drawn = item.tags.filter(box__isnull=False).exists()
    shown = not faces.isdisjoint(numbers)
    return shown and not others and not drawn and item.state == ItemState.DECIDED


def _redact(value: Any, numbers: list[str]) -> Any:
    """A report without the pupil: removed from lists, replaced by ERASED in texts."""
    if isinstance(value, dict):
        return {key: _redact(part, numbers) for key, part in value.items()}
    if isinstance(value, list):
        kept = [part for part in value if not _mentions(part, numbers)]
        return [_redact(part, numbers) for part in kept]
    if isinstance(value, str):
        for number in numbers:
            value = value.replace(number, ERASED)
    return value


def _mentions(part: Any, numbers: list[str]) -> bool:
    return (part.get("pupil") if isinstance(part, dict) else part) in numbers


def _empty_drop_folder(home: Home, numbers: list[str]) -> int:
    """Delete all exports, which hold the whole school, and portraits named after the pupil.

    Returns how many files were deleted that waited for their import. The office has to bring in a
    new export instead.
    """
    folders = (home.sims / "done", home.sims / "waiting", home.vault / "uploads")
    exports = [path for folder in folders for path in folder.glob("*") if path.is_file()]
    photos = [p for p in (home.sims / "photos").rglob("*") if p.is_file() and p.stem in numbers]
    for path in (*exports, *photos):
        path.unlink(missing_ok=True)
    waiting = sum(path.parent != folders[0] and path.suffix != ".txt" for path in exports)
    return waiting + upload_queue.delete_all(home)


def certificates(home: Home) -> list[dict[str, Any]]:
    """Every erasure certificate of the home, newest first."""
    found = sorted((home.root / "certificates").glob("*.json"), reverse=True)
    return [json.loads(path.read_text("utf-8")) for path in found]


def _write_certificate(
    home: Home, subject: str, destroyed: dict[str, int], proof: ErasureSearch, actor: str
) -> dict[str, Any]:
    certificate = {
        "schema": "consent-gate/erasure@1",
        "subject": subject,
        "erased_at": home.now().isoformat(timespec="seconds"),
        "by": actor,
        "destroyed": destroyed,
        "searched": {
            "tables": proof.tables,
            "rows": proof.rows,
            "files": proof.files,
            "vault_files": proof.vault_files,
        },
        "still_found": dict(sorted(proof.found.items())),
        "not_searched": dict(sorted(proof.unread.items())),
        "waiting": asdict(waiting_data(home)),
        "not_covered": list(NOT_COVERED),
    }
    name = f"{home.now():%Y-%m-%d}-{subject.removeprefix('pupil:')}.json"
    text = json.dumps(certificate, indent=2, ensure_ascii=False)
    replace_with(home.root / "certificates" / name, text.encode(), 0o600)
    return certificate
