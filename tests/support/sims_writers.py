"""Writes one register as every kind of export that schools send."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

import openpyxl

from consent_gate.model import Answer
from consent_gate.register.snapshot import RegisterPupil
from tests.support.sims_school import ALL, NOT_STATED

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


XLS_STRUCK, XLS_YELLOW = 1, 2
"""Formats of ``to_xls``: crossed-out text, and a yellow background."""


def to_xls(
    rows: Rows,
    formats: dict[tuple[int, int], int] | None = None,
    hidden_row: int | None = None,
    records: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """A minimal Excel 97 workbook: one sheet of texts and numbers in an OLE container.

    ``formats`` by row and column, both from 0, and ``hidden_row`` are the sheet's own. ``records``
    are more records of the sheet, each its kind and its body.
    """

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def cell(row: int, column: int, text: str) -> bytes:
        at = struct.pack("<HHH", row, column, (formats or {}).get((row, column), 0))
        if text.isdigit() and text.isascii():
            return record(0x0203, at + struct.pack("<d", float(text)))
        return record(0x0204, at + struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))

    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    # No font has the number 4, so the crossed-out one is number 5.
    begin += b"".join(record(0x0031, _xls_font(8 if at == 4 else 0)) for at in range(5))
    begin += b"".join(record(0x00E0, _xls_format(*how)) for how in ((0, 0), (5, 0), (0, 1)))
    end = record(0x000A, b"")
    offset = len(begin) + len(record(0x0085, bytes(14))) + len(end)
    sheet = record(0x0085, struct.pack("<IHBB", offset, 0, 5, 0) + b"Sheet" + b"\0")
    body = b"".join(
        cell(r, c, text) for r, row in enumerate(rows) for c, text in enumerate(row) if text
    )
    if hidden_row is not None:
        body += record(0x0208, struct.pack("<HHHHHHI", hidden_row, 0, 8, 255, 0, 0, 0x20))
    body += b"".join(record(kind, more) for kind, more in records)
    inside = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    return _ole(begin + sheet + end + inside + body + end)


def xls_text(text: str) -> bytes:
    """A text as the records of a workbook hold it."""
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def xls_message(title: str, text: str, first: int, last: int) -> tuple[int, bytes]:
    """A DV record: a message at the cells of the columns ``first`` to ``last``."""
    texts = b"".join(map(xls_text, (title, "\0", text, "\0")))
    cells = struct.pack("<HHHHH", 1, 1, 6, first, last)
    return 0x01BE, struct.pack("<I", 0) + texts + struct.pack("<HHHH", 0, 0, 0, 0) + cells


def xls_text_box(text: str) -> list[tuple[int, bytes]]:
    """The OBJ, TXO and CONTINUE records of a text box."""
    shape = struct.pack("<5H12xHH", 0x15, 0x12, 6, 1, 0x6011, 0, 0)
    box = struct.pack("<10x4H", len(text), 0, 0, 0)
    return [(0x005D, shape), (0x01B6, box), (0x003C, b"\0" + text.encode("latin-1"))]


def _xls_font(options: int) -> bytes:
    """A FONT record; option 8 crosses the text out."""
    return struct.pack("<HHHHHBBBBBB", 200, options, 0x7FFF, 400, 0, 0, 0, 0, 0, 5, 0) + b"Arial"


def _xls_format(font: int, pattern: int) -> bytes:
    """An XF record; pattern 1 fills the cell with yellow."""
    colours = 13 if pattern else 64
    return struct.pack("<HHHBBBBIIH", font, 0, 0, 0, 0, 0, 0, 0, pattern << 26, colours)


def _ole(stream: bytes) -> bytes:
    """An OLE compound file with ``stream`` as its ``Workbook``."""
    # Shorter streams would have to go into a second, smaller kind of sector.
    stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // 512)
    data = stream.ljust(sectors * 512, b"\0")
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    fat = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH6xIIIIIIIIII", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0,
                        0xFFFFFFFE, 0, 0)  # fmt: skip
    head += struct.pack("<108I", *[0xFFFFFFFF] * 108)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        coded = name.encode("utf-16-le")
        none = 0xFFFFFFFF
        return (
            coded.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(coded) + 2, kind, 1, none, none, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0)
    directory += entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream)) + bytes(256)
    return head + fat + directory + data


def to_html(rows: Rows) -> bytes:
    """A web page with one table, as school systems save it under the name ``.xls``."""
    head, *body = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    table = f"<tr>{head}</tr>" + "".join(f"<tr>{cells}</tr>" for cells in body)
    return f"<html><body><table border=1>{table}</table></body></html>".encode()


def to_json(rows: Rows) -> bytes:
    """A list of objects under ``data``."""
    head, *body = rows
    return json.dumps({"data": [dict(zip(head, row, strict=True)) for row in body]}).encode()


_ODS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)


def to_ods(rows: Rows, styles: str = "", replaced: tuple[str, str] = ("", "")) -> bytes:
    """An OpenDocument sheet. ``styles`` are automatic styles; ``replaced`` changes its body."""
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(c)}</text:p>'
            "</table:table-cell>"
            for c in row
        )
        + "</table:table-row>"
        for row in rows
    )
    if replaced[0]:
        lines = lines.replace(replaced[0], replaced[1], 1)
    content = (
        f'<?xml version="1.0"?><office:document-content {_ODS}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f'<office:spreadsheet><table:table table:name="Consent">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest '
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)
    return out.getvalue()
