"""Compare the text that a worker read in a picture with the pupils' names, and drop the text.

The text comes from the worker with the examination. It is neither stored nor logged: the evidence
says only whose name can be read, and where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from consent_gate.home.home import Home
from consent_gate.model import Box, Evidence, Examined, NamePart, TextCheck, VisibleName
from consent_gate.names.text_lines import MAX_CHARACTERS, MAX_FILM_LINES, MAX_LINES, ReadLine
from consent_gate.names.visible_names import Options, find_names
from consent_gate.register.pupil_names import name_index
from ingest.workers.examination import Examination


def evidence_of(home: Home, examination: Examination, drawn: Sequence[Box] = ()) -> Evidence:
    """The evidence of an examination, with the pupils' names that can be read in the picture.

    What the worker says about names is not used: it has none to compare. Where the text was looked
    for but could not be compared, the evidence says ``TextCheck.FAILED``.

    Args:
        home: The installation.
        examination: What the worker found.
        drawn: Faces that staff drew, in pixels of the upright original. A name may be near them.
    """
    evidence, lines = examination.evidence, examination.lines
    if not isinstance(evidence, Examined):
        return evidence
    if lines is None:
        was_off = evidence.text_check is TextCheck.OFF
        check = TextCheck.OFF if was_off else TextCheck.FAILED
        return replace(evidence, text_check=check, names=(), looked_for=())
    if not _is_comparable(lines, MAX_LINES if evidence.film is None else MAX_FILM_LINES):
        return replace(evidence, text_check=TextCheck.FAILED, names=(), looked_for=())
    options = _options(home)
    names: tuple[VisibleName, ...] = ()
    if lines:
        names = find_names(lines, name_index(), _faces_near_text(evidence, drawn), options)
    if evidence.film is not None:  # the same card is read in many frames
        names = tuple({(name.pupil, name.part): name for name in reversed(names)}.values())
    parts = tuple(part for part in NamePart if part in options.parts)
    return replace(evidence, text_check=TextCheck.COMPARED, names=names, looked_for=parts)


def _faces_near_text(evidence: Examined, drawn: Sequence[Box]) -> list[Box]:
    """The faces that text may be near to.

    In a film a face moves, and a text is kept of the first frame that shows it. So each text is
    near a face, if there is any.
    """
    if evidence.film is not None and evidence.faces:
        return [Box(0, 0, evidence.width, evidence.height)]
    return [*(face.box for face in evidence.faces), *drawn]


def shows_text(examination: Examination) -> bool:
    """Whether a pupil who joins later may be named in the picture."""
    lines, evidence = examination.lines, examination.evidence
    if lines is None:
        return not isinstance(evidence, Examined) or evidence.text_check is not TextCheck.OFF
    return any(line.text.strip() for line in lines)


def _is_comparable(lines: Sequence[ReadLine], most: int) -> bool:
    """Whether no line and no end of a line would be left out of the comparison."""
    return len(lines) <= most and all(len(line.text) <= MAX_CHARACTERS for line in lines)


def _options(home: Home) -> Options:
    """What the settings say is to be found: the most that any channel holds."""
    marks = (channel.text_marks for channel in home.settings.rules_for_decide().channels)
    phrases = (home.settings.school.name, *home.settings.publishing.not_names)
    return Options(phrases, frozenset[NamePart]().union(*marks))
