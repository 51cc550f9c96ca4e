"""Check that a film's file is whole, before and after it is decoded.

libav goes on after a damaged or missing part of many files without an error. So the containers are
walked here by their own rules: each part must lie in the one around it, and the last must end where
the file ends. The number of pictures that the file holds is compared with the number that libav
returned. The frames themselves are not read.

Sources: ISO/IEC 14496-12 (MP4, MOV), RFC 8794 and RFC 9559 (Matroska), ISO/IEC 13818-1 (MTS),
Microsoft's RIFF and the OpenDML extensions (AVI).
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.film.file_walk import FileWalk
from ingest.film.formats import HEAD_BYTES, Container, container_of
from ingest.film.libav import SeekableFile, damaged
from ingest.film.matroska import MatroskaWalk


class PictureCount:
    """Compares the pictures that the file holds with those that came out of the decoder.

    A decoder leaves out a picture that it cannot read, and some do so without an error.
    """

    def __init__(self, stored: int | None) -> None:
        """``stored`` is what ``stored_pictures`` returned."""
        self._stored = stored
        self._packets = self._shown = self._frames = 0
        self._is_interlaced = False

    def add_packet(self, size: int, *, is_discarded: bool) -> None:
        """Count a packet of the video. An edit list may say that it is not shown."""
        self._packets += size > 0
        self._shown += size > 0 and not is_discarded

    def add_frame(self, *, is_interlaced: bool) -> None:
        """Count a frame from the decoder."""
        self._frames += 1
        self._is_interlaced = self._is_interlaced or is_interlaced

    def check(self) -> None:
        """Compare the numbers after the last frame.

        Raises:
            DecodeError: Pictures are missing.
        """
        if self._stored is not None and self._packets != self._stored:
            raise damaged()
        # The two fields of an interlaced picture may come in a packet each.
        fields = 2 if self._is_interlaced else 1
        if self._frames * fields < self._shown:
            raise damaged()


def stored_pictures(file: SeekableFile) -> int | None:
    """Check that the file is whole. Leaves the position at the beginning.

    Returns:
        The number of packets of the one video stream. None where the container does not say it,
        where there are several, or where the file is no film.

    Raises:
        DecodeError: The file is damaged, was cut short, or has data behind its end.
    """
    file.seek(0)
    container = container_of(file.read(HEAD_BYTES))
    walk = FileWalk(file, file.seek(0, io.SEEK_END))
    counted = None
    match container:
        case Container.ISO_MEDIA:
            _walk_boxes(walk)
        case Container.MATROSKA:
            counted = MatroskaWalk(walk).walk()
        case Container.MPEG_TS:
            _walk_transport_stream(walk)
        case Container.AVI:
            counted = _walk_riff(walk)
    file.seek(0)
    return counted


# --- MP4 and MOV -----------------------------------------------------------------------------


def _walk_boxes(walk: FileWalk) -> None:
    """The boxes of the file follow each other up to its end."""
    offset = 0
    while offset < walk.size:
        walk.count()
        head = walk.read(offset, 8)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(walk.read(offset + 8, 8), "big")
            if length < 16:
                raise damaged()
        elif length == 0:
            return  # this box reaches to the end of the file
        elif length < 8:
            raise damaged()
        offset += length
    if offset != walk.size:
        raise damaged()


# --- transport streams -----------------------------------------------------------------------

_SYNC, _NULL_PACKET = 0x47, 0x1FFF
_TS_LENGTHS = ((188, 0), (192, 4))
_PACKETS_READ = 4096


@dataclass
class _Counters:
    """The continuity counter of each stream of a transport stream."""

    last: dict[int, int] = field(default_factory=dict)

    def check(self, packets: NDArray[np.uint8]) -> None:
        """Check packets, shape (n, 188), that follow those of the last call."""
        if not (packets[:, 0] == _SYNC).all() or (packets[:, 1] & 0x80).any():
            raise damaged()
        streams = (packets[:, 1].astype(np.int32) & 0x1F) << 8 | packets[:, 2]
        has_payload = (packets[:, 3] & 0x10) != 0
        adapted = ((packets[:, 3] & 0x20) != 0) & (packets[:, 4] > 0)
        restarts = adapted & ((packets[:, 5] & 0x80) != 0)
        counters = packets[:, 3] & 0x0F
        for stream in np.unique(streams):
            if stream == _NULL_PACKET:
                continue
            own = streams == stream
            self._check_stream(int(stream), counters[own], has_payload[own], restarts[own])

    def _check_stream(
        self,
        stream: int,
        counters: NDArray[np.uint8],
        has_payload: NDArray[np.bool_],
        restarts: NDArray[np.bool_],
    ) -> None:
        before = np.empty(len(counters), np.int32)
        before[1:] = counters[:-1]
        before[0] = self.last.get(stream, (int(counters[0]) - has_payload[0]) % 16)
        step = (counters - before) % 16
        # A packet may come twice; one without payload repeats the counter.
        fits = (step == 0) | ((step == 1) & has_payload) | restarts
        if not fits.all():
            raise damaged()
        self.last[stream] = int(counters[-1])


def _walk_transport_stream(walk: FileWalk) -> None:
    """The packets follow each other up to the end of the file, and none is missing."""
    head = walk.read(0, min(walk.size, 2 * 192))
    length, offset = next(
        ((size, at) for size, at in _TS_LENGTHS if head[at::size][:2] == bytes([_SYNC] * 2)),
        (0, 0),
    )
    if not length or walk.size % length:
        raise damaged()
    counters = _Counters()
    for start in range(0, walk.size, length * _PACKETS_READ):
        data = walk.read(start, min(length * _PACKETS_READ, walk.size - start))
        counters.check(np.frombuffer(data, np.uint8).reshape(-1, length)[:, offset : offset + 188])


# --- AVI -------------------------------------------------------------------------------------

_LISTS_WALKED = frozenset({b"movi", b"rec "})
_MOVIE_CHUNKS = frozenset({b"dc", b"db", b"wb", b"tx", b"pc", b"sb"})
"""Second half of a chunk's name, after the number of the stream."""


def _walk_riff(walk: FileWalk) -> int | None:
    """The chunks lie in their lists, and the last one ends where the file ends."""
    pictures: Counter[bytes] = Counter()
    offset = 0
    while offset < walk.size:
        head = walk.read(offset, 12)
        end = offset + 8 + int.from_bytes(head[4:8], "little")
        expected = b"AVIX" if offset else b"AVI "  # only the first has a header
        if head[:4] != b"RIFF" or head[8:] != expected or end > walk.size:
            raise damaged()
        _walk_chunks(walk, offset + 12, end, pictures)
        offset = end + (end & 1 if end < walk.size else 0)
    return next(iter(pictures.values())) if len(pictures) == 1 else None


def _walk_chunks(
    walk: FileWalk, offset: int, end: int, pictures: Counter[bytes], *, in_movie: bool = False
) -> None:
    while offset + 8 <= end:
        walk.count()
        head = walk.read(offset, 8)
        length = int.from_bytes(head[4:8], "little")
        stop = offset + 8 + length
        if stop > end:
            raise damaged()
        if head[:4] == b"LIST" and length >= 4 and walk.read(offset + 8, 4) in _LISTS_WALKED:
            _walk_chunks(walk, offset + 12, stop, pictures, in_movie=True)
        elif in_movie and not _is_movie_chunk(head[:4]):
            raise damaged()
        elif head[2:4] in (b"dc", b"db") and length:  # an empty chunk repeats the picture
            pictures[head[:4]] += 1
        offset = stop + (length & 1)
    if any(walk.read(offset, max(0, end - offset))):
        raise damaged()


def _is_movie_chunk(name: bytes) -> bool:
    """Whether a chunk belongs among the pictures and the sound; others are damaged names."""
    if name in (b"JUNK", b"LIST"):
        return True
    return (name[:2].isdigit() and name[2:] in _MOVIE_CHUNKS) or (
        name[:2] == b"ix" and name[2:].isdigit()
    )
