"""Finds what was not understood in an export and may mean no. Each such doubt stops new grants.

Pure. A doubt has a code that a person may accept, and a message that quotes the file's headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from consent_gate.model import Answer
from sims_import.mapping.columns import values
from sims_import.mapping.questions import UnknownAnswer, notes_in_doubt
from sims_import.mapping.row_doubts import key_messages, name_messages, other_rows, row_messages
from sims_import.mapping.school_doubts import school_messages
from sims_import.mapping.unknown_columns import unknown_column_matters
from sims_import.readers.interface import MarkKind, Table
from sims_import.text.caption_meaning import uses_named_in
from sims_import.text.caution import no_date, sheet_matters, title_may_mean_no
from sims_import.text.cells import answer_key, pieces_in
from sims_import.text.consent_words import OFF_ROLL, ON_ROLL
from sims_import.text.own_school import own_words, without_own_name
from sims_import.text.values import read_answer
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import key, words

_FEW = 3
"""How many examples a message quotes."""
_CLASSES = frozenset({Role.REG_GROUP, Role.YEAR})
_OPEN_TYPES = frozenset({Role.UNCLEAR, Role.GENERAL})


class DoubtCode(StrEnum):
    """The code of each kind of doubt, for ``--accept``."""

    QUESTIONS = "open-questions"
    HEADING = "negative-heading"
    ROWS = "rows-left-out"
    MARKS = "marks-in-workbook"
    SCHOOLS = "several-schools"


@dataclass(frozen=True)
class Doubt:
    """Something that was not understood."""

    code: DoubtCode
    message: str
    """One or two sentences for school staff. Quotes headings, never a cell: it may hold a name."""


def unknown_answers(
    table: Table, columns: tuple[Meaning, ...], answers: Mapping[str, Answer]
) -> dict[str, UnknownAnswer]:
    """Texts in consent columns that are no known answer. A person's ``answers`` count as known."""
    found: dict[str, UnknownAnswer] = {}
    for at, meaning in enumerate(columns):
        for cell, count in values(table, at).items():
            for text in _not_understood(cell, meaning.role):
                if answer_key(text) not in answers:
                    entry = found.setdefault(text, UnknownAnswer())
                    entry.count += count
                    entry.captions[table.captions[at]] = None
    return dict(sorted(found.items(), key=lambda item: -item[1].count))


def _not_understood(cell: str, role: Role) -> Iterator[str]:
    if role in {Role.CONSENT, Role.CONSENT_ANSWER} and read_answer(cell) is None:
        yield cell
    elif role in {Role.CONSENT_LIST, Role.CONSENT_TYPE}:
        yield from (piece.said for piece in pieces_in(cell, role) if piece.answer is None)
    elif not _leaving_is_known(cell, role):
        yield cell


def _leaving_is_known(text: str, role: Role) -> bool:
    """Whether a leaver flag or status is understood; True for columns of other roles."""
    if role is Role.LEAVER:
        return read_answer(text) is not None
    return role is not Role.ROLL_STATUS or _status_is_known(text)


def _status_is_known(text: str) -> bool:
    # CommandReporter writes the code before its meaning: ``C - Current``.
    return re.sub(r"^[a-z] - ", "", text.casefold()) in ON_ROLL or is_off_roll(text)


def is_off_roll(text: str) -> bool:
    """Whether a status says that the pupil is not, or no longer, at the school."""
    return text.casefold() in OFF_ROLL


def reading_doubts(  # noqa: PLR0913, PLR0917  each may hold a doubt
    table: Table,
    columns: tuple[Meaning, ...],
    types: Mapping[str, Meaning],
    pieces: Iterable[str],
    unknown: Mapping[str, UnknownAnswer],
    vocabulary: Vocabulary,
) -> tuple[Doubt, ...]:
    """Find everything in ``table`` that may mean no and was not understood."""
    names = _names(table, columns, vocabulary)
    return (
        *_open_columns(table, columns, vocabulary),
        *_open_types(pieces, types),
        *_open_answers(unknown),
        *_headings(table, names, vocabulary),
        *(Doubt(DoubtCode.HEADING, text) for text in row_messages(table, columns, names)),
        *(Doubt(DoubtCode.HEADING, text) for text in name_messages(table, columns)),
        *(Doubt(DoubtCode.ROWS, text) for text in table.left_out),
        *(Doubt(DoubtCode.HEADING, text) for text in key_messages(table, columns)),
        *_two_lists(table, columns),
        *_marks(table, columns),
        *_schools(table, columns, vocabulary),
    )


def _open_columns(
    table: Table, columns: tuple[Meaning, ...], vocabulary: Vocabulary
) -> Iterator[Doubt]:
    answered = {name for m in columns if m.role is Role.CONSENT for name in m.purposes}
    for at, meaning in enumerate(columns):
        texts = values(table, at)
        if not texts:
            continue
        caption = table.captions[at]
        if not key(caption):
            if meaning.role in {Role.IGNORE, Role.UNKNOWN} and not _row_numbers(table, at):
                message = f"Column {at + 1} has no heading, but there is something in it."
                yield Doubt(DoubtCode.QUESTIONS, message)
        elif meaning.role is Role.UNKNOWN and unknown_column_matters(table, at):
            yield _column(table, at, texts, "Nobody has said what it is")
        elif meaning.role in _OPEN_TYPES and (
            _holds_more_than_yes(table, texts) or set(uses_named_in(caption, vocabulary)) - answered
        ):
            yield _column(table, at, texts, "It speaks of consent, and nobody has said for what")
        elif meaning.role is Role.NOTE and (said := notes_in_doubt(caption, texts)):
            yield _column(table, at, said, "A note there may take back a consent")
        elif meaning.role is Role.GIVEN_ON and (said := [t for t in texts if no_date(t)]):
            yield _column(table, at, said, "It is not a date", DoubtCode.ROWS)
        elif meaning.role is Role.CONSENT_TYPE and not _has_answers(columns):
            yield _column(table, at, texts, "Nothing says whether these consents were given")


def _row_numbers(table: Table, column: int) -> bool:
    """Whether a column without a heading counts the rows from 1."""
    cells = [row.cells[column] for row in table.rows if row.cells[column]]
    return cells == [str(number) for number in range(1, len(cells) + 1)]


def _has_answers(columns: tuple[Meaning, ...]) -> bool:
    return any(meaning.role is Role.CONSENT_ANSWER for meaning in columns)


def _column(
    table: Table,
    column: int,
    texts: Iterable[str],
    why: str,
    code: DoubtCode = DoubtCode.QUESTIONS,
) -> Doubt:
    wanted = set(texts)
    rows = [row.number for row in table.rows if row.cells[column] in wanted]
    shown = ", ".join(map(str, rows[:_FEW])) + (" and more" if len(rows) > _FEW else "")
    message = f"'{table.captions[column]}' is filled in {_many(len(rows), 'row')} ({shown}). {why}."
    return Doubt(code, message)


def _holds_more_than_yes(table: Table, texts: Mapping[str, int]) -> bool:
    """Whether an open consent column has anything but yes. A blank beside ticks may mean no."""
    return sum(texts.values()) < len(table.rows) or any(
        read_answer(text) is not Answer.GIVEN for text in texts
    )


def _open_types(pieces: Iterable[str], types: Mapping[str, Meaning]) -> Iterator[Doubt]:
    named = [piece for piece in pieces if types[key(piece)].role in _OPEN_TYPES]
    if named:
        message = f"The cells name {_many(len(named), 'consent')} whose meaning nobody has said."
        yield Doubt(DoubtCode.QUESTIONS, message)


def _open_answers(unknown: Mapping[str, UnknownAnswer]) -> Iterator[Doubt]:
    if unknown:
        captions = dict.fromkeys(name for found in unknown.values() for name in found.captions)
        shown = ", ".join(f"'{caption}'" for caption in list(captions)[:_FEW])
        cells = sum(found.count for found in unknown.values())
        message = (
            f"{_many(cells, 'cell')} under {shown} hold something that is no answer we know "
            f"({_many(len(unknown), 'different text')})."
        )
        yield Doubt(DoubtCode.QUESTIONS, message)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def lines_outside(table: Table, columns: tuple[Meaning, ...]) -> tuple[str, ...]:
    """The titles and footers, the rows that are no pupils, and the names of the sheets."""
    rows = (text for _, text in other_rows(table, columns))
    sheets = (row.sheet for row in table.rows)
    return tuple(dict.fromkeys((*table.titles, *rows, *sheets)))


def _names(table: Table, columns: tuple[Meaning, ...], vocabulary: Vocabulary) -> frozenset[str]:
    """The words of classes, of the own school and of its uses, which titles may have."""
    named = [alias for purpose in vocabulary.purposes for alias in (purpose.name, *purpose.aliases)]
    own = own_words(vocabulary) | _words_in(table, columns, frozenset({Role.SCHOOL}))
    return own | _words_in(table, columns, _CLASSES) | {w for text in named for w in words(text)}


def _words_in(table: Table, columns: tuple[Meaning, ...], roles: frozenset[Role]) -> frozenset[str]:
    """The words in all columns with one of ``roles``."""
    return frozenset(
        word
        for at, meaning in enumerate(columns)
        if meaning.role in roles
        for text in values(table, at)
        for word in words(text)
    )


def _schools(table: Table, columns: tuple[Meaning, ...], vocabulary: Vocabulary) -> Iterator[Doubt]:
    classes, lines = _words_in(table, columns, _CLASSES), lines_outside(table, columns)
    for message in school_messages(table, columns, lines, classes, vocabulary):
        yield Doubt(DoubtCode.SCHOOLS, message)


def _headings(table: Table, names: frozenset[str], vocabulary: Vocabulary) -> Iterator[Doubt]:
    negative: dict[str, list[int]] = {}
    for row in table.rows:
        if row.refused_by:
            negative.setdefault(row.refused_by, []).append(row.number)
    for heading, rows in negative.items():
        yield Doubt(
            DoubtCode.HEADING,
            f"'{heading}' says no, so the {len(rows)} rows below it (from row {rows[0]}) count as "
            "refusals.",
        )
    for title in dict.fromkeys(table.titles):
        plain = without_own_name(title, vocabulary)
        if title not in negative and title_may_mean_no(plain, names):
            yield Doubt(
                DoubtCode.HEADING,
                f"'{title[:120]}' may say no to what the table lists, or to a part of it.",
            )
    for sheet in dict.fromkeys(row.sheet for row in table.rows):
        if sheet not in negative and sheet_matters(without_own_name(sheet, vocabulary), names):
            yield Doubt(
                DoubtCode.HEADING, f"The name of the sheet '{sheet}' may say no to what it lists."
            )


def _two_lists(table: Table, columns: tuple[Meaning, ...]) -> Iterator[Doubt]:
    for role in (Role.ADMISSION_NUMBER, Role.UPN, Role.FORENAME, Role.SURNAME, Role.DISPLAY_NAME):
        first, *others = [at for at, m in enumerate(columns) if m.role is role] or [0]
        if role not in {Role.ADMISSION_NUMBER, Role.UPN}:
            # "Legal Surname" and "Surname" are two names of one pupil.
            alike = key(table.captions[first])
            others = [at for at in others if key(table.captions[at]) == alike]
        for other in others:
            differ = [r for r in table.rows if r.cells[other] and r.cells[other] != r.cells[first]]
            if differ:
                yield Doubt(
                    DoubtCode.ROWS,
                    f"Two lists stand side by side: '{table.captions[other]}' comes again in "
                    f"column {other + 1} with other values. Only the first list was read.",
                )


def _marks(table: Table, columns: tuple[Meaning, ...]) -> Iterator[Doubt]:
    """One doubt for each kind of mark in a sheet, with the first cells."""
    found: dict[tuple[str, MarkKind], list[str]] = {}
    for mark in table.doubts:
        if mark.column is None or columns[mark.column].role is not Role.IGNORE:
            found.setdefault((mark.sheet, mark.kind), []).append(mark.cell)
    for (sheet, kind), cells in found.items():
        if not any(cells):
            yield Doubt(DoubtCode.MARKS, f"Sheet '{sheet}': {kind}.")
            continue
        shown = ", ".join(cells[:_FEW])
        more = f" and {len(cells) - _FEW} more" if len(cells) > _FEW else ""
        yield Doubt(DoubtCode.MARKS, f"Sheet '{sheet}': {kind} ({shown}{more}).")
