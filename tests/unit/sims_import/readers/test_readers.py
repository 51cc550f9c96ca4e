"""An export is read by what is in it, whatever it is called and however it was saved."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from consent_gate.errors import ExportUnreadable
from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import Table
from tests.support.sims_writers import to_xls

ROWS = [
    ["Adno", "Surname", "School Website", "School Displays"],
    ["004123", "N\u00fa\u00f1ez", "T", ""],
    ["004124", "O'Brien", "", "T"],
]


def read(data: bytes) -> Table:
    return read_table(data, "export.csv")


def text(delimiter: str = ",", rows: list[list[str]] | None = None) -> str:
    return "\r\n".join(delimiter.join(row) for row in rows or ROWS) + "\r\n"


def cells(table: Table) -> list[tuple[str, ...]]:
    return [table.captions, *(row.cells for row in table.rows)]


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


EXPECTED = [tuple(row) for row in ROWS]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_encoding_a_school_saves_in(encoding: str) -> None:
    assert cells(read(text().encode(encoding))) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_by_its_zeros(encoding: str) -> None:
    assert cells(read(text().encode(encoding))) == EXPECTED


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":"])
def test_any_delimiter(delimiter: str) -> None:
    assert cells(read(text(delimiter).encode())) == EXPECTED


def test_excels_note_of_the_delimiter_takes_a_row_of_its_own() -> None:
    table = read(("sep=;\r\n" + text(";")).encode())
    assert cells(table) == EXPECTED
    assert table.rows[0].number == 3


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending(ending: str) -> None:
    assert cells(read(text().replace("\r\n", ending).encode())) == EXPECTED


def test_titles_above_and_totals_below_are_not_pupils() -> None:
    lines = [
        "Millfields Community School",
        "",
        "Parental consent,,Run: 04/09/2026",
        "",
        *text().splitlines(),
        "",
        "Total,2",
        "Page 1 of 1",
    ]
    table = read("\n".join(lines).encode())
    assert cells(table) == EXPECTED
    assert table.run_on == date(2026, 9, 4)
    assert [row.number for row in table.rows] == [6, 7]


def test_a_pupil_called_sum_is_not_a_total() -> None:
    table = read(b"Surname,UPN,Website\nSum,E204340217648,T\nTotal,1,\n")
    assert [row.cells[0] for row in table.rows] == ["Sum"]


def test_a_run_date_below_the_table_is_found_too() -> None:
    table = read((text() + "\nReport run on 04/09/2026\n").encode())
    assert cells(table) == EXPECTED
    assert table.run_on == date(2026, 9, 4)


def test_a_header_printed_again_on_every_page_is_one_header() -> None:
    head, *rest = text().splitlines()
    assert cells(read("\n".join([head, rest[0], "", head, rest[1]]).encode())) == EXPECTED


def test_a_header_doubled_at_the_top_is_one_header() -> None:
    head, *rest = text().splitlines()
    assert cells(read("\n".join([head, head, *rest]).encode())) == EXPECTED


def test_two_header_rows_are_read_together() -> None:
    rows = [
        ["Pupil", "", "Photograph", ""],
        ["Adno", "Surname", "Website", "Displays"],
        *ROWS[1:],
    ]
    table = read(text(rows=rows).encode())
    assert len(table.rows) == 2
    assert table.captions[:2] == ("Adno", "Surname")
    assert table.captions[2].endswith("Website")


def test_types_in_the_second_header_row_belong_to_the_group_above() -> None:
    rows = [
        ["Adno", "Surname", "Photograph", ""],
        ["", "", "Website", "Displays"],
        *ROWS[1:],
    ]
    table = read(text(rows=rows).encode())
    assert table.captions == (
        "Adno",
        "Surname",
        "Photograph - Website",
        "Photograph - Displays",
    )
    assert len(table.rows) == 2


def test_a_group_that_says_no_turns_the_types_below_it_round() -> None:
    rows = [
        ["", "", "Opt out of photographs", ""],
        ["Adno", "Surname", "Website", "Displays"],
        *ROWS[1:],
    ]
    assert read(text(rows=rows).encode()).captions[2] == "Opt out of photographs - Website"


def test_no_break_and_doubled_spaces_are_single_spaces() -> None:
    data = (
        text().replace("School Website", "School\u00a0 Website").replace("004123", "004123\u00a0")
    )
    assert cells(read(data.encode())) == EXPECTED


def test_short_rows_are_filled_and_long_ones_cut() -> None:
    table = read(b"Adno,Surname,School Website\n004123,Moss\n004124,Moss,T,surplus\n")
    assert [row.cells for row in table.rows] == [("004123", "Moss", ""), ("004124", "Moss", "T")]


def test_a_quotation_mark_left_open_is_refused_rather_than_eating_pupils() -> None:
    with pytest.raises(ExportUnreadable, match="quotation mark"):
        read(b'Adno,Surname,School Website\n004123,"Moss,T\n004124,Page,T\n')


def test_a_line_break_inside_a_heading_is_a_space() -> None:
    table = read(b'Adno,"Photograph -\n Website"\n004123,T\n')
    assert table.captions == ("Adno", "Photograph - Website")


def test_rows_of_another_length_are_marked_because_their_cells_may_have_shifted() -> None:
    table = read(b"Adno,Surname,School Website,Displays\n1,Moss,T,\n2,Moss, Jr,,T\n3,Moss,T\n")
    assert [row.ragged for row in table.rows] == [False, True, True]


def test_a_writer_that_leaves_trailing_blanks_away_is_not_mistaken_for_a_shift() -> None:
    table = read(b"Adno,Surname,School Website,Displays\n1,Moss,T\n2,Moss,,T\n3,Moss\n")
    assert not any(row.ragged for row in table.rows)


# --- Excel ---------------------------------------------------------------------------------


def test_a_workbook_is_known_by_its_content_not_its_name() -> None:
    assert (
        cells(read_table(workbook(("Sheet1", [list(r) for r in ROWS])), "export.csv")) == EXPECTED
    )


def test_a_csv_named_xlsx_is_still_a_csv() -> None:
    assert cells(read_table(text().encode(), "export.xlsx")) == EXPECTED


def test_excel_cells_become_the_text_a_person_sees() -> None:
    rows: list[list[object]] = [
        ["Adno", "DOB", "School Website", "Reg"],
        [4123, datetime(2020, 4, 17), True, 3],  # noqa: DTZ001
        [4124.0, date(2020, 4, 18), False, "3W"],
    ]
    assert [row.cells for row in read(workbook(("S", rows))).rows] == [
        ("4123", "2020-04-17", "TRUE", "3"),
        ("4124", "2020-04-18", "FALSE", "3W"),
    ]


def test_excel_rows_are_counted_from_the_top_of_the_sheet() -> None:
    rows: list[list[object]] = [["Our school"], [], *[list[object](r) for r in ROWS]]
    table = read(workbook(("S", rows)))
    assert [(row.sheet, row.number) for row in table.rows] == [("S", 4), ("S", 5)]


def test_one_sheet_per_class_is_one_export_even_with_columns_in_another_order() -> None:
    other = [[row[1], row[0], row[3], row[2]] for row in ROWS]
    other[1][1], other[2][1] = "004125", "004126"
    table = read(workbook(("3W", [list(r) for r in ROWS]), ("3B", [list(r) for r in other])))
    assert [row.cells[0] for row in table.rows] == ["004123", "004124", "004125", "004126"]
    assert table.rows[2].cells == ("004125", "N\u00fa\u00f1ez", "T", "")


def test_a_sheet_with_other_columns_is_left_out_and_said_so() -> None:
    other: list[list[object]] = [["Adno", "Surname", "Allergy"], ["004123", "Moss", "nuts"]]
    table = read(workbook(("Consent", [list(r) for r in ROWS]), ("Medical", other)))
    assert len(table.rows) == 2
    assert "Medical" in table.left_out[0]


def test_hidden_sheets_are_not_read() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("S", [list(r) for r in ROWS]))))
    hidden = book.create_sheet("old")
    for row in (ROWS[0], ["009999", "Moss", "T", "T"]):
        hidden.append(row)
    hidden.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    assert [row.cells[0] for row in read(out.getvalue()).rows] == ["004123", "004124"]


def test_a_stray_cell_in_the_last_corner_is_refused_before_it_eats_the_memory() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("S", [list(r) for r in ROWS]))))
    book["S"]["XFD1048576"] = "x"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(ExportUnreadable, match="larger"):
        read(out.getvalue())


def test_half_a_workbook_is_refused() -> None:
    data = workbook(("S", [list(r) for r in ROWS]))
    with pytest.raises(ExportUnreadable):
        read(data[: len(data) // 2])


def test_an_excel_97_workbook_is_read() -> None:
    rows = [[row[0], *row[1:]] for row in ROWS]
    assert [row.cells[1:] for row in read(to_xls(rows)).rows] == [row[1:] for row in EXPECTED[1:]]


def test_a_workbook_whose_directory_never_ends_is_refused_without_eating_the_memory() -> None:
    data = bytearray(to_xls(ROWS))
    # In the sector table, which follows the header, the directory's sector leads to itself.
    data[512 + 4 : 512 + 8] = (1).to_bytes(4, "little")
    with pytest.raises(ExportUnreadable, match="damaged"):
        read(bytes(data))


# --- XML -----------------------------------------------------------------------------------


def xml(*records: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    body = "".join(f"<Record>{record}</Record>" for record in records)
    return f"{head}<SuperStarReport>{body}</SuperStarReport>".encode()


def test_command_reporter_tags_carry_spaces_and_dashes() -> None:
    table = read(
        xml(
            "<Adno>004123</Adno><Photograph_x0020__x002D__x0020_Website>T</Photograph_x0020__x002D__x0020_Website>"
        )
    )
    assert table.captions == ("Adno", "Photograph - Website")
    assert table.rows[0].cells == ("004123", "T")


def test_a_missing_element_is_a_blank_cell() -> None:
    table = read(xml("<Adno>004123</Adno><Website>T</Website>", "<Adno>004124</Adno>"))
    assert [row.cells for row in table.rows] == [("004123", "T"), ("004124", "")]


def test_the_reporters_own_error_is_passed_on() -> None:
    with pytest.raises(ExportUnreadable, match="Invalid login"):
        read(b"<CommandReporterError>Invalid login</CommandReporterError>")
    with pytest.raises(ExportUnreadable, match="Report not found"):
        read(b"<CommandReporterError><Message>Report not found</Message></CommandReporterError>")


def test_an_error_inside_a_report_is_an_error_too() -> None:
    with pytest.raises(ExportUnreadable, match="no permission"):
        read(
            xml("<Adno>004123</Adno>", "<CommandReporterError>no permission</CommandReporterError>")
        )


def test_xml_cut_short_is_refused_and_never_half_read() -> None:
    data = xml("<Adno>004123</Adno><Website>T</Website>", "<Adno>004124</Adno>")
    for at in range(60, len(data) - 1, 7):
        with pytest.raises(ExportUnreadable):
            read(data[:at])


def test_entities_are_refused() -> None:
    head = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    bomb = xml("<Adno>&a;</Adno>", head=head)
    with pytest.raises(ExportUnreadable):
        read(bomb)


def test_a_field_given_twice_is_a_list_and_not_its_first_value() -> None:
    table = read(
        xml("<Adno>004123</Adno><Consent>School Website</Consent><Consent>Displays</Consent>")
    )
    assert table.rows[0].cells == ("004123", "School Website, Displays")


def test_windows_letters_in_a_file_that_says_utf_8_are_read() -> None:
    data = xml("<Adno>004123</Adno><Surname>N\u00fa\u00f1ez</Surname>").decode().encode("cp1252")
    assert read(data).rows[0].cells == ("004123", "N\u00fa\u00f1ez")


@pytest.mark.parametrize(
    "page",
    [
        b"<html><body><h1>Your session has ended</h1></body></html>",
        b"<html><table><tr><td><table><tr><td>Adno</td></tr></table></td></tr></table></html>",
    ],
)
def test_a_web_page_that_is_no_list_is_refused_with_the_reason(page: bytes) -> None:
    with pytest.raises(ExportUnreadable, match="web page"):
        read(page)


def test_a_ctf_is_a_roster_that_lists_only_some() -> None:
    table = read(
        b"<CTfile><Header><DateTime>2026-09-04T08:00:00</DateTime></Header><CTFpupilData>"
        b"<Pupil><UPN>E204340217648</UPN><Surname>Moss</Surname><Forename>Ravi</Forename>"
        b"<DOB>2020-04-17</DOB></Pupil></CTFpupilData></CTfile>"
    )
    assert not table.complete
    assert table.run_on == date(2026, 9, 4)
    assert table.rows[0].cells == ("E204340217648", "Moss", "Ravi", "2020-04-17")


# --- ZIP and the rest ----------------------------------------------------------------------


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return out.getvalue()


def test_a_zip_of_export_and_photos_is_read() -> None:
    data = zipped(
        sims_dot_csv=text().encode(),
        photos__004123_dot_jpg=b"\xff\xd8",
        photos__list_dot_csv=b"file,pupil\n1.jpg,4123\n",
    )
    assert cells(read(data)) == EXPECTED


def test_a_zip_with_two_exports_is_refused() -> None:
    with pytest.raises(ExportUnreadable, match="one export"):
        read(zipped(a_dot_csv=text().encode(), b_dot_csv=text().encode()))


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
