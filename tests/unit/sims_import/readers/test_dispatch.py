"""A file's content decides which reader reads it."""

from __future__ import annotations

import io
import zipfile

import pytest

from consent_gate.errors import ExportUnreadable
from sims_import.readers.dispatch import read_table
from tests.support.export_files import CELLS, ROWS, cells, delimited, read, workbook


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return out.getvalue()


def test_a_writer_that_leaves_trailing_blanks_away_is_not_mistaken_for_a_shift() -> None:
    table = read(b"Adno,Surname,School Website,Displays\n1,Moss,T\n2,Moss,,T\n3,Moss\n")
    assert not any(row.ragged for row in table.rows)


def test_a_workbook_is_known_by_its_content_not_its_name() -> None:
    assert cells(read_table(workbook(("Sheet1", [list(r) for r in ROWS])), "export.csv")) == CELLS


def test_a_csv_named_xlsx_is_still_a_csv() -> None:
    assert cells(read_table(delimited().encode(), "export.xlsx")) == CELLS


def test_a_zip_of_export_and_photos_is_read() -> None:
    data = zipped(
        sims_dot_csv=delimited().encode(),
        photos__004123_dot_jpg=b"\xff\xd8",
        photos__list_dot_csv=b"file,pupil\n1.jpg,4123\n",
    )
    assert cells(read(data)) == CELLS


def test_a_zip_with_two_exports_is_refused() -> None:
    with pytest.raises(ExportUnreadable, match="one export"):
        read(zipped(a_dot_csv=delimited().encode(), b_dot_csv=delimited().encode()))


def test_a_zip_without_an_export_is_refused() -> None:
    with pytest.raises(ExportUnreadable, match="one export"):
        read(zipped(photos__004123_dot_jpg=b"\xff\xd8"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  \r\n ",
        b"\xff\xfe",
        b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9,
        b"%PDF-1.7\n%\x00\x01",
    ],
)
def test_what_is_no_export_is_refused(data: bytes) -> None:
    with pytest.raises(ExportUnreadable):
        read(data)


def test_the_message_names_the_file_and_says_what_to_do() -> None:
    with pytest.raises(ExportUnreadable, match=r"empty\.csv: This file is empty\. Save the report"):
        read_table(b"", "empty.csv")
