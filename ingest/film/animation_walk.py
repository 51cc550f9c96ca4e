"""Walk an animated GIF, WebP or PNG: how long is each picture shown, and is the file whole?

No pixel is decoded here. A picture must lie within the canvas, each part in the one around it, and
nothing but zeros may follow the end. So the number of pictures is known before a decoder that
leaves out what it cannot read opens the file.

Sources: GIF89a, RFC 9649 (WebP), Portable Network Graphics third edition (APNG).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from ingest.decoding.formats import Format
from ingest.film.formats import container_of
from ingest.film.libav import damaged

MAX_PICTURES = 10_000
"""A file with more pictures is a bomb: ten minutes at 15 a second have 9 000."""
MAX_IGNORED_DELAY_MS = 10
"""Browsers show a picture with this delay or a shorter one for ``USUAL_DELAY_MS``."""
USUAL_DELAY_MS = 100.0
SHORTEST_DELAY_MS = 17.0
"""Screens show 60 pictures a second, and published films have no more. A shorter delay is made so
long."""


@dataclass(frozen=True)
class Animation:
    """What the parts of an animated picture say."""

    format: Format
    width: int
    height: int
    delays_ms: tuple[float, ...]
    """How long browsers show each picture."""
    has_hidden_picture: bool = False
    """Whether a PNG has a first picture that is not part of the animation."""


def is_film(head: bytes) -> bool:
    """Return whether a file is examined as a film, or may be an animated picture.

    ``head`` has the first ``HEAD_BYTES`` bytes of the file.
    """
    return container_of(head) is not None or may_be_animated(head)


def may_be_animated(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` may be an animated picture.

    A GIF says only after its first picture whether another one follows.
    """
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return True
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        return len(head) > 20 and bool(head[20] & 2)
    if head[:8] != _PNG:
        return False
    offset = 8
    while head[offset + 4 : offset + 8] not in (b"IDAT", b"acTL", b""):
        offset += 12 + int.from_bytes(head[offset : offset + 4], "big")
    return head[offset + 4 : offset + 8] == b"acTL"


def animation_of(data: bytes) -> Animation | None:
    """Walk a file for which ``may_be_animated`` holds.

    Returns:
        None for a file with one picture, which is judged as a photo.

    Raises:
        DecodeError: The file has several pictures and is damaged, was cut short, or has data behind
            its end.
    """
    walk: _Walk
    match data[:1]:
        case b"G":
            walk = _GifWalk(data)
        case b"R":
            walk = _WebPWalk(data)
        case _:
            walk = _PngWalk(data)
    is_whole = False
    try:
        walk.walk()
        is_whole = True
    except (_Broken, struct.error, IndexError):
        pass
    if len(walk.delays_ms) + walk.has_hidden_picture <= 1:
        return None
    if not is_whole or 0 in walk.size:
        raise damaged()
    shown = tuple(_shown_ms(delay) for delay in walk.delays_ms)
    return Animation(walk.format, *walk.size, shown, walk.has_hidden_picture)


def _shown_ms(delay: float) -> float:
    """How long a picture with this delay is shown."""
    return USUAL_DELAY_MS if delay <= MAX_IGNORED_DELAY_MS else max(delay, SHORTEST_DELAY_MS)


class _Broken(Exception):
    """The parts of the file do not fit into each other."""


def _require(holds: bool) -> None:
    if not holds:
        raise _Broken


@dataclass
class _Walk:
    """What a walk has found so far."""

    data: bytes
    format: Format = field(init=False)
    size: tuple[int, int] = (0, 0)
    """Of the canvas: width and height in pixels."""
    delays_ms: list[float] = field(default_factory=list)
    """As the file states them."""
    has_hidden_picture: bool = False

    def walk(self) -> None:
        raise NotImplementedError

    def _add(self, delay_ms: float, x: int, y: int, width: int, height: int) -> None:
        """Count a picture."""
        self.delays_ms.append(delay_ms)
        _require(len(self.delays_ms) <= MAX_PICTURES)
        _require(width > 0 and height > 0)
        _require(x + width <= self.size[0] and y + height <= self.size[1])

    def _end_at(self, offset: int) -> None:
        _require(offset <= len(self.data) and not any(self.data[offset:]))


class _GifWalk(_Walk):
    format = Format.GIF

    def walk(self) -> None:
        width, height, flags = struct.unpack_from("<HHB", self.data, 6)
        self.size = width, height
        offset, delay = 13 + _table_bytes(flags), 0
        while self.data[offset] != 0x3B:
            if self.data[offset] == 0x21:
                if self.data[offset + 1 : offset + 3] == b"\xf9\x04":
                    (delay,) = struct.unpack_from("<H", self.data, offset + 4)
                offset = self._after_blocks(offset + 2)
            else:
                _require(self.data[offset] == 0x2C)
                x, y, width, height, flags = struct.unpack_from("<HHHHB", self.data, offset + 1)
                self._add(10 * delay, x, y, width, height)
                offset, delay = self._after_blocks(offset + 11 + _table_bytes(flags)), 0
        self._end_at(offset + 1)

    def _after_blocks(self, offset: int) -> int:
        """The offset behind a row of data blocks, which an empty one ends."""
        while length := self.data[offset]:
            offset += 1 + length
        return offset + 1


def _table_bytes(flags: int) -> int:
    """The bytes of a colour table, by the flags before it."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


_WEBP_CHUNKS = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"EXIF", b"XMP "})
"""Decoders leave out a chunk of another kind, which may be a picture with a damaged name."""


class _WebPWalk(_Walk):
    format = Format.WEBP

    def walk(self) -> None:
        end = 8 + int.from_bytes(self.data[4:8], "little")
        self.size = 1 + _uint24(self.data, 24), 1 + _uint24(self.data, 27)
        offset = 12
        while offset < end:
            kind, length = struct.unpack_from("<4sI", self.data, offset)
            _require(kind in _WEBP_CHUNKS and offset + 8 + length <= end)
            if kind == b"ANMF":
                _require(length >= 16)
                x, y, width, height, delay = (
                    _uint24(self.data, offset + 8 + 3 * n) for n in range(5)
                )
                self._add(delay, 2 * x, 2 * y, width + 1, height + 1)
            offset += 8 + length + (length & 1)
        _require(offset == end)
        self._end_at(end)


def _uint24(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 3], "little")


_PNG = b"\x89PNG\r\n\x1a\n"


class _PngWalk(_Walk):
    format = Format.PNG

    def walk(self) -> None:
        offset, stated, kind = 8, None, b""
        while kind != b"IEND":
            length, kind = struct.unpack_from(">I4s", self.data, offset)
            body = self.data[offset + 8 : offset + 8 + length]
            self._check(kind, body, self.data[offset + 8 + length : offset + 12 + length])
            if kind == b"IHDR":
                self.size = struct.unpack_from(">II", body)
            elif kind == b"acTL":
                (stated,) = struct.unpack_from(">I", body)
            elif kind == b"IDAT" and not self.delays_ms:
                self.has_hidden_picture = True
            elif kind == b"fcTL":
                width, height, x, y, part, whole = struct.unpack_from(">IIIIHH", body, 4)
                self._add(1000 * part / (whole or 100), x, y, width, height)
                if self.has_hidden_picture and len(self.delays_ms) == 1:
                    # Pillow would put this picture onto the hidden one.
                    _require((width, height) == self.size and body[25] == 0)
            offset += 12 + length
        _require(stated == len(self.delays_ms))
        self._end_at(offset)

    @staticmethod
    def _check(kind: bytes, body: bytes, checksum: bytes) -> None:
        """Check a chunk that a picture is made of; a damaged remark harms nobody."""
        if not kind[0] & 32 or kind in (b"acTL", b"fcTL", b"fdAT"):
            _require(zlib.crc32(kind + body).to_bytes(4, "big") == checksum)
