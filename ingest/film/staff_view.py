"""Make what staff see of a film in the queue: a small film with sound, and a strip of its faces."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ingest.faces.protocols import RGB
from ingest.film.frames import JudgedFrame
from ingest.film.sound_cut import Published
from ingest.film.tracks import Place
from publish.rendering.film import FilmEncoder, FilmTooLarge, published_size

VIEW_SIDE = 640
"""Longest side in pixels of the film that staff see."""
TILE = 160
"""Side in pixels of the square picture of one face."""
COLUMNS = 20
"""Tiles in one row of the strip."""
MAX_TILES = 4000
"""A film with more faces has no strip: nobody can name them all."""
AROUND = 1.8
"""Side of the square around a face, as a multiple of the face's longer side."""
QUALITY = 85
MAX_BYTES = 160 << 20
"""A larger view is not stored: a worker's answer must hold it beside the preview."""
LENGTH_BYTES = 4


class ViewEncoder:
    """Encodes every judged frame for staff, and the sound that may be published."""

    def __init__(self) -> None:
        self._encoder: FilmEncoder | None = None
        self._is_too_large = False

    def add(self, frame: JudgedFrame, sound: Published | None = None, channels: int = 0) -> None:
        """Add the next frame. Once the film is too large, frames are left out.

        Args:
            frame: The frame.
            sound: What is heard before it; None for a silent film.
            channels: Of the sound of the film.
        """
        if self._is_too_large:
            return
        if self._encoder is None:
            height, width = frame.rgb.shape[:2]
            self._encoder = FilmEncoder(*published_size(width, height, VIEW_SIDE), channels)
        try:
            self._encoder.add(frame.time, frame.rgb)
            self._add_sound(sound)
        except FilmTooLarge:
            self._is_too_large = True

    def finish(
        self, ends_at: float | None = None, *, sound: Published | None = None
    ) -> bytes | None:
        """Return the film as MP4; None if it has no frame or is too large.

        Args:
            ends_at: Second at which the last frame ends.
            sound: What is heard after the last frame was added.
        """
        if self._encoder is None or self._is_too_large:
            return None
        try:
            self._add_sound(sound)
        except FilmTooLarge:
            return None
        encoder, self._encoder = self._encoder, None  # its film may be as large as the result
        return encoder.finish(ends_at)

    def _add_sound(self, sound: Published | None) -> None:
        if sound is not None and self._encoder is not None and sound.shape[0]:
            self._encoder.add_sound(sound)


def tile_of(rgb: RGB, place: Place) -> RGB:
    """Return a square picture of a face, with grey where the frame ends.

    Args:
        rgb: The frame in RGB, shape (height, width, 3), uint8.
        place: The face in pixels of the frame.

    Returns:
        Shape (TILE, TILE, 3), uint8, RGB.
    """
    x, y, width, height = place
    side = AROUND * max(width, height, 1.0)
    left, top = x + width / 2 - side / 2, y + height / 2 - side / 2
    scale = TILE / side
    shift = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float32)
    small = cv2.warpAffine(
        rgb,
        shift,
        (TILE, TILE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(128, 128, 128),
    )
    return np.asarray(small, np.uint8)


def strip_of(tiles: Sequence[RGB | None]) -> bytes | None:
    """Return the strip as JPEG, ``COLUMNS`` tiles in a row; a missing tile is grey.

    None if there are more than ``MAX_TILES``. A film without faces has a strip of one grey tile.
    """
    if len(tiles) > MAX_TILES:
        return None
    rows = max(1, -(-len(tiles) // COLUMNS))
    strip = np.full((rows * TILE, COLUMNS * TILE, 3), 128, np.uint8)
    for number, tile in enumerate(tiles):
        if tile is not None:
            row, column = divmod(number, COLUMNS)
            strip[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE] = tile
    encoded, data = cv2.imencode(
        ".jpg", cv2.cvtColor(strip, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    return data.tobytes() if encoded else None


def packed(strip: bytes | None, film: bytes | None) -> bytes | None:
    """Return strip and film as one file of the vault; None if one is missing or both are too
    large."""
    if strip is None or film is None or len(strip) + len(film) > MAX_BYTES:
        return None
    return len(strip).to_bytes(LENGTH_BYTES, "big") + strip + film


def film_offset(head: bytes) -> int:
    """Return where the film of ``packed`` begins; the strip is before it, from ``LENGTH_BYTES`` on.

    ``head`` has at least ``LENGTH_BYTES`` bytes.
    """
    return LENGTH_BYTES + int.from_bytes(head[:LENGTH_BYTES], "big")


def unpacked(view: bytes) -> tuple[bytes, bytes]:
    """Return strip and film of ``packed``."""
    start = film_offset(view)
    return view[LENGTH_BYTES:start], view[start:]
