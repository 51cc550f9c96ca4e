"""Parses cells that name consent types, into the types and their answers.

A cell such as ``Given: Website, Displays; Declined: Mag`` is split into clauses at every semicolon
and line end. A negative word applies to everything up to the end of its clause. A part that is not
understood completely has no answer, and a person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from consent_gate.model import Answer
from sims_import.text.caption_meaning import meaning_of_type
from sims_import.text.caution import says_no
from sims_import.text.consent_words import NEGATIONS
from sims_import.text.values import read_answer
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import key, tidy, words

_TYPE_AND_ANSWER = re.compile(r"^(.*\S)\s*(?:[:=(]|\s[-\u2013\u2014]\s)\s*([^:=()]+?)\)?$")
_LEAD = re.compile(r"^([^:]{1,60}):\s*(.*)$")
_MARKER = re.compile(
    r"^(\[[^\]]{0,3}\]|\d{1,2}(?=\s)|\([xX \u2713\u2714]?\)|"
    r"[-+\u2013\u2014?!*=~>\u00bb\u2022\u00b7]+(?=\s*\w)|"
    r"[\u2610-\u2612\u2713-\u2718\u2705\u274c\u274e\u221a\u25a1\u25a2\u25fb\u2b1c\u00d7])\s*(.+)$"
)
_TRAILING_MARKER = re.compile(
    r"^(.+?)\s*(\[[^\]]{0,3}\]|[-+?!=~*]+|(?<=\w\s)\d{1,2}|"
    r"[\u2610-\u2612\u2713-\u2718\u2705\u274c\u274e\u221a\u25a1\u25a2\u25fb\u2b1c\u00d7])$"
)
_BRACKETED_LIST = re.compile(r"[(\[{<][^)\]}>]*[,|]|^[^(\[{<]*[)\]}>]")
_BULLETS = frozenset("\u2022\u00b7")


@dataclass(frozen=True)
class Piece:
    """One consent type in a cell, and its answer."""

    text: str
    """The type, without its answer."""
    answer: Answer | None
    """None if something was not understood; never counted as a yes."""
    said: str = ""
    """The text that was not understood, for the question to a person."""


@lru_cache(maxsize=4096)
def split_types(cell: str) -> tuple[str, ...]:
    """The parts of one cell: ``Photograph Student, School Website`` has two."""
    return tuple(piece for part in re.split(r"[,;|\n\u2022]", cell) if (piece := tidy(part)))


def pieces_in(cell: str, role: Role) -> tuple[Piece, ...]:
    """The consent types that a cell names.

    A ``CONSENT_LIST`` cell is parsed as a list. A cell of any other role names one type.
    """
    if role is Role.CONSENT_LIST:
        return parse_list(cell)
    if not cell:
        return ()
    return (_piece(cell),)


@lru_cache(maxsize=4096)
def parse_list(cell: str) -> tuple[Piece, ...]:
    """Every consent type in a list cell, with its answer. A type without an answer was given."""
    found: list[Piece] = []
    heading: Answer | None = None
    denied = False
    for text in re.split(r"[;\n]", cell):
        clause = tidy(text)
        if not clause:
            continue
        alone = read_answer(clause.rstrip(": "))
        if alone is not None:
            # "Refused:" on its own line applies to the lines below it.
            heading, denied = alone, alone is Answer.REFUSED
            if found and alone is not Answer.GIVEN:
                found = [_in_doubt(earlier, tidy(cell)) for earlier in found]
            continue
        led = _lead(clause)[0] is not None
        pieces = _clause(clause)
        if heading is not None and not led:
            pieces = [_governed(piece, heading) for piece in pieces]
        elif denied and not led:
            pieces = [_in_doubt(piece, tidy(cell)) for piece in pieces]
        denied = denied or (not led and _is_negative(clause))
        heading = None if led else heading
        found += pieces
    return tuple(found)


def _clause(clause: str) -> list[Piece]:
    """The types of one clause. A negative word applies to all types after it."""
    governing, clause = _lead(clause)
    pieces: list[Piece] = []
    for part in re.split(r"[,|\u2022]", clause):
        text = tidy(part)
        if not text:
            continue
        piece = _piece(text)
        if _is_negative(text):
            if governing is None and not _starts_negative(text):
                pieces = [_in_doubt(earlier, clause) for earlier in pieces]
            governing = Answer.REFUSED
        elif governing is not None:
            piece = _governed(piece, governing)
        elif piece.answer is not Answer.GIVEN and piece.answer is not None and _has_given(pieces):
            # "Website, Mag - declined" may be about both.
            pieces = [_in_doubt(earlier, clause) for earlier in pieces]
        pieces.append(piece)
    if _BRACKETED_LIST.search(clause):
        # The meaning of brackets around several types is uncertain.
        return [_in_doubt(piece, clause) for piece in pieces]
    return pieces


def _lead(clause: str) -> tuple[Answer | None, str]:
    """Split ``Declined: A, B`` into refused and ``A, B``; None if there is no lead."""
    match = _LEAD.match(clause)
    if match is None:
        return None, clause
    answer = read_answer(match[1])
    if answer is not None:
        return answer, match[2]
    first = tidy(re.split(r"[,|\u2022]", match[2])[0])
    if _is_negative(match[1]) and not (first and read_answer(first) is not None):
        return Answer.REFUSED, f"{match[1]}, {match[2]}"
    return None, clause


def _governed(piece: Piece, governing: Answer) -> Piece:
    """A type with the answer before its list, or with its own answer if that is stricter."""
    if piece.answer is None or governing is Answer.GIVEN:
        return piece
    if governing is Answer.NOT_STATED and piece.answer is Answer.REFUSED:
        return piece
    return Piece(piece.text, governing)


def _has_given(pieces: list[Piece]) -> bool:
    return any(piece.answer is Answer.GIVEN for piece in pieces)


def _in_doubt(piece: Piece, clause: str) -> Piece:
    """A given type without its answer, because ``clause`` may deny it; others unchanged."""
    return Piece(piece.text, None, clause) if piece.answer is Answer.GIVEN else piece


def _piece(text: str) -> Piece:
    """Read one type with its answer: ``School Website: No`` or ``[ ] School Website``."""
    marker = ""
    if re.fullmatch(r"\(.*\)|\[.*\]|<.*>|\{.*\}", text):
        return Piece(text.strip("()[]<>{}"), None, text)
    if match := _MARKER.match(text):
        marker, text = match[1], match[2]
    elif match := _TRAILING_MARKER.match(text):
        text, marker = match[1], match[2]
    answer: Answer | None = Answer.GIVEN
    if (match := _TYPE_AND_ANSWER.match(text)) and (found := read_answer(match[2])) is not None:
        text, answer = match[1], found
    if not marker or marker in _BULLETS:
        return Piece(text, answer)
    # Alone in a cell a dash or a question mark is an answer. Before a type it may be a bullet.
    marked = None if re.fullmatch(r"[-+\u2013\u2014?!*=~>\u00bb]+", marker) else read_answer(marker)
    if marked is None:
        return Piece(text, None, f"{marker} \u2026")
    if Answer.REFUSED in {marked, answer}:
        return Piece(text, Answer.REFUSED)
    return Piece(text, marked if answer is Answer.GIVEN else answer)


def _is_negative(text: str) -> bool:
    """Whether a text has a negative word that is not the answer to its own type."""
    return says_no(text) and not _is_answered(text)


def _is_answered(text: str) -> bool:
    match = _TYPE_AND_ANSWER.match(text)
    return bool(match and read_answer(match[2]) is not None and not _is_negative(match[1]))


def _starts_negative(text: str) -> bool:
    return words(text)[0] in NEGATIONS or " ".join(words(text)).startswith("opt")


def settled(piece: Piece, answers: Mapping[str, Answer]) -> Answer | None:
    """The answer of a piece; for an unknown answer, the meaning that a person gave it, or None."""
    return piece.answer if piece.answer is not None else answers.get(answer_key(piece.said))


def answer_key(text: str) -> str:
    """The form in which a person's explanations of answers are saved. It keeps signs and digits."""
    return " ".join(text.casefold().split())


def meaning_of_piece(text: str, known: dict[str, Meaning], vocabulary: Vocabulary) -> Meaning:
    """What the consent type ``text`` means, from the school's mapping or else from its words.

    An unknown type is unclear, because it may say no.
    """
    meaning = known.get(key(text)) or meaning_of_type(text, vocabulary)
    return Meaning(Role.UNCLEAR) if meaning.role is Role.UNKNOWN else meaning
