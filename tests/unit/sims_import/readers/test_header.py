"""Title rows, header rows and totals are told from the rows of pupils."""

from __future__ import annotations

from datetime import date

import pytest

from consent_gate.errors import ExportUnreadable
from tests.support.export_files import CELLS, ROWS, cells, delimited, read


def test_titles_above_and_totals_below_are_not_pupils() -> None:
    lines = [
        "Millfields Community School",
        "",
        "Parental consent,,Run: 04/09/2026",
        "",
        *delimited().splitlines(),
        "",
        "Total,2",
        "Page 1 of 1",
    ]
    table = read("\n".join(lines).encode())
    assert cells(table) == CELLS
    assert table.run_on == date(2026, 9, 4)
    assert [row.number for row in table.rows] == [6, 7]


def test_a_pupil_called_sum_is_not_a_total() -> None:
    table = read(b"Surname,UPN,Website\nSum,E204340217648,T\nTotal,1,\n")
    assert [row.cells[0] for row in table.rows] == ["Sum"]


def test_a_run_date_below_the_table_is_found_too() -> None:
    table = read((delimited() + "\nReport run on 04/09/2026\n").encode())
    assert cells(table) == CELLS
    assert table.run_on == date(2026, 9, 4)


def test_a_header_printed_again_on_every_page_is_one_header() -> None:
    head, *rest = delimited().splitlines()
    assert cells(read("\n".join([head, rest[0], "", head, rest[1]]).encode())) == CELLS


def test_a_header_doubled_at_the_top_is_one_header() -> None:
    head, *rest = delimited().splitlines()
    assert cells(read("\n".join([head, head, *rest]).encode())) == CELLS


def test_two_header_rows_are_read_together() -> None:
    rows = [
        ["Pupil", "", "Photograph", ""],
        ["Adno", "Surname", "Website", "Displays"],
        *ROWS[1:],
    ]
    table = read(delimited(rows=rows).encode())
    assert len(table.rows) == 2
    assert table.captions[:2] == ("Adno", "Surname")
    assert table.captions[2].endswith("Website")


def test_types_in_the_second_header_row_belong_to_the_group_above() -> None:
    rows = [
        ["Adno", "Surname", "Photograph", ""],
        ["", "", "Website", "Displays"],
        *ROWS[1:],
    ]
    table = read(delimited(rows=rows).encode())
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
    assert read(delimited(rows=rows).encode()).captions[2] == "Opt out of photographs - Website"


def test_no_break_and_doubled_spaces_are_single_spaces() -> None:
    data = (
        delimited()
        .replace("School Website", "School\u00a0 Website")
        .replace("004123", "004123\u00a0")
    )
    assert cells(read(data.encode())) == CELLS


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
