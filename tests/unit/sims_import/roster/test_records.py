"""One record per pupil: the stricter answer counts, and each problem names its cell."""

from __future__ import annotations

from datetime import date

import pytest

from consent_gate.model import Answer, Consent
from sims_import.roster.records import stricter
from tests.support.sims_school import (
    GIVEN,
    NOT_STATED,
    REFUSED,
    encode_csv,
    given_purposes,
    prepare_import,
    read_records,
)


def problems(data: bytes) -> list[tuple[int, str, str]]:
    roster = prepare_import(data).plan.roster
    return [(p.origin.row, p.origin.column, p.message) for p in (*roster.errors, *roster.warnings)]


def table(*rows: list[str]) -> bytes:
    return encode_csv([["Adno", "UPN", "Forename", "Surname", "Website", "Displays"], *rows])


def test_an_answer_we_do_not_know_is_not_stated_and_points_at_its_cell() -> None:
    data = table(["4123", "", "Ravi", "Moss", "x", "T"])
    assert given_purposes(data) == {"004123": {"displays"}}
    ((row, column, message),) = problems(data)
    assert (row, column) == (2, "Website")
    assert "not stated" in message
    assert "Moss" not in message


def test_many_problems_of_one_kind_are_counted_not_listed() -> None:
    data = table(*([str(n), "", "Ravi", "Moss", "x", "T"] for n in range(1, 101)))
    found = problems(data)
    assert len(found) == 1
    assert "100 times: rows 2, 3, 4" in found[0][2]


def test_a_row_without_a_number_is_left_out_with_an_error() -> None:
    data = table(["", "", "Ravi", "Moss", "T", "T"], ["4124", "", "Ada", "Page", "T", ""])
    assert list(given_purposes(data)) == ["004124"]
    assert problems(data)[0][:2] == (2, "Adno")


def test_a_pupil_without_an_admission_number_goes_by_the_upn() -> None:
    data = table(["", "E204340217648", "Ravi", "Moss", "T", ""])
    assert given_purposes(data) == {"E204340217648": {"website"}}


def test_a_upn_with_a_wrong_check_letter_is_warned_about_and_kept() -> None:
    data = table(["4123", "F204340217648", "Ravi", "Moss", "T", ""])
    assert read_records(data)["004123"].upn == "F204340217648"
    assert problems(data)[0][:2] == (2, "UPN")


def test_the_same_pupil_twice_with_other_answers_gets_the_stricter_one() -> None:
    data = table(["4123", "", "Ravi", "Moss", "T", "T"], ["004123", "", "Ravi", "Moss", "", "T"])
    assert given_purposes(data) == {"004123": {"displays"}}
    assert problems(data)[0][0] == 3


def test_the_same_pupil_twice_with_the_same_answers_is_no_problem() -> None:
    row = ["4123", "", "Ravi", "Moss", "T", "T"]
    assert given_purposes(table(row, row)) == {"004123": {"website", "displays"}}
    assert problems(table(row, row)) == []


@pytest.mark.parametrize(
    "other",
    [["4123", "X204293218654", "Ravi", "Moss"], ["4123", "", "Ada", "Page"]],
)
def test_two_children_under_one_number_have_consented_to_nothing(other: list[str]) -> None:
    data = table(["4123", "E204340217648", "Ravi", "Moss", "T", "T"], [*other, "T", "T"])
    assert given_purposes(data) == {"004123": set()}
    assert any("another name or UPN" in message for _, _, message in problems(data))


def test_two_columns_for_one_use_both_have_to_say_yes() -> None:
    data = encode_csv(
        [["Adno", "Website", "Photos on website"], ["4123", "T", ""], ["4124", "T", "T"]]
    )
    assert given_purposes(data) == {"004123": set(), "004124": {"website"}}


def test_a_name_with_a_loose_comma_shifts_no_consent_to_another_use() -> None:
    data = b"Adno,Surname,Displays,Website\n4123,Moss, Jr,T,\n4124,Page,T,\n"
    assert given_purposes(data) == {"004123": set(), "004124": {"displays"}}
    assert problems(data)[0][0] == 2


def test_answers_under_no_heading_make_every_row_doubtful() -> None:
    data = b"Adno,Consent\n4123,School Website,F\n4124,School Website,\n4125,School Website,\n"
    assert set().union(*given_purposes(data).values()) == set()


# --- types in cells ------------------------------------------------------------------------


def cell(*cells: str) -> bytes:
    return encode_csv([["Adno", "Parental Consent"], *(["4123", text] for text in cells)])


def test_no_photograph_refuses_every_channel() -> None:
    answers = read_records(cell("No Photograph, School Website"))["004123"].consents
    assert {name: c.answer for name, c in answers.items()} == {
        "website": Answer.REFUSED,
        "mag": Answer.REFUSED,
        "displays": Answer.REFUSED,
        "biometric": Answer.NOT_STATED,
    }


def test_one_type_a_row_adds_up() -> None:
    assert given_purposes(cell("School Website", "School Displays", "")) == {
        "004123": {"website", "displays"}
    }


def test_several_types_a_cell_that_differ_between_rows_leave_what_both_name() -> None:
    assert given_purposes(cell("School Website, School Displays", "School Displays")) == {
        "004123": {"displays"}
    }


def test_a_refusal_in_one_row_beats_a_type_in_another() -> None:
    assert given_purposes(cell("School Website", "No Photograph")) == {"004123": set()}


def test_a_type_may_carry_its_answer() -> None:
    data = cell("School Website: Yes; School Displays: No; Millfields Mag (pending)")
    consents = read_records(data)["004123"].consents
    assert consents["website"] == GIVEN
    assert consents["displays"] == REFUSED
    assert consents["mag"] == NOT_STATED


def test_types_may_stand_on_lines_of_their_own() -> None:
    assert given_purposes(cell("School Website\nSchool Displays")) == {
        "004123": {"website", "displays"}
    }
    assert given_purposes(cell("No Photograph\nSchool Website")) == {"004123": set()}


def test_a_name_on_two_lines_is_one_name() -> None:
    data = encode_csv([["Adno", "Surname", "Website"], ["1", "de la\nCruz", "T"]])
    assert read_records(data)["000001"].surname == "de la Cruz"


def test_a_never_publish_in_the_list_marks_the_pupil() -> None:
    data = encode_csv(
        [
            ["Adno", "Consents"],
            ["4123", "School Website, Never Publish"],
            ["4124", "School Website"],
        ]
    )
    found = read_records(data)
    assert found["004123"].never_publish is True
    assert found["004124"].never_publish is False


def test_consents_that_have_nothing_to_do_with_pictures_say_nothing() -> None:
    record = read_records(
        encode_csv([["Adno", "Consents"], ["1", "Internet Access, Trips"], ["2", "School Website"]])
    )["000001"]
    assert set(record.consents.values()) == {NOT_STATED}
    assert record.never_publish is None
    assert record.biometric_objection is None


@pytest.mark.parametrize("caption", ["Photograph", "Photograph Student", "Photo consent"])
def test_a_no_to_photographs_refuses_every_use_and_a_yes_grants_none(caption: str) -> None:
    rows = [["1", "T", "F"], ["2", "T", "T"], ["3", "", "T"]]
    data = encode_csv([["Adno", "Website", caption], *rows])
    assert given_purposes(data) == {"000001": set(), "000002": {"website"}, "000003": set()}
    assert read_records(data)["000001"].consents["displays"] == REFUSED


# --- long rows -----------------------------------------------------------------------------


def test_a_type_in_its_own_row_is_taken_as_a_whole() -> None:
    kind = "Website, social media and local press"
    assert given_purposes(long((kind, "Yes"), ("School Displays", "Yes"))) == {
        "004123": {"displays"}
    }


def test_a_no_inside_the_type_beats_a_yes_beside_it() -> None:
    assert given_purposes(long(("School Website: No", "Yes"), ("School Displays", "Yes"))) == {
        "004123": {"displays"}
    }


def long(*rows: tuple[str, str]) -> bytes:
    body = [["4123", kind, answer] for kind, answer in rows]
    return encode_csv([["Adno", "Consent Type", "Consent Given"], *body])


def test_a_long_export_states_three_answers() -> None:
    consents = read_records(
        long(("School Website", "Yes"), ("School Displays", "No"), ("Millfields Mag", ""))
    )["004123"].consents
    assert consents == {"website": GIVEN, "displays": REFUSED, "mag": NOT_STATED}


def test_a_cross_product_of_record_sets_changes_nothing() -> None:
    once = long(("School Website", "Yes"), ("School Displays", "No"))
    product = long(*[("School Website", "Yes"), ("School Displays", "No")] * 3)
    assert given_purposes(once) == given_purposes(product)


def test_a_yes_and_a_no_for_one_type_is_a_no() -> None:
    data = long(("School Website", "Yes"), ("School Website", "No"))
    assert read_records(data)["004123"].consents["website"] == REFUSED


# --- markers, dates, identity --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "marked"),
    [("T", True), ("Yes", True), ("", False), ("No", False), ("F", False), ("see file", True)],
)
def test_a_never_publish_cell_counts_unless_it_is_a_plain_no(text: str, marked: bool) -> None:
    data = encode_csv([["Adno", "Website", "Never Publish"], ["4123", "T", text]])
    assert read_records(data)["004123"].never_publish is marked


@pytest.mark.parametrize("caption", ["Biometric objection - child", "Parent objection (biometric)"])
def test_an_objection_by_parent_or_child_is_kept_beside_the_consent(caption: str) -> None:
    data = encode_csv([["Adno", "Biometric Consent", caption], ["4123", "T", "12/03/2026"]])
    assert read_records(data)["004123"].biometric_objection is True


def test_without_such_columns_nothing_is_said_of_objections_and_marks() -> None:
    record = read_records(table(["4123", "", "Ravi", "Moss", "T", "T"]))["004123"]
    assert record.biometric_objection is None
    assert record.never_publish is None


def test_an_opt_out_column_can_only_refuse() -> None:
    data = encode_csv(
        [["Adno", "Website", "No Photograph"], ["1", "T", "T"], ["2", "T", "F"], ["3", "", "F"]]
    )
    assert given_purposes(data) == {"000001": set(), "000002": {"website"}, "000003": set()}


def test_dates_of_giving_and_expiry_belong_to_their_consent() -> None:
    head = ["Adno", "Website", "Website consent date", "Website expiry date", "Displays"]
    data = encode_csv([head, ["4123", "T", "04/09/2024", "31/08/2027", "T"]])
    consents = read_records(data)["004123"].consents
    assert consents["website"] == Consent(Answer.GIVEN, date(2024, 9, 4), date(2027, 8, 31))
    assert consents["displays"] == GIVEN


def test_an_expiry_nobody_can_read_takes_the_consent_with_it() -> None:
    data = encode_csv(
        [["Adno", "Website", "Website expiry date"], ["4123", "T", "end of Key Stage"]]
    )
    assert given_purposes(data) == {"004123": set()}
    assert problems(data)[0][:2] == (2, "Website expiry date")


def test_the_legal_name_goes_before_the_other_wherever_it_stands() -> None:
    data = encode_csv(
        [["Adno", "Forename", "Legal Forename", "Website"], ["1", "Jo", "Joanna", "T"]]
    )
    assert read_records(data)["000001"].forename == "Joanna"


@pytest.mark.parametrize("shown", ["Moss, Ravi", "Ravi Moss"])
def test_a_display_name_gives_both_names(shown: str) -> None:
    record = read_records(encode_csv([["Adno", "DisplayName", "Website"], ["1", shown, "T"]]))[
        "000001"
    ]
    assert (record.forename, record.surname) == ("Ravi", "Moss")


def test_preferred_names_stand_in_where_there_are_no_others() -> None:
    head = ["Adno", "ChosenName", "Preferred Surname", "Website"]
    record = read_records(encode_csv([head, ["1", "Jo", "Moss", "T"]]))["000001"]
    assert (record.forename, record.surname) == ("Jo", "Moss")


def test_doubled_spaces_in_the_year_do_not_make_another_year() -> None:
    data = encode_csv([["Adno", "Year taught in", "Website"], ["1", "Year  5", "T"]])
    assert read_records(data)["000001"].year == "Year 5"


def test_an_address_is_kept_only_as_a_key() -> None:
    head = ["Adno", "Surname", "Address", "Postcode", "Website"]
    rows = [[str(n), "Moss", "1 High St", "AB1 2CD", "T"] for n in (1, 2)]
    first, second = read_records(encode_csv([head, *rows])).values()
    assert first.address_key == second.address_key
    assert "High" not in repr(first)


def test_a_run_date_in_the_future_is_not_believed() -> None:
    data = b"Run: 04/09/2036\n\nAdno,Surname,Website\n4123,Moss,T\n"
    prepared = prepare_import(data)
    assert prepared.plan.exported_on is None
    assert "future" in prepared.plan.roster.warnings[0].message


def test_the_run_date_a_person_gave_goes_before_the_exports() -> None:
    data = b"Run: 04/09/2026\n\nAdno,Surname,Website\n4123,Moss,T\n"
    assert prepare_import(data).plan.exported_on == date(2026, 9, 4)
    assert prepare_import(data, exported_on=date(2026, 9, 1)).plan.exported_on == date(2026, 9, 1)


def test_between_two_yeses_the_earlier_expiry_counts() -> None:
    early = Consent(Answer.GIVEN, expires_on=date(2026, 1, 1))
    assert stricter(GIVEN, early).expires_on == date(2026, 1, 1)
    assert stricter(early, REFUSED) == REFUSED == stricter(REFUSED, NOT_STATED)
    assert stricter(NOT_STATED, early) == NOT_STATED
