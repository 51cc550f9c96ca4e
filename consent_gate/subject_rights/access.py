"""What the gate knows of one pupil: the answer to a subject access request (UK GDPR art. 15)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from consent_gate.db.models import ConsentAnswer, EnrolmentPhoto, Item, Portrait, PupilEntry
from consent_gate.db.models.publications import IN_MANIFEST
from consent_gate.decisions.pupil_references import pictures_of
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.register.portraits import portrait_of
from consent_gate.subject_rights.access_letter import summary
from sims_import.applying.history import changes_about
from sims_import.planning.change_json import as_json

_IDENTITY = (
    *("admission_number", "upn", "forename", "surname", "preferred_forename"),
    *("preferred_surname", "reg_group", "year_group", "family_key", "former_numbers"),
    *("never_publish", "biometric_objection", "on_roll"),
)


def find_pupil(number: str) -> PupilEntry:
    """A pupil by admission number, today's or a former one. Raises ItemNotFound."""
    entry = PupilEntry.objects.filter(admission_number=number).first()
    if entry is None:
        former = PupilEntry.objects.exclude(former_numbers=[])
        entry = next((e for e in former if number in e.former_numbers), None)
    if entry is None:
        raise ItemNotFound(f"No pupil has the admission number {number}.")
    return entry


def numbers_of(entry: PupilEntry) -> list[str]:
    """Every admission number the pupil has or had."""
    return [entry.admission_number, *entry.former_numbers]


def collect_subject_data(entry: PupilEntry) -> dict[str, Any]:
    """Everything on the register and in the queue about one pupil; of templates never the vector.

    Pictures are named by id and path below the inbox.
    """
    born = entry.date_of_birth
    return {
        "pupil": {name: getattr(entry, name) for name in _IDENTITY}
        | {"date_of_birth": born.isoformat() if born else None},
        "consents": [_consent(row) for row in _answers(entry)],
        "history": [
            {
                "import": run.pk,
                "at": run.created_at.isoformat(),
                "file": run.file_name,
                **as_json(change),
            }
            for run, change in changes_about(entry)
        ],
        "templates": [_template(photo) for photo in entry.photos.order_by("pk")],
        "pictures": [_picture(item) for item in pictures_of(numbers_of(entry))],
    }


def _answers(entry: PupilEntry) -> list[ConsentAnswer]:
    rows = ConsentAnswer.objects.filter(pupil=entry).order_by("purpose")
    return list(rows.select_related("source"))


def _consent(row: ConsentAnswer) -> dict[str, Any]:
    return {
        "purpose": row.purpose,
        "answer": row.answer,
        "given_on": row.given_on.isoformat() if row.given_on else None,
        "expires_on": row.expires_on.isoformat() if row.expires_on else None,
        "import": row.source_id,
        "file": row.source.file_name if row.source else None,
    }


def _template(photo: EnrolmentPhoto) -> dict[str, Any]:
    return {
        "taken_on": photo.taken_on.isoformat() if photo.taken_on else None,
        "first_imported_on": photo.first_imported_on.isoformat(),
        "models": {t.model: t.model_version for t in photo.templates.all()},
        "portrait": Portrait.objects.filter(template__photo=photo).exists(),
    }


def _picture(item: Item) -> dict[str, Any]:
    live = item.publications.filter(state__in=IN_MANIFEST)
    return {
        "id": item.pk,
        "source": item.source,
        "taken_in": item.received_at.isoformat(),
        "state": item.state,
        "out_in": sorted(live.values_list("channel", flat=True)),
    }


def export_subject_data(home: Home, entry: PupilEntry) -> bytes:
    """A ZIP to answer a request with: a page to read, the same as JSON, the portrait kept.

    The pictures themselves show other people too: the list says which to look at and blur first.
    """
    facts, portrait = collect_subject_data(entry), portrait_of(home, entry.admission_number)
    files: dict[str, str | bytes] = {
        "summary.txt": summary(home, facts),
        "data.json": json.dumps(facts, indent=2, ensure_ascii=False),
    }
    if portrait:
        files["portrait.jpg"] = portrait
    out, at = io.BytesIO(), home.now().timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, at), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
