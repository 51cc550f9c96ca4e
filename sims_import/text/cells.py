"""Cells that name consent types: split into whole types first, matched as a whole later."""

from __future__ import annotations

import re
from functools import lru_cache

from consent_gate.model import Answer
from sims_import.text.values import read_answer
from sims_import.text.vocabulary import Meaning, Role, Vocabulary, key, meaning_of_type, tidy

_ANSWERED = re.compile(r"^(.*\S)\s*(?:[:=(]|\s[-\u2013]\s)\s*([^:=()]+?)\)?$")


@lru_cache(maxsize=4096)
def split_types(cell: str) -> tuple[str, ...]:
    """The types in one cell: ``Photograph Student, School Website`` holds two."""
    return tuple(piece for part in re.split(r"[,;|\n\u2022]", cell) if (piece := tidy(part)))


def types_in(cell: str, role: Role) -> tuple[str, ...]:
    """The types a cell names: several in a list, one as it stands where a row is a type."""
    if role is Role.CONSENT_LIST:
        return split_types(cell)
    return (cell,) if cell else ()


@lru_cache(maxsize=4096)
def split_answer(piece: str) -> tuple[str, Answer]:
    """``School Website: No`` is a type and its answer; a type by itself was given."""
    match = _ANSWERED.match(piece)
    if match and (answer := read_answer(match[2])) is not None:
        return match[1], answer
    return piece, Answer.GIVEN


def meaning_of_piece(piece: str, answers: dict[str, Meaning], vocabulary: Vocabulary) -> Meaning:
    """What the type named in ``piece`` means: as the school settled it, else by its words."""
    text = split_answer(piece)[0]
    return answers.get(key(text)) or meaning_of_type(text, vocabulary)
