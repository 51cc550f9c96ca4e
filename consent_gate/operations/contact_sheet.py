"""A contact sheet of the enrolment portraits: name, class and face, 30 a page.

Somebody who knows the children looks at it and finds the portraits that lie under a wrong name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

from consent_gate.db.models import EnrolmentPhoto
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.register.display import class_of, display_name
from consent_gate.register.portraits import portrait_of_photo
from consent_gate.register.repository import lawful_photos

ROWS, COLUMNS = 6, 5
PER_PAGE = ROWS * COLUMNS

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that are not taken for one another on paper."""
CODE_LENGTH = 4
STAMP_LETTERS = 16


@dataclass(frozen=True)
class SheetEntry:
    """One portrait on the sheet."""

    photo: EnrolmentPhoto
    name: str
    class_name: str

    @property
    def state(self) -> str:
        """What staff read below the name; empty for a confirmed portrait."""
        if self.photo.confirmed_at is not None:
            return ""
        return "differs from another portrait" if self.photo.in_doubt else "not confirmed yet"

    @property
    def stamp(self) -> str:
        """Changes with the portrait, the pupil it belongs to, and the name and class below it."""
        shown = (self.photo.pk, self.photo.sha256, self.photo.pupil_id, self.name, self.class_name)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:STAMP_LETTERS]

    @property
    def key(self) -> str:
        """The portrait as a page shows it, for its confirmation: primary key and stamp."""
        return f"{self.photo.pk}-{self.stamp}"


def shown_photos(home: Home, keys: Collection[str]) -> tuple[list[int], int]:
    """The primary keys of the portraits that are still as they were shown, and how many are not.

    ``keys`` are the ``SheetEntry.key`` of the page or sheet.
    """
    as_shown = [entry.photo.pk for entry in sheet_entries(home) if entry.key in keys]
    return as_shown, len(set(keys)) - len(as_shown)


def sheet_code(home: Home, entries: Iterable[SheetEntry]) -> str:
    """The code that a sheet prints for a class, such as "K7Q2". It changes with every portrait."""
    text = "\n".join(sorted(entry.key for entry in entries))
    number = int.from_bytes(hmac.digest(home.keys.web, f"portraits:{text}".encode(), "sha256"))
    return "".join(CODE_LETTERS[number >> 5 * place & 31] for place in range(CODE_LENGTH))


def sheet_entries(home: Home, class_name: str | None = None) -> list[SheetEntry]:
    """Every portrait with templates, by class and surname.

    ``class_name`` None means all classes.
    """
    photos = lawful_photos(home.now().date()).filter(templates__isnull=False).distinct()
    rows = sorted(
        photos.select_related("pupil"),
        key=lambda p: (class_of(p.pupil), p.pupil.surname, p.pupil.forename, p.pupil.pk, p.pk),
    )
    entries = [SheetEntry(row, display_name(row.pupil), class_of(row.pupil)) for row in rows]
    return [entry for entry in entries if class_name is None or entry.class_name == class_name]


def sheet_pages(entries: Sequence[SheetEntry]) -> list[tuple[str, Sequence[SheetEntry]]]:
    """The pages of the sheet, each with the name of its class and at most 30 portraits."""
    pages: list[tuple[str, Sequence[SheetEntry]]] = []
    for name in dict.fromkeys(entry.class_name for entry in entries):
        of_class = [entry for entry in entries if entry.class_name == name]
        for start in range(0, len(of_class), PER_PAGE):
            pages.append((name, of_class[start : start + PER_PAGE]))
    return pages


def class_codes(home: Home, entries: Sequence[SheetEntry]) -> dict[str, str]:
    """The code of each class on the sheet, by its name."""
    names = dict.fromkeys(entry.class_name for entry in entries)
    return {
        name: sheet_code(home, [entry for entry in entries if entry.class_name == name])
        for name in names
    }


def sheet_html(home: Home, entries: Sequence[SheetEntry]) -> bytes:
    """The sheet as one HTML file with the portraits inside, ready to print."""
    codes = class_codes(home, entries)
    pages = [
        (name, codes[name], [(entry, _data_uri(portrait_jpeg(home, entry))) for entry in page])
        for name, page in sheet_pages(entries)
    ]
    context = {"school": home.settings.school.name, "day": home.now().date(), "pages": pages}
    return render_to_string("reports/portraits.html", context).encode()


def portrait_jpeg(home: Home, entry: SheetEntry) -> bytes | None:
    """The portrait; None where it cannot be read, which leaves its place empty."""
    try:
        return portrait_of_photo(home, entry.photo)
    except DecryptionError:
        return None


def _data_uri(jpeg: bytes | None) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode() if jpeg else ""
