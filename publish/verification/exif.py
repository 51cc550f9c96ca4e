"""Read EXIF tags with ExifRead, with a bounded number of reads.

ExifRead is pure Python and trusts every length that a file states.
"""

from __future__ import annotations

import io
import logging

import exifread

_MAX_READS = 250_000
"""Largest number of reads of one file. ExifRead reads a maker note byte by byte for the length that
the file states, even past its end: a damaged length took over ten seconds (found by
benchmarks/fuzz_decode.py). The valid test photo with the most tags takes 74 000 reads."""

logging.getLogger("exifread").setLevel(logging.CRITICAL + 1)
"""ExifRead's warnings quote text from the file, which may contain a child's name."""


class ExifBroken(Exception):
    """The metadata made ExifRead fail or read too often."""


class _ReadCountingStream(io.BytesIO):
    """A stream that raises ``ExifBroken`` after ``_MAX_READS`` reads."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MAX_READS:
            raise ExifBroken
        return super().read(size)


def read_exif(data: bytes, *, maker_notes: bool) -> dict[str, object]:
    """Return all tags that ExifRead finds in a picture file, by ExifRead's names.

    ``data`` is the whole file, in any format. ``maker_notes`` says whether to read those too.

    Raises:
        ExifBroken: The metadata is damaged. No other error is raised.
    """
    try:
        tags: dict[str, object] = exifread.process_file(
            _ReadCountingStream(data), details=maker_notes, extract_thumbnail=False
        )
    except Exception as error:
        raise ExifBroken from error
    return tags
