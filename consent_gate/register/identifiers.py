"""Read and check the numbers of a pupil: admission number and UPN, as text."""

from __future__ import annotations

import re
from functools import lru_cache

ADMISSION_WIDTH = 6
"""SIMS pads admission numbers with zeros to six places (docs/domain.md)."""


@lru_cache(maxsize=65536)
def read_admission_number(text: str) -> str | None:
    """Return the admission number padded with zeros: ``4123`` and ``4123.0`` give ``004123``.

    Returns None if the text is no admission number: blank, several words, or over 20 characters.
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
    """Return the UPN in capitals without spaces; "" when blank. The check letter is not checked."""
    return "".join(text.split()).upper()


@lru_cache(maxsize=65536)
def upn_is_sound(upn: str) -> bool:
    """Whether the check letter is right: the sum of value x position over 2-13, modulo 23 (DfE).

    The letter at the end of a temporary UPN has its index in ``UPN_LETTERS`` as value.
    """
    if not re.fullmatch(rf"[{UPN_LETTERS}]\d{{11}}[\d{UPN_LETTERS}]", upn, re.ASCII):
        return False
    values = [int(c) if c.isdigit() else UPN_LETTERS.index(c) for c in upn[1:]]
    total = sum(value * place for place, value in enumerate(values, start=2))
    return UPN_LETTERS[total % 23] == upn[0]
