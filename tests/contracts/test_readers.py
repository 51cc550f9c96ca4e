"""Every reader returns the same table for the same school, or refuses the file."""

from __future__ import annotations

import pytest

from consent_gate.errors import ExportUnreadable
from consent_gate.model import Answer
from sims_import.readers.dispatch import read_table
from tests.support.sims_school import ALL, make_pupil
from tests.support.sims_writers import (
    Rows,
    to_csv,
    to_html,
    to_json,
    to_ods,
    to_xls,
    to_xlsx,
    to_xml,
    wide_rows,
)

PUPILS = [
    make_pupil(4001, upn="E204340217648", forename="Zoë", surname="O'Brien", never_publish=True),
    make_pupil(4002, ("website",), upn="T204376617409"),
    make_pupil(4003, (), upn="U204372918674", surname="de la Cruz"),
]
"""One has everything: a field that nobody has is not in XML at all."""

WORDS = {Answer.GIVEN: "T", Answer.REFUSED: "F", Answer.NOT_STATED: ""}


class ReaderContract:
    """A subclass writes rows as its kind of file."""

    def written(self, rows: Rows) -> bytes:
        raise NotImplementedError

    def test_captions_and_cells_are_those_that_were_written(self) -> None:
        rows = wide_rows(PUPILS, WORDS)
        table = read_table(self.written(rows), "export")
        assert list(table.captions) == rows[0]
        assert [cells_of(row.cells, len(rows[0])) for row in table.rows] == [
            [without_zeros(cell) for cell in row] for row in rows[1:]
        ]

    def test_a_school_of_hundreds_is_read_to_its_last_row(self) -> None:
        many = [*PUPILS, *(make_pupil(5000 + n, ALL) for n in range(300))]
        table = read_table(self.written(wide_rows(many, WORDS)), "export")
        assert len(table.rows) == len(many)

    def test_a_file_cut_in_half_gives_no_row_that_was_not_written(self) -> None:
        data = self.written(wide_rows(PUPILS, WORDS))
        names = {one.surname for one in PUPILS}
        try:
            table = read_table(data[: len(data) // 2], "export")
        except ExportUnreadable:
            return
        place = list(table.captions).index("Surname")
        whole = [row.cells[place] for row in table.rows[:-1]]
        assert set(whole) <= names

    def test_the_file_is_named_in_the_refusal(self) -> None:
        with pytest.raises(ExportUnreadable, match=r"^spring\.export: "):
            read_table(self.written([[""]])[:0], "spring.export")


def cells_of(cells: tuple[str, ...], width: int) -> list[str]:
    return [without_zeros(cell) for cell in [*cells, *[""] * (width - len(cells))]]


def without_zeros(cell: str) -> str:
    """A workbook eats the zeros in front of a number; they are put back by who reads the table."""
    return cell.lstrip("0") if cell.isdigit() else cell


class TestCsv(ReaderContract):
    """Text with commas."""

    def written(self, rows: Rows) -> bytes:
        return to_csv(rows)


class TestUtf16(ReaderContract):
    """Text with commas, as SIMS saves it for Excel."""

    def written(self, rows: Rows) -> bytes:
        return to_csv(rows, "utf-16")


class TestXlsx(ReaderContract):
    """A workbook of today."""

    def written(self, rows: Rows) -> bytes:
        return to_xlsx(rows)


class TestXls(ReaderContract):
    """A workbook of 1997."""

    def written(self, rows: Rows) -> bytes:
        return to_xls(rows)


class TestXml(ReaderContract):
    """CommandReporter's XML."""

    def written(self, rows: Rows) -> bytes:
        return to_xml(rows)


class TestOds(ReaderContract):
    """A sheet of LibreOffice."""

    def written(self, rows: Rows) -> bytes:
        return to_ods(rows)


class TestHtml(ReaderContract):
    """A web page under the name of a workbook."""

    def written(self, rows: Rows) -> bytes:
        return to_html(rows)


class TestJson(ReaderContract):
    """A list of objects."""

    def written(self, rows: Rows) -> bytes:
        return to_json(rows)
