"""Collect what the gate stores about one pupil, for a subject access request (UK GDPR art. 15)."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

from consent_gate.db.models import ConsentAnswer, EnrolmentPhoto, Item, Portrait, PupilEntry
from consent_gate.decisions.pupil_references import pictures_of
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST
from consent_gate.register.portraits import portrait_of
from consent_gate.subject_rights.access_letter import write_letter
from consent_gate.subject_rights.waiting_data import waiting_data
from sims_import.applying.history import changes_about
from sims_import.planning.change_json import as_json

_IDENTITY = (
    *("admission_number", "upn", "forename", "surname", "preferred_forename"),
    *("preferred_surname", "reg_group", "year_group", "family_key", "former_numbers"),
    *("never_publish", "biometric_objection", "on_roll"),
)


def find_pupil(number: str) -> PupilEntry:
    """The pupil with this admission number, current or former.

    Raises:
        ItemNotFound: No pupil has or had the number.
    """
    entry = PupilEntry.objects.filter(admission_number=number).first()
    if entry is None:
        former = PupilEntry.objects.exclude(former_numbers=[])
        entry = next((e for e in former if number in e.former_numbers), None)
    if entry is None:
        raise ItemNotFound(f"No pupil has the admission number {number}.")
    return entry


def numbers_of(entry: PupilEntry) -> list[str]:
    """Every admission number of the pupil, the current one first.

    A former number that the school gave to another child means that child.
    """
    others = PupilEntry.objects.filter(admission_number__in=entry.former_numbers)
    taken = set(others.values_list("admission_number", flat=True))
    return [entry.admission_number, *(n for n in entry.former_numbers if n not in taken)]


def collect_subject_data(entry: PupilEntry) -> dict[str, Any]:
    """Everything stored about one pupil, as JSON values. Templates are listed without the vector.

    Pictures are named by their id and their path below the inbox.
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
        "events": sorted(entry.events.values_list("roll__event", flat=True)),
        "pictures": [_picture(item) for item in pictures_of(numbers_of(entry))],
    }


def subject_data(home: Home, entry: PupilEntry) -> dict[str, Any]:
    """``collect_subject_data``, and under ``waiting`` how much may be about the pupil as well."""
    return {**collect_subject_data(entry), "waiting": asdict(waiting_data(home))}


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
        "confirmed_by": photo.confirmed_by or None,
        "confirmed_at": photo.confirmed_at.isoformat() if photo.confirmed_at else None,
        "portrait": Portrait.objects.filter(template__photo=photo).exists(),
        "from_picture": photo.item_id,
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
    """Return a ZIP that answers a request: a text to read, the same as JSON, and the portrait.

    The pictures are not in it, because they show other people too. The list names them, so that
    staff can blur the others and add them.
    """
    facts = subject_data(home, entry)
    portrait = portrait_of(home, entry.admission_number)
    files: dict[str, str | bytes] = {
        "summary.txt": write_letter(home, facts),
        "data.json": json.dumps(facts, indent=2, ensure_ascii=False),
    }
    if portrait:
        files["portrait.jpg"] = portrait
    out, modified_at = io.BytesIO(), home.now().timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, modified_at), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
