"""Read a film's file part by part, with a bounded number of parts."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.film.libav import SeekableFile, damaged

MAX_PARTS = 20_000_000
"""More boxes, elements or chunks than this are a bomb: half an hour has 500 000."""


@dataclass
class FileWalk:
    """A file that is walked, with the number of parts so far."""

    file: SeekableFile
    size: int
    """Of the file, in bytes."""
    parts: int = 0

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from an offset.

        Raises:
            DecodeError: They lie behind the end of the file.
        """
        if offset + length > self.size:
            raise damaged()
        self.file.seek(offset)
        data = self.file.read(length)
        if len(data) != length:
            raise damaged()
        return data

    def count(self) -> None:
        """Count a part.

        Raises:
            DecodeError: The file has too many.
        """
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise damaged()
