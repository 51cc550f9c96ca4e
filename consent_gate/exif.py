"""ExifRead, kept on a short lead: it is pure Python, and believes whatever a file claims."""

from __future__ import annotations

import io
import logging

import exifread

_MAX_READS = 250_000
"""Reads of a file before we stop asking. ExifRead reads a maker note byte by byte for as long as
the file claims, past its end if need be: with a damaged length it ran over ten seconds (found by
benchmarks/fuzz_decode.py). The busiest honest file of the test photos takes 74 000 reads."""

logging.getLogger("exifread").setLevel(logging.CRITICAL + 1)
"""Its warnings quote the file's own text, which may hold a child's name."""


class ExifBroken(Exception):
    """The metadata made its reader fail or never end."""


class _Rationed(io.BytesIO):
    """Bytes that can be read from only so many times."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MAX_READS:
            raise ExifBroken
        return super().read(size)


def read_exif(data: bytes, *, maker_notes: bool) -> dict[str, object]:
    """All tags that ExifRead finds in a picture of any format, by ExifRead's names.

    Raises ``ExifBroken``, and nothing else, whatever ``data`` holds.
    """
    try:
        tags: dict[str, object] = exifread.process_file(
            _Rationed(data), details=maker_notes, extract_thumbnail=False
        )
    except Exception as error:
        raise ExifBroken from error
    return tags
