"""Decode an animated GIF, WebP or PNG into the frames that are judged.

Pillow puts each picture on those before it, so a judged frame is what a browser shows. Transparent
parts become white. Every picture is judged, and none is left out because it is shown shortly. A
picture of a PNG that is not part of the animation never is a frame.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import suppress

import cv2
import numpy as np
from PIL import Image, ImageFile

from consent_gate.model import Reason
from ingest.decoding.colour import to_srgb
from ingest.decoding.decode import DecodeError
from ingest.decoding.formats import Format
from ingest.faces.protocols import RGB
from ingest.film.animation_walk import Animation, animation_of, may_be_animated
from ingest.film.decode import FilmReader
from ingest.film.facts import FilmFacts, FilmStream
from ingest.film.formats import HEAD_BYTES
from ingest.film.frames import JUDGED_SIDE, FrameReader, JudgedFrame
from ingest.film.libav import (
    NOT_INSTALLED,
    TOO_LARGE,
    FilmLimits,
    SeekableFile,
    damaged,
    is_installed,
    too_long,
)

MAX_BYTES = 128 << 20
"""A larger file is not examined: it lies in memory as a whole."""
TOO_MANY_BYTES = "The animated picture is too large. Save it as MP4 and copy that in."

_PLUGINS = {Format.GIF: "GIF", Format.WEBP: "WEBP", Format.PNG: "PNG"}
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""


def open_frames(file: SeekableFile, limits: FilmLimits | None = None) -> FrameReader:
    """Open a film, or an animated picture of several pictures.

    Raises:
        DecodeError: PyAV is not installed, or the film cannot be examined.
    """
    data = _animated_file(file)
    if data is None:
        return FilmReader(file, limits)
    animation = animation_of(data)
    if animation is None:
        raise damaged()
    return AnimationReader(data, animation, limits or FilmLimits())


def only_picture(file: SeekableFile) -> bytes | None:
    """Return a file that might have been animated, but has one picture: it is judged as a photo.

    None for a film and for an animated picture. Leaves the position at the beginning.

    Raises:
        DecodeError: The file has several pictures, and is damaged or too large.
    """
    data = _animated_file(file)
    return data if data is not None and animation_of(data) is None else None


def _animated_file(file: SeekableFile) -> bytes | None:
    """The whole file, if it may be an animated picture. Leaves the position at the beginning."""
    file.seek(0)
    is_animated = may_be_animated(file.read(HEAD_BYTES))
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not is_animated:
        return None
    if size > MAX_BYTES:
        raise DecodeError(Reason.NOT_EXAMINED, TOO_MANY_BYTES)
    data = file.read(size)
    file.seek(0)
    return data


class AnimationReader(FrameReader):
    """Reads one animated picture."""

    def __init__(self, data: bytes, animation: Animation, limits: FilmLimits) -> None:
        """Open the file and check its limits.

        Args:
            data: The whole file.
            animation: What ``animation_of`` says of it.
            limits: The largest film that is decoded.

        Raises:
            DecodeError: PyAV is not installed, which writes the published film, or the animation
                goes beyond a limit.
        """
        super().__init__()
        if not is_installed():
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, NOT_INSTALLED)
        if animation.width * animation.height > limits.max_frame_pixels:
            raise DecodeError(Reason.NOT_EXAMINED, TOO_LARGE)
        whole = sum(animation.delays_ms) / 1000
        if whole > limits.max_seconds:
            raise too_long(limits)
        self._animation = animation
        self._image = self._opened(data)
        self._orientation = _orientation_of(self._image)
        streams = [FilmStream("video", animation.format.value)]
        if animation.has_hidden_picture:
            streams.append(FilmStream("cover", animation.format.value))
        width, height = animation.width, animation.height
        if self._orientation in range(5, 9):
            width, height = height, width
        self.facts = FilmFacts(width, height, whole, tuple(streams))

    def close(self) -> None:
        """Close the file."""
        self._image.close()

    def frames(self) -> Iterator[JudgedFrame]:
        time_ms = 0.0
        for number, delay_ms in enumerate(self._animation.delays_ms):
            rgb = self._frame(number + self._animation.has_hidden_picture)
            self.frames_decoded += 1
            yield self._judge(time_ms / 1000, rgb)
            time_ms += delay_ms
        self.seconds = time_ms / 1000

    def _opened(self, data: bytes) -> Image.Image:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        pictures = len(self._animation.delays_ms) + self._animation.has_hidden_picture
        try:
            image = Image.open(io.BytesIO(data), formats=[_PLUGINS[self._animation.format]])
            counted = getattr(image, "n_frames", 1)
        except Exception as error:  # decoders raise anything at all on hostile input
            raise damaged() from error
        if counted != pictures or image.size != (self._animation.width, self._animation.height):
            raise damaged()
        return image

    def _frame(self, number: int) -> RGB:
        """A picture as it is shown, upright, not larger than ``JUDGED_SIDE``."""
        image = self._image
        try:
            image.seek(number)
            image.load()
            shown = to_srgb(image)
            if self._orientation in _UPRIGHT:
                shown = shown.transpose(_UPRIGHT[self._orientation])
            rgb = np.asarray(shown, np.uint8)
        except Exception as error:  # decoders raise anything at all on hostile input
            raise damaged() from error
        if (shown.width, shown.height) != (self.facts.width, self.facts.height):
            raise damaged()
        shrink = min(1.0, JUDGED_SIDE / max(shown.size))
        if shrink < 1:
            size = max(1, round(shown.width * shrink)), max(1, round(shown.height * shrink))
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        return np.ascontiguousarray(rgb)


def _orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none. Orientation in XMP is ignored, as for photos."""
    exif = Image.Exif()
    with suppress(SyntaxError, ValueError, OSError, struct.error):
        exif.load(image.info.get("exif") or b"")
        return int(exif.get(_ORIENTATION, 1))
    return 1
