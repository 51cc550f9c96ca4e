"""Check that a Matroska or WebM file is whole, down to its blocks (RFC 8794 and RFC 9559).

libav leaves out a damaged cluster and goes on with the next without an error.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass

from ingest.film.file_walk import FileWalk
from ingest.film.libav import damaged

READ_BYTES = 1 << 20
"""Read at once for a checksum."""

_EBML, _SEGMENT, _CLUSTER, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B
_TRACK_ENTRY, _TRACK_NUMBER, _TRACK_TYPE = 0xAE, 0xD7, 0x83
_SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_VOID, _CRC = 0xEC, 0xBF
_VIDEO = 1
_IN_SEGMENT = frozenset(
    {0x114D9B74, 0x1549A966, _TRACKS, _CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
    | {_VOID, _CRC}
)
_IN_CLUSTER = frozenset({0xE7, 0x5854, 0xA7, 0xAB, _SIMPLE_BLOCK, _BLOCK_GROUP, 0xAF, _VOID, _CRC})
_IN_BLOCK_GROUP = frozenset(
    {_BLOCK, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8, _VOID, _CRC}
)
_UNKNOWN = -1


@dataclass(frozen=True)
class _Element:
    id: int
    start: int
    """Offset of the content."""
    length: int
    """``_UNKNOWN`` where a live recording did not know it."""


class MatroskaWalk:
    """Walks a Matroska file down to its blocks."""

    def __init__(self, walk: FileWalk) -> None:
        self._walk = walk
        self._blocks: Counter[int] = Counter()
        self._videos: list[int] = []

    def walk(self) -> int | None:
        """Walk the whole file.

        Returns:
            The number of blocks of the video; None where there are several videos.

        Raises:
            DecodeError: The file is damaged, was cut short, or has data behind its end.
        """
        head = self._element(0, self._walk.size)
        segment = self._element(head.start + max(head.length, 0), self._walk.size)
        if head.id != _EBML or head.length == _UNKNOWN or segment.id != _SEGMENT:
            raise damaged()
        end = self._walk.size
        if segment.length != _UNKNOWN and segment.start + segment.length != end:
            raise damaged()
        offset = segment.start
        while offset < end:
            offset = self._in_segment(self._element(offset, end), end)
        return self._blocks[self._videos[0]] if len(self._videos) == 1 else None

    def _in_segment(self, element: _Element, end: int) -> int:
        """Walk an element of the segment. Returns where the next one begins."""
        if element.id not in _IN_SEGMENT:
            raise damaged()
        if element.id == _CLUSTER:
            return self._cluster(element, end)
        if element.length == _UNKNOWN:
            raise damaged()
        if element.id not in (_VOID, _CRC):
            self._check_crc(element)
        if element.id == _TRACKS:
            self._tracks(element)
        return element.start + element.length

    def _cluster(self, cluster: _Element, end: int) -> int:
        open_ended = cluster.length == _UNKNOWN
        end = end if open_ended else cluster.start + cluster.length
        if not open_ended:
            self._check_crc(cluster)
        offset = cluster.start
        while offset < end:
            element = self._element(offset, end)
            if open_ended and element.id in _IN_SEGMENT - {_VOID, _CRC}:
                return offset
            if element.id not in _IN_CLUSTER or element.length == _UNKNOWN:
                raise damaged()
            if element.id == _SIMPLE_BLOCK:
                self._count_block(element)
            elif element.id == _BLOCK_GROUP:
                self._block_group(element)
            offset = element.start + element.length
        return offset

    def _block_group(self, group: _Element) -> None:
        offset, end = group.start, group.start + group.length
        while offset < end:
            element = self._element(offset, end)
            if element.id not in _IN_BLOCK_GROUP or element.length == _UNKNOWN:
                raise damaged()
            if element.id == _BLOCK:
                self._count_block(element)
            offset = element.start + element.length

    def _count_block(self, block: _Element) -> None:
        number, _ = self._number(block.start, keep_marker=False)
        self._blocks[number] += 1

    def _tracks(self, tracks: _Element) -> None:
        offset, end = tracks.start, tracks.start + tracks.length
        while offset < end:
            entry = self._element(offset, end)
            if entry.length == _UNKNOWN:
                raise damaged()
            if entry.id == _TRACK_ENTRY:
                values = self._values(entry)
                if values.get(_TRACK_TYPE) == _VIDEO:
                    self._videos.append(values.get(_TRACK_NUMBER, 0))
            offset = entry.start + entry.length

    def _values(self, entry: _Element) -> dict[int, int]:
        """The short numbers in a track's entry, by element."""
        values = {}
        offset, end = entry.start, entry.start + entry.length
        while offset < end:
            element = self._element(offset, end)
            if element.length == _UNKNOWN:
                raise damaged()
            if element.id in (_TRACK_NUMBER, _TRACK_TYPE) and element.length <= 8:
                values[element.id] = int.from_bytes(
                    self._walk.read(element.start, element.length), "big"
                )
            offset = element.start + element.length
        return values

    def _check_crc(self, parent: _Element) -> None:
        """Compare the checksum that may come first in an element with the rest of it."""
        if parent.length < 6:
            return
        first = self._element(parent.start, parent.start + parent.length)
        if first.id != _CRC:
            return
        stated = int.from_bytes(self._walk.read(first.start, first.length), "little")
        offset, end, crc = first.start + first.length, parent.start + parent.length, 0
        while offset < end:
            length = min(READ_BYTES, end - offset)
            crc = zlib.crc32(self._walk.read(offset, length), crc)
            offset += length
        if crc != stated:
            raise damaged()

    def _element(self, offset: int, end: int) -> _Element:
        self._walk.count()
        number, after = self._number(offset, keep_marker=True)
        length, start = self._number(after, keep_marker=False)
        if length == (1 << (7 * (start - after))) - 1:
            return _Element(number, start, _UNKNOWN)
        if start + length > end:
            raise damaged()
        return _Element(number, start, length)

    def _number(self, offset: int, *, keep_marker: bool) -> tuple[int, int]:
        """A number of variable length (RFC 8794, section 4), and the offset behind it."""
        first = self._walk.read(offset, 1)[0]
        width = 9 - first.bit_length()
        if width > (4 if keep_marker else 8):
            raise damaged()
        value = int.from_bytes(self._walk.read(offset, width), "big")
        return value if keep_marker else value & ~(1 << (7 * width)), offset + width
