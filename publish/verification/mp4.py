"""Check that an MP4 holds one silent H.264 stream and nothing else.

An own parser that shares no code with the encoder. The allow-list is the structure that a published
film has, box by box, in order: ``ftyp``, ``moov`` with one track, ``mdat`` (ISO/IEC 14496-12 and
14496-15). Every box has its exact length and its fixed content, every byte of ``mdat`` belongs to
exactly one sample, and each sample consists of slices (NAL units 1 and 5). So no box, no text and
no other stream can lie in the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from publish.verification.findings import FindingCode

MAX_SAMPLES = 1_000_000

TICKS = 90_000
"""Time units a second of the only track."""

_BRANDS = b"isom\x00\x00\x02\x00isomiso2avc1mp41"
_MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_HANDLER = bytes(8) + b"vide" + bytes(13)
_VIDEO_HEADER = bytes((0, 0, 0, 1)) + bytes(8)
_OWN_FILE = struct.pack(">II", 0, 1) + struct.pack(">I4sI", 12, b"url ", 1)
_BT709 = b"nclx" + struct.pack(">HHHB", 1, 1, 1, 0)
_SQUARE = struct.pack(">II", 1, 1)
_SLICE, _KEY_SLICE = 1, 5
_SEQUENCE, _PICTURE = 7, 8
_HIGH_PROFILES = frozenset({100, 110, 122, 244})


class _NotOurs(Exception):
    """The file is not a published film."""


@dataclass(frozen=True)
class FilmStructure:
    """What the boxes of a published film say."""

    width: int
    height: int
    frames: int
    seconds: float


def is_mp4(data: bytes) -> bool:
    """Whether the file may be a film of ours, by its first bytes."""
    return data[4:16] == b"ftypisom\x00\x00\x02\x00"


def mp4_codes(data: bytes) -> list[FindingCode]:
    """Everything in the file that is not one silent film; empty where there is nothing."""
    try:
        structure_of(data)
    except _NotOurs:
        return [FindingCode.FILM_NOT_PLAIN]
    except (struct.error, IndexError, ValueError):
        return [FindingCode.MALFORMED]
    return []


def plain_structure(data: bytes) -> FilmStructure | None:
    """The structure of a published film; None where the file is none."""
    try:
        return structure_of(data)
    except (_NotOurs, struct.error, IndexError, ValueError):
        return None


def structure_of(data: bytes) -> FilmStructure:
    """Parse the whole file against the allow-list. Raises _NotOurs, struct.error or ValueError."""
    ftyp, moov, mdat = _children(data, 0, len(data), [b"ftyp", b"moov", b"mdat"])
    _require(data[ftyp.start : ftyp.end] == _BRANDS)
    mvhd, trak = _children(data, moov.start, moov.end, [b"mvhd", b"trak"])
    milliseconds = _check_movie_header(data[mvhd.start : mvhd.end])
    tkhd, mdia = _children(data, trak.start, trak.end, [b"tkhd", b"mdia"])
    width, height = _track_size(data[tkhd.start : tkhd.end], milliseconds)
    mdhd, hdlr, minf = _children(data, mdia.start, mdia.end, [b"mdhd", b"hdlr", b"minf"])
    ticks = _media_ticks(data[mdhd.start : mdhd.end])
    _require(abs(ticks / TICKS - milliseconds / 1000) <= 0.002)
    _require(data[hdlr.start : hdlr.end] == _HANDLER)
    vmhd, dinf, stbl = _children(data, minf.start, minf.end, [b"vmhd", b"dinf", b"stbl"])
    _require(data[vmhd.start : vmhd.end] == _VIDEO_HEADER)
    (dref,) = _children(data, dinf.start, dinf.end, [b"dref"])
    _require(data[dref.start : dref.end] == _OWN_FILE)
    table = _SampleTable(data, stbl)
    _require(table.size == (width, height) and table.ticks == ticks)
    table.check_media(mdat)
    return FilmStructure(width, height, table.count, ticks / TICKS)


@dataclass(frozen=True)
class _Box:
    """The content of a box, without its header."""

    start: int
    end: int


def _children(
    data: bytes, start: int, end: int, kinds: list[bytes], optional: frozenset[bytes] = frozenset()
) -> list[_Box]:
    """The boxes in a part of the file, which must be exactly these, in this order.

    Boxes in ``optional`` may be absent; then an empty box stands for them.
    """
    found = []
    for expected in kinds:
        kind = data[start + 4 : start + 8] if start < end else b""
        if kind != expected and expected in optional:
            found.append(_Box(start, start))
            continue
        _require(kind == expected and start + 8 <= end)
        (size,) = struct.unpack_from(">I", data, start)
        _require(8 <= size <= end - start)
        found.append(_Box(start + 8, start + size))
        start += size
    _require(start == end)
    return found


def _check_movie_header(body: bytes) -> int:
    """The duration in milliseconds; no dates, normal speed (``mvhd`` version 0)."""
    _require(len(body) == 100)
    _require(body[:12] == bytes(12))
    timescale, duration = struct.unpack_from(">II", body, 12)
    _require(timescale == 1000)
    _require(body[20:36] == struct.pack(">IH", 1 << 16, 1 << 8) + bytes(10))
    _require(body[36:72] == _MATRIX)
    _require(body[72:96] == bytes(24))
    _require(body[96:] == struct.pack(">I", 2))
    return int(duration)


def _track_size(body: bytes, milliseconds: int) -> tuple[int, int]:
    """Width and height of the only track; no dates, no other layer (``tkhd`` version 0)."""
    _require(len(body) == 84)
    _require(body[:16] == bytes((0, 0, 0, 3)) + bytes(8) + struct.pack(">I", 1))
    _require(body[16:24] == struct.pack(">II", 0, milliseconds) and body[24:40] == bytes(16))
    _require(body[40:76] == _MATRIX)
    width, height = struct.unpack_from(">II", body, 76)
    _require(width % 65536 == 0 and height % 65536 == 0)
    return width >> 16, height >> 16


def _media_ticks(body: bytes) -> int:
    """The duration in ticks; no dates and no language (``mdhd`` version 0)."""
    _require(len(body) == 24)
    _require(body[:12] == bytes(12))
    timescale, duration = struct.unpack_from(">II", body, 12)
    _require(timescale == TICKS)
    _require(body[20:] == b"\x55\xc4\x00\x00")
    return int(duration)


class _SampleTable:
    """The index of the samples (``stbl``)."""

    def __init__(self, data: bytes, stbl: _Box) -> None:
        self._data = data
        kinds = [b"stsd", b"stts", b"stss", b"stsc", b"stsz", b"stco"]
        boxes = _children(data, stbl.start, stbl.end, kinds, frozenset({b"stss"}))
        stsd, stts, stss, stsc, stsz, stco = boxes
        self.size = self._described_size(stsd)
        self.sizes = self._sample_sizes(stsz)
        self.count = len(self.sizes)
        times = self._numbers(stts, 2)
        _require(sum(times[::2]) == self.count and 0 not in times)
        runs = zip(times[::2], times[1::2], strict=True)
        self.ticks = sum(count * delta for count, delta in runs)
        if stss.end > stss.start:
            keys = self._numbers(stss, 1)
            _require(list(keys) == sorted(set(keys)) and set(keys) <= set(range(1, self.count + 1)))
        self._chunks = self._numbers(stco, 1)
        self._runs = self._numbers(stsc, 3)

    def check_media(self, mdat: _Box) -> None:
        """Check that the samples fill ``mdat`` exactly, one after another, with slices alone."""
        at, sample = mdat.start, 0
        for count, offset in zip(self._samples_by_chunk(), self._chunks, strict=True):
            _require(offset == at)
            for size in self.sizes[sample : sample + count]:
                self._check_slices(at, at + size)
                at += size
            sample += count
        _require(at == mdat.end and sample == self.count)

    def _samples_by_chunk(self) -> list[int]:
        """How many samples each chunk has (``stsc``)."""
        runs = [self._runs[i : i + 3] for i in range(0, len(self._runs), 3)]
        firsts = [first for first, _, _ in runs] + [len(self._chunks) + 1]
        _require(firsts[0] == 1 and firsts == sorted(set(firsts)))
        _require(all(description == 1 for _, _, description in runs))
        counts: list[int] = []
        for (first, samples, _), following in zip(runs, firsts[1:], strict=True):
            counts += [samples] * (following - first)
        return counts

    def _check_slices(self, start: int, end: int) -> None:
        """A sample: units with a length of 4 bytes, each a slice of the picture."""
        _require(start < end <= len(self._data))
        while start < end:
            (length,) = struct.unpack_from(">I", self._data, start)
            _require(0 < length <= end - start - 4)
            _require(self._data[start + 4] & 0x9F in (_SLICE, _KEY_SLICE))
            start += 4 + length

    def _described_size(self, stsd: _Box) -> tuple[int, int]:
        """The size of the only kind of sample, ``avc1``, with its parameters and colours."""
        data = self._data
        _require(data[stsd.start : stsd.start + 8] == struct.pack(">II", 0, 1))
        (avc1,) = _children(data, stsd.start + 8, stsd.end, [b"avc1"])
        head = data[avc1.start : avc1.start + 78]
        width, height = struct.unpack_from(">HH", head, 24)
        plain = (
            bytes(6) + b"\x00\x01" + bytes(16) + struct.pack(">HH", width, height)
            + struct.pack(">II", 72 << 16, 72 << 16) + bytes(4) + b"\x00\x01"
            + bytes(32) + b"\x00\x18\xff\xff"
        )  # fmt: skip
        _require(head == plain)
        kinds = [b"avcC", b"colr", b"pasp"]
        optional = frozenset({b"colr", b"pasp"})
        avcc, colr, pasp = _children(data, avc1.start + 78, avc1.end, kinds, optional)
        _check_parameters(data[avcc.start : avcc.end])
        _require(data[colr.start : colr.end] in (b"", _BT709))
        _require(data[pasp.start : pasp.end] in (b"", _SQUARE))
        return width, height

    def _numbers(self, box: _Box, columns: int) -> tuple[int, ...]:
        """The 32-bit numbers of a table box, ``columns`` an entry."""
        flags, count = struct.unpack_from(">II", self._data, box.start)
        _require(flags == 0 and count <= MAX_SAMPLES)
        _require(box.end - box.start == 8 + 4 * columns * count)
        form = f">{columns * count}I"
        numbers: tuple[int, ...] = struct.unpack_from(form, self._data, box.start + 8)
        return numbers

    def _sample_sizes(self, box: _Box) -> tuple[int, ...]:
        flags, common, count = (int(n) for n in struct.unpack_from(">III", self._data, box.start))
        _require(flags == 0 and 0 < count <= MAX_SAMPLES)
        if common:
            _require(box.end - box.start == 12)
            return (common,) * count
        _require(box.end - box.start == 12 + 4 * count)
        sizes: tuple[int, ...] = struct.unpack_from(f">{count}I", self._data, box.start + 12)
        return sizes


def _check_parameters(body: bytes) -> None:
    """``avcC``: one sequence and one picture parameter set, and nothing after them."""
    _require(body[0] == 1 and body[4] == 0xFF and body[5] == 0xE1)
    (length,) = struct.unpack_from(">H", body, 6)
    sequence = body[8 : 8 + length]
    at = 8 + length
    _require(len(sequence) == length and length >= 4 and sequence[0] & 0x9F == _SEQUENCE)
    _require(sequence[1:4] == body[1:4])
    _require(body[at] == 1)
    (length,) = struct.unpack_from(">H", body, at + 1)
    picture = body[at + 3 : at + 3 + length]
    at += 3 + length
    _require(len(picture) == length and length >= 1 and picture[0] & 0x9F == _PICTURE)
    _require(max(len(sequence), len(picture)) <= 64)
    high = b"\xfd\xf8\xf8\x00" if body[1] in _HIGH_PROFILES else b""
    _require(body[at:] == high)


def _require(condition: bool) -> None:
    if not condition:
        raise _NotOurs
