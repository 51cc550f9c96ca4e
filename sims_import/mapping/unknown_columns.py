"""Decides whether a column that nobody has explained may mean no. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from consent_gate.model import Answer
from sims_import.mapping.columns import values
from sims_import.readers.interface import Table
from sims_import.text.caution import is_no_parent, may_mean_no
from sims_import.text.consent_words import (
    ANSWERED_BY,
    FOREIGN_NEGATIONS,
    LIMIT_WORDS,
    RETURNED,
    SAFEGUARDING,
    SCHOOL_LIFE,
    STATUS_WORDS,
)
from sims_import.text.values import read_answer, read_date
from sims_import.text.words import words

_NOTHING = frozenset({"-", "\u2013", "\u2014", "n/a", "na", "none", "nil"})
"""Texts that say that there is nothing. ``?`` and ``Pending`` say that somebody does not know."""
_VERSIONS = frozenset({"version", "versions", "revision"})
"""Words of captions whose values matter unless all rows have the same one."""
_ROW_NUMBERS = 3
"""Smallest number of different numbers in a column that counts rows."""


def unknown_column_matters(table: Table, column: int) -> bool:
    """Whether a column with an unknown caption holds anything that may mean no.

    Row numbers may not.
    """
    texts = values(table, column)
    caption = "".join(words(table.captions[column]))
    if _counts_rows(texts) or _is_usual(caption, table, texts):
        return False
    found = set(words(table.captions[column]))
    if found & (STATUS_WORDS | FOREIGN_NEGATIONS) or caption in SAFEGUARDING:
        return bool(texts)
    if found & _VERSIONS and (len(texts) > 1 or sum(texts.values()) < len(table.rows)):
        return bool(texts)
    if found & ANSWERED_BY and any(map(is_no_parent, texts)):
        return True
    return any(map(may_mean_no, texts)) or _may_limit(found, table, texts)


def _may_limit(caption: set[str], table: Table, texts: Mapping[str, int]) -> bool:
    """Whether texts in words that say nothing by themselves may limit the answers of some pupils.

    That is so under a caption such as ``Audience``. It is also so where less than half of the
    pupils have a text and nothing in the caption says that it is about something else.
    """
    if caption & LIMIT_WORDS:
        return bool(texts)
    few = sum(texts.values()) * 2 < len(table.rows)
    return few and not caption & SCHOOL_LIFE


def _counts_rows(texts: Mapping[str, int]) -> bool:
    """Whether the texts of a column, with how often each occurs, are row numbers."""
    return len(texts) >= _ROW_NUMBERS and all(t.isdigit() and n == 1 for t, n in texts.items())


def _is_usual(caption: str, table: Table, texts: Mapping[str, int]) -> bool:
    """Whether every row has the usual answer: a yes to ``Form returned``, a no to ``CP``."""
    if caption in SAFEGUARDING:
        return all(read_answer(t) is Answer.REFUSED or t.casefold() in _NOTHING for t in texts)
    if caption not in RETURNED or sum(texts.values()) < len(table.rows):
        return False
    return all(read_answer(t) is Answer.GIVEN or read_date(t) is not None for t in texts)
