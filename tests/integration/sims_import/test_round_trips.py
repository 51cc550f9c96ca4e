"""Any register, written in any shape and encoding, reads back equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_gate.model import Answer, Consent
from consent_gate.register.identifiers import UPN_LETTERS
from consent_gate.register.snapshot import RegisterPupil
from sims_import.readers.csv import DELIMITERS
from tests.support.budgets import examples
from tests.support.sims_school import ALL, prepare_import
from tests.support.sims_writers import (
    cell_rows,
    long_rows,
    to_csv,
    to_xls,
    to_xlsx,
    to_xml,
    wide_rows,
    with_titles,
)


@st.composite
def upns(draw: st.DrawFn) -> str:
    digits = draw(st.text("0123456789", min_size=12, max_size=12))
    total = sum(int(d) * place for place, d in enumerate(digits, start=2))
    return UPN_LETTERS[total % 23] + digits


names = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from("ABDEGJMO\u00c9\u00d1\u017b\u0141"),
    st.text("abdegmo\u00e9\u00f1\u00fc'- ,;\"|", max_size=8).map(lambda s: " ".join(s.split())),
).map(str.strip)
windows_names = names.filter(lambda name: not set(name) & set("\u017b\u0141"))


def registers(name: st.SearchStrategy[str]) -> st.SearchStrategy[list[RegisterPupil]]:
    pupil = st.builds(
        lambda number, upn, forename, surname, answers, never: RegisterPupil(
            f"{number:06}",
            upn,
            forename,
            surname,
            consents=dict(zip(ALL, map(Consent, answers), strict=True)),
            never_publish=never,
        ),
        st.integers(1, 999_999),
        st.one_of(st.just(""), upns()),
        name,
        name,
        st.tuples(*[st.sampled_from(list(Answer))] * 4),
        st.booleans(),
    )
    return st.lists(pupil, min_size=1, max_size=6, unique_by=lambda p: p.admission_number)


words = st.fixed_dictionaries(
    {
        Answer.GIVEN: st.sampled_from(["T", "True", "Y", "Yes", "1", "TRUE", "\u2713"]),
        Answer.REFUSED: st.sampled_from(["F", "False", "N", "No", "0", "Refused"]),
        Answer.NOT_STATED: st.sampled_from(["", "-", "n/a"]),
    }
)
plain_words = words.filter(lambda w: w[Answer.GIVEN].isascii())


def read_back(data: bytes) -> dict[str, Any]:
    return {
        record.admission_number: (
            record.upn or "",
            record.forename,
            record.surname,
            {name: consent.answer for name, consent in record.consents.items()},
            bool(record.never_publish),
        )
        for record in prepare_import(data).plan.roster.records
    }


def written(pupils: list[RegisterPupil], *, ticks: bool = False) -> dict[str, Any]:
    """What was written; a tick or a list has no way to write a refusal."""
    unsaid = {Answer.REFUSED: Answer.NOT_STATED} if ticks else {}
    return {
        p.admission_number: (
            p.upn,
            p.forename,
            p.surname,
            {name: unsaid.get(c.answer, c.answer) for name, c in p.consents.items()},
            p.never_publish,
        )
        for p in pupils
    }


@settings(max_examples=examples(100), deadline=None)
@given(registers(names), words, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.booleans())
def test_wide_in_any_encoding(
    pupils: list[RegisterPupil], yes: dict[Answer, str], encoding: str, titles: bool
) -> None:
    rows = wide_rows(pupils, yes)
    rows = with_titles(rows, len(pupils)) if titles else rows
    assert read_back(to_csv(rows, encoding)) == written(pupils)


@settings(max_examples=examples(100), deadline=None)
@given(registers(windows_names), plain_words)
def test_wide_in_windows_1252(pupils: list[RegisterPupil], yes: dict[Answer, str]) -> None:
    assert read_back(to_csv(wide_rows(pupils, yes), "cp1252")) == written(pupils)


@settings(max_examples=examples(100), deadline=None)
@given(registers(names), plain_words, st.sampled_from(DELIMITERS))
def test_wide_with_any_delimiter(
    pupils: list[RegisterPupil], yes: dict[Answer, str], delimiter: str
) -> None:
    assert read_back(to_csv(wide_rows(pupils, yes), delimiter=delimiter)) == written(pupils)


@settings(max_examples=examples(100), deadline=None)
@given(registers(names), plain_words, st.randoms())
def test_wide_with_columns_in_any_order(
    pupils: list[RegisterPupil], yes: dict[Answer, str], random: Any
) -> None:
    columns = list(zip(*wide_rows(pupils, yes), strict=True))
    random.shuffle(columns)
    rows = [list(row) for row in zip(*columns, strict=True)]
    assert read_back(to_csv(rows)) == written(pupils)


@settings(max_examples=examples(100), deadline=None)
@given(registers(names), st.sampled_from(["utf-8", "utf-16"]), st.sampled_from(",;\t|"))
def test_types_in_one_cell(pupils: list[RegisterPupil], encoding: str, delimiter: str) -> None:
    named = any(c.answer is Answer.GIVEN for p in pupils for c in p.consents.values())
    data = to_csv(cell_rows(pupils), encoding, delimiter)
    if named:
        assert read_back(data) == written(pupils, ticks=True)
    else:
        assert all(Answer.GIVEN not in row[3].values() for row in read_back(data).values())


@settings(max_examples=examples(100), deadline=None)
@given(registers(names), plain_words, st.booleans())
def test_one_row_per_type(
    pupils: list[RegisterPupil], yes: dict[Answer, str], titles: bool
) -> None:
    rows = long_rows(pupils, yes)
    rows = with_titles(rows, len(pupils)) if titles else rows
    assert read_back(to_csv(rows)) == written(pupils)


@settings(max_examples=examples(20), deadline=None)
@given(
    registers(names),
    plain_words,
    st.sampled_from(["wide", "cell", "long"]),
    st.booleans(),
    st.sampled_from([to_xlsx, to_xls]),
)
def test_in_a_workbook_that_ate_the_zeros(
    pupils: list[RegisterPupil],
    yes: dict[Answer, str],
    shape: str,
    titles: bool,
    write: Callable[[list[list[str]]], bytes],
) -> None:
    rows = {
        "wide": wide_rows(pupils, yes),
        "cell": cell_rows([*pupils, FULL]),
        "long": long_rows(pupils, yes),
    }[shape]
    rows = with_titles(rows, len(pupils)) if titles else rows
    expected = written([*pupils, FULL], ticks=True) if shape == "cell" else written(pupils)
    assert read_back(write(rows)) == expected


@settings(max_examples=examples(100), deadline=None)
@given(registers(names), plain_words)
def test_in_command_reporter_xml(pupils: list[RegisterPupil], yes: dict[Answer, str]) -> None:
    # A field that nobody has isn't in the XML at all, so one pupil has everything.
    rows = wide_rows([*pupils, FULL], yes)
    assert read_back(to_xml(rows)) == written([*pupils, FULL])


FULL = RegisterPupil(
    "A00001",
    "E204340217648",
    "Full",
    "House",
    consents={name: Consent(Answer.GIVEN) for name in ALL},
    never_publish=True,
)


@pytest.mark.parametrize(
    "surname", ["O'Brien", "N\u00fa\u00f1ez", "\u017bak", "de la Cruz", "St. John"]
)
def test_names_keep_their_accents_and_apostrophes(surname: str) -> None:
    pupil = RegisterPupil("004123", "", "Zo\u00eb", surname, consents=FULL.consents)
    words = {Answer.GIVEN: "T", Answer.REFUSED: "F", Answer.NOT_STATED: ""}
    for data in (to_csv(wide_rows([pupil], words), "utf-16"), to_xml(wide_rows([pupil], words))):
        assert read_back(data)["004123"][1:3] == ("Zo\u00eb", surname)
