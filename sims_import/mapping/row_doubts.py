"""Finds rows that are no pupils, and marks beside names, that may say no. Pure.

``doubts`` makes messages of them. They name rows and headings and quote no cell, because it may
hold a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from consent_gate.model import Answer
from consent_gate.register.identifiers import read_admission_number
from sims_import.mapping.columns import values
from sims_import.readers.interface import Row, Table
from sims_import.text.caution import (
    class_may_mean_no,
    is_placeholder,
    name_may_mean_no,
    sheet_may_mean_no,
    title_may_mean_no,
)
from sims_import.text.title_years import is_period
from sims_import.text.values import read_answer
from sims_import.text.vocabulary import Meaning, Role
from sims_import.text.words import key, word_set, words

_NAMES = frozenset(
    {
        Role.FORENAME,
        Role.SURNAME,
        Role.PREFERRED_FORENAME,
        Role.PREFERRED_SURNAME,
        Role.DISPLAY_NAME,
    }
)
_CLASSES = frozenset({Role.REG_GROUP, Role.YEAR})
_MAY_BE_KEYS = frozenset({Role.UNKNOWN, Role.UNCLEAR, Role.GENERAL, Role.REFUSAL})
_SIGNS = frozenset({"tick", "ticks", "cross"})
_SHORT = 4
"""Most letters of a heading that may be an answer."""
_FEW = 3
"""How many headings a message quotes."""
_PERIODS = frozenset({Role.YEAR, Role.UNKNOWN, Role.UNCLEAR, Role.GENERAL, Role.NOTE})
_NAME = re.compile(r"[^\W\d_][^\d_=:*()\[\]]*")
_UPN_LENGTH = 13
_YEAR = re.compile(r"(19|20)\d\d")
_OF_ANSWERS = word_set(
    "form forms consent consents confirmed signed checked reviewed renewed returned answered"
)
_WHOLE_NAME = 2
"""A forename and a surname."""


def other_rows(table: Table, columns: tuple[Meaning, ...]) -> Iterator[tuple[Row, str]]:
    """Each row that is no pupil, such as a key below the pupils, with its text."""
    for row in table.rows:
        if not _is_pupil(row, columns):
            yield row, " ".join(cell for cell in row.cells if cell)


def _is_pupil(row: Row, columns: tuple[Meaning, ...]) -> bool:
    """Whether a row has a number or UPN, or else the whole name of somebody."""
    numbers = [
        c for c, m in zip(row.cells, columns, strict=True) if m.role is Role.ADMISSION_NUMBER
    ]
    upns = [c for c, m in zip(row.cells, columns, strict=True) if m.role is Role.UPN]
    if any(read_admission_number(text) and not is_period(text) for text in numbers if text):
        return True
    if any(len(upn) == _UPN_LENGTH and any(c.isdigit() for c in upn) for upn in upns):
        return True
    named = [c for c, m in zip(row.cells, columns, strict=True) if m.role in _NAMES and c]
    whole = len(named) >= _WHOLE_NAME or any(len(name.split()) >= _WHOLE_NAME for name in named)
    no_word = all(any(c.isdigit() for c in text) for text in numbers if text)
    return whole and no_word and all(map(_NAME.fullmatch, named))


def row_messages(
    table: Table, columns: tuple[Meaning, ...], names: Collection[str]
) -> Iterator[str]:
    """A message for each row that is no pupil and may change what the list says.

    Args:
        table: The export's rows.
        columns: What its columns are for.
        names: Words that titles may have in this file.
    """
    for row, text in other_rows(table, columns):
        if title_may_mean_no(text, names) or read_answer(text) is Answer.REFUSED:
            yield f"Row {row.number} names no pupil and may say no to the list or to a part of it."


def key_messages(table: Table, columns: tuple[Meaning, ...]) -> Iterator[str]:
    """A message for headings over nothing that may be a key: ``Yes`` beside ``do not use``."""
    empty = [
        table.captions[at]
        for at, meaning in enumerate(columns)
        if meaning.role in _MAY_BE_KEYS and not values(table, at)
    ]
    signs = [text for text in empty if key(text) in _SIGNS or _is_short_yes(text)]
    if signs and sheet_may_mean_no(" ".join(empty)):
        shown = ", ".join(f"'{text[:40]}'" for text in empty[:_FEW])
        yield f"Nothing stands below the headings {shown}. They may say what an answer means."


def _is_short_yes(text: str) -> bool:
    """Whether a heading is an answer. ``Confirmed`` is one too, and a usual heading."""
    return read_answer(text) is Answer.GIVEN and len(text) <= _SHORT


def name_messages(table: Table, columns: tuple[Meaning, ...]) -> Iterator[str]:
    """A message for each column of names or classes in which something beside a name may say no.

    A row of nobody, such as ``Test Pupil``, is named too.
    """
    for row in table.rows:
        named = [c for c, m in zip(row.cells, columns, strict=True) if m.role in _NAMES and c]
        if is_placeholder(named):
            yield f"Row {row.number} seems to be an example and no pupil."
    for at, meaning in enumerate(columns):
        says_no = class_may_mean_no if meaning.role in _CLASSES else name_may_mean_no
        if meaning.role not in _CLASSES | _NAMES:
            continue
        marked = {text for text in values(table, at) if says_no(text)}
        rows = [row.number for row in table.rows if row.cells[at] in marked]
        if rows:
            yield (
                f"Something beside a name under '{table.captions[at]}' may say no "
                f"(row {rows[0]}{' and more' if len(rows) > 1 else ''})."
            )


def dates_answers(caption: str) -> bool:
    """Whether a caption may be that of the year of an answer or of a form."""
    return bool(set(words(caption)) & _OF_ANSWERS)


def _may_date(caption: str, meaning: Meaning) -> bool:
    """Whether a year in a column may be that of the answers. A year group is no such year."""
    return meaning.role is Role.YEAR or dates_answers(caption)


def periods(table: Table, columns: tuple[Meaning, ...]) -> tuple[str, ...]:
    """The school years and terms that stand in cells: ``2024/25``, ``Spring 22``."""
    return tuple(
        dict.fromkeys(
            text
            for at, (caption, meaning) in enumerate(zip(table.captions, columns, strict=True))
            if meaning.role in _PERIODS
            for text in values(table, at)
            if is_period(text) or (_may_date(caption, meaning) and _YEAR.fullmatch(text))
        )
    )
