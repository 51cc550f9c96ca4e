"""A row whose cells have slipped, a second list, or a row without a number grants nothing."""

from __future__ import annotations

import pytest

from tests.support.consent_files import granted, standing, wide_rows, with_column
from tests.support.sims_school import encode_csv


def with_upn() -> list[list[str]]:
    rows = wide_rows()
    for number, row in enumerate(rows):
        row.insert(1, f"A{204000000000 + number}" if number else "UPN")
    return rows


@pytest.mark.parametrize("missing", range(5))
@pytest.mark.parametrize("padded", [True, False])
def test_a_cell_that_is_missing_before_the_answers_is_noticed(missing: int, padded: bool) -> None:
    rows = with_upn()
    del rows[2][missing]
    if padded:
        rows[2].append("")
    assert "rows-left-out" in standing(rows)
    assert granted(rows) == set()


def test_a_short_row_in_a_file_without_blanks_is_noticed() -> None:
    rows = wide_rows()
    del rows[2][5]
    assert standing(rows) == ["rows-left-out"]


def test_rows_without_their_last_blanks_stop_nothing() -> None:
    rows = wide_rows({2: ["Yes", "", "Yes"], 4: ["Yes", "", "Yes", "Yes"]})
    assert standing(rows) == []


def test_a_child_called_no_in_a_class_called_y_stops_nothing() -> None:
    rows = wide_rows()
    rows[2][1:4] = ["No", "True", "Y"]
    assert standing(rows) == []


def test_a_row_without_a_number_that_has_the_name_of_a_listed_pupil_stops_grants() -> None:
    rows = [*wide_rows(), ["", "Moss", "Ada", "3W", "No", "No", "No", "No"]]
    rows[2][1:3] = ["Moss", "Ada"]
    assert standing(rows) == ["rows-left-out"]
    rows[-1][1] = "Page"
    assert standing(rows) == []


def test_a_second_list_of_names_beside_the_first_stops_grants() -> None:
    rows = wide_rows()
    beside = [[row[1], row[2], row[4]] for row in rows]
    second = [beside[0], *beside[2:], [""] * 3]
    both = [[*row, *other] for row, other in zip(rows, second, strict=True)]
    assert "rows-left-out" in standing(both)


@pytest.mark.parametrize(
    "line",
    [
        ["", "", "", "", "4", "3", "3", "2"],
        ["Average", "", "", "", "60%", "50 %", "70%", "80%"],
        ["Yes", "", "", "", "5", "4", "6", "2"],
        ["--- end ---", *[""] * 7],
        ["Continued", *[""] * 7],
    ],
)
def test_counts_and_ends_of_pages_stop_nothing(line: list[str]) -> None:
    rows = wide_rows()
    assert standing([*rows[:4], line, *rows[4:]]) == []
    assert len(granted([*rows[:4], line, *rows[4:]])) == 24
    assert standing([*wide_rows(), line]) == []


def test_the_sign_that_ends_a_file_of_dos_stops_nothing() -> None:
    assert len(granted(encode_csv(wide_rows()) + b"\x1a")) == 24


@pytest.mark.parametrize("line", ["N", "0", "No", "Refused 4 3 3 2", "\u2717"])
def test_an_answer_alone_in_a_line_may_be_the_answer_of_the_pupils_below(line: str) -> None:
    rows = wide_rows()
    assert granted([*rows[:4], [line, *[""] * 7], *rows[4:]]) == set()


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        *(("Version", "1 of 2"), ("Action", "Delete"), ("Superseded by", "12"), ("Valid", "1 yr")),
        *(("Duration", "1 year"), ("Take down by", "12/03/2026"), ("Year of form", "2023")),
        *(("Last confirmed", "2019"), ("Safeguarding", "see DSL"), ("Latest", "other")),
    ],
)
def test_a_column_that_may_limit_one_answer_stops_grants(caption: str, text: str) -> None:
    assert granted(with_column(caption, {2: text})) == set()


def test_a_version_that_all_forms_have_stops_nothing() -> None:
    assert standing(with_column("Form version", dict.fromkeys(range(1, 7), "v03"))) == []
