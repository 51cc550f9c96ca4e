"""Reads a list of pupils, such as an attendance export, as the pupils who were at an event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from consent_gate.errors import ExportUnreadable
from consent_gate.messages import counted
from consent_gate.register.event_names import SchoolNames, pupil_named
from sims_import.readers import csv
from sims_import.readers.dispatch import read_table
from sims_import.text.vocabulary import DEFAULT_VOCABULARY
from sims_import.text.words import words

_PUPIL = frozenset(
    {"adno", "admno", "admissionno", "admissionnumber", "upn", "uniquepupilnumber", "pupilnumber"}
)
"""Captions of a column that names pupils, without spaces."""


class PupilListUnclear(ExportUnreadable):
    """The list does not say for certain which pupils are meant."""

    next_step = "Correct the list, or import a newer export first. Nothing was saved."


def read_pupil_list(data: bytes, name: str, school: SchoolNames) -> tuple[str, ...]:
    """Return the admission numbers of the pupils in a list, each once.

    The list has a column of admission numbers or UPNs. Without a caption that says so, it is the
    column with the most pupils, and no pupil may stand in it twice: a column of counts is none.

    Args:
        data: The file: CSV, Excel, or another table that ``read_table`` reads; or lines of text.
        name: The file's name, for messages.
        school: The pupils on roll.

    Raises:
        PupilListUnclear: No column names pupils, or a row names nobody on roll.
        ExportUnreadable: The file cannot be read.
    """
    captions, rows = _table(data, name)
    known = [[pupil_named(cell, school) for cell in row] for row in rows]
    hits = Counter(at for row in known for at, pupil in enumerate(row) if pupil)
    named = [at for at, caption in enumerate(captions) if "".join(words(caption)) in _PUPIL]
    column = max(named or hits, key=lambda at: hits[at], default=None)
    if column is None or not hits[column]:
        raise PupilListUnclear("No column of the list has admission numbers or UPNs on roll.")
    found = [row[column] for row in known if row[column]]
    if not named and len(set(found)) < len(found):
        raise PupilListUnclear("No column of the list has the caption 'Adno' or 'UPN'.")
    strangers = [
        row[column]
        for row, pupils in zip(rows, known, strict=True)
        if row[column].strip() and not pupils[column]
    ]
    if strangers:
        raise PupilListUnclear(
            f"{counted(len(strangers), 'row names', 'rows name')} nobody on roll, for example"
            f" {strangers[0][:40]!r}."
        )
    return tuple(dict.fromkeys(found))


def _table(data: bytes, name: str) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    """The captions, none for a list without them, and the cells of each row."""
    try:
        table = read_table(data, name)
    except ExportUnreadable:
        if b"\0" in data or not data.strip():
            raise
        lines = csv.read(data, DEFAULT_VOCABULARY, frozenset()).lines
        return (), [line.cells for line in lines if not line.blank]
    return table.captions, [row.cells for row in table.rows]
