"""Compare the text that a worker read in a picture with the pupils' names, and drop the text.

The text comes from the worker with the examination. It is neither stored nor logged: the evidence
says only whose name can be read, and where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

from consent_gate.db.models import PupilEntry
from consent_gate.home.home import Home
from consent_gate.model import Evidence, Examined, NamePart, TextCheck, VisibleName
from consent_gate.names.name_index import NameIndex, PupilName
from consent_gate.names.visible_names import MAX_CHARACTERS, MAX_LINES, Options, find_names
from ingest.workers.worker import Examination

FIELDS = ("admission_number", "forename", "preferred_forename", "surname", "preferred_surname")


def evidence_of(home: Home, examination: Examination) -> Evidence:
    """The evidence of an examination, with the pupils' names that can be read in the picture.

    Where the text was looked for but could not be read, the evidence stays ``TextCheck.FAILED``.
    """
    evidence, lines = examination.evidence, examination.lines
    if not isinstance(evidence, Examined) or lines is None or len(lines) > MAX_LINES:
        return evidence
    if any(len(line.text) > MAX_CHARACTERS for line in lines):
        return evidence  # the end of the line would not be compared
    names: tuple[VisibleName, ...] = ()
    if lines:
        index = _index(_pupil_names())
        names = find_names(lines, index, [face.box for face in evidence.faces], _options(home))
    return replace(evidence, text_check=TextCheck.COMPARED, names=names)


def _options(home: Home) -> Options:
    """What the settings say is to be found: the most that any channel holds."""
    parts: frozenset[NamePart] = frozenset()
    for channel in home.settings.channels.values():
        parts |= channel.visible_names.parts
    return Options((home.settings.school.name, *home.settings.publishing.not_names), parts)


def _pupil_names() -> tuple[PupilName, ...]:
    """All combinations of every pupil's recorded forenames and surnames."""
    return tuple(
        PupilName(number, first, last)
        for number, forename, preferred, surname, other in PupilEntry.objects.order_by(
            "admission_number"
        ).values_list(*FIELDS)
        for first, last in product(
            sorted({forename, preferred} - {""}), sorted({surname, other} - {""})
        )
    )


@lru_cache(maxsize=2)
def _index(names: Sequence[PupilName]) -> NameIndex:
    return NameIndex(names)
