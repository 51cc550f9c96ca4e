"""Forgetting a pupil (UK GDPR art. 17), everywhere at once. The only function that does it.

Pictures that are out come back first. A picture of the pupil alone is erased; one that shows
others stays, unreleasable until a person looks at it, and no longer says who was recognised.
"""

from __future__ import annotations

import json
import re
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
from consent_gate.register.repository import load_register
from consent_gate.register.sibling_lists import remove_from_families
from consent_gate.subject_rights.access import find_pupil, numbers_of
from consent_gate.subject_rights.search import ErasureSearch, search_all_stores, search_terms
from ingest.enrolment import upload_queue
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.withdraw import sync_folders
from publish.retention import erase_item, retention_round
from sims_import.applying import store

KEPT = (
    "The audit trail: it speaks of the pupil by a pseudonym that the school's key makes from the"
    " admission number. Without the number nobody can tell who it was.",
    "Files the school put into the inbox, under the names it gave them.",
    "Backups made before this moment still hold the pupil, encrypted, until they are deleted. A"
    " restore erases the pupil again by itself where the list of closings is at hand"
    " (docs/backup.md); where it is not, erase again.",
    "Pictures that also show others: held, and no longer linked to the pupil.",
)
"""What a certificate says is not, or cannot be, deleted here."""

ERASED = "(erased)"


def erase_pupil(home: Home, number: str, actor: str) -> dict[str, Any]:
    """Forget a pupil and return the certificate, which names nobody. Safe to repeat.

    Raises ItemNotFound where nobody has the admission number.
    """
    entry = find_pupil(number)
    numbers, words = numbers_of(entry), search_terms(entry)
    back = recall_selection(home, RecallSelection(pupils=numbers), actor)
    with transaction.atomic():
        destroyed = {"pictures_taken_back": len(back.publications), **_erase(home, entry, actor)}
        subject = audit_log.pupil_subject(home, numbers[0])
        audit_log.record(home, "pupil.erased", subject, destroyed, actor)
    remove_from_families(home, numbers)
    destroyed["waiting_files"] = _empty_drop_folder(home, numbers)
    retention_round(home)
    sync_folders(home)
    return _certify(home, subject, destroyed, search_all_stores(home, words), actor)


def _erase(home: Home, entry: PupilEntry, actor: str) -> dict[str, int]:
    """Every row. Call inside a transaction."""
    numbers = numbers_of(entry)
    pictures = pictures_of(numbers)
    alone = [item for item in pictures if _shows_nobody_else(item)]
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
    entry.delete()
    store.link_siblings(home)
    for run in ImportRun.objects.all():
        run.summary = _without(run.summary, numbers)
        run.save(update_fields=["summary"])
    ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
    others = [item.pk for item in pictures if item not in alone]
    apply_decisions(ctx, Item.objects.filter(pk__in=others).exclude(evidence=None))
    return counts


def _erase_notes(words: re.Pattern[str], pictures: list[Item]) -> int:
    """Notes on the pupil's pictures, whose free text may mean the pupil, and all that name them."""
    of_pictures = ReviewNote.objects.filter(item__in=pictures)
    named = [note.pk for note in ReviewNote.objects.iterator() if words.search(note.text)]
    doomed = of_pictures | ReviewNote.objects.filter(pk__in=named)
    return doomed.delete()[0]


def _shows_nobody_else(item: Item) -> bool:
    evidence = from_json(item.evidence)
    one_face = isinstance(evidence, Examined) and len(evidence.faces) == 1
    drawn = item.tags.exclude(box=None).exists()
    return one_face and not drawn and item.state == ItemState.DECIDED


def _without(value: Any, numbers: list[str]) -> Any:
    """A report without the pupil: out of the lists, blotted out of sentences."""
    if isinstance(value, dict):
        return {key: _without(part, numbers) for key, part in value.items()}
    if isinstance(value, list):
        kept = [part for part in value if not _is_about(part, numbers)]
        return [_without(part, numbers) for part in kept]
    if isinstance(value, str):
        for number in numbers:
            value = value.replace(number, ERASED)
    return value


def _is_about(part: Any, numbers: list[str]) -> bool:
    return (part.get("pupil") if isinstance(part, dict) else part) in numbers


def _empty_drop_folder(home: Home, numbers: list[str]) -> int:
    """Exports hold the whole school, imported or waiting; portraits carry the pupil's number.

    Returns how many files that waited went: the office brings a new export in instead.
    """
    folders = (home.sims / "done", home.sims / "waiting", home.vault / "uploads")
    exports = [path for folder in folders for path in folder.glob("*") if path.is_file()]
    photos = [p for p in (home.sims / "photos").rglob("*") if p.is_file() and p.stem in numbers]
    for path in (*exports, *photos):
        path.unlink(missing_ok=True)
    waited = sum(path.parent != folders[0] and path.suffix != ".txt" for path in exports)
    return waited + upload_queue.delete_all(home)


def certificates(home: Home) -> list[dict[str, Any]]:
    """Every certificate of an erasure, newest first."""
    found = sorted((home.root / "certificates").glob("*.json"), reverse=True)
    return [json.loads(path.read_text("utf-8")) for path in found]


def _certify(
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
        "not_covered": list(KEPT),
    }
    name = f"{home.now():%Y-%m-%d}-{subject.removeprefix('pupil:')}.json"
    text = json.dumps(certificate, indent=2, ensure_ascii=False)
    replace_with(home.root / "certificates" / name, text.encode(), 0o600)
    return certificate
