"""Reads the school's own list of enrolment photos, with file, pupil and date taken."""

from __future__ import annotations

from consent_gate.register.identifiers import read_admission_number, read_upn
from ingest.enrolment.plan import ListedPhoto, photo_key
from sims_import.readers.interface import Table
from sims_import.text.values import read_date
from sims_import.text.words import words

_FILE = frozenset({"file", "filename", "photo", "photofile", "image", "imagefile", "picture"})
_PUPIL = frozenset(
    {"pupil", "adno", "admno", "admissionno", "admissionnumber", "upn", "student", "number"}
)
_TAKEN = frozenset({"taken", "takenon", "datetaken", "date", "phototaken"})


def read_photo_list(table: Table) -> dict[str, ListedPhoto]:
    """Read the school's list (``file,pupil[,taken]``). Returns the photos by ``photo_key``.

    A file that is listed for two pupils belongs to neither.
    """
    captions = ["".join(words(caption)) for caption in table.captions]
    file_at, pupil_at, taken_at = (_at(captions, names) for names in (_FILE, _PUPIL, _TAKEN))
    if file_at is None or pupil_at is None:
        return {}
    found: dict[str, ListedPhoto] = {}
    for row in table.rows:
        name, text = photo_key(row.cells[file_at]), row.cells[pupil_at]
        if not name or not text:
            continue
        pupil: str | None = read_admission_number(text) or read_upn(text)
        if name in found and found[name].pupil != pupil:
            pupil = None
        taken = read_date(row.cells[taken_at]) if taken_at is not None else None
        found[name] = ListedPhoto(pupil, taken)
    return found


def _at(captions: list[str], names: frozenset[str]) -> int | None:
    return next((at for at, caption in enumerate(captions) if caption in names), None)
