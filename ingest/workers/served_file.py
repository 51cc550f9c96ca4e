"""Let a worker read a large file in parts, without a path, a descriptor or a key.

The gate passes a ``ServedFile`` as an argument of a task. In the worker it arrives as a
``RemoteFile``, which asks the gate for each part through the worker's pipe. The gate decrypts and
sends the part. So a film of several gigabytes never lies in memory, or unencrypted on a disk.

The worker also says how far it is: the letter ``P`` and two numbers of seconds (4 bytes each). At
each border of a film it sends a checkpoint: the letter ``C`` and an answer of ``answers``.

A request is the letter ``R``, the offset (8 bytes) and the length (4 bytes), big-endian. No answer
of ``answers`` begins with this letter: its length would be too large. The gate checks each request,
because a hostile film may have taken the worker over.
"""

from __future__ import annotations

import io
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.connection import Connection

BLOCK = 1 << 20
"""Bytes that a worker asks for at a time. The vault decrypts blocks of this size."""

BLOCKS_KEPT = 8
"""Blocks that a worker keeps. A film's sound and picture lie a few blocks apart."""

_REQUEST = struct.Struct(">cQI")
_LETTER = b"R"
_PROGRESS = struct.Struct(">cII")
_PROGRESS_LETTER = b"P"
_CHECKPOINT_LETTER = b"C"

ReadAt = Callable[[int, int], bytes]
"""Reads so many bytes from an offset. Fewer bytes than asked for mean that reading failed."""


OnProgress = Callable[[int, int], None]
"""Called with the seconds of the film that are done, and those that it has by its header."""


OnCheckpoint = Callable[[bytes], None]
"""Called with a new checkpoint of the film (``film_checkpoint.encoded``)."""


class SourceUnreadable(OSError):
    """The gate could not read the file."""


class PartsFile:
    """A read-only file made of parts that a function reads."""

    def __init__(self, size: int, checkpoint: bytes = b"") -> None:
        self.size = size
        self.checkpoint = checkpoint
        """Where the examination of the film can go on; empty where it begins."""
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes from the present position; all the rest if negative.

        Raises:
            SourceUnreadable: The file cannot be read.
        """
        end = self.size if size < 0 else min(self.size, self._position + size)
        parts = []
        while self._position < end:
            number, start = divmod(self._position, BLOCK)
            part = self._block(number)[start : start + end - self._position]
            parts.append(part)
            self._position += len(part)
        return b"".join(parts)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, as in ``io.IOBase``."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = min(max(base + offset, 0), self.size)
        return self._position

    def tell(self) -> int:
        """The present position."""
        return self._position

    def seekable(self) -> bool:
        return True

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        offset = number * BLOCK
        length = min(BLOCK, self.size - offset)
        data = self._read_at(offset, length)
        if len(data) != length:
            raise SourceUnreadable("The file cannot be read.")
        self._blocks[number] = data
        if len(self._blocks) > BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        return data

    def _read_at(self, offset: int, length: int) -> bytes:
        raise NotImplementedError


class ServedFile(PartsFile):
    """The file on the gate's side. Pickled, it becomes a ``RemoteFile``."""

    def __init__(
        self, size: int, read_at: ReadAt, on_progress: OnProgress = lambda *_: None
    ) -> None:
        """``size`` is in bytes; ``read_at`` may raise OSError."""
        super().__init__(size)
        self._read = read_at
        self._on_progress = on_progress
        self._on_checkpoint: OnCheckpoint = lambda _: None

    def __reduce__(self) -> tuple[type[RemoteFile], tuple[int, bytes]]:
        return RemoteFile, (self.size, self.checkpoint)

    def keep_checkpoints(self, stored: bytes, on_checkpoint: OnCheckpoint) -> None:
        """Go on from a stored checkpoint, and pass on new ones.

        Args:
            stored: The checkpoint; empty where there is none.
            on_checkpoint: Called in the thread that serves the file. It must not raise.
        """
        self.checkpoint, self._on_checkpoint = stored, on_checkpoint

    def answer(self, request: bytes) -> bytes:
        """The bytes that a request asks for; none where it is invalid or reading fails."""
        _, offset, length = _REQUEST.unpack(request)
        if length > BLOCK or offset + length > self.size:
            return b""
        try:
            return self._read_at(offset, length)
        except OSError:
            return b""

    def note_progress(self, message: bytes) -> None:
        """Pass on what a worker said about its progress."""
        _, done, whole = _PROGRESS.unpack(message)
        self._on_progress(done, whole)

    def note_checkpoint(self, checkpoint: bytes) -> None:
        """Pass on a checkpoint that was checked. A task that is tried again begins there."""
        self.checkpoint = checkpoint
        self._on_checkpoint(checkpoint)

    def _read_at(self, offset: int, length: int) -> bytes:
        return self._read(offset, length)


class RemoteFile(PartsFile):
    """The file on the worker's side."""

    def _read_at(self, offset: int, length: int) -> bytes:
        if _pipe is None:
            raise SourceUnreadable("There is no pipe to the gate.")
        with _sending:
            _pipe.send_bytes(_REQUEST.pack(_LETTER, offset, length))
        return _pipe.recv_bytes(BLOCK)


_pipe: Connection | None = None
_sending = threading.Lock()
"""One thread of a worker decodes, while another reports the progress."""


def report_progress(done: float, whole: float) -> None:
    """Say how many seconds of the film are done, and how many it has. For the worker."""
    if _pipe is not None:
        with _sending:
            _pipe.send_bytes(_PROGRESS.pack(_PROGRESS_LETTER, int(done), int(whole)))


def send_checkpoint(checkpoint: bytes) -> None:
    """Send where the examination of the film could go on. For the worker."""
    if _pipe is not None:
        with _sending:
            _pipe.send_bytes(_CHECKPOINT_LETTER + checkpoint)


def connect(pipe: Connection) -> None:
    """Use this pipe for the requests of this process. Called once, by ``worker_main``."""
    global _pipe  # noqa: PLW0603  one worker is one process
    _pipe = pipe


def is_request(message: bytes) -> bool:
    """Whether a worker's message asks for a part of a file, and is no answer."""
    return len(message) == _REQUEST.size and message.startswith(_LETTER)


def is_progress(message: bytes) -> bool:
    """Whether a worker's message says how far it is, and is no answer."""
    return len(message) == _PROGRESS.size and message.startswith(_PROGRESS_LETTER)


def checkpoint_of(message: bytes) -> bytes | None:
    """Return the checkpoint in a worker's message, not checked yet; None for an answer."""
    letter = _CHECKPOINT_LETTER
    return message[len(letter) :] if message.startswith(letter) else None


def serve_descriptor(descriptor: int) -> ServedFile:
    """Serve an open file of this machine. The descriptor must stay open."""
    return ServedFile(
        os.fstat(descriptor).st_size, lambda offset, length: os.pread(descriptor, length, offset)
    )
