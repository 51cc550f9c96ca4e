"""Animated pictures for tests."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RGB = NDArray[np.uint8]
FORMATS = ("GIF", "WEBP", "PNG")


def animation(
    frames: Iterable[RGB],
    fmt: str,
    delays_ms: int | list[int] = 100,
    hidden: RGB | None = None,
    disposal: int = 0,
    **options: Any,
) -> bytes:
    """An animated picture without loss, if it has few colours.

    Args:
        frames: RGB arrays of one size.
        fmt: ``GIF``, ``WEBP`` or ``PNG``.
        delays_ms: How long each frame is shown.
        hidden: For PNG: a first picture that is not part of the animation.
        disposal: For PNG and GIF: what each frame leaves behind, by Pillow's numbers.
        options: Of Pillow's writer.
    """
    pictures = [Image.fromarray(frame) for frame in frames]
    if hidden is not None:
        pictures.insert(0, Image.fromarray(hidden))
        options["default_image"] = True
    if disposal:
        options["disposal"] = disposal
    if fmt == "WEBP":
        options["lossless"] = True
    out = io.BytesIO()
    pictures[0].save(
        out, fmt, save_all=True, append_images=pictures[1:], duration=delays_ms, **options
    )
    return out.getvalue()


def png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk."""
    offset = 8
    while offset < len(png):
        length, kind = struct.unpack_from(">I4s", png, offset)
        yield kind, png[offset + 8 : offset + 8 + length]
        offset += 12 + length


def png_of(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The PNG with these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def with_webp_chunk(webp: bytes, kind: bytes, body: bytes) -> bytes:
    """A WebP with one more chunk at its end. ``body`` has an even length."""
    parts = webp[8:] + kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(parts)) + parts
