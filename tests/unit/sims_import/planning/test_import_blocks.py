"""Each import block stops what looks wrong, applies single withdrawals, and can be accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from consent_gate.register.snapshot import RegisterPupil
from sims_import.reconcile import TIGHTENING, ChangeKind
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

SCHOOL = make_school()
REGISTER = make_snapshot(SCHOOL)
BUT_WEBSITE = ("mag", "displays", "biometric")


def with_one_withdrawal(school: list[RegisterPupil]) -> list[RegisterPupil]:
    return [*school[:-1], make_pupil(4040, given=BUT_WEBSITE)]


def with_one_grant() -> list[RegisterPupil]:
    """A register in which pupil 4001 has not yet consented to the website."""
    return [make_pupil(4001, given=BUT_WEBSITE), *SCHOOL[1:]]


# --- older ---------------------------------------------------------------------------------


def test_an_older_export_may_withdraw_but_not_grant() -> None:
    before = make_snapshot(with_one_grant(), exported_on=TODAY)
    data = wide_csv(with_one_withdrawal(SCHOOL))
    prepared = prepare_import(data, before, exported_on=TODAY - timedelta(days=1))
    assert block_codes(prepared) == ["export-older"]
    assert pupils_applied(gated(prepared), ChangeKind.WITHDRAWN) == ["004040"]
    assert pupils_deferred(gated(prepared), ChangeKind.GRANTED) == ["004001"]
    assert gated(prepared, "export-older").deferred_changes == ()


def test_an_older_export_makes_nobody_a_leaver() -> None:
    before = make_snapshot(SCHOOL, exported_on=TODAY)
    prepared = prepare_import(wide_csv(SCHOOL[1:]), before, exported_on=TODAY - timedelta(days=1))
    assert block_codes(prepared) == ["export-older"]
    assert pupils_deferred(gated(prepared), ChangeKind.LEFT) == ["004001"]


def test_an_older_export_that_changes_nothing_is_not_stopped() -> None:
    before = make_snapshot(SCHOOL, exported_on=TODAY)
    assert (
        block_codes(prepare_import(wide_csv(SCHOOL), before, exported_on=TODAY - timedelta(days=9)))
        == []
    )


def test_an_export_without_a_date_is_not_called_older() -> None:
    before = make_snapshot(with_one_grant(), exported_on=TODAY)
    assert block_codes(prepare_import(wide_csv(SCHOOL), before)) == []


# --- pupils gone ---------------------------------------------------------------------------


def test_a_tenth_of_the_school_gone_recalls_nothing_and_releases_nothing() -> None:
    prepared = prepare_import(wide_csv(with_one_withdrawal(SCHOOL)[5:]), REGISTER)
    assert block_codes(prepared) == ["many-leavers"]
    result = gated(prepared)
    assert pupils_applied(result, ChangeKind.LEFT) == []
    assert pupils_applied(result, ChangeKind.WITHDRAWN) == ["004040"]
    assert result.suspended == {"website", "mag", "displays", "biometric"}
    assert len(pupils_applied(gated(prepared, "many-leavers"), ChangeKind.LEFT)) == 5


def test_a_few_leavers_leave_at_once() -> None:
    prepared = prepare_import(wide_csv(SCHOOL[4:]), REGISTER)
    assert block_codes(prepared) == []
    assert len(pupils_applied(gated(prepared), ChangeKind.LEFT)) == 4


def test_one_leaver_of_a_tiny_school_leaves_at_once() -> None:
    school = make_school(5)
    assert block_codes(prepare_import(wide_csv(school[1:]), make_snapshot(school))) == []


# --- consent gone --------------------------------------------------------------------------


def without_column(caption: str) -> bytes:
    at = HEADER.index(caption)
    rows = [list(HEADER), *map(wide_row, SCHOOL)]
    return encode_csv([row[:at] + row[at + 1 :] for row in rows])


@pytest.mark.parametrize(
    ("caption", "purpose"),
    [
        ("Photograph - Website", "website"),
        ("Photograph - Millfields Mag", "mag"),
        ("Photograph - Displays", "displays"),
        ("Biometric Consent", "biometric"),
    ],
)
def test_a_consent_that_vanished_is_suspended_not_withdrawn(caption: str, purpose: str) -> None:
    prepared = prepare_import(without_column(caption), REGISTER)
    code = f"consent-vanished:{purpose}"
    assert block_codes(prepared) == [code]
    result = gated(prepared)
    assert result.apply_now == ()
    assert result.suspended == {purpose}
    accepted = gated(prepared, code)
    assert len(pupils_applied(accepted, ChangeKind.WITHDRAWN)) == 40
    assert accepted.suspended == frozenset()


def test_a_column_that_went_blank_is_suspended_too_and_others_withdraw_at_once() -> None:
    school = [make_pupil(n, given=BUT_WEBSITE) for n in range(4001, 4041)]
    school[0] = make_pupil(4001, given=("mag", "biometric"))
    prepared = prepare_import(wide_csv(school), REGISTER)
    assert block_codes(prepared) == ["consent-vanished:website"]
    result = gated(prepared)
    assert [(c.pupil, c.subject) for c in result.apply_now] == [("004001", "displays")]


def test_a_type_missing_from_every_cell_has_vanished() -> None:
    cells = "Millfields Mag, School Displays, Biometric"
    rows = [[p.admission_number, cells] for p in SCHOOL]
    prepared = prepare_import(encode_csv([["Adno", "Parental Consent"], *rows]), REGISTER)
    assert block_codes(prepared) == ["consent-vanished:website"]


def test_the_last_yes_of_all_taken_back_is_a_single_withdrawal() -> None:
    before = [make_pupil(n, given=BUT_WEBSITE) for n in range(4001, 4040)] + [make_pupil(4040)]
    prepared = prepare_import(wide_csv(with_one_withdrawal(before)), make_snapshot(before))
    assert block_codes(prepared) == []
    assert pupils_applied(gated(prepared), ChangeKind.WITHDRAWN) == ["004040"]


def test_a_good_export_ends_the_suspension() -> None:
    suspended = make_snapshot(SCHOOL, suspended=frozenset({"website"}))
    assert gated(prepare_import(wide_csv(SCHOOL), suspended)).suspended == frozenset()


def test_a_file_with_nothing_in_it_does_not_end_a_suspension() -> None:
    suspended = make_snapshot(SCHOOL, suspended=frozenset({"website"}))
    prepared = prepare_import(b"Adno,Surname,School Website\n", suspended)
    assert gated(prepared).suspended == {"website"}


def test_a_suspension_lasts_while_another_block_stands() -> None:
    before = make_snapshot(with_one_grant(), exported_on=TODAY, suspended=frozenset({"mag"}))
    prepared = prepare_import(wide_csv(SCHOOL), before, exported_on=TODAY - timedelta(days=1))
    assert gated(prepared).suspended == {"mag"}


# --- many at once --------------------------------------------------------------------------


def test_a_quarter_of_the_school_losing_one_consent_waits_for_a_person() -> None:
    now = [make_pupil(n, given=BUT_WEBSITE if n < 4012 else ALL) for n in range(4001, 4041)]
    prepared = prepare_import(wide_csv(now), REGISTER)
    assert block_codes(prepared) == ["many-withdrawals:website"]
    assert gated(prepared).apply_now == ()
    assert gated(prepared).suspended == {"website"}


def test_ten_withdrawals_are_ten_single_withdrawals() -> None:
    now = [make_pupil(n, given=BUT_WEBSITE if n < 4011 else ALL) for n in range(4001, 4041)]
    prepared = prepare_import(wide_csv(now), REGISTER)
    assert block_codes(prepared) == []
    assert len(pupils_applied(gated(prepared), ChangeKind.WITHDRAWN)) == 10


def test_many_grants_at_once_look_like_a_shifted_column() -> None:
    before = [make_pupil(n, given=BUT_WEBSITE if n < 4008 else ALL) for n in range(4001, 4041)]
    prepared = prepare_import(wide_csv(with_one_withdrawal(SCHOOL)), make_snapshot(before))
    assert block_codes(prepared) == ["many-grants:website"]
    assert pupils_applied(gated(prepared), ChangeKind.GRANTED) == []
    assert pupils_applied(gated(prepared), ChangeKind.WITHDRAWN) == ["004040"]
    assert len(pupils_applied(gated(prepared, "many-grants:website"), ChangeKind.GRANTED)) == 7


def test_a_few_grants_are_applied() -> None:
    before = [make_pupil(n, given=BUT_WEBSITE if n < 4006 else ALL) for n in range(4001, 4041)]
    prepared = prepare_import(wide_csv(SCHOOL), make_snapshot(before))
    assert block_codes(prepared) == []
    assert len(pupils_applied(gated(prepared), ChangeKind.GRANTED)) == 5


def test_a_new_intake_with_its_consents_is_no_shifted_column() -> None:
    prepared = prepare_import(
        wide_csv([*SCHOOL, *(make_pupil(n) for n in range(5001, 5021))]), REGISTER
    )
    assert block_codes(prepared) == []


def test_a_column_of_never_publish_marks_waits_for_a_person() -> None:
    prepared = prepare_import(wide_csv([replace(p, never_publish=True) for p in SCHOOL]), REGISTER)
    assert block_codes(prepared) == ["many-never-publish"]
    assert pupils_applied(gated(prepared), ChangeKind.MARKED) == []
    assert gated(prepared).suspended == {"website", "mag", "displays"}


def test_a_column_of_objections_waits_before_templates_are_destroyed() -> None:
    rows = [[*wide_row(p), "T"] for p in SCHOOL]
    prepared = prepare_import(encode_csv([[*HEADER, "Biometric objection"], *rows]), REGISTER)
    assert block_codes(prepared) == ["many-objections"]
    assert pupils_applied(gated(prepared), ChangeKind.OBJECTED) == []
    assert gated(prepared).suspended == {"biometric"}


def test_one_never_publish_mark_applies_at_once_whatever_block_stands() -> None:
    before = make_snapshot(with_one_grant(), exported_on=TODAY)
    now = [*SCHOOL[:-1], replace(SCHOOL[-1], never_publish=True)]
    prepared = prepare_import(wide_csv(now), before, exported_on=TODAY - timedelta(days=1))
    assert pupils_applied(gated(prepared), ChangeKind.MARKED) == ["004040"]


# --- pupils mixed up -----------------------------------------------------------------------


def test_another_child_under_a_known_number_waits() -> None:
    stranger = replace(SCHOOL[0], forename="Zoe", surname="Hill", reg_group="6B")
    prepared = prepare_import(wide_csv([stranger, *SCHOOL[1:]]), REGISTER)
    assert block_codes(prepared) == ["name-changed"]
    assert "004001" in prepared.blocks[0].message
    assert gated(prepared).apply_now == ()


def test_a_new_surname_alone_is_a_change_like_any_other() -> None:
    married = replace(SCHOOL[0], surname="Hill")
    assert block_codes(prepare_import(wide_csv([married, *SCHOOL[1:]]), REGISTER)) == []


def test_a_new_name_with_the_same_upn_is_the_same_child() -> None:
    before = [replace(SCHOOL[0], upn="E204340217648"), *SCHOOL[1:]]
    renamed = replace(before[0], forename="Zoe", surname="Hill")
    assert (
        block_codes(prepare_import(wide_csv([renamed, *SCHOOL[1:]]), make_snapshot(before))) == []
    )


def test_two_pupils_with_one_upn_wait() -> None:
    twins = [replace(p, upn="E204340217648") for p in SCHOOL[:2]]
    prepared = prepare_import(wide_csv([*twins, *SCHOOL[2:]]), REGISTER)
    assert block_codes(prepared) == ["shared-upn"]
    assert prepared.plan.shared_upns == {"E204340217648": ("004001", "004002")}


def test_a_never_publish_mark_is_never_lifted_by_an_import_alone() -> None:
    marked = [replace(SCHOOL[0], never_publish=True), *SCHOOL[1:]]
    prepared = prepare_import(wide_csv(SCHOOL), make_snapshot(marked))
    assert block_codes(prepared) == ["never-publish-lifted"]
    assert gated(prepared).apply_now == ()
    accepted = gated(prepared, "never-publish-lifted")
    assert [change.kind for change in accepted.apply_now] == [ChangeKind.LIFT_ASKED], (
        "asked, not lifted"
    )


def test_a_lift_that_was_asked_for_is_not_asked_for_again_by_the_same_file() -> None:
    marked = [replace(SCHOOL[0], never_publish=True, lift_asked=True), *SCHOOL[1:]]
    prepared = prepare_import(wide_csv(SCHOOL), make_snapshot(marked))
    assert block_codes(prepared) == []
    assert prepared.plan.changes == ()


def test_an_export_that_carries_the_mark_again_ends_the_request_to_lift_it() -> None:
    marked = [replace(SCHOOL[0], never_publish=True), *SCHOOL[1:]]
    asked = [replace(SCHOOL[0], never_publish=True, lift_asked=True), *SCHOOL[1:]]
    plan = prepare_import(wide_csv(marked), make_snapshot(asked)).plan
    assert [change.kind for change in plan.changes] == [ChangeKind.LIFT_ENDED]


# --- nothing recognised --------------------------------------------------------------------


def test_an_export_without_pupils_changes_nothing_even_if_accepted() -> None:
    prepared = prepare_import(b"Adno,Surname,School Website\n", REGISTER)
    assert block_codes(prepared) == ["nothing-recognised"]
    assert gated(prepared, "nothing-recognised").apply_now == ()


def test_a_first_export_without_any_consent_stops() -> None:
    data = encode_csv([["Adno", "Surname"], ["4001", "Moss"], ["4002", "Page"]])
    assert block_codes(prepare_import(data)) == ["nothing-recognised"]


# --- all of them ---------------------------------------------------------------------------


def test_while_any_block_stands_only_tightening_changes_apply() -> None:
    before = make_snapshot(with_one_grant(), exported_on=TODAY)
    now = [replace(SCHOOL[0], reg_group="4W"), *SCHOOL[1:-1], make_pupil(9999)]
    prepared = prepare_import(wide_csv(now), before, exported_on=TODAY - timedelta(days=1))
    assert {change.kind for change in gated(prepared).apply_now} <= TIGHTENING


def test_accepting_one_of_two_blocks_is_not_enough() -> None:
    before = make_snapshot(with_one_grant(), exported_on=TODAY)
    twins = [replace(p, upn="E204340217648") for p in SCHOOL[:2]]
    data = wide_csv([*twins, *SCHOOL[2:]])
    prepared = prepare_import(data, before, exported_on=TODAY - timedelta(days=1))
    assert block_codes(prepared) == ["export-older", "shared-upn"]
    assert pupils_applied(gated(prepared, "shared-upn"), ChangeKind.GRANTED) == []
    assert pupils_applied(gated(prepared, "shared-upn", "export-older"), ChangeKind.GRANTED) == [
        "004001"
    ]


def test_no_message_of_a_block_holds_a_pupils_name() -> None:
    stranger = replace(SCHOOL[0], forename="Zoe", surname="Hill")
    prepared = prepare_import(wide_csv([stranger, *SCHOOL[6:]]), REGISTER)
    for brake in prepared.blocks:
        assert "Hill" not in brake.message
        assert "Moss" not in brake.message
