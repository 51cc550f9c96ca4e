"""HEIC and AVIF files as phones write them, made box by box: gain maps, tiles, turns, crops.

Sources: ISO 14496-12 (boxes), ISO 23008-12 (HEIF), ISO 14496-15 (``hvcC``), ISO 21496-1 (``tmap``).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

from tests.support.images import Pixels, saved

HDR_PQ, SRGB = (9, 16, 9), (1, 13, 6)
"""Numbers of colour primaries, transfer function and matrix (ITU-T H.273)."""

DEPTH, ALPHA = b"urn:mpeg:hevc:2015:auxid:2", b"urn:mpeg:hevc:2015:auxid:1"
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def turned(quarter_turns: int) -> bytes:
    """Anticlockwise."""
    return box(b"irot", bytes([quarter_turns]))


def cropped(width: int, height: int) -> bytes:
    """The middle."""
    return box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1))


def colours(numbers: tuple[int, int, int]) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", *numbers, 0x80))


def size_of(width: int, height: int) -> bytes:
    return full_box(b"ispe", struct.pack(">II", width, height))


@dataclass
class _Item:
    kind: bytes
    data: bytes
    properties: list[int]
    hidden: bool


@dataclass
class HeifFile:
    """A file that is made item by item; the first item is the primary one."""

    brand: bytes = b"heic"
    primary: int = 1
    items: list[_Item] = field(default_factory=list)
    _properties: list[bytes] = field(default_factory=list)
    _references: list[bytes] = field(default_factory=list)

    def add(self, kind: bytes, data: bytes, *properties: bytes, hidden: bool = False) -> int:
        """Add an item. Returns its number."""
        known = self._properties
        known += [each for each in dict.fromkeys(properties) if each not in known]
        places = [known.index(each) + 1 for each in properties]
        self.items.append(_Item(kind, data, places, hidden))
        return len(self.items)

    def add_picture(self, rgb: Pixels, *properties: bytes, hidden: bool = False) -> int:
        """Add a picture in HEVC, or in AV1 in a file of the brand ``avif``."""
        is_avif = self.brand == b"avif"
        config, data = _av1(rgb) if is_avif else _hevc(rgb)
        own = (config, size_of(rgb.shape[1], rgb.shape[0]))
        has_colours = any(each[4:8] == b"colr" for each in properties)
        usual = () if has_colours else (colours(SRGB),)
        kind = b"av01" if is_avif else b"hvc1"
        return self.add(kind, data, *own, *usual, *properties, hidden=hidden)

    def refer(self, kind: bytes, item: int, *others: int) -> None:
        """Say that an item refers to others."""
        numbers = b"".join(struct.pack(">H", other) for other in others)
        self._references.append(box(kind, struct.pack(">HH", item, len(others)), numbers))

    def add_aux(self, rgb: Pixels, meaning: bytes) -> None:
        """Add an auxiliary picture to the first one."""
        label = full_box(b"auxC", meaning + b"\x00")
        self.refer(b"auxl", self.add_picture(rgb, label, hidden=True), 1)

    def add_exif(self, block: bytes) -> None:
        """Add an EXIF block, which begins with ``Exif``, to the first item."""
        self.refer(b"cdsc", self.add(b"Exif", struct.pack(">I", 6) + block, hidden=True), 1)

    def content(self) -> bytes:
        """The whole file."""
        head = box(b"ftyp", self.brand, bytes(4), b"mif1", self.brand)
        start = len(head) + len(self._meta(0)) + 8
        return head + self._meta(start) + box(b"mdat", *(item.data for item in self.items))

    def _meta(self, offset: int) -> bytes:
        places, infos, uses = b"", b"", b""
        for number, item in enumerate(self.items, 1):
            places += struct.pack(">HHHII", number, 0, 1, offset, len(item.data))
            offset += len(item.data)
            info = struct.pack(">HH4s", number, 0, item.kind) + b"\x00"
            infos += full_box(b"infe", info, version=2, flags=int(item.hidden))
            uses += struct.pack(">HB", number, len(item.properties))
            uses += bytes(0x80 | place for place in item.properties)
        count = struct.pack(">H", len(self.items))
        uses = struct.pack(">I", len(self.items)) + uses
        properties = box(b"iprp", box(b"ipco", *self._properties), full_box(b"ipma", uses))
        references = full_box(b"iref", *self._references) if self._references else b""
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", self.primary)),
            full_box(b"iloc", b"\x44\x00", count, places),
            full_box(b"iinf", count, infos),
            properties,
            references,
        )


def tiles(rgb: Pixels) -> HeifFile:
    """A picture of two by two tiles, as phones write all their HEIC pictures."""
    height, width = rgb.shape[:2]
    down, across = height // 2, width // 2
    made = HeifFile()
    numbers = [
        made.add_picture(np.ascontiguousarray(rgb[y : y + down, x : x + across]), hidden=True)
        for y in (0, down)
        for x in (0, across)
    ]
    grid = bytes([0, 0, 1, 1]) + struct.pack(">HH", width, height)
    made.primary = made.add(b"grid", grid, size_of(width, height), colours(SRGB))
    made.refer(b"dimg", made.primary, *numbers)
    return made


def gain_map_of_iso(rgb: Pixels, gains: Pixels) -> HeifFile:
    """A picture with a gain map by ISO 21496-1, as phones write it since 2024."""
    made = HeifFile()
    made.add_picture(rgb)
    made.add_picture(gains, hidden=True)
    one = struct.pack(">iIiIIIiIiI", 0, 1, 3, 1, 1, 1, 1, 64, 1, 64)
    facts = b"\x00" + struct.pack(">HHBIIII", 0, 0, 0x40, 0, 1, 3, 1) + one
    size = size_of(rgb.shape[1], rgb.shape[0])
    made.refer(b"dimg", made.add(b"tmap", facts, size, colours(HDR_PQ)), 1, 2)
    return made


def _hevc(rgb: Pixels) -> tuple[bytes, bytes]:
    """The decoder's configuration and the data of one picture in HEVC."""
    encoder = av.CodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
    encoder.time_base = Fraction(1, 25)
    quiet = "keyint=1:log-level=none:crf=12:repeat-headers=1:info=0:pools=none:frame-threads=1"
    encoder.options = {"preset": "ultrafast", "x265-params": quiet}
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU601", dst_color_range="JPEG"
    )
    frame.pts = 0
    stream = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    units = [unit for unit in re.split(rb"\x00\x00\x00?\x01", stream) if unit]
    kinds = [unit[0] >> 1 & 63 for unit in units]
    level = units[kinds.index(33)][3:15]
    heads = struct.pack(">HBBBBHBB", 0xF000, 0xFC, 0xFD, 0xF8, 0xF8, 0, 0x0F, 3)
    arrays = b"".join(
        struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit
        for kind, unit in zip(kinds, units, strict=True)
        if kind in (32, 33, 34)
    )
    data = b"".join(
        struct.pack(">I", len(unit)) + unit
        for kind, unit in zip(kinds, units, strict=True)
        if kind < 32
    )
    return box(b"hvcC", b"\x01" + level + heads + arrays), data


def _av1(rgb: Pixels) -> tuple[bytes, bytes]:
    """The decoder's configuration and the data of one picture in AV1."""
    whole = saved(rgb, "AVIF", quality=90)
    at = whole.index(b"av1C") - 4
    (length,) = struct.unpack_from(">I", whole, at)
    return whole[at : at + length], whole[whole.index(b"mdat") + 4 :]
