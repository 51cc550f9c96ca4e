"""Tags, attributes, styles and names in a file say otherwise than the text of its cells.

Web pages, XML, JSON and workbooks. Each kind has usual neighbours, which must not stop an import.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Border, Font, Side
from openpyxl.workbook.defined_name import DefinedName

from tests.support.consent_files import granted, prepared_import, wide_rows
from tests.support.export_files import workbook, workbooks_opened_once

__all__ = ["workbooks_opened_once"]
ROWS = wide_rows()
SECOND = 2


def page(cell: str = "<td>Yes</td>", row: str = "", around: str = "", style: str = "") -> bytes:
    """A page of six pupils; ``cell`` is the first answer of the second."""
    lines = []
    for number, texts in enumerate(ROWS):
        cells = [f"<td>{text}</td>" for text in texts]
        if number == SECOND:
            cells[4] = cell
        lines.append(f"<tr{row if number == SECOND else ''}>{''.join(cells)}</tr>")
    table = f"<table>{''.join(lines)}</table>{around}"
    return f"<html><head><style>{style}</style></head><body>{table}</body></html>".encode()


def stops(data: bytes) -> list[str]:
    return [block.code for block in prepared_import(data).blocks]


@pytest.mark.parametrize(
    "data",
    [
        *(
            page(f"<td {said}>Yes</td>")
            for said in ("aria-label='No'", "data-value='No'", "x:num=0")
        ),
        *(
            page(f"<td {said}>Yes</td>")
            for said in ("class='withdrawn'", "id='refused-1'", "abbr=No")
        ),
        page("<td><span title='Withdrawn'>Yes</span></td>"),
        page("<td><i class='fa fa-times'></i> Yes</td>"),
        *(page(f"<td><{tag}>Yes</{tag}></td>") for tag in ("mark", "noscript", "object", "button")),
        *(page(f"<td style='{style}'>Yes</td>") for style in ("opacity:.1", "font-size:0.1px")),
        *(page(f"<td style='{s}'>Yes</td>") for s in ("clip-path:inset(1%)", "position:absolute")),
        page("<td>Yes<!-- withdrawn --></td>"),
        page(row=" class='withdrawn'"),
        page(row=" title='Consent withdrawn'"),
        page(row=" data-status='withdrawn'"),
        page(style="tr:nth-child(3) td{color:red}"),
        page().replace(b"<table>", b"<table summary='Parents who refused'>"),
        page("<td rowspan=2>Yes</td>"),
    ],
)
def test_what_a_page_says_beside_its_text_stops_grants(data: bytes) -> None:
    assert granted(data) == set()


@pytest.mark.parametrize(
    "data",
    [
        page("<td class='no-wrap' id='no_1' data-value='Yes' data-row='0' lang='en'>Yes</td>"),
        page("<td title='Yes'><b>Yes</b></td>", row=" class='odd' data-index='0'"),
        page(
            "<td style='text-indent:-18.0pt;opacity:1'><p class=MsoNormal>Yes<o:p></o:p></p></td>"
        ),
        page(around="<!--[if gte mso 9]><xml>not shown</xml><![endif]--><!-- end of table -->"),
        page(style="tr:nth-child(even){background:#eee} tr:nth-child(2n+1){color:#222}"),
    ],
)
def test_usual_tags_and_attributes_stop_nothing(data: bytes) -> None:
    assert stops(data) == []
    assert len(granted(data)) == 24


def xml(answer: str, before: str = "", root: str = "Pupils") -> bytes:
    pupils = [
        f"<Pupil><Adno>00000{n}</Adno><Surname>Moss</Surname><Displays>Yes</Displays>"
        f"{answer if n == SECOND else '<Website>Yes</Website>'}</Pupil>"
        for n in range(1, 7)
    ]
    return f"<?xml version='1.0'?>{before}<{root}>{''.join(pupils)}</{root}>".encode()


@pytest.mark.parametrize(
    "data",
    [
        xml('<Website nil="true">Yes</Website>'),
        xml('<Website type="refusal">Yes</Website>'),
        xml("<Website>Yes</Website>No longer"),
        xml('<Website xmlns:o="urn:old" o:status="withdrawn">Yes</Website>'),
        xml("<Website>Yes<?status withdrawn?></Website>"),
        xml("<Website>Yes</Website>", before="<?status draft?>"),
        xml("<Website>Yes</Website>", root="Consents2024"),
    ],
)
def test_what_an_xml_file_says_beside_its_texts_stops_grants(data: bytes) -> None:
    assert not {purpose for pupil, purpose in granted(data) if pupil == "000002"} & {"website"}


def test_usual_attributes_of_xml_stop_nothing() -> None:
    usual = '<Website type="string" id="4" version="1">Yes</Website>'
    assert stops(xml(usual, before="<?xml-stylesheet href='a.xsl'?>")) == []


def as_json(answers: str, **beside: object) -> bytes:
    pupils = [{"adno": f"00000{n}", "surname": "Moss", answers: {"website": True}} for n in (1, 2)]
    return json.dumps({**beside, "pupils": pupils}).encode()


def test_an_answer_of_the_child_and_a_draft_are_no_consents_in_json() -> None:
    assert granted(as_json("consents"))
    assert granted(as_json("consents", status="ok", meta={"next": None}))
    assert granted(as_json("child")) == granted(as_json("childConsent")) == set()
    assert granted(as_json("consents", status="draft")) == set()


def changed(change: Callable[[Any, Any], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("Consents", [list(r) for r in ROWS]))))
    change(book, book["Consents"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _everything(book: Any, sheet: Any) -> None:
    bar = Side("thin")
    sheet["E3"].font = Font(italic=True)
    sheet["F3"].border = Border(diagonal=bar, diagonalUp=True)
    sheet["G3"].font = Font(vertAlign="superscript")
    sheet.merge_cells("H3:H5")
    book.defined_names["OptOuts"] = DefinedName("OptOuts", attr_text="Consents!$A$3")
    book.properties.contentStatus = "Draft"


def test_letters_merged_cells_and_names_in_a_workbook_stop_grants() -> None:
    prepared = prepared_import(changed(_everything))
    messages = {block.code: block.message for block in prepared.blocks}
    assert "(E3, F3, G3)" in messages["marks-in-workbook"]
    assert "(H3)" in messages["marks-in-workbook"]
    assert "'Draft'" in messages["negative-heading"]
    assert "'opt outs'" in messages["negative-heading"]


def _usual(book: Any, sheet: Any) -> None:
    for cell in (*sheet[1], *sheet["B"], *sheet[4]):
        cell.font = Font(bold=True)
    sheet["E3"].value = "No"
    sheet["E3"].font = Font(bold=True)
    book.defined_names["YesNo"] = DefinedName("YesNo", attr_text="Consents!$E$2:$E$3")
    book.properties.title = "Photo consent"


def test_bold_headings_and_names_of_lists_stop_nothing() -> None:
    assert stops(changed(_usual)) == []
