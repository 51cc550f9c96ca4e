"""The JSON of ``import-sims --json`` keeps its contract."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sims_import.planning.report import Outcome, report
from tests.support.sims_school import (
    TODAY,
    encode_csv,
    gated,
    make_pupil,
    make_school,
    make_snapshot,
    prepare_import,
    wide_csv,
)

CONTRACT = {
    "status",
    "blocked",
    "added",
    "changed",
    "withdrawn",
    "leavers",
    "unchanged",
    "enrolled",
    "not_enrolled",
    "warnings",
    "errors",
    "recalled",
}
SCHOOL = make_school()


def test_an_applied_import_lists_who_was_added_changed_withdrawn_and_left() -> None:
    now = [
        make_pupil(4001, given=("mag", "displays", "biometric")),
        replace(SCHOOL[1], reg_group="4W"),
        *SCHOOL[3:],
        make_pupil(5001),
    ]
    prepared = prepare_import(wide_csv(now), make_snapshot(SCHOOL))
    outcome = Outcome(recalled=2)
    result = report(prepared.plan, gated(prepared), outcome)
    assert set(result) >= CONTRACT
    assert result["status"] == "applied"
    assert result["blocked"] == []
    assert result["added"] == ["005001"]
    assert result["changed"] == ["004001", "004002"]
    assert result["withdrawn"] == ["004001"]
    assert result["leavers"] == ["004003"]
    assert len(result["unchanged"]) == 37
    assert result["enrolled"] == result["not_enrolled"] == []
    assert result["recalled"] == 2
    assert json.loads(json.dumps(result)) == result


def test_a_blocked_import_tells_what_applied_and_what_waits() -> None:
    before = make_snapshot([make_pupil(4001, given=()), *SCHOOL[1:]], exported_on=TODAY)
    now = [SCHOOL[0], make_pupil(4002, given=("mag", "displays", "biometric")), *SCHOOL[2:]]
    prepared = prepare_import(wide_csv(now), before, exported_on=TODAY - timedelta(days=1))
    result = report(prepared.plan, gated(prepared), Outcome())
    assert result["status"] == "blocked"
    assert [b["code"] for b in result["blocked"]] == ["export-older"]
    assert result["withdrawn"] == ["004002"]
    assert result["waiting"]["changed"] == ["004001"]


def test_a_dry_run_says_so_and_still_names_the_blocks() -> None:
    prepared = prepare_import(wide_csv(SCHOOL[20:]), make_snapshot(SCHOOL))
    result = report(prepared.plan, gated(prepared), Outcome(dry_run=True))
    assert result["status"] == "dry_run"
    assert [b["code"] for b in result["blocked"]] == ["many-leavers"]


def test_a_pupil_who_is_added_and_refuses_is_added_not_withdrawn() -> None:
    data = encode_csv([["Adno", "Website"], ["1", "F"]])
    prepared = prepare_import(data)
    result = report(prepared.plan, gated(prepared), Outcome())
    assert (result["added"], result["changed"], result["withdrawn"]) == (["000001"], [], [])


def test_an_objection_counts_as_a_withdrawal_and_a_new_pupils_mark_does_not() -> None:
    head = ["Adno", "Biometric Consent", "Biometric objection", "Never Publish"]
    before = make_snapshot([make_pupil(1, given=("biometric",))])
    prepared = prepare_import(encode_csv([head, ["1", "T", "T", ""], ["2", "T", "", "T"]]), before)
    result = report(prepared.plan, gated(prepared), Outcome())
    assert result["withdrawn"] == ["000001"]
    assert result["added"] == ["000002"]


def test_errors_and_warnings_point_at_row_and_column() -> None:
    data = encode_csv([["Adno", "UPN", "Website"], ["1", "", "x"], ["!", "", "T"]])
    prepared = prepare_import(data)
    result = report(prepared.plan, gated(prepared), Outcome())
    assert [(e["row"], e["column"]) for e in result["errors"]] == [(3, "Adno")]
    assert [(w["row"], w["column"]) for w in result["warnings"]] == [(2, "Website")]


def test_questions_come_with_their_options() -> None:
    data = encode_csv([["Adno", "Surname", "Photograph"], ["1", "Moss", "T"]])
    prepared = prepare_import(data)
    outcome = Outcome(questions=prepared.understanding.questions)
    questions: Any = report(prepared.plan, gated(prepared), outcome)["questions"]
    (question,) = questions
    assert question["code"] == "column:Photograph"
    assert "consent:website" in question["options"]
