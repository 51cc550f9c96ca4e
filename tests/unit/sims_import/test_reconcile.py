"""The changes that an import would make, by pupil."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from consent_gate.model import Answer, Consent
from consent_gate.register.snapshot import RegisterPupil
from sims_import.planning.prepare import PreparedImport
from sims_import.reconcile import Change, ChangeKind
from tests.support.sims_school import (
    ALL,
    GIVEN,
    NOT_STATED,
    REFUSED,
    TODAY,
    block_codes,
    encode_csv,
    gated,
    make_pupil,
    make_school,
    make_snapshot,
    prepare_import,
    pupils_applied,
    wide_csv,
)


def kinds(prepared: PreparedImport, number: str) -> dict[tuple[ChangeKind, str], Change]:
    return {(c.kind, c.subject): c for c in prepared.plan.changes if c.pupil == number}


def test_the_first_import_adds_everybody_and_is_not_blocked() -> None:
    prepared = prepare_import(wide_csv(make_school()))
    assert prepared.blocks == ()
    assert len(prepared.plan.pupils(ChangeKind.ADDED)) == 40
    assert set(kinds(prepared, "004001")) == {(ChangeKind.ADDED, "")} | {
        (ChangeKind.GRANTED, n) for n in ALL
    }


def test_the_same_file_again_changes_nothing() -> None:
    school = make_school()
    prepared = prepare_import(wide_csv(school), make_snapshot(school))
    assert prepared.plan.changes == ()
    assert len(prepared.plan.unchanged) == 40


def test_one_withdrawal_among_many_is_one_change() -> None:
    school = make_school()
    now = [make_pupil(4001, given=("mag", "displays", "biometric")), *school[1:]]
    prepared = prepare_import(wide_csv(now), make_snapshot(school))
    assert prepared.plan.changes == (
        Change("004001", ChangeKind.WITHDRAWN, "website", GIVEN, NOT_STATED),
    )


def test_a_blank_does_not_take_back_a_refusal() -> None:
    school = make_school()
    refused = replace(school[0], consents={**school[0].consents, "website": REFUSED})
    now = [make_pupil(4001, given=("mag", "displays", "biometric")), *school[1:]]
    assert prepare_import(wide_csv(now), make_snapshot([refused, *school[1:]])).plan.changes == ()


def test_names_and_classes_change_field_by_field() -> None:
    school = make_school()
    moved = replace(school[0], reg_group="4W", surname="Page")
    prepared = prepare_import(wide_csv([moved, *school[1:]]), make_snapshot(school))
    assert [(c.subject, c.before, c.after) for c in prepared.plan.changes] == [
        ("surname", "Moss4001", "Page"),
        ("reg_group", "3W", "4W"),
    ]


def test_a_blank_field_erases_nothing() -> None:
    school = [replace(p, upn=f"U{p.admission_number}", family_key="F1") for p in make_school()]
    bare = [replace(p, upn="", reg_group="") for p in school]
    assert prepare_import(wide_csv(bare), make_snapshot(school)).plan.changes == ()


def test_letters_lost_to_windows_1252_are_not_a_new_name() -> None:
    school = [replace(make_pupil(1), surname="\u017bak"), *make_school()]
    lossy = [replace(school[0], surname="?ak"), *school[1:]]
    assert prepare_import(wide_csv(lossy), make_snapshot(school)).plan.changes == ()


def test_who_is_no_longer_in_the_export_has_left() -> None:
    school = make_school()
    prepared = prepare_import(wide_csv(school[1:]), make_snapshot(school))
    assert prepared.plan.pupils(ChangeKind.LEFT) == ["004001"]


def test_a_leaving_date_in_the_past_is_a_leaver_and_one_to_come_is_not() -> None:
    school = [make_pupil(n, given=("website",)) for n in range(1, 41)]
    rows = [[p.admission_number, "T", ""] for p in school]
    rows[0][2], rows[1][2] = "01/09/2026", "01/09/2027"
    data = encode_csv([["Adno", "Website", "Date of leaving"], *rows])
    assert prepare_import(data, make_snapshot(school)).plan.pupils(ChangeKind.LEFT) == ["000001"]


def test_who_comes_back_has_consented_to_nothing_until_the_export_says_so() -> None:
    school = make_school()
    gone = replace(school[0], on_roll=False)
    back = make_pupil(4001, given=("mag",))
    prepared = prepare_import(wide_csv([back, *school[1:]]), make_snapshot([gone, *school[1:]]))
    found = kinds(prepared, "004001")
    assert (ChangeKind.READMITTED, "") in found
    assert [subject for kind, subject in found if kind is ChangeKind.GRANTED] == ["mag"]


def test_a_new_number_with_a_known_upn_is_the_same_pupil() -> None:
    school = make_school()
    school[0] = replace(school[0], upn="E204340217648")
    renumbered = replace(school[0], admission_number="009001")
    prepared = prepare_import(wide_csv([renumbered, *school[1:]]), make_snapshot(school))
    assert prepared.plan.changes == (
        Change("009001", ChangeKind.RENUMBERED, "", "004001", "009001"),
    )


def test_a_known_upn_under_quite_another_name_is_not_the_same_pupil() -> None:
    school = make_school()
    school[0] = replace(school[0], upn="E204340217648")
    other = replace(make_pupil(9001), upn="E204340217648")
    prepared = prepare_import(wide_csv([other, *school[1:]]), make_snapshot(school))
    assert prepared.plan.pupils(ChangeKind.ADDED) == ["009001"]
    assert prepared.plan.pupils(ChangeKind.LEFT) == ["004001"]


def test_a_withdrawal_of_a_renumbered_pupil_applies_under_the_old_number_while_a_block_stands() -> (
    None
):
    school = make_school()
    school[0] = replace(school[0], upn="E204340217648")
    now = replace(
        make_pupil(9001, given=("mag", "displays", "biometric")),
        upn="E204340217648",
        forename=school[0].forename,
        surname=school[0].surname,
    )
    before = make_snapshot(school, exported_on=TODAY)
    prepared = prepare_import(
        wide_csv([now, *school[1:]]), before, exported_on=TODAY - timedelta(days=3)
    )
    assert block_codes(prepared) == ["export-older"]
    assert pupils_applied(gated(prepared), ChangeKind.WITHDRAWN) == ["004001"]


def test_an_expired_consent_is_not_a_grant() -> None:
    head = ["Adno", "Website", "Website expiry date"]
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    data = encode_csv([head, ["1", "T", yesterday], ["2", "T", TODAY.isoformat()]])
    before = make_snapshot([make_pupil(1, given=("website",)), make_pupil(2, given=())])
    found = {
        c.pupil: c.kind for c in prepare_import(data, before).plan.changes if c.subject == "website"
    }
    assert found == {"000001": ChangeKind.EXPIRED, "000002": ChangeKind.GRANTED}


def test_a_consent_that_begins_later_is_no_withdrawal_of_the_future() -> None:
    head = ["Adno", "Website", "Website consent date"]
    data = encode_csv([head, ["1", "T", "01/09/2027"]])
    change = kinds(prepare_import(data), "000001")[ChangeKind.GRANTED, "website"]
    assert change.after == Consent(Answer.GIVEN, date(2027, 9, 1))


def test_a_shorter_expiry_tightens_and_a_longer_one_does_not() -> None:
    head = ["Adno", "Website", "Website expiry date"]
    until = Consent(Answer.GIVEN, None, date(2027, 1, 1))
    before = make_snapshot([RegisterPupil(f"{n:06}", consents={"website": until}) for n in (1, 2)])
    data = encode_csv([head, ["1", "T", "01/12/2026"], ["2", "T", "01/12/2027"]])
    found = {c.pupil: c.kind for c in prepare_import(data, before).plan.changes}
    assert found == {"000001": ChangeKind.SHORTENED, "000002": ChangeKind.REDATED}


def test_an_export_without_dates_keeps_the_dates_of_a_consent_that_goes_on() -> None:
    dated = Consent(Answer.GIVEN, date(2024, 9, 1), date(2027, 1, 1))
    school = [replace(p, consents={**p.consents, "website": dated}) for p in make_school()]
    assert prepare_import(wide_csv(school), make_snapshot(school)).plan.changes == ()


def test_marks_and_objections_are_changes_of_their_own() -> None:
    head = ["Adno", "Website", "Biometric objection", "Never Publish"]
    before = make_snapshot([make_pupil(1, given=("website",)), make_pupil(2, given=("website",))])
    data = encode_csv([head, ["1", "T", "T", ""], ["2", "T", "", "T"]])
    assert {(c.pupil, c.kind) for c in prepare_import(data, before).plan.changes} >= {
        ("000001", ChangeKind.OBJECTED),
        ("000002", ChangeKind.MARKED),
    }


def test_a_ctf_brings_names_without_consent_and_nobody_leaves() -> None:
    school = [replace(p, upn="") for p in make_school(3)]
    school[0] = replace(school[0], upn="E204340217648")
    ctf = (
        "<CTfile><CTFpupilData><Pupil><UPN>E204340217648</UPN><Surname>Moss4001</Surname>"
        "<Forename>Ada4001</Forename></Pupil><Pupil><UPN>X204293218654</UPN><Surname>New</Surname>"
        "<Forename>Nell</Forename></Pupil></CTFpupilData></CTfile>"
    )
    prepared = prepare_import(ctf.encode(), make_snapshot(school))
    assert prepared.plan.changes == (Change("X204293218654", ChangeKind.ADDED, after=True),)
    assert prepared.blocks == ()


def test_pupils_seeded_from_a_ctf_get_their_number_from_the_next_export() -> None:
    seeded = RegisterPupil("E204340217648", "E204340217648", "Ravi", "Moss")
    now = replace(make_pupil(4001), upn="E204340217648", forename="Ravi", surname="Moss")
    prepared = prepare_import(wide_csv([now]), make_snapshot([seeded]))
    assert prepared.plan.changes[0] == Change(
        "004001", ChangeKind.RENUMBERED, "", "E204340217648", "004001"
    )
    assert prepared.blocks == ()
