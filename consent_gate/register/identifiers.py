"""The numbers a pupil goes by: admission numbers and UPNs, as text. Pure functions."""

from __future__ import annotations

import re
from functools import lru_cache

ADMISSION_WIDTH = 6
"""SIMS pads admission numbers with zeros to six places (docs/domain.md)."""


@lru_cache(maxsize=65536)
def read_admission_number(text: str) -> str | None:
    """The admission number as padded text: ``4123``, ``4123.0`` and ``004123`` are one.

    None when the text can't be one (blank, several words, longer than 20 characters).
    """
    plain = re.sub(r"\.0+$", "", text.strip().lstrip("'"))
    if not plain or len(plain) > 20 or not re.fullmatch(r"[A-Za-z0-9/_-]+", plain):
        return None
    if plain.isdigit():
        stripped = plain.lstrip("0")
        return stripped.rjust(ADMISSION_WIDTH, "0") if stripped else None
    return plain.upper() if any(c.isdigit() for c in plain) else None


UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""Check letters of the Department for Education's UPN guide; I, O and S are not used."""


def read_upn(text: str) -> str:
    """The UPN in capitals without spaces; empty when blank. Never refused, only warned about."""
    return "".join(text.split()).upper()


@lru_cache(maxsize=65536)
def upn_is_sound(upn: str) -> bool:
    """Whether the check letter fits: sum of value x position over 2-13, modulo 23 (DfE).

    A temporary UPN ends in a letter, which counts with its place in the same alphabet.
    """
    if not re.fullmatch(rf"[{UPN_LETTERS}]\d{{11}}[\d{UPN_LETTERS}]", upn, re.ASCII):
        return False
    values = [int(c) if c.isdigit() else UPN_LETTERS.index(c) for c in upn[1:]]
    total = sum(value * place for place, value in enumerate(values, start=2))
    return UPN_LETTERS[total % 23] == upn[0]
