"""Smaller sizes of an approved picture, made in memory on request.

They are made from the approved file by the gate's own renderer, and checked by its verification.
A smaller size shows nothing that the approved file does not. Nothing is written, so a withdrawal
leaves no file behind.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image

from publish.public_gallery.approved import Picture
from publish.rendering.render import RenditionSpec, render, scaled_size
from publish.verification.verify import verify

SIDES = (480, 960)
"""Long sides in pixels, besides the approved file itself."""
CACHE_BYTES = 64 << 20
"""Most memory in bytes that the sizes made take."""
PARALLEL = 2
"""Sizes made at once; other requests wait."""


class SizeRefused(Exception):
    """The smaller picture did not pass the verification."""


class Sizes:
    """Makes smaller sizes and keeps the latest in memory."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock, self._turns = threading.Lock(), threading.Semaphore(PARALLEL)

    def scaled(self, picture: Picture, data: bytes, side: int) -> bytes:
        """The picture as a JPEG with at most ``side`` pixels on its long side.

        Args:
            picture: The picture, listed now.
            data: The bytes of its approved file, compared with the manifest.
            side: One of ``SIDES``.

        Raises:
            SizeRefused: The smaller picture does not pass the verification.
        """
        key = picture.sha256, side
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        with self._turns:
            rgb = np.asarray(Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB"))
            small = render(rgb, RenditionSpec(max_side=side))
        if verify(small):
            raise SizeRefused(picture.id)
        with self._lock:
            self._made[key] = small
            while sum(map(len, self._made.values())) > CACHE_BYTES:
                self._made.popitem(last=False)
        return small

    def forget_others(self, listed: set[str]) -> None:
        """Drop sizes of pictures whose SHA-256 is not in ``listed``."""
        with self._lock:
            for key in [key for key in self._made if key[0] not in listed]:
                del self._made[key]


def widths(picture: Picture) -> dict[str, int]:
    """Width in pixels of each size that the page offers, by its file name."""
    long_side = max(picture.width, picture.height)
    smaller = {
        f"{side}.jpg": scaled_size(picture.width, picture.height, side)[0]
        for side in SIDES
        if side < long_side
    }
    return smaller | {"full.jpg": picture.width}
