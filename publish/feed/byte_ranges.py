"""Parse a ``Range`` header with one range of bytes (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


class NotSatisfiable(ValueError):
    """The range starts after the end of the file."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int


def parse_range(header: str, size: int) -> ByteRange | None:
    """Parse a ``Range`` header.

    Args:
        header: Value of the header; may be empty.
        size: Of the file, in bytes.

    Returns:
        None for the whole file, also if the header is invalid or asks for several ranges, as the
        RFC allows.

    Raises:
        NotSatisfiable: The range contains no byte of the file.
    """
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
