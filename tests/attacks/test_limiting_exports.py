"""Something around the answers of an export limits or ends them: nothing is granted unasked.

A line outside the table, a sheet's name, a key, a mark beside a name, a year in a cell, a heading
above the headings. Each kind has harmless neighbours, which must not stop an ordinary file.
"""

from __future__ import annotations

import pytest

from consent_gate.register.snapshot import RegisterSnapshot
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.prepare import ImportContext, prepare, read_export
from sims_import.reconcile import Change, ChangeKind
from sims_import.text.caution import sheet_may_mean_no
from tests.support.consent_files import (
    IDENTITY,
    granted,
    prepared_import,
    standing,
    wide_rows,
    with_column,
)
from tests.support.export_files import workbook
from tests.support.sims_school import TODAY, encode_csv

LIMITING_TITLES = (
    *("Spring 22", "Photo consent Spring 22", "Summer term 25", "July 25", "Consent AY24-25"),
    *("From January 2028", "Effective from 01/01/2028", "Consents for 2028/29"),
    *(
        "CP",
        "CP list",
        "DNP",
        "Red list",
        "Names in blue",
        "SPECIMEN",
        "Nativity",
        "Parents to reply",
    ),
    *("Consent form went home", "Video", "Names on", "\u2717 all", "Friday club"),
    *("Dim lluniau", "Heb ganiat\u00e2d", "Peidiwch \u00e2 thynnu lluniau", "Gwanwyn 22"),
    *("Keine Fotos", "Ohne Einwilligung", "Widerrufen", "Vorjahr", "Brak zgody", "Zesz\u0142y rok"),
    *(
        "Pas de photos",
        "Sin permiso",
        "Gan cead",
        "\u0645\u0645\u0646\u0648\u0639",
        "\u65e0\u540c\u610f",
    ),
)
USUAL_TITLES = (
    *("Photo consent Autumn 2026", "Consents 26/27", "Photo consents - whole school", "KS2"),
    *("Millfields CP School", "Ysgol Gynradd Millfields", "Miss Hill's class", "Year 3, 4 and 5"),
    *("Millfields Primary School, Mill Lane, Millfields AB1 2CD", "Tel: 01234 567890"),
    *(
        "Caniat\u00e2d i dynnu lluniau",
        "Printed by jsmith",
        "Report name: Photo consent",
        "Grand total 6",
    ),
    *("Confidential", "CONFIDENTIAL - for staff use only", "Head teacher: Mrs J Smith"),
    *(
        "This report contains personal data. Do not leave unattended.",
        "Please dispose of securely.",
    ),
    *("This information must not be disclosed to third parties.", "GDPR"),
)
OTHER_KEYS = (
    "Y = no",
    "Y: refused",
    "Y = internal",
    "Y = form sent",
    "N = yes",
    "Y = nage",
    "1 = 2 parents",
    *("Y = yes (2024 form)", "Y=yes (class displays)", "Y = yes (form A)", "Y = yes [Year 3]"),
    *("Y = yes, 2024 form, N = no", "Yes = consent; forms of Year 3; No = refused"),
    "Y Yes (form A)",
)
USUAL_KEYS = (
    "Y = yes, N = no",
    "Y = consent, N = no permission",
    "Y - Yes  N - No",
    "blank = no consent",
    "Photo consent 2026/27. Key: Y = yes, N = no (do not edit)",
)


@pytest.mark.parametrize("title", [*LIMITING_TITLES, *OTHER_KEYS])
def test_a_title_or_footer_that_is_not_understood_stops_grants(title: str) -> None:
    assert granted([[title], *wide_rows()]) == set()
    assert granted([*wide_rows(), [], [title]]) == set()


@pytest.mark.parametrize("title", [*USUAL_TITLES, *USUAL_KEYS])
def test_a_usual_title_stops_nothing(title: str) -> None:
    assert standing([[title], *wide_rows()]) == []


@pytest.mark.parametrize("title", ["CP", "2023-24"])
def test_a_sheet_with_such_a_name_grants_nothing(title: str) -> None:
    assert granted(workbook((title, wide_rows()))) == set()  # type: ignore[arg-type]


def test_a_sheet_may_have_the_name_of_a_class() -> None:
    assert len(granted(workbook(("Kingfishers", wide_rows())))) == 24  # type: ignore[arg-type]


@pytest.mark.parametrize("title", ["Dim lluniau", "DNP", "Keine Fotos", "Friday trip", "Y = no"])
def test_names_of_sheets_are_read_as_titles_are(title: str) -> None:
    assert sheet_may_mean_no(title)


@pytest.mark.parametrize(
    "line",
    [
        ["Y", "=", "No consent"],
        ["Key", "Y = refused"],
        ["", "(no photos)"],
        ["CP"],
        ["24/25"],
        ["Y", "No"],
        ["", "Not face"],
    ],
)
def test_a_line_between_the_pupils_that_is_no_pupil_is_not_passed_over(line: list[str]) -> None:
    rows = wide_rows()
    assert granted([*rows[:4], [*line, *[""] * (8 - len(line))], *rows[4:]]) == set()
    assert granted([*rows, [*line, *[""] * (8 - len(line))]]) == set()


def test_a_pupil_without_a_number_is_no_such_line() -> None:
    rows = [*wide_rows(), ["", "Page", "Eve", "3W", "No", "No", "No", "No"]]
    assert standing(rows) == []


@pytest.mark.parametrize(
    "heading", ["CP", "Video", "Spring 22", "Dim caniat\u00e2d", "\u2717", "Names on"]
)
def test_a_heading_above_the_headings_is_not_passed_over(heading: str) -> None:
    assert granted([["", "", "", "", heading, "", "", ""], *wide_rows()]) == set()


@pytest.mark.parametrize(
    "name",
    [
        *("* {}", "{} *", "{} (left)", "{} - NO PHOTOS", "{} (CP)", "ZZ {}", "{} \u2020", "{} NO"),
        *("(not) {}", "~{}~", "{} (dim lluniau)", "{} - leaver", "{} [withdrawn]"),
    ],
)
def test_a_mark_beside_a_name_or_a_class_stops_grants(name: str) -> None:
    for column in (1, 3):
        rows = wide_rows()
        rows[2][column] = name.format(rows[2][column])
        assert standing(rows) == ["negative-heading"]
        assert granted(rows) == set()


@pytest.mark.parametrize(
    ("forename", "surname"),
    [
        ("Will", "Foster"),
        ("Hope", "Court"),
        ("Ann (Annie)", "Moss-Page"),
        ("Mary Jo", "O'Dea"),
        ("Iv?n", "Ili?"),
        ("No", "Ban"),
    ],
)
def test_a_name_that_is_an_english_word_stops_nothing(forename: str, surname: str) -> None:
    rows = wide_rows()
    rows[2][1:3] = [surname, forename]
    assert standing(rows) == []


@pytest.mark.parametrize("group", ["Leaver", "LEFT", "LVR", "Alumni", "Former", "Pre-admission"])
def test_a_class_of_those_who_left_or_will_come_stops_grants(group: str) -> None:
    rows = wide_rows()
    rows[2][3] = group
    assert granted(rows) == set()


@pytest.mark.parametrize("caption", ["Academic year", "Term", "Collected", "Year"])
@pytest.mark.parametrize("text", ["2024/25", "24/25", "Spring 22"])
def test_a_year_that_has_ended_in_a_cell_stops_grants(caption: str, text: str) -> None:
    assert standing(
        with_column(caption, {n: text if n > 3 else "2026/27" for n in range(1, 7)})
    ) == ["old-title"]


def test_a_current_year_in_a_cell_stops_nothing() -> None:
    assert standing(with_column("Academic year", dict.fromkeys(range(1, 7), "2026/27"))) == []


def test_two_schools_in_the_lines_outside_the_table_stop_grants() -> None:
    rows = [["Millfields Primary School"], *wide_rows()]
    assert standing([*rows[:5], ["Oakdale Academy"], *rows[5:]]) == ["several-schools"]
    assert standing([*rows, ["Millfields Primary School, Mill Lane"]]) == []


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        *(
            ("Notes", text)
            for text in ("CP", "X", "leave out", "take down", "dim lluniau", "see email 3/10")
        ),
        *(("Notes", text) for text in ("Mum rang 3/10", "hiding from ex-partner", "keine Fotos")),
        *(
            ("Looked after", "Y"),
            ("In care", "Yes"),
            ("CP", "Y"),
            ("Colour", "Red"),
            ("Renew by", "01/09/2025"),
        ),
        *(
            ("Mother / Father", "Y / N"),
            ("Reason for leaving", "Moved"),
            ("Zgoda", "Nie"),
            ("Dim llun", "Oes"),
        ),
        ("Establishment number", "1"),
    ],
)
def test_a_column_beside_the_answers_is_not_passed_over(caption: str, text: str) -> None:
    found = granted(with_column(caption, {1: "2" if text == "1" else "", 2: text}))
    assert not {purpose for pupil, purpose in found if pupil == "000002"}


@pytest.mark.parametrize(
    "caption", ["CP", "Looked after", "Child protection", "LAC", "Restrictions"]
)
def test_a_safeguarding_column_without_a_yes_stops_nothing(caption: str) -> None:
    assert standing(with_column(caption, dict.fromkeys(range(1, 7), "No"))) == []
    assert standing(with_column(caption, {1: "-", 2: "None"})) == []


@pytest.mark.parametrize("text", ["!", "?", "Pending", "Yes", "see file"])
def test_a_safeguarding_column_with_anything_else_stops_grants(text: str) -> None:
    assert (
        granted(with_column("Safeguarding flag", {**dict.fromkeys(range(1, 7), "No"), 3: text}))
        == set()
    )


@pytest.mark.parametrize("extra", ["24/25", "22", "'24"])
def test_a_year_in_the_heading_of_a_use_grants_nothing(extra: str) -> None:
    rows = wide_rows()
    rows[0][4] = f"Website {extra}"
    assert "website" not in {purpose for _, purpose in granted(rows)}


@pytest.mark.parametrize("caption", ["Email Address", "Username", "Answered by"])
def test_a_later_yes_of_somebody_else_beats_no_no(caption: str) -> None:
    head = ["Adno", "Surname", "Website", caption, "Date"]
    rows = [
        head,
        ["1", "Moss", "No", "a@x", "01/09/2026"],
        ["1", "Moss", "Yes", "b@x", "05/09/2026"],
    ]
    assert granted(rows) == set()


# --- ordinary files that were asked about ----------------------------------------------------


def test_row_numbers_without_a_heading_stop_nothing() -> None:
    numbers = ["", *map(str, range(1, 7))]
    rows = [[number, *row] for number, row in zip(numbers, wide_rows(), strict=True)]
    assert standing(rows) == []
    rows[3][0] = "x"
    assert standing(rows) == ["open-questions"]


def test_counts_below_the_answers_stop_nothing() -> None:
    assert standing([*wide_rows(), ["Total", "", "", "", "6", "6", "6", "6"]]) == []


def test_a_grid_of_google_forms_is_understood() -> None:
    rows = wide_rows({2: ["Disagree"] * 4, 3: ["Agree"] * 4})
    rows[0] = [
        *IDENTITY,
        *(f"I give permission for [{use}]" for use in ("Website", "Mag", "Displays", "Biometric")),
    ]
    assert standing(rows) == []
    assert len(granted(rows)) == 20
    rows[0][4] = "I give permission for [not website]"
    assert "website" not in {purpose for _, purpose in granted(rows)}


@pytest.mark.parametrize("text", ["Yes", "10/09/2026"])
def test_a_form_that_everybody_returned_stops_nothing(text: str) -> None:
    cells = dict.fromkeys(range(1, 7), text)
    assert standing(with_column("Form returned", cells)) == []
    assert standing(with_column("Form returned", {**cells, 2: ""})) == ["open-questions"]
    assert standing(with_column("Form returned", {**cells, 2: "No"})) == ["open-questions"]


def test_messages_quote_no_cell() -> None:
    rows = [*wide_rows(), ["Key", "Moss withdrew", "", "", "", "", "", ""]]
    rows[2][1] = "Moss (CP)"
    messages = " ".join(block.message for block in prepared_import(encode_csv(rows)).blocks)
    assert "Moss" not in messages


# --- the name of the file ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *(
            "No consent.csv",
            "WITHDRAWN.csv",
            "Do not photograph.csv",
            "consents OLD.csv",
            "TEST.csv",
        ),
        *("Photo consent 2024-25.csv", "Spring 22.csv", "CP list.csv", "Leavers.csv", "draft.csv"),
    ],
)
def test_a_file_with_such_a_name_grants_nothing(name: str) -> None:
    assert granted_by_file(name) == []


@pytest.mark.parametrize(
    "name",
    [
        *("export (1).csv", "consent 2026-27.csv", "Photo consents - all pupils.csv", "SIMS.csv"),
        *("b20_no_photos.csv", "september.csv", "consent_20261112.csv", "no extension"),
    ],
)
def test_a_file_with_another_name_is_read(name: str) -> None:
    assert len(granted_by_file(name)) == 24


def granted_by_file(name: str) -> list[Change]:
    context = ImportContext()
    table = read_export(encode_csv(wide_rows()), name, context)
    prepared = prepare(table, RegisterSnapshot(), context, TODAY)
    done = gate_plan(prepared.plan, prepared.blocks, ())
    return [change for change in done.apply_now if change.kind is ChangeKind.GRANTED]
