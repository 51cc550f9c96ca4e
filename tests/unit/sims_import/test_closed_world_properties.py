"""Whatever is added to an export, it never grants more; columns that move never do so unseen."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sims_import.text.caption_meaning import meaning_of_caption
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Role
from tests.support.budgets import examples
from tests.support.consent_files import (
    EVERYTHING,
    cell_rows,
    granted,
    known_school,
    long_rows,
    standing,
    wide_rows,
)
from tests.support.sims_school import HEADER, wide_row

FEW = settings(max_examples=examples(60), deadline=None)
ANSWERS = {1: ["Yes", "No", "", "Yes"], 2: ["No"] * 4, 3: ["", "Yes", "No", ""]}
IDENTITIES = frozenset(
    {
        Role.ADMISSION_NUMBER,
        Role.UPN,
        Role.FORENAME,
        Role.SURNAME,
        Role.DISPLAY_NAME,
        Role.REG_GROUP,
        Role.YEAR,
    }
)
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12
)
NEGATIVE = st.sampled_from(
    ["No", "not", "never", "Declined: ", "withdrawn", "refused", "opt out", "except", "without"]
)
SIGN = st.sampled_from(
    ["\u2717", "\u2718", "\u2610", "[ ]", "[x]", "-", "\u2013", "?", "0", "~", "+", "!"]
)
ADDED = st.one_of(PLAIN, NEGATIVE, SIGN)
CELL = st.one_of(
    PLAIN,
    NEGATIVE,
    SIGN,
    st.sampled_from(["Yes", "No", "T", "F", "x", "1", "0", "03/10/2026", "see notes", "#N/A"]),
)


@FEW
@given(
    caption=st.one_of(
        PLAIN, NEGATIVE, SIGN, st.sampled_from(["Website", "Status", "Notes", "Mag"])
    ),
    cells=st.lists(CELL, min_size=6, max_size=6),
    at=st.integers(0, 8),
)
def test_another_column_never_adds_a_grant(caption: str, cells: list[str], at: int) -> None:
    assume(meaning_of_caption(caption, DEFAULT_VOCABULARY).role not in IDENTITIES)
    rows = wide_rows(ANSWERS)
    before = granted(rows)
    changed = [[*row] for row in rows]
    for row, text in zip(changed, [caption, *cells], strict=True):
        row.insert(at, text)
    assert granted(changed) <= before


@FEW
@given(
    added=ADDED,
    end=st.booleans(),
    row=st.integers(1, 6),
    column=st.integers(4, 7),
    space=st.booleans(),
)
def test_something_before_or_after_an_answer_never_adds_a_grant(
    added: str, end: bool, row: int, column: int, space: bool
) -> None:
    rows = wide_rows(ANSWERS)
    before = granted(rows)
    gap = " " if space else ""
    text = rows[row][column]
    rows[row][column] = f"{text}{gap}{added}" if end else f"{added}{gap}{text}"
    # A blank with a whole answer in it is an answer.
    assume(text or not granted(rows) - before)
    assert granted(rows) <= before


@FEW
@given(added=ADDED, end=st.booleans(), column=st.integers(4, 7), space=st.booleans())
def test_something_before_or_after_a_heading_never_adds_a_grant(
    added: str, end: bool, column: int, space: bool
) -> None:
    rows = wide_rows(ANSWERS)
    before = granted(rows)
    gap = " " if space else ""
    text = rows[0][column]
    rows[0][column] = f"{text}{gap}{added}" if end else f"{added}{gap}{text}"
    assert granted(rows) <= before


@FEW
@given(added=ADDED, at=st.integers(0, len(EVERYTHING)), row=st.integers(1, 6))
def test_something_within_a_list_of_types_never_adds_a_grant(added: str, at: int, row: int) -> None:
    cells = {1: "School Website", 2: "", 3: "Declined: School Website, Biometric"}
    before = granted(cell_rows(cells))
    rows = cell_rows(cells)
    text = rows[row][2]
    rows[row][2] = text[:at] + added + text[at:]
    assert granted(rows) <= before


@FEW
@given(cells=st.lists(CELL, min_size=8, max_size=8), caption=ADDED)
def test_another_column_beside_consent_types_never_adds_a_grant(
    cells: list[str], caption: str
) -> None:
    assume(meaning_of_caption(caption, DEFAULT_VOCABULARY).role not in IDENTITIES)
    rows = long_rows(["Consent Type", "Consent Given"], ["Yes"], ["No"])
    before = granted(rows)
    changed = [[*row, text] for row, text in zip(rows, [caption, *cells], strict=True)]
    assert granted(changed) <= before


@FEW
@given(title=st.one_of(ADDED, st.tuples(PLAIN, NEGATIVE).map(" ".join)), at=st.integers(0, 6))
def test_another_line_never_adds_a_grant(title: str, at: int) -> None:
    rows = wide_rows(ANSWERS)
    before = granted(rows)
    assert granted([*rows[:at], [title], *rows[at:]]) <= before


FIRST_CONSENT = HEADER.index("Photograph - Website")
LAST = len(HEADER) - 1


@FEW
@given(one=st.integers(0, LAST), other=st.integers(0, LAST))
def test_two_headings_that_change_places_never_grant_unseen(one: int, other: int) -> None:
    before, context = known_school()
    rows = [list(HEADER), *map(wide_row, before.pupils.values())]
    rows[0][one], rows[0][other] = rows[0][other], rows[0][one]
    assert granted(rows, before, context) == set()


@FEW
@given(
    start=st.integers(FIRST_CONSENT, LAST),
    right=st.booleans(),
    rotates=st.booleans(),
)
def test_columns_that_slide_never_grant_unseen(start: int, right: bool, rotates: bool) -> None:
    before, context = known_school()
    rows = [list(HEADER), *map(wide_row, before.pupils.values())]
    for row in rows[1:]:
        moved = row[start:]
        if right:
            moved = [moved[-1] if rotates else "", *moved[:-1]]
        else:
            moved = [*moved[1:], moved[0] if rotates else ""]
        row[start:] = moved
    assert granted(rows, before, context) == set() or standing(rows, before=before, context=context)
