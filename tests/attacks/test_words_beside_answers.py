"""Something beside the answers limits or ends them in words that nobody foresaw.

A note, a column with an unknown heading, a text in a column of dates, a row that cannot be placed,
a blank beside a yes. Each kind has ordinary neighbours, which must not stop an import.
"""

from __future__ import annotations

import pytest

from sims_import.text.note_words import is_usual_note
from tests.support.consent_files import granted, long_rows, standing, wide_rows, with_column

SECOND = "000002"
LIMITING_NOTES = (
    *("see me", "pulled", "Pulled 3/11", "from behind", "first name", "leave off", "keep off FB"),
    *(
        "camera shy",
        "moved for safety",
        "MARAC",
        "SGO",
        "DV",
        "this year",
        "Expires July",
        "?",
        "*",
    ),
    *("returned blank", "signed by child", "nan signed", "letter 3/11", "old form"),
    *("copied over", "Left", "left school", "Hearing 12/3"),
    *("mum will ring back", "group shots fine", "by Easter", "from Nursery", "maybe", "signature?"),
)
USUAL_NOTES = (
    *("Form received 10/09/2026", "Paper form", "Via ParentMail", "Signed by mum", "Mrs Patel"),
    *("Electronic signature", "Entered by JS", "JS", "Returned 10/09", "Email from mother 3/9/26"),
    *("Signed form held in office", "New starter", "Joined Sept 2026", "Asthma", "left-handed"),
    *("By email 12/09/2026", "form from Anna Patel", "Given by mum", "Nut allergy", "2026-09-12"),
    *("Wears hearing aids", "Right handed"),
)


def second_of(rows: list[list[str]]) -> set[str]:
    return {purpose for pupil, purpose in granted(rows) if pupil == SECOND}


@pytest.mark.parametrize("text", LIMITING_NOTES)
def test_a_note_in_unknown_words_stops_grants(text: str) -> None:
    assert granted(with_column("Notes", {1: "Paper form", 2: text})) == set()


@pytest.mark.parametrize("text", USUAL_NOTES)
def test_a_note_about_how_a_form_came_stops_nothing(text: str) -> None:
    assert is_usual_note(text)
    assert standing(with_column("Notes", {1: text})) == []


@pytest.mark.parametrize("caption", ["Given by", "Signed by", "Relationship", "Source"])
def test_a_column_about_who_answered_needs_no_known_words(caption: str) -> None:
    assert standing(with_column(caption, dict.fromkeys(range(1, 7), "Baker"))) == []


@pytest.mark.parametrize("text", ["Class teacher", "School", "Default", "System", "Imported"])
def test_an_answer_that_no_parent_gave_stops_grants(text: str) -> None:
    cells = dict.fromkeys(range(1, 7), "Mother")
    assert second_of(with_column("Given by", {**cells, 2: text})) == set()


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        *(("Audience", "Internal"), ("Visibility", "Staff"), ("Where used", "Classroom")),
        *(("Platforms", "Tapestry"), ("Lanyard", "Red"), ("Tier", "Bronze")),
        ("Naming", "Initials"),
        *(("Instruction", "Phone home"), ("Mum says", "Leave it"), ("Zorp", "Later")),
        *(("Moved to", "Oakdale"), ("Basis", "Implied"), ("Event", "Nativity")),
    ],
)
def test_an_unknown_column_with_a_text_for_a_few_pupils_stops_grants(
    caption: str, text: str
) -> None:
    assert granted(with_column(caption, {2: text})) == set()


@pytest.mark.parametrize(
    ("caption", "texts"),
    [
        ("Audience", ("Public", "Internal")),
        ("Visibility", ("Everybody", "Staff")),
        ("Who can see", ("Public", "Internal")),
        ("Appears in", ("Everything", "School")),
        ("Option", ("A", "B")),
    ],
)
def test_a_column_that_may_limit_answers_stops_grants_where_it_is_full(
    caption: str, texts: tuple[str, str]
) -> None:
    assert granted(with_column(caption, {n: texts[n == 2] for n in range(1, 7)})) == set()


@pytest.mark.parametrize(
    ("caption", "cells"),
    [
        ("Lunch club", {1: "Chess"}),
        ("Bus route", {2: "Northern"}),
        ("Music lessons", {3: "Violin"}),
        ("Zorp", dict.fromkeys(range(1, 7), "Later")),
    ],
)
def test_a_column_about_something_else_stops_nothing(caption: str, cells: dict[int, str]) -> None:
    assert standing(with_column(caption, cells)) == []


@pytest.mark.parametrize("text", ["not given", "withdrawn 3/11", "No", "?", "unsigned", "at gate"])
@pytest.mark.parametrize("caption", ["Date given", "Date signed"])
def test_a_text_in_the_place_of_a_date_stops_grants(caption: str, text: str) -> None:
    cells = dict.fromkeys(range(1, 7), "01/09/2026")
    assert granted(with_column(caption, {**cells, 2: text})) == set()


@pytest.mark.parametrize("text", ["", "-", "n/a", "14 Sept 2026 at 09:15", "2026", "Yes"])
def test_a_blank_and_a_date_in_other_words_stop_nothing(text: str) -> None:
    cells = dict.fromkeys(range(1, 7), "01/09/2026")
    assert standing(with_column("Date given", {**cells, 2: text})) == []


@pytest.mark.parametrize("text", ["?", "Pending", "requested"])
@pytest.mark.parametrize("caption", ["Consent withdrawn", "Expiry date"])
def test_an_end_that_nobody_knows_grants_nothing(caption: str, text: str) -> None:
    assert second_of(with_column(caption, {2: text})) == set()


@pytest.mark.parametrize(
    "who", [["?", "Page"], ["see form", "Page"], ["000001 & 000003", "Page"], ["", "Moss22"]]
)
def test_a_no_that_cannot_be_placed_stops_grants(who: list[str]) -> None:
    assert granted([*wide_rows(), [*who, "Ada2", "3W", "No", "No", "No", "No"]]) == set()


def test_a_blank_beside_a_yes_for_one_use_is_asked_about() -> None:
    assert standing(with_column("Photograph - Website", {})) == ["rows-left-out"]
    rows = long_rows(["Consent Type", "Response", "Decision"], ["Yes", ""], ["Yes", "Refused"])
    assert standing(rows) == ["rows-left-out"]
    assert granted(rows) == set()


def test_the_blank_of_a_second_parent_stops_nothing() -> None:
    rows = wide_rows()
    rows[0] = [*rows[0], "P1 - Website", "P2 - Website"]
    del rows[0][4]
    rows[1:] = [[*row[:4], *row[5:], "Yes", ""] for row in rows[1:]]
    assert standing(rows) == []


@pytest.mark.parametrize("name", [("Test", "Pupil"), ("Example", "Child"), ("Surname", "Forename")])
def test_a_row_of_nobody_stops_grants(name: tuple[str, str]) -> None:
    rows = wide_rows()
    rows[1][1:3] = name
    assert granted(rows) == set()


def test_a_later_answer_of_another_household_beats_no_no() -> None:
    head = ["Household", "Consent Type", "Response", "Date"]
    rows = [["Adno", "Surname", *head]]
    rows += [["000001", "Moss", "H1", "School Website", "No", "01/09/2026"]]
    rows += [["000001", "Moss", "H2", "School Website", "Yes", "05/10/2026"]]
    assert granted(rows) == set()


@pytest.mark.parametrize("answer", ["Y!", "Yes..."])
def test_a_sign_after_an_answer_is_asked_about(answer: str) -> None:
    assert second_of(wide_rows({2: (answer,) * 4})) == set()


@pytest.mark.parametrize(
    "caption",
    ["Child - Website", "Website - to do", "childConsent - website", "Website photo taken"],
)
def test_a_heading_about_the_child_or_a_task_grants_nothing(caption: str) -> None:
    rows = wide_rows()
    rows[0][4] = caption
    assert not {purpose for _, purpose in granted(rows)} & {"website"}
