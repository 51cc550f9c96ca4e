"""Columns whose caption alone doesn't tell: their cells say which of the three shapes it is."""

from __future__ import annotations

from collections import Counter

from sims_import.cells import meaning_of_piece, split_types
from sims_import.readers.interface import Table
from sims_import.values import read_answer
from sims_import.words import Meaning, Role, Vocabulary, key

_TYPED = frozenset({Role.CONSENT, Role.REFUSAL, Role.NEVER_PUBLISH, Role.OBJECTION})
_OPEN = frozenset({Role.GENERAL, Role.CONSENT_TYPE, Role.CONSENT_ANSWER})


def values(table: Table, at: int) -> Counter[str]:
    """The texts in column ``at`` and how often each stands there; blanks left out."""
    return Counter(row.cells[at] for row in table.rows if row.cells[at])


def settle_by_values(
    table: Table,
    columns: tuple[Meaning, ...],
    fixed: frozenset[str],
    types: dict[str, Meaning],
    vocabulary: Vocabulary,
) -> tuple[Meaning, ...]:
    """``columns`` with open roles settled by what is in the cells.

    A column naming types ("Parental Consent") is a type column where an answer column stands
    beside it, else a list. An answer column without types says nothing of any use of pictures,
    so it becomes ``general``. ``fixed`` captions (as ``words.key``) were settled by a person.
    """
    settled = list(columns)
    found = {
        at: values(table, at)
        for at, meaning in enumerate(columns)
        if meaning.role in _OPEN and key(table.captions[at]) not in fixed
    }
    typed = {at for at, texts in found.items() if _names_types(texts, types, vocabulary)}
    answers = {
        at
        for at, texts in found.items()
        if at not in typed and columns[at].role is Role.CONSENT_ANSWER and _answers(texts)
    }
    has_types = bool(typed) or any(
        meaning.role is Role.CONSENT_TYPE for at, meaning in enumerate(columns) if at not in found
    )
    for at in found:
        if at in typed:
            settled[at] = Meaning(Role.CONSENT_TYPE if answers else Role.CONSENT_LIST)
        elif not (at in answers and has_types):
            settled[at] = Meaning(Role.GENERAL)
    return tuple(settled)


def _names_types(texts: Counter[str], types: dict[str, Meaning], vocabulary: Vocabulary) -> bool:
    return any(
        meaning_of_piece(piece, types, vocabulary).role in _TYPED
        for text in texts
        if read_answer(text) is None
        for piece in split_types(text)
    )


def _answers(texts: Counter[str]) -> bool:
    """Whether at least half of the filled cells are answers we know (an empty column may be)."""
    known = sum(n for text, n in texts.items() if read_answer(text) is not None)
    return known * 2 >= sum(texts.values())
