"""DNG files whose sensor data and thumbnail differ."""

from __future__ import annotations

import struct

import numpy as np

from tests.support.images import (
    Pixels,
)

BAYER = ((0, 1), (1, 2))
"""Red, green; green, blue."""

Entry = tuple[int, int, list[int]]


def dng(pixels: Pixels, orientation: int = 1) -> bytes:
    """A DNG 1.4 whose sensor saw ``pixels`` and whose thumbnail is a grey square."""
    height, width = pixels.shape[:2]
    linear = (pixels.astype(np.float64) / 255) ** 2.2
    mosaic = np.zeros((height, width), "<u2")
    for y, row in enumerate(BAYER):
        for x, colour in enumerate(row):
            mosaic[y::2, x::2] = linear[y::2, x::2, colour] * 65_535
    sensor, thumbnail = mosaic.tobytes(), bytes([128]) * (16 * 16 * 3)
    srgb_from_xyz = (32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572)
    thumb_at, sensor_at = 2000, 2000 + len(thumbnail)
    main: list[Entry] = [
        *((254, 4, [1]), (256, 4, [16]), (257, 4, [16]), (258, 3, [8, 8, 8]), (259, 3, [1])),
        *((262, 3, [2]), (273, 4, [thumb_at]), (274, 3, [orientation]), (277, 3, [3])),
        *((278, 4, [16]), (279, 4, [len(thumbnail)]), (330, 4, [1000])),
        *((50706, 1, [1, 4, 0, 0]), (50707, 1, [1, 1, 0, 0])),
        (50708, 2, list(b"Made\x00")),
        (50721, 10, [n for v in srgb_from_xyz for n in (v, 10_000)]),
        (50728, 5, [1, 1] * 3),
        (50778, 3, [21]),
    ]
    mosaic_entries: list[Entry] = [
        *((254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1])),
        *((262, 3, [32803]), (273, 4, [sensor_at]), (277, 3, [1]), (278, 4, [height])),
        *((279, 4, [len(sensor)]), (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2])),
        *((50714, 4, [0]), (50717, 4, [65_535])),
    ]
    head = b"II*\x00\x08\x00\x00\x00" + _directory(main, 8)
    head = head.ljust(1000, b"\x00") + _directory(mosaic_entries, 1000)
    return head.ljust(2000, b"\x00") + thumbnail + sensor


def _directory(entries: list[Entry], at: int) -> bytes:
    """A TIFF directory with the values that do not fit behind it."""
    forms = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 10: "i"}
    fixed, behind = b"", b""
    end = at + 2 + 12 * len(entries) + 4
    for tag, kind, values in sorted(entries):
        packed = struct.pack(f"<{len(values)}{forms[kind]}", *values)
        count = len(values) // 2 if kind in (5, 10) else len(values)
        if len(packed) > 4:
            place = struct.pack("<I", end + len(behind))
            behind += packed + b"\x00" * (len(packed) % 2)
        else:
            place = packed.ljust(4, b"\x00")
        fixed += struct.pack("<HHI", tag, kind, count) + place
    return struct.pack("<H", len(entries)) + fixed + bytes(4) + behind
