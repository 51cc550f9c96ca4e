"""Open published films and send ranges of them, only while they are whole and not recalled.

A film is too large to be read and compared for each request. So its bytes are compared with the
list once, and again when the file is another one than before. While a range is sent, the file must
stay in its folder: a recall deletes it, and the sending ends.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
from collections import OrderedDict
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from consent_gate.home.filesystem import open_regular_file
from publish.feed.byte_ranges import ByteRange

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REMEMBERED = 1000
"""Files that are known to be whole. The oldest is compared again if there are more."""

_Identity = tuple[int, int, int, int]


class FilePart(io.RawIOBase):
    """A range of an open file. Its first byte has the position 0."""

    def __init__(self, file: BufferedReader, path: Path, span: ByteRange) -> None:
        super().__init__()
        self._file, self._path, self._span = file, path, span
        self._identity = _identity(os.fstat(file.fileno()))
        self._position = 0

    def limit(self, span: ByteRange) -> None:
        """Go to the beginning of another range of the same file."""
        self._span, self._position = span, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self)}[whence]
        self._position = min(max(0, base + offset), len(self))
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read bytes from the position.

        Raises:
            OSError: The file was recalled or changed.
        """
        with memoryview(buffer) as view:
            wanted = min(view.nbytes, len(self) - self._position)
        found = os.lstat(self._path)
        if _identity(found) != self._identity:
            raise OSError(errno.ESTALE, "The file was removed or changed while it was sent.")
        self._file.seek(self._span.start + self._position)
        data = self._file.read(wanted)
        with memoryview(buffer) as view:
            view.cast("B")[: len(data)] = data
        self._position += len(data)
        return len(data)

    def __len__(self) -> int:
        return self._span.end - self._span.start

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class WholeFiles:
    """Opens files whose bytes are those of the list."""

    def __init__(self) -> None:
        self._whole: OrderedDict[tuple[str, str, _Identity, int], None] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, path: Path, sha256: str) -> BufferedReader | None:
        """Open a file; None if it is missing, a link, in a linked folder, or was changed.

        Args:
            path: The file in its month's folder.
            sha256: Of the listed bytes, as hexadecimal digits.
        """
        try:
            if path.parent.is_symlink():
                return None
            file = open_regular_file(path)
        except OSError:
            return None
        try:
            if self._is_whole(file, path, sha256):
                return file
        except OSError:
            file.close()
            return None
        file.close()
        return None

    def _is_whole(self, file: BufferedReader, path: Path, sha256: str) -> bool:
        with self._lock:  # several readers of a new film wait for one comparison
            key = _key(file, path, sha256)
            if key in self._whole:
                return True
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != sha256 or key != _key(file, path, sha256):
                return False
            self._whole[key] = None
            while len(self._whole) > REMEMBERED:
                self._whole.popitem(last=False)
            return True


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _key(file: BufferedReader, path: Path, sha256: str) -> tuple[str, str, _Identity, int]:
    found = os.fstat(file.fileno())
    return str(path), sha256, _identity(found), found.st_ctime_ns
