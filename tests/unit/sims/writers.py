"""The same register written as every kind of export that schools send."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

import openpyxl

from consent_gate.model import Answer
from sims_import.register import RegisterPupil
from tests.unit.sims.school import ALL, NOT_STATED

CAPTIONS = {
    "website": "Photograph - Website",
    "mag": "Photograph - Millfields Mag",
    "displays": "Photograph - Displays",
    "biometric": "Biometric Consent",
}
TYPES = {
    "website": "School Website",
    "mag": "Millfields Mag",
    "displays": "School Displays",
    "biometric": "Biometric",
}
Rows = list[list[str]]


def _identity(pupil: RegisterPupil) -> list[str]:
    return [pupil.admission_number, pupil.upn, pupil.forename, pupil.surname]


_HEAD = ["Adno", "UPN", "Forename", "Surname"]


def _answer(pupil: RegisterPupil, name: str) -> Answer:
    return pupil.consents.get(name, NOT_STATED).answer


def wide_rows(pupils: Sequence[RegisterPupil], words: dict[Answer, str]) -> Rows:
    """One column per type."""
    body = [
        [
            *_identity(p),
            *(words[_answer(p, name)] for name in ALL),
            words[Answer.GIVEN] if p.never_publish else "",
        ]
        for p in pupils
    ]
    return [[*_HEAD, *CAPTIONS.values(), "Never Publish"], *body]


def cell_rows(pupils: Sequence[RegisterPupil]) -> Rows:
    """One cell holds the types that were given."""

    def cell(pupil: RegisterPupil) -> str:
        named = [TYPES[name] for name in ALL if _answer(pupil, name) is Answer.GIVEN]
        return ", ".join([*named, *(["Never Publish"] if pupil.never_publish else [])])

    return [[*_HEAD, "Parental Consent"], *([*_identity(p), cell(p)] for p in pupils)]


def long_rows(pupils: Sequence[RegisterPupil], words: dict[Answer, str]) -> Rows:
    """One row per pupil and type."""
    rows = [[*_HEAD, "Consent Type", "Consent Given"]]
    for p in pupils:
        rows += [[*_identity(p), TYPES[name], words[_answer(p, name)]] for name in ALL]
        rows.append(
            [*_identity(p), "Never Publish", words[Answer.GIVEN] if p.never_publish else ""]
        )
    return rows


def with_titles(rows: Rows, total: int) -> Rows:
    """Title rows above and a total below, as SIMS prints them."""
    return [
        ["Millfields Community School"],
        [],
        ["Parental consent - all pupils", "", "Run: 04/09/2026"],
        [],
        *rows,
        [],
        ["Total", str(total)],
    ]


def to_csv(rows: Rows, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def to_xlsx(rows: Rows) -> bytes:
    """A workbook whose numbers lost their leading zeros."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet")
    for row in rows:
        sheet.append([int(cell) if cell.isdigit() and cell.isascii() else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def to_xml(rows: Rows) -> bytes:
    """CommandReporter XML: blank fields are left out, as it leaves them out."""
    tags = ["".join(c if c.isalnum() else f"_x{ord(c):04X}_" for c in name) for name in rows[0]]
    records = (
        "".join(f"<{t}>{escape(c)}</{t}>" for t, c in zip(tags, row, strict=True) if c)
        for row in rows[1:]
    )
    body = "".join(f"<Record>{record}</Record>" for record in records)
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f"{head}<SuperStarReport>{body}</SuperStarReport>".encode()
