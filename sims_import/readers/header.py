"""Finds the heading row, or the pair of heading rows, of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from consent_gate.register.identifiers import read_admission_number, read_upn, upn_is_sound
from sims_import.readers.interface import Grid, Line
from sims_import.text.caption_meaning import meaning_of_caption, meaning_of_identity
from sims_import.text.caution import negates
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import key, tidy

SEARCH_LINES = 60
"""How many lines are searched for a header. Blocks of titles take only a few lines."""

_NOTHING = Meaning(Role.IGNORE)
_VAGUE = frozenset({Role.IGNORE, Role.UNKNOWN, Role.UNCLEAR, Role.GENERAL})
KEY_SCORE = 10
"""Added to a header's score for a caption of admission numbers or UPNs."""
TURNED = (
    "The pupils stand side by side and the headings below each other. Turn the list in Excel (copy "
    "it, then Paste Special, Transpose) and save it again."
)
_TURNED = 3
"""Smallest number of admission numbers among the captions of a table that may be transposed."""
_KEYS = frozenset({str(Role.ADMISSION_NUMBER), str(Role.UPN)})


@dataclass(frozen=True)
class Header:
    """The captions of a table, and the lines that hold them."""

    captions: tuple[str, ...]
    meanings: tuple[Meaning, ...]
    """What each column is for, by its caption alone; one per caption."""
    first: int
    """Index of the first header line in the grid."""
    last: int
    """Index of the last header line."""
    score: int
    """Number of recognised captions, and ``KEY_SCORE`` if one identifies pupils."""


def is_turned(header: Header) -> bool:
    """Whether the captions are mostly admission numbers, so the table is transposed."""
    others = [c for c, m in zip(header.captions, header.meanings, strict=True) if m.role in _VAGUE]
    numbers = [c for c in others if c.isdigit() and read_admission_number(c)]
    return len(numbers) >= _TURNED and len(numbers) * 2 > len(header.captions)


def holds_a_pupil(cells: Sequence[str], header: Header) -> bool:
    """Whether a row has a valid admission number or UPN in its column."""
    for meaning, cell in zip(header.meanings, cells, strict=False):
        if meaning.role is Role.ADMISSION_NUMBER and read_admission_number(cell):
            return True
        if meaning.role is Role.UPN and upn_is_sound(read_upn(cell)):
            return True
    return False


def find_header(grid: Grid, vocabulary: Vocabulary, known: frozenset[str]) -> Header | None:
    """The line, or pair of lines, with the most recognised captions; None without a heading."""
    lines = grid.lines
    if grid.headed:
        return single(lines[0].cells, 0, vocabulary, known) if lines and lines[0].cells else None
    singles = [
        single(line.cells, at, vocabulary, known)
        for at, line in enumerate(lines[: SEARCH_LINES + 1])
    ]
    best: Header | None = None
    for at in range(min(len(lines), SEARCH_LINES)):
        header = _better(singles[at], singles[at + 1 : at + 2], vocabulary, known)
        if best is None or header.score > best.score:
            best = header
    if best is not None and best.score >= 2:
        return best
    return _plausible(lines, singles, best)


def single(
    captions: tuple[str, ...], index: int, vocabulary: Vocabulary, known: frozenset[str]
) -> Header:
    """The line at ``index``, read as a header."""
    meanings = tuple(_meaning(caption, vocabulary) for caption in captions)
    return Header(captions, meanings, index, index, _score(captions, meanings, known))


def _meaning(caption: str, vocabulary: Vocabulary) -> Meaning:
    return meaning_of_caption(tidy(caption), vocabulary) if caption else _NOTHING


def _better(
    single: Header, below: Sequence[Header], vocabulary: Vocabulary, known: frozenset[str]
) -> Header:
    """The header of one line, or of it and the next line if that recognises more captions."""
    if not below or not any(single.captions) or not any(below[0].captions):
        return single
    low = below[0]
    if holds_a_pupil(low.captions, single):
        return single
    captions, meanings = _pair(single.captions, low, vocabulary)
    score = _score(captions, meanings, known)
    # A row of groups may reverse the meaning ("Opt-outs" above "Website"), so it is kept.
    turned = low.score and score >= low.score and _says_no(single.captions)
    if score > max(single.score, low.score) or turned:
        return Header(captions, meanings, single.first, low.last, score + (1 if turned else 0))
    return single


def _pair(
    above: Sequence[str], below: Header, vocabulary: Vocabulary
) -> tuple[tuple[str, ...], tuple[Meaning, ...]]:
    """Join the captions of two header rows. A group's name is put before each caption below it."""
    captions, meanings, group = [], [], ""
    for at in range(max(len(above), len(below.captions))):
        top = above[at] if at < len(above) else ""
        low = below.captions[at] if at < len(below.captions) else ""
        own = below.meanings[at] if low else _NOTHING
        group = top or (group if low else "")
        joined = f"{group} - {low}" if group and low else group or low
        plain = own.role not in _VAGUE and own.role is not Role.CONSENT and not _says_no([group])
        if low and (plain or joined == low):
            captions.append(low)
            meanings.append(own)
        else:
            captions.append(joined)
            meanings.append(_meaning(joined, vocabulary))
    return tuple(captions), tuple(meanings)


def _says_no(cells: Sequence[str]) -> bool:
    """Whether one of the headings reverses the meaning of those below it; ``Adm No`` does not."""
    return any(negates(cell) and meaning_of_identity(cell) is None for cell in cells if cell)


def _score(captions: Sequence[str], meanings: Sequence[Meaning], known: frozenset[str]) -> int:
    """The number of different recognised captions, and ``KEY_SCORE`` if one identifies pupils.

    Cells of data may look like captions ("School Website", "Form"), but "Adno" is never data.
    """
    found = set()
    for caption, meaning in zip(captions, meanings, strict=True):
        if key(caption) in known:
            found.add(key(caption))
        elif meaning.role not in _VAGUE:
            found.add(str(meaning))
    return len(found) + (KEY_SCORE if found & _KEYS else 0)


def _plausible(
    lines: Sequence[Line], singles: Sequence[Header], best: Header | None
) -> Header | None:
    """A header of unknown captions: the first line of text that is as wide as those below it."""
    for at, line in enumerate(lines[:SEARCH_LINES]):
        filled = [cell for cell in line.cells if cell]
        below = [other for other in lines[at + 1 : at + 6] if not other.blank]
        text = all(re.search(r"[^\W\d]", cell) for cell in filled)
        wide = below and len(filled) >= max(sum(map(bool, other.cells)) for other in below)
        if len(filled) >= 2 and text and wide and len(set(filled)) == len(filled):
            return replace(singles[at], score=best.score if best else 0)
    return None


def fit(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    return cells[:width] if len(cells) >= width else cells + ("",) * (width - len(cells))
