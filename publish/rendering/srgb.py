"""Build the sRGB colour profile of published pictures.

Every picture of every school has the same profile, so the profile says nothing about place, time
or camera, and ``verify`` can require exactly these bytes. The values are the primaries adapted to
D50 and the curve of IEC 61966-2-1:1999; the layout is that of ICC.1:2022 (profile version 4.4).
"""

from __future__ import annotations

import struct

_PUBLISHED_ON = (1999, 10, 18, 0, 0, 0)
"""Date of IEC 61966-2-1. The header needs a date; this one says nothing about the picture."""


def _fixed(value: float) -> int:
    """The value as ICC's s15Fixed16Number."""
    return round(value * 65536)


def _text(content: str) -> bytes:
    """A ``mluc`` element with one British English entry."""
    encoded = content.encode("utf-16-be")
    return (
        b"mluc" + struct.pack(">III", 0, 1, 12) + b"enGB" + struct.pack(">II", len(encoded), 28)
    ) + encoded


def _numbers(kind: bytes, *values: float) -> bytes:
    return kind + bytes(4) + b"".join(struct.pack(">i", _fixed(v)) for v in values)


def _elements() -> dict[bytes, bytes]:
    """Elements by tag signature."""
    curve = b"para" + struct.pack(">IHH", 0, 3, 0)
    curve += b"".join(
        struct.pack(">i", _fixed(v)) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
    return {
        b"desc": _text("sRGB"),
        b"cprt": _text("CC0"),
        b"wtpt": _numbers(b"XYZ ", 0.9642, 1.0, 0.8249),
        b"chad": _numbers(
            b"sf32",
            *(1.04788, 0.02292, -0.05022),
            *(0.02959, 0.99048, -0.01707),
            *(-0.00925, 0.01508, 0.75168),
        ),
        b"rXYZ": _numbers(b"XYZ ", 0.43607, 0.22249, 0.01392),
        b"gXYZ": _numbers(b"XYZ ", 0.38515, 0.71687, 0.09708),
        b"bXYZ": _numbers(b"XYZ ", 0.14307, 0.06061, 0.71410),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }


def _build() -> bytes:
    elements = _elements()
    offset = 128 + 4 + 12 * len(elements)
    table, body, offsets = b"", b"", dict[bytes, int]()  # equal elements are stored once
    for tag, element in elements.items():
        if element not in offsets:
            offsets[element] = offset + len(body)
            body += element + bytes(-len(element) % 4)
        table += struct.pack(">4sII", tag, offsets[element], len(element))
    size = offset + len(body)
    header = struct.pack(">I4xI", size, 0x04400000) + b"mntrRGB XYZ "
    header += struct.pack(">6H", *_PUBLISHED_ON) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(_fixed(v) for v in (0.9642, 1.0, 0.8249)))
    return header.ljust(128, b"\x00") + struct.pack(">I", len(elements)) + table + body


SRGB_PROFILE: bytes = _build()
"""A display profile of version 4.4 with fewer than 500 bytes."""
