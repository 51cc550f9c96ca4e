"""Which reader: the content decides, never the file's name."""

from __future__ import annotations

from consent_gate.errors import ExportUnreadable
from sims_import.readers import csv
from sims_import.readers.header import to_table
from sims_import.readers.interface import Table
from sims_import.words import DEFAULT_VOCABULARY, Vocabulary


def read_table(
    data: bytes,
    name: str,
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    known: frozenset[str] = frozenset(),
) -> Table:
    """The table in an export's bytes. ``name`` is only used to say which file it was.

    Raises:
        ExportUnreadable: the file is empty, damaged or of another kind.
    """
    try:
        return to_table(csv.read(data, vocabulary, known), vocabulary, known)
    except ExportUnreadable as error:
        raise ExportUnreadable(f"{name}: {error.args[0]}") from error
