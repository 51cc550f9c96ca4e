"""Read the boxes of a published film, and the index of the samples of one track.

Source: ISO/IEC 14496-12. Every function raises NotOurs, struct.error or ValueError for a file that
is no published film.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAX_SAMPLES = 1_000_000


class NotOurs(Exception):
    """The file is not a published film."""


def require(condition: bool) -> None:
    """Raise NotOurs unless the condition holds."""
    if not condition:
        raise NotOurs


@dataclass(frozen=True)
class Mp4Box:
    """The content of a box, without its header."""

    start: int
    end: int


def children(
    data: bytes, start: int, end: int, kinds: list[bytes], optional: frozenset[bytes] = frozenset()
) -> list[Mp4Box]:
    """The boxes in a part of the file, which must be exactly these, in this order.

    Boxes in ``optional`` may be absent; then an empty box stands for them.
    """
    found = []
    for expected in kinds:
        kind = data[start + 4 : start + 8] if start < end else b""
        if kind != expected and expected in optional:
            found.append(Mp4Box(start, start))
            continue
        require(kind == expected and start + 8 <= end)
        (size,) = struct.unpack_from(">I", data, start)
        require(8 <= size <= end - start)
        found.append(Mp4Box(start + 8, start + size))
        start += size
    require(start == end)
    return found


@dataclass(frozen=True)
class Chunk:
    """Samples that lie one after another in the file."""

    offset: int
    sizes: tuple[int, ...]
    """Length of each sample in bytes."""


class SampleIndex:
    """Where the samples of one track lie, and how long they last (``stts`` to ``stco``)."""

    def __init__(self, data: bytes, stts: Mp4Box, stsc: Mp4Box, stsz: Mp4Box, stco: Mp4Box) -> None:
        self._data = data
        sizes = self._sample_sizes(stsz)
        self.count = len(sizes)
        times = self.numbers(stts, 2)
        require(sum(times[::2]) == self.count and 0 not in times)
        self.durations = tuple(zip(times[::2], times[1::2], strict=True))
        """How many samples last how many ticks, in the order of time."""
        self.ticks = sum(count * delta for count, delta in self.durations)
        self.chunks = self._chunks(sizes, self.numbers(stsc, 3), self.numbers(stco, 1))

    def numbers(self, box: Mp4Box, columns: int) -> tuple[int, ...]:
        """The 32-bit numbers of a table box, ``columns`` an entry."""
        flags, count = struct.unpack_from(">II", self._data, box.start)
        require(flags == 0 and count <= MAX_SAMPLES)
        require(box.end - box.start == 8 + 4 * columns * count)
        form = f">{columns * count}I"
        numbers: tuple[int, ...] = struct.unpack_from(form, self._data, box.start + 8)
        return numbers

    def _sample_sizes(self, box: Mp4Box) -> tuple[int, ...]:
        flags, common, count = (int(n) for n in struct.unpack_from(">III", self._data, box.start))
        require(flags == 0 and 0 < count <= MAX_SAMPLES)
        if common:
            require(box.end - box.start == 12)
            return (common,) * count
        require(box.end - box.start == 12 + 4 * count)
        sizes: tuple[int, ...] = struct.unpack_from(f">{count}I", self._data, box.start + 12)
        return sizes

    def _chunks(
        self, sizes: tuple[int, ...], table: tuple[int, ...], offsets: tuple[int, ...]
    ) -> list[Chunk]:
        runs = [table[i : i + 3] for i in range(0, len(table), 3)]
        firsts = [first for first, _, _ in runs] + [len(offsets) + 1]
        require(firsts[0] == 1 and firsts == sorted(set(firsts)))
        require(all(description == 1 for _, _, description in runs))
        counts: list[int] = []
        for (first, samples, _), following in zip(runs, firsts[1:], strict=True):
            counts += [samples] * (following - first)
        chunks, sample = [], 0
        for count, offset in zip(counts, offsets, strict=True):
            chunks.append(Chunk(offset, sizes[sample : sample + count]))
            sample += count
        require(sample == self.count)
        return chunks
