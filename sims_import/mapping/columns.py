"""Decides what a column is for from its cells, if its caption does not say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from consent_gate.model import Answer
from sims_import.readers.interface import Table
from sims_import.text.caption_meaning import meaning_of_type
from sims_import.text.cells import meaning_of_piece, parse_list, split_types
from sims_import.text.values import read_answer
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import key

_TYPED = frozenset({Role.CONSENT, Role.REFUSAL, Role.NEVER_PUBLISH, Role.OBJECTION})
_OPEN = frozenset({Role.GENERAL, Role.CONSENT_TYPE, Role.CONSENT_ANSWER})
_UNUSED = frozenset({Role.IGNORE, Role.UNKNOWN, Role.UNCLEAR, Role.GENERAL, Role.NOTE})


def values(table: Table, column: int) -> Counter[str]:
    """The texts in a column, with how often each occurs. Blanks are left out."""
    return Counter(row.cells[column] for row in table.rows if row.cells[column])


def classify_by_values(
    table: Table,
    columns: tuple[Meaning, ...],
    types: dict[str, Meaning],
    fixed: Collection[str],
    vocabulary: Vocabulary,
) -> tuple[Meaning, ...]:
    """``columns``, with open roles decided from the cells.

    A column that names consent types is a type column if the table has an answer column. Without
    one it is a list of given consents, unless a column with an unknown caption may hold the
    answers. Then it stays a type column without answers, and a person is asked. ``fixed`` holds
    captions, as ``words.key``, whose role a person has decided.
    """
    profiles = {
        at: _profile(table, at, meaning, types, vocabulary)
        for at, meaning in enumerate(columns)
        if meaning.role in _OPEN and key(table.captions[at]) not in fixed
    }
    typed = [at for at, profile in profiles.items() if profile.names_types]
    answers = _answer_columns(columns, profiles)
    fixed_types = [at for at, m in enumerate(columns) if m.role is Role.CONSENT_TYPE]
    settled = list(columns)
    for at, profile in profiles.items():
        if at in answers and (typed or set(fixed_types) - set(profiles)):
            settled[at] = Meaning(Role.CONSENT_ANSWER)
        elif not profile.names_types:
            settled[at] = Meaning(_without_types(table.captions[at], vocabulary))
        elif answers or _may_hide_answers(table, columns, at):
            settled[at] = Meaning(Role.CONSENT_TYPE)
        else:
            settled[at] = Meaning(Role.CONSENT_LIST)
    return tuple(_dates_without_answers(settled))


def _dates_without_answers(columns: list[Meaning]) -> Iterator[Meaning]:
    """The columns, in which dates of a consent without an answer column become unclear.

    A column "Website given on" may be the answer itself if there is no column "Website".
    """
    answered = {name for m in columns if m.role is Role.CONSENT for name in m.purposes}
    for meaning in columns:
        only = meaning.role is Role.GIVEN_ON and set(meaning.purposes) - answered
        yield Meaning(Role.UNCLEAR) if only else meaning


@dataclass(frozen=True)
class _ColumnProfile:
    """What the cells of an open column hold."""

    role: Role
    names_types: bool
    answers: bool


def _profile(
    table: Table, column: int, meaning: Meaning, types: dict[str, Meaning], vocabulary: Vocabulary
) -> _ColumnProfile:
    texts = values(table, column)
    answers = _mostly_answers(texts)
    # A shifted row may put a type into an answer column. That does not make it a list.
    named = not answers and any(
        meaning_of_piece(piece.text, types, vocabulary).role in _TYPED
        for text in texts
        for piece in parse_list(text)
    )
    return _ColumnProfile(meaning.role, named, answers)


def _answer_columns(columns: tuple[Meaning, ...], profiles: dict[int, _ColumnProfile]) -> list[int]:
    """Every column that holds answers, according to its caption or its cells."""
    by_caption = [
        at
        for at, m in enumerate(columns)
        if m.role is Role.CONSENT_ANSWER and (at not in profiles or not profiles[at].names_types)
    ]
    general = [
        at for at, profile in profiles.items() if profile.answers and profile.role is Role.GENERAL
    ]
    return sorted({*by_caption, *general})


def _without_types(caption: str, vocabulary: Vocabulary) -> Role:
    """The role of an open column without types: ``general`` if its caption is about consent."""
    role = meaning_of_type(caption, vocabulary).role
    return Role.GENERAL if role in {Role.GENERAL, Role.UNCLEAR} else Role.UNKNOWN


def _may_hide_answers(table: Table, columns: tuple[Meaning, ...], column: int) -> bool:
    """Whether a row may name a consent that was *not* given.

    If cells name several types, no other column holds one answer. If each cell names one type, a
    caption like "Consent Type", or an unused column with a No in it, is a reason to ask.
    """
    if any(len(split_types(text)) > 1 for text in values(table, column)):
        return False
    if columns[column].role is Role.CONSENT_TYPE:
        return True
    unused = [i for i, meaning in enumerate(columns) if meaning.role in _UNUSED and i != column]
    return any(_mostly_answers(texts) and _says_no(texts) for texts in _all(table, unused))


def _all(table: Table, columns: Collection[int]) -> list[Counter[str]]:
    return [values(table, column) for column in columns]


def _mostly_answers(texts: Counter[str]) -> bool:
    """Whether at least half of the filled cells are answers we know; an empty column may be."""
    known = sum(n for text, n in texts.items() if read_answer(text) is not None)
    return known * 2 >= sum(texts.values())


def _says_no(texts: Counter[str]) -> bool:
    return any(read_answer(text) is Answer.REFUSED for text in texts)
