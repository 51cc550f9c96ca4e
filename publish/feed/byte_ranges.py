"""The ``Range`` header of RFC 9110 (Range Requests): one range of bytes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


class NotSatisfiable(ValueError):
    """The range begins behind the end."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int


def parse_range(header: str, size: int) -> ByteRange | None:
    """The part asked for; None for all of it, also where the header is not understood or asks
    for several parts, as the RFC allows. Raises NotSatisfiable."""
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise NotSatisfiable
    return ByteRange(start, end)
