"""An import grants only what it wholly understood: one plain test a rule."""

from __future__ import annotations

import pytest

from consent_gate.model import Answer
from tests.support.consent_files import (
    EVERYTHING,
    IDENTITY,
    TYPES,
    cell_rows,
    granted,
    known_school,
    long_rows,
    prepared_import,
    standing,
    wide_rows,
    with_column,
)
from tests.support.sims_school import HEADER, encode_csv, wide_csv, wide_row

SECOND = "000002"


def purposes_of(number: str, given: set[tuple[str, str]]) -> set[str]:
    return {purpose for pupil, purpose in given if pupil == number}


def test_a_wholly_understood_file_grants_everything_without_a_person() -> None:
    assert len(granted(wide_rows())) == 24
    assert len(granted(cell_rows({}))) == 24
    assert len(granted(long_rows(["Consent Type", "Consent Given"], ["Yes"], ["Yes"]))) == 8


# --- cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sign", ["\u2717", "\u2718", "\u2610", "[ ]", "-", "\u2013", "?", "0", "x", "\u2716\ufe0f", "2"]
)
def test_a_sign_in_a_cell_is_an_answer_and_never_a_yes(sign: str) -> None:
    given = granted(wide_rows({2: [sign] * 4}))
    assert purposes_of(SECOND, given) == set()


def test_a_tick_with_a_variation_selector_is_a_tick() -> None:
    given = granted(wide_rows({2: ["\u2714\ufe0f"] * 4}))
    assert purposes_of(SECOND, given) == set(TYPES)


def test_an_unknown_answer_is_asked_about_once_and_stops_grants() -> None:
    rows = wide_rows({2: ["Fine"] * 4, 3: ["Fine"] * 4})
    assert standing(rows) == ["open-questions"]
    assert granted(rows) == set()


@pytest.mark.parametrize(
    "cell",
    [
        f"Declined: {EVERYTHING}",
        f"No consent for {EVERYTHING}",
        f"Refused:\n{EVERYTHING}",
        EVERYTHING.replace("Sch", "[ ] Sch").replace("Mil", "[ ] Mil").replace("Bio", "[ ] Bio"),
        EVERYTHING.replace(",", " \u2717,") + " \u2717",
        EVERYTHING.replace(",", ": No,") + ": No",
        f"{EVERYTHING} - all declined",
        f"{EVERYTHING} (withdrawn)",
        f"({EVERYTHING})",
        f"{EVERYTHING}\nWithdrawn",
        "0 " + EVERYTHING.replace(", ", ", 0 "),
        EVERYTHING.replace(",", " 0,") + " 0",
        EVERYTHING.replace(",", "*,") + "*",
        "".join(sign + ("\u0336" if sign.isalpha() else "") for sign in EVERYTHING),
    ],
)
def test_nothing_is_left_over_in_a_list_of_types(cell: str) -> None:
    assert purposes_of(SECOND, granted(cell_rows({2: cell}))) == set()


def test_a_negative_word_governs_up_to_the_semicolon() -> None:
    given = granted(cell_rows({2: "Declined: Millfields Mag, Biometric; Given: School Website"}))
    assert purposes_of(SECOND, given) == {"website"}


def test_a_sign_before_a_type_that_nobody_knows_stops_grants() -> None:
    assert standing(cell_rows({2: "+School Website, -Millfields Mag"})) == ["open-questions"]


# --- columns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        ("Consent withdrawn", "Y"),
        ("Revoked", "Yes"),
        ("Date cancelled", "01/06/2026"),
        ("Opted out", "T"),
        ("Objection", "Y"),
        ("End Date", "01/06/2026"),
        ("Valid until", "31/01/2026"),
        ("endDatetime", "2026-01-31T00:00:00"),
        ("Lapsed", "1"),
    ],
)
def test_what_undoes_a_consent_undoes_every_consent_of_its_row(caption: str, text: str) -> None:
    given = granted(with_column(caption, {2: text}))
    assert purposes_of(SECOND, given) == set()
    assert len(given) == 20


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        ("Overall", "No"),
        ("Status", "Lapsed"),
        ("Flag", "R"),
        ("Zorp", "03/10/2026"),
        ("Notes", "Mum rang, no photos any more"),
        ("Website comments", "please ask first"),
        ("Basis", "verbal, awaiting form"),
        ("Photos OK?", "No"),
        ("", "No"),
        ("Confirmed", "No"),
    ],
)
def test_an_open_column_that_may_mean_no_stops_grants(caption: str, text: str) -> None:
    cells = {number: "Yes" if caption.startswith("Photos") else "" for number in range(1, 7)}
    rows = with_column(caption, {**cells, 2: text})
    assert standing(rows) == ["open-questions"]
    assert granted(rows) == set()


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        ("House", "Red"),
        ("Gender", "F"),
        ("FSM", "N"),
        ("Website given by", "Mrs Moss"),
        ("Notes", "Asthma"),
        ("Consent expiry", "Until child leaves"),
    ],
)
def test_a_harmless_column_stops_nothing(caption: str, text: str) -> None:
    rows = with_column(caption, dict.fromkeys(range(1, 7), text))
    assert standing(rows) == []
    assert len(granted(rows)) == 24


def test_every_answer_column_counts_and_the_strictest_wins() -> None:
    head = ["Consent Type", "Response", "Status"]
    given = granted(long_rows(head, ["Yes", "Granted"], ["Yes", "Withdrawn"]))
    assert purposes_of("000001", given) == set(TYPES)
    assert purposes_of(SECOND, given) == set()


def test_a_date_of_withdrawal_counts_for_the_type_of_its_row_alone() -> None:
    rows = long_rows(["Consent Type", "Consent Given", "Date Withdrawn"], ["Yes", ""], ["Yes", ""])
    rows[5][-1] = "03/06/2026"
    assert purposes_of(SECOND, granted(rows)) == {"mag", "displays", "biometric"}


def test_one_parents_no_beats_the_others_yes_and_a_blank_parent_says_nothing() -> None:
    head = [*IDENTITY, "Website (Parent 1)", "Website (Parent 2)"]
    rows = [head]
    for number, answers in enumerate((["Yes", "Yes"], ["Yes", "No"], ["Yes", ""]), start=1):
        rows.append([f"{number:06}", "Moss", f"Ada{number}", "3W", *answers])
    assert granted(rows) == {("000001", "website"), ("000003", "website")}


def test_only_dates_of_a_consent_are_asked_about() -> None:
    rows = [[*IDENTITY, "Website given on", "Mag"], ["1", "Moss", "Ada", "3W", "11/09/2025", "Yes"]]
    assert standing(rows) == ["open-questions"]


def test_a_listed_consent_without_the_day_that_others_have_is_not_given() -> None:
    rows = [["Adno", "Surname", "Parental Consent", "consentedDatetime"]]
    rows += [["1", "Moss", EVERYTHING, "2025-09-11"], ["2", "Page", EVERYTHING, ""]]
    assert purposes_of(SECOND, granted(rows)) == set()
    assert purposes_of("000001", granted(rows)) == set(TYPES)


def test_a_later_yes_beats_an_earlier_no_only_where_both_are_dated() -> None:
    head = ["Adno", "Surname", "Consent Type", "Consent Given", "Date"]
    rows = [
        head,
        ["1", "Moss", "School Website", "No", "10/09/2024"],
        ["1", "Moss", "School Website", "Yes", "13/09/2025"],
        ["1", "Moss", "School Displays", "Yes", "10/09/2024"],
        ["1", "Moss", "School Displays", "No", "13/09/2025"],
        ["1", "Moss", "Millfields Mag", "No", ""],
        ["1", "Moss", "Millfields Mag", "Yes", "13/09/2025"],
    ]
    assert granted(rows) == {("000001", "website")}


@pytest.mark.parametrize("caption", ["Never publsh", "Nver publish", "Never to be publishd"])
def test_a_typing_error_in_never_publish_is_no_reason_to_pass_it_over(caption: str) -> None:
    rows = with_column(caption, {2: "Y"})
    assert standing(rows) == []
    assert purposes_of(SECOND, granted(rows)) == set()


@pytest.mark.parametrize("extra", [" \u2717", " \u2610", " refused", " (opt out)", " 2019", " [ ]"])
def test_a_heading_with_something_left_over_grants_nothing(extra: str) -> None:
    rows = wide_rows()
    rows[0][4] += extra
    assert not {pupil for pupil, purpose in granted(rows) if purpose == "website"}


# --- context -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title",
    [
        "Pupils WITHOUT consent",
        "Opted out",
        "Consent refused 2026",
        "Please note: all website consents are void from 1 September",
        "Answers apply to the Year 6 trip only",
        "These were collected on the old form",
        "Consent pending for everyone below",
        "See the e-mail of 3 May",
        "X = yes, blank should be treated as yes",
        "Staff consent",
        "Residential trip",
        "Withdrawals",
        "Refusals",
        "Excluding website",
        "Apart from website",
        "Objects to website",
        "Blank = yes",
        "Last year's answers",
        "Out of date",
        "Re-consent needed",
        "Demo",
        "Names in blue",
        "N = yes",
        "Y = yes (2024 form)",
    ],
)
def test_a_title_that_says_no_stops_grants(title: str) -> None:
    assert standing([[title], *wide_rows()]) == ["negative-heading"]


@pytest.mark.parametrize(
    "title",
    [
        "Photo consent - do not edit",
        "Key: Y = yes, N = no",
        "No. on roll 244",
        "Contact details and consent in alphabetical order",
        "Printed by the office on 3 May 2026",
        "Page 3 of 12",
        "Photo consent 2026/27",
        "Last updated 20 November 2026",
        "Autumn term ends 18 December",
        "Millfields C of E Primary School - UPNs, house nos",
    ],
)
def test_a_title_with_a_harmless_no_stops_nothing(title: str) -> None:
    assert standing([[title], *wide_rows()]) == []


def test_the_name_of_another_school_stops_grants() -> None:
    assert standing([["Oakdale Academy"], *wide_rows()]) == ["several-schools"]


def test_a_heading_about_something_else_is_asked_about() -> None:
    rows = wide_rows()
    rows[0][4] = "Use of website"
    assert standing(rows) == ["open-questions"]


def test_an_undated_list_of_a_year_that_has_ended_grants_nothing() -> None:
    assert standing([["Photo consent 2019/20"], *wide_rows()]) == ["old-title"]
    assert granted([["Photo consent 2019/20"], *wide_rows()]) == set()


def test_a_dated_list_may_have_the_year_of_the_form_in_its_title() -> None:
    run_on = [["Photo consent 2019/20"], ["Run: 04/09/2026"]]
    assert standing([*run_on, *wide_rows()]) == []


def test_a_tick_below_a_section_that_says_no_is_a_refusal() -> None:
    for section in ("CONSENT REFUSED", "Withdrawals", "Objections", "Refusals:"):
        rows = wide_rows()
        rows.insert(5, [section])
        assert standing(rows) == ["negative-heading"]
        found = prepared_import(encode_csv(rows)).plan.records
        assert found["000004"].consents["website"].answer is Answer.GIVEN
        assert found["000005"].consents["website"].answer is Answer.REFUSED


def test_a_second_heading_row_in_another_order_is_followed() -> None:
    rows = wide_rows({2: ["Yes", "No", "No", "No"]})
    turned = [[*row[:4], *reversed(row[4:])] for row in rows]
    mixed = [*rows[:2], turned[0], *turned[2:]]
    assert purposes_of(SECOND, granted(mixed)) == {"website"}


def test_a_second_heading_row_with_other_headings_stops_grants() -> None:
    other = ["Adno", "Surname", "Forename", "Reg Group", "Trip", "Website", "Mag", "Swimming"]
    rows = wide_rows()
    rows.insert(3, other)
    assert standing(rows) == ["rows-left-out"]


def test_two_lists_side_by_side_stop_grants() -> None:
    rows = [[*left, *right] for left, right in zip(wide_rows(), wide_rows(), strict=True)]
    for number, row in enumerate(rows[1:], start=101):
        row[8] = f"{number:06}"
    assert standing(rows) == ["rows-left-out"]


def test_staff_are_no_pupils() -> None:
    rows = wide_rows()
    rows.append(["STF001", "Jones", "Head", "STAFF", *["Yes"] * 4])
    assert "STF001" not in {pupil for pupil, _ in granted(rows)}


def test_several_schools_in_one_file_stop_grants() -> None:
    rows = with_column("School", {1: "Millfields", 2: "Oakdale"})
    assert standing(rows) == ["several-schools"]


def test_dates_that_fit_both_orders_and_decide_about_today_stop_grants() -> None:
    rows = with_column("Valid until", dict.fromkeys(range(1, 7), "03/10/2026"))
    assert standing(rows) == ["date-order"]


def test_one_value_decides_the_order_of_all_dates_of_a_column() -> None:
    rows = with_column("Valid until", {**dict.fromkeys(range(1, 7), "03/10/2026"), 1: "13/10/2026"})
    assert standing(rows) == []


# --- a known home --------------------------------------------------------------------------


def test_two_headings_that_changed_places_stop_grants() -> None:
    before, context = known_school()
    rows = [list(HEADER), *map(wide_row, before.pupils.values())]
    rows[0][5], rows[0][6] = rows[0][6], rows[0][5]
    codes = standing(rows, before=before, context=context)
    assert "layout" in codes
    assert "columns-moved" in codes


def test_the_same_file_again_stops_nothing() -> None:
    before, context = known_school()
    assert granted(wide_csv(list(before.pupils.values())), before, context) == set()
    rows = [list(HEADER), *map(wide_row, before.pupils.values())]
    assert standing(rows, before=before, context=context) == []


def test_an_unreadable_number_makes_nobody_a_leaver() -> None:
    before, context = known_school()
    rows = [list(HEADER), *map(wide_row, before.pupils.values())]
    rows[3][0] = "4.23E+03"
    assert standing(rows, before=before, context=context) == ["rows-left-out"]
