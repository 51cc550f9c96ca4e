"""What stops an import because of how the file was read, or how it fits the register."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.mapping.understand import SavedMapping, apply_answers
from sims_import.planning.prepare import ImportContext, prepare, read_export
from sims_import.readers.interface import Mark, MarkKind
from sims_import.reconcile import ChangeKind
from sims_import.text.vocabulary import DEFAULT_VOCABULARY
from tests.support.consent_files import granted, prepared_import, standing, wide_rows
from tests.support.sims_school import (
    ALL,
    HEADER,
    TODAY,
    block_codes,
    encode_csv,
    gated,
    make_pupil,
    make_school,
    make_snapshot,
    prepare_import,
    pupils_applied,
    pupils_deferred,
    wide_csv,
    wide_row,
)


def test_a_mark_in_the_workbook_stops_grants_and_is_named() -> None:
    table = read_export(encode_csv(wide_rows()), "x", ImportContext())
    marked = replace(table, doubts=(Mark("6W", "E7", MarkKind.STRIKETHROUGH),))
    prepared = prepare(marked, RegisterSnapshot(), ImportContext(), TODAY)
    (block,) = prepared.blocks
    assert block.code == "marks-in-workbook"
    assert "crossed-out text (E7)" in block.message
    assert "E7" in block.message
    assert "'6W'" in block.message
    assert gated(prepared).apply_now == ()


def test_a_layout_that_a_person_explained_waits_for_a_look_at_the_preview() -> None:
    rows = wide_rows({2: ["Agree"] * 4})
    saved = apply_answers(SavedMapping(), {"answer:Agree": "given"}, DEFAULT_VOCABULARY)
    context = ImportContext(saved=saved)
    assert standing(rows, context=context) == ["layout"]
    assert granted(rows, context=context) == set()
    accepted = gated(prepared_import(encode_csv(rows), context=context), "layout")
    assert len([c for c in accepted.apply_now if c.kind is ChangeKind.GRANTED]) == 24
    seen = ImportContext(
        saved=prepared_import(encode_csv(rows), context=context).understanding.mapping
    )
    assert standing(rows, context=seen) == [], "asked once"


def test_an_answer_that_a_person_called_a_refusal_refuses() -> None:
    saved = apply_answers(SavedMapping(), {"answer:x": "refused"}, DEFAULT_VOCABULARY)
    prepared = prepared_import(
        encode_csv(wide_rows({2: ["x"] * 4})), context=ImportContext(saved=saved)
    )
    assert prepared.preview[0].counts == {"yes": 5, "no": 1, "no_answer": 0, "not_understood": 0}


def test_the_preview_counts_every_use_beside_the_register() -> None:
    school = [make_pupil(1), make_pupil(2, given=("mag",)), make_pupil(3, given=())]
    rows = [list(HEADER), *map(wide_row, school)]
    rows[1][5], rows[2][5] = "perhaps", "F"
    website = prepare_import(encode_csv(rows), make_snapshot(school)).preview[0].as_dict()
    assert website["use"] == "website"
    found = {kind: website[kind] for kind in ("yes", "no", "no_answer", "not_understood")}
    assert found == {"yes": 0, "no": 1, "no_answer": 1, "not_understood": 1}
    assert website["last"] == {"yes": 1, "no": 0, "no_answer": 2, "not_understood": 0}
    assert website["pupils"]["not_understood"] == ["000001"]


def test_failed_formulas_suspend_a_use_and_withdraw_nothing() -> None:
    school = make_school()
    rows = [list(HEADER), *map(wide_row, school)]
    rows[3][5] = "#N/A"
    prepared = prepare_import(encode_csv(rows), make_snapshot(school))
    assert block_codes(prepared) == ["lookup-errors"]
    assert gated(prepared).suspended == {"website"}
    assert pupils_applied(gated(prepared), ChangeKind.WITHDRAWN) == []
    assert pupils_applied(gated(prepared, "lookup-errors"), ChangeKind.WITHDRAWN) == ["004003"]


def test_a_failed_formula_for_a_pupil_without_consent_stops_nothing() -> None:
    assert standing(wide_rows({2: ["#N/A"] * 4})) == []


def test_the_same_children_under_other_numbers_are_not_leavers() -> None:
    born = [date(2016, 1, 1 + n) for n in range(12)]
    school = [make_pupil(n + 1, date_of_birth=day) for n, day in enumerate(born)]
    rows = [["Adno", "Legal Forename", "Legal Surname", "Date of Birth", "Website"]]
    rows += [
        [f"MF-{p.admission_number}", p.forename, p.surname, f"{day:%d/%m/%Y}", "T"]
        for p, day in zip(school, born, strict=True)
    ]
    prepared = prepare_import(encode_csv(rows), make_snapshot(school))
    assert "numbers-changed" in block_codes(prepared)
    assert "many-leavers" not in block_codes(prepared)
    assert pupils_applied(gated(prepared), ChangeKind.LEFT) == []
    assert gated(prepared).suspended == set(ALL)


def test_several_leavers_who_are_listed_again_wait() -> None:
    school = make_school()
    gone = [replace(p, on_roll=False) for p in school[:2]]
    prepared = prepare_import(wide_csv(school), make_snapshot([*gone, *school[2:]]))
    assert block_codes(prepared) == ["leavers-return"]
    assert pupils_deferred(gated(prepared), ChangeKind.READMITTED) == ["004001", "004002"]


def test_one_pupil_may_come_back() -> None:
    school = make_school()
    gone = replace(school[0], on_roll=False)
    assert block_codes(prepare_import(wide_csv(school), make_snapshot([gone, *school[1:]]))) == []


def test_a_file_that_another_one_has_followed_waits() -> None:
    before = make_snapshot([make_pupil(1, given=()), RegisterPupil("000002")])
    table = read_export(wide_csv([make_pupil(1)]), "x", ImportContext())
    prepared = prepare(table, before, ImportContext(), TODAY, superseded=lambda _: True)
    assert block_codes(prepared) == ["export-older"]
    assert pupils_applied(gated(prepared), ChangeKind.LEFT) == []


def test_a_first_import_has_no_brake_on_what_has_run_out() -> None:
    head = ["Adno", "Surname", "Website", "Valid until"]
    rows = [head, *([str(n), f"Moss{n}", "Y", "31/01/2026"] for n in range(1, 41))]
    assert standing(rows) == []


def test_rows_without_a_place_stop_leavers_only_while_somebody_leaves() -> None:
    school = make_school()
    rows = [list(HEADER), *map(wide_row, school), ["", "", "Eve", "Page", "3W", *["T"] * 5]]
    assert block_codes(prepare_import(encode_csv(rows), make_snapshot(school))) == []


def test_messages_quote_headings_and_never_cells() -> None:
    rows = wide_rows({2: ["Annalisa said yes"] * 4})
    rows[0].append("Notes")
    for row in rows[1:]:
        row.append("")
    rows[3][-1] = "Annalisa: no photos"
    messages = " ".join(block.message for block in prepared_import(encode_csv(rows)).blocks)
    assert "Annalisa" not in messages
    assert "'Notes'" in messages
    assert "'Photograph - Website'" in messages
