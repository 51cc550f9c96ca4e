"""Cells that name consent types: split into whole types first, matched as a whole later."""

from __future__ import annotations

import re

from consent_gate.model import Answer
from sims_import.values import read_answer
from sims_import.words import Meaning, Vocabulary, key, meaning_of_type, tidy

_ANSWERED = re.compile(r"^(.*\S)\s*(?:[:=(]|\s[-\u2013]\s)\s*([^:=()]+?)\)?$")


def split_types(cell: str) -> list[str]:
    """The types in one cell: ``Photograph Student, School Website`` holds two."""
    return [piece for part in re.split(r"[,;|\n\u2022]", cell) if (piece := tidy(part))]


def split_answer(piece: str) -> tuple[str, Answer]:
    """``School Website: No`` is a type and its answer; a type by itself was given."""
    match = _ANSWERED.match(piece)
    if match and (answer := read_answer(match[2])) is not None:
        return match[1], answer
    return piece, Answer.GIVEN


def meaning_of_piece(piece: str, settled: dict[str, Meaning], vocabulary: Vocabulary) -> Meaning:
    """What the type named in ``piece`` means: as the school settled it, else by its words."""
    text = split_answer(piece)[0]
    return settled.get(key(text)) or meaning_of_type(text, vocabulary)
