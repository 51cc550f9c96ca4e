"""Damaged and hostile exports are refused or read, and never add a consent."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_gate.errors import ExportUnreadable
from consent_gate.model import Answer, Consent
from consent_gate.register.snapshot import RegisterPupil
from tests.support.budgets import examples
from tests.support.sims_school import ALL, prepare_import
from tests.support.sims_writers import (
    cell_rows,
    long_rows,
    to_csv,
    to_xls,
    to_xlsx,
    to_xml,
    wide_rows,
    with_titles,
)

# No cell below holds a letter or digit of T, Y or 1, so that damage cannot spell a yes.
WORDS = {Answer.GIVEN: "T", Answer.REFUSED: "F", Answer.NOT_STATED: ""}
NOBODY = [
    RegisterPupil(
        f"0042{n}",
        "E202340227648",
        forename,
        "Moss",
        consents={name: Consent(Answer.REFUSED if n % 2 else Answer.NOT_STATED) for name in ALL},
    )
    for n, forename in ((33, "Ada"), (34, "Ben"), (35, "Cleo"), (36, "Dan"), (37, "Eve"))
]
REFUSING = [["Adno", "Parental Consent"], *([p.admission_number, "No Photo"] for p in NOBODY)]
ZIPPED = io.BytesIO()
with zipfile.ZipFile(ZIPPED, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("sims.csv", to_csv(wide_rows(NOBODY, WORDS)))

EXPORTS = {
    "wide": to_csv(wide_rows(NOBODY, WORDS)),
    "titles": to_csv(with_titles(wide_rows(NOBODY, WORDS), 5)),
    "utf16": to_csv(wide_rows(NOBODY, WORDS), "utf-16"),
    "long": to_csv(long_rows(NOBODY, WORDS), delimiter=";"),
    "cell": to_csv(REFUSING),
    "xlsx": to_xlsx(wide_rows(NOBODY, WORDS)),
    "xls": to_xls(wide_rows(NOBODY, WORDS)),
    "xml": to_xml(wide_rows(NOBODY, WORDS)),
    "zip": ZIPPED.getvalue(),
}

WORKBOOKS = {"xlsx", "xls"}


def granted(data: bytes) -> set[tuple[str, str]]:
    """Every (pupil, purpose) with a yes; empty when the file is refused."""
    try:
        prepared = prepare_import(data)
    except ExportUnreadable:
        return set()
    return {
        (record.admission_number, name)
        for record in prepared.plan.roster.records
        for name, consent in record.consents.items()
        if consent.answer is Answer.GIVEN
    }


@settings(max_examples=examples(400), deadline=None)
@given(st.binary(max_size=600))
def test_bytes_of_any_kind_are_refused_or_read(data: bytes) -> None:
    assert granted(data) == set()


@settings(max_examples=examples(200), deadline=None)
@given(
    st.sampled_from(
        [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<?xml ", b"\xff\xfe", b"<"]
    ),
    st.binary(max_size=400),
)
def test_bytes_that_pretend_to_be_an_export_are_refused_or_read(head: bytes, rest: bytes) -> None:
    assert granted(head + rest) == set()


@pytest.mark.parametrize("kind", sorted(set(EXPORTS) - WORKBOOKS))
@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_a_damaged_export_grants_nobody_anything(kind: str, data: st.DataObject) -> None:
    assert granted(damaged(kind, data)) == set()


@pytest.mark.parametrize("kind", sorted(WORKBOOKS))
@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_a_damaged_workbook_grants_nobody_anything(kind: str, data: st.DataObject) -> None:
    # Fewer examples: each is opened in a process of its own.
    assert granted(damaged(kind, data)) == set()


def damaged(kind: str, data: st.DataObject) -> bytes:
    """An export with up to four places cut, dropped, doubled, zeroed or turned round."""
    whole = bytearray(EXPORTS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        length = data.draw(st.integers(1, 60))
        match data.draw(st.sampled_from(["cut", "drop", "double", "zero", "swap"])):
            case "cut":
                del whole[at + 1 :]
            case "drop":
                del whole[at : at + length]
            case "double":
                whole[at:at] = whole[at : at + length]
            case "zero":
                whole[at : at + length] = bytes(len(whole[at : at + length]))
            case _:
                whole[at : at + length] = whole[at : at + length][::-1]
        whole = whole or bytearray(b" ")
    return bytes(whole)


answers = st.lists(
    st.tuples(*[st.sampled_from(list(Answer))] * 4), min_size=len(NOBODY), max_size=len(NOBODY)
)


@settings(max_examples=examples(150), deadline=None)
@given(answers, st.sampled_from(["wide", "long", "cell"]), st.data())
def test_blanking_cells_and_losing_rows_never_adds_a_yes(
    given_answers: list[tuple[Answer, ...]], shape: str, data: st.DataObject
) -> None:
    pupils = [
        replace(p, consents=dict(zip(ALL, map(Consent, row), strict=True)))
        for p, row in zip(NOBODY, given_answers, strict=True)
    ]
    rows = {
        "wide": wide_rows(pupils, WORDS),
        "long": long_rows(pupils, WORDS),
        "cell": cell_rows(pupils),
    }[shape]
    before = granted(to_csv(rows))
    lossy = [rows[0]]
    for row in rows[1:]:
        if data.draw(st.booleans()):
            blank = data.draw(st.sets(st.integers(1, len(row) - 1)))
            lossy.append(["" if at in blank else cell for at, cell in enumerate(row)])
    yes = granted(to_csv(lossy))
    if shape == "long":
        # A blanked *type* takes its row away, a no with it; of the same type only yeses are left.
        refused = {(p.admission_number, n) for p in pupils for n in ALL} - before
        assert not yes & refused
    else:
        assert yes <= before
