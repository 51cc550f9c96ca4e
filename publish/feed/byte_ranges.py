"""Answer a request for one range of bytes (RFC 9110, section 14). Pure."""

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


@dataclass(frozen=True)
class RangeAnswer:
    """What an answer to a request for a file sends."""

    status: int
    """200 for the whole file, 206 for a range, 416 where the range holds no byte of the file."""
    sent: ByteRange
    """Empty where the status is 416."""
    headers: dict[str, str]


def answer_range(
    method: str, header: str, if_range: str | None, etag: str, size: int
) -> RangeAnswer:
    """Return what a request for a file gets.

    Args:
        method: ``GET``; a ``Range`` header is ignored with any other method.
        header: Value of ``Range``; may be empty.
        if_range: Value of ``If-Range``; None where the request has none. With any value but the
            strong tag ``etag`` the whole file is sent.
        etag: The file's entity tag, with its quotation marks.
        size: Of the file, in bytes.
    """
    is_asked = method == "GET" and if_range in {None, etag}
    try:
        requested = parse_range(header, size) if is_asked else None
    except NotSatisfiable:
        refused = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        return RangeAnswer(416, ByteRange(0, 0), refused)
    sent = requested or ByteRange(0, size)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(sent.end - sent.start)}
    if requested is None:
        return RangeAnswer(200, sent, headers)
    headers["Content-Range"] = f"bytes {sent.start}-{sent.end - 1}/{size}"
    return RangeAnswer(206, sent, headers)


def shortened(answer: RangeAnswer, longest: int) -> RangeAnswer:
    """Return the answer with at most ``longest`` bytes of a range. The client asks for the rest."""
    start, end = answer.sent.start, answer.sent.end
    if answer.status != 206 or end - start <= longest:
        return answer
    size = answer.headers["Content-Range"].rpartition("/")[2]
    headers = {
        **answer.headers,
        "Content-Length": str(longest),
        "Content-Range": f"bytes {start}-{start + longest - 1}/{size}",
    }
    return RangeAnswer(206, ByteRange(start, start + longest), headers)
