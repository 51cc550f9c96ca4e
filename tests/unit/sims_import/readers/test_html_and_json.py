"""Web pages under the name .xls, JSON lists, and documents that are no tables."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from consent_gate.errors import DocumentUnreadable, ExportUnreadable
from sims_import.readers.dispatch import read_table
from sims_import.readers.excel import OLE
from sims_import.readers.interface import Mark, MarkKind, Table
from tests.support.consent_files import TYPES, granted, wide_rows
from tests.support.sims_writers import to_html


def read(data: bytes) -> Table:
    return read_table(data, "export")


def page(before: str = "", changed: tuple[str, str] = ("", ""), after: str = "") -> bytes:
    text = to_html(wide_rows()).decode()
    if changed[0]:
        assert changed[0] in text
        text = text.replace(*changed, 1)
    return (
        text.replace("<table", f"{before}<table").replace("</table>", f"</table>{after}").encode()
    )


STRUCK_INSIDE = "<td><span style='text-decoration:line-through'>Yes</span></td>"
ROW_2 = "<tr><td>000002</td>"


def test_a_web_page_with_a_plain_table_is_an_export() -> None:
    assert len(granted(page())) == 24
    assert len(granted(page("<style>td {color: black}</style><h2>3W</h2>"))) == 24
    assert len(granted(page().decode().encode("utf-16"))) == 24


@pytest.mark.parametrize(
    "data",
    [
        page("<h2>No consent for photographs</h2>"),
        page("<table><caption>Consent withdrawn</caption></table>"),
        page(after="<p>These families have withdrawn consent.</p>"),
        page(changed=(ROW_2, "<tr style='display:none'><td>000002</td>")),
        page(changed=(ROW_2, "<tr bgcolor=yellow><td>000002</td>")),
        page(changed=(ROW_2, "<tr><td><s>000002</s></td>")),
        page(changed=("<td>Yes</td>", "<td style='text-decoration: line-through'>Yes</td>")),
        page(
            changed=(
                "<td>Yes</td>",
                STRUCK_INSIDE,
            )
        ),
        page(changed=("<td>Yes</td>", "<td><font color=red>Yes</font></td>")),
        page("<style>.x9 {background:yellow}</style>", ("<td>Yes</td>", "<td class=x9>Yes</td>")),
        page(changed=("<td>Yes</td>", "<td style='display:none'>Yes</td>")),
        page(changed=("<td>Yes</td>", "<td><span style='display:none'>Yes</span></td>")),
        page(changed=(ROW_2, "</tbody><tbody style='display:none'>" + ROW_2)),
        page(changed=("<table", "<table style='text-decoration:line-through'")),
        page(changed=("<tr><td>Adno", "<col><col><col><col><col style='width:0'><tr><td>Adno")),
        page(after="<table><tr><td>Withdrawn:</td><td>Ada2 Moss2</td></tr></table>"),
    ],
)
def test_what_a_page_says_beside_its_cells_stops_grants(data: bytes) -> None:
    assert granted(data) == set()


def test_a_mark_of_a_page_is_named() -> None:
    data = page("<p>3W</p>", ("<td>Yes</td>", "<td><del>Yes</del></td>"))
    assert read(data).doubts == (Mark("", "E3", MarkKind.STRIKETHROUGH),)


def test_merged_cells_keep_the_columns_in_place() -> None:
    rows = "<tr><td>Adno<td colspan=2>Surname<td>Website</tr><tr><td rowspan=2>1<td>A<td>B<td>Yes"
    table = read(f"<table>{rows}</tr><tr><td>C<td>D<td>No</tr></table>".encode())
    assert [row.cells for row in table.rows] == [("1", "A", "B", "Yes"), ("", "C", "D", "No")]


def test_a_page_cut_short_is_refused() -> None:
    with pytest.raises(ExportUnreadable, match="cut short"):
        read(page()[:400])


def test_records_called_table_are_xml() -> None:
    data = b"<NewDataSet><Table><Adno>1</Adno><Website>T</Website></Table></NewDataSet>"
    assert [row.cells for row in read(data).rows] == [("1", "T")]


# --- JSON ----------------------------------------------------------------------------------


def pupil(number: int, given: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "id": f"A{number}",
        "forename": "Ada",
        "surname": f"Moss{number}",
        "education_details": {"data": {"admission_number": f"{number:06}"}},
        "consents": [{"type": name, "given": given} for name in TYPES.values()],
        **more,
    }


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_list_of_consents_in_each_pupil_is_read_row_by_row() -> None:
    data = as_json({"data": [pupil(1), pupil(2, given=False)]})
    assert granted(data) == {("000001", name) for name in TYPES}


def test_a_form_export_is_read_by_its_questions() -> None:
    form = [{"Adno": "000001", "answers": {"Photograph - Website": True, "Biometric": False}}]
    assert granted(as_json({"responses": form})) == {("000001", "website")}


@pytest.mark.parametrize(
    "value",
    [
        {"declined": [pupil(1)]},
        {"withdrawn": {"data": [pupil(1)]}},
        [{"Adno": "000001", "opted_out": {"Photograph - Website": True}}],
        [{"Adno": "000001", "no_consent": {"School Website": "Yes"}}],
    ],
)
def test_a_group_that_says_no_governs_what_is_in_it(value: Any) -> None:
    assert granted(as_json(value)) == set()


@pytest.mark.parametrize(
    "data",
    [
        as_json({"given": [pupil(1)], "withdrawn": [pupil(2)]}),
        as_json([pupil(1, history=[{"type": "School Website", "given": False}])]),
        as_json([pupil(1), "000002"]),
        as_json({"Adno": "000001", "Website": "Yes"}),
        as_json([pupil(1)])[:-30],
        b'[{"Adno": "000001", "Website": "Yes", "Website": "No"}]',
        b"[" * 100_000,
    ],
)
def test_json_of_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(ExportUnreadable):
        read(data)


# --- documents -----------------------------------------------------------------------------


def docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        docx(),
        b"%PDF-1.7\n",
        b"{\\rtf1 Adno}",
        OLE + b"\x00" * 600 + "WordDocument".encode("utf-16-le"),
    ],
)
def test_a_document_is_named_with_the_next_step(data: bytes) -> None:
    with pytest.raises(DocumentUnreadable, match=r"export: This is a .*save that as \.xlsx"):
        read(data)
