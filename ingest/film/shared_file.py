"""Let several readers read one file, each from a position of its own and from its own thread."""

from __future__ import annotations

import io
import threading

from ingest.film.libav import SeekableFile


class SharedFile:
    """A file that several readers read."""

    def __init__(self, file: SeekableFile) -> None:
        """From now on, nobody else may move the position of ``file``."""
        self._file = file
        self._lock = threading.Lock()
        self.size = file.seek(0, io.SEEK_END)

    def reader(self) -> SeekableFile:
        """Return a view of the file whose position is its beginning."""
        return _View(self)

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from an offset; all the rest if negative."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size)


class _View:
    def __init__(self, shared: SharedFile) -> None:
        self._shared = shared
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        data = self._shared.read_at(self._position, size)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = self._shared.size
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: size}[whence]
        self._position = min(max(base + offset, 0), size)
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True
