"""Decode a film into the frames that are judged, and refuse what cannot be decoded completely.

A judged frame is upright, in square pixels and sRGB-like RGB of eight bits, and at most
``JUDGED_SIDE`` pixels long. The same file always gives the same judged frames. A published film is
encoded from these frames alone, so a frame that was not judged cannot be published. The one video
stream is decoded; of all other streams only the kind is read.

libav is written in C and reads files of unknown origin, so everything here runs in a confined
worker. A film is refused, never repaired: an error after good frames, a frame that the decoder
marks as damaged, or an end before the stated duration may hide a face.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.faces.protocols import RGB
from ingest.film.formats import CODECS
from ingest.film.libav import (
    CHANGES,
    CODEC,
    HDR,
    HDR_TRANSFERS,
    NO_PICTURE,
    SEVERAL,
    TILTED,
    WIDE_GAMUT_MATRICES,
    Deinterlacer,
    FilmLimits,
    SeekableFile,
    codec_name,
    damaged,
    in_square_pixels,
    is_cover,
    matrix_of,
    open_film,
    too_long,
)

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

JUDGED_SIDE = 1920
"""Long side in pixels of the largest judged frame. Films are published at half of it or less."""

MAX_MISSING_SECONDS = 0.5
"""How far before the stated end the last frame may end. Sound often runs a little longer."""


@dataclass(frozen=True)
class FilmStream:
    """One stream of the file."""

    kind: str
    """``video``, ``audio``, ``subtitle``, ``data``, ``attachment`` or ``cover``."""
    codec: str


@dataclass(frozen=True)
class FilmFacts:
    """What the header of a film says."""

    width: int
    """Of the upright picture in square pixels, before it is scaled down."""
    height: int
    stated_seconds: float
    streams: tuple[FilmStream, ...]


@dataclass(frozen=True, eq=False)
class JudgedFrame:
    """One frame that is judged and may be published."""

    number: int
    """0 for the first judged frame."""
    time: float
    """Seconds since the first frame."""
    rgb: RGB


class FilmReader:
    """Reads one film from its beginning to its end, once. Use as a context manager."""

    def __init__(self, file: SeekableFile, limits: FilmLimits | None = None) -> None:
        """Open the film and check its header.

        Raises:
            DecodeError: PyAV is not installed, or the film cannot be examined.
        """
        self._limits = limits or FilmLimits()
        self._digest = hashlib.sha256()
        self._last_end = self._packets_end = 0.0
        self.frames_decoded = 0
        self.frames_judged = 0
        self.seconds = 0.0
        """When the last judged frame ends, in seconds since the first."""
        self._container = open_film(file)
        try:
            self._stream = self._only_video()
            self._size: tuple[int, int] | None = None
            self.facts = self._checked_facts()
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> FilmReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def frames_sha256(self) -> str:
        """SHA-256 of all judged frames so far: size, time and pixels of each."""
        return self._digest.hexdigest()

    def frames(self) -> Iterator[JudgedFrame]:
        """Yield all judged frames in the order of time. Ends without an error only at the real end.

        Raises:
            DecodeError: The film is damaged, ends early, or goes beyond a limit.
        """
        first: float | None = None
        last_kept = float("-inf")
        last = float("-inf")
        for frame in self._decoded():
            if frame.time is None or frame.is_corrupt:
                raise damaged()
            first = frame.time if first is None else first
            time = frame.time - first
            if time <= last:
                raise damaged()
            last = time
            self._last_end = time + self._frame_seconds(frame)
            if time > self._limits.max_seconds:
                raise too_long(self._limits)
            if time - last_kept < self._limits.min_spacing:
                continue
            last_kept = time
            judged = JudgedFrame(self.frames_judged, time, self._upright(frame))
            self._add_to_digest(judged)
            self.frames_judged += 1
            yield judged
        if first is None:
            raise DecodeError(Reason.NOT_EXAMINED, NO_PICTURE)
        self.seconds = self._last_end
        self._check_end()

    # --- the header ---

    def _only_video(self) -> VideoStream:
        videos = [s for s in self._container.streams.video if not is_cover(s)]
        if not videos:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, NO_PICTURE)
        if len(videos) > 1:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, SEVERAL)
        return videos[0]

    def _checked_facts(self) -> FilmFacts:
        stream, context = self._stream, self._stream.codec_context
        if context is None or context.name not in CODECS:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, CODEC)
        pixels = stream.width * stream.height
        if not 0 < pixels <= self._limits.max_frame_pixels:
            raise DecodeError(
                Reason.NOT_EXAMINED,
                "The film's picture is larger than 4K. Save it in a smaller size.",
            )
        if stream.color_trc in HDR_TRANSFERS or stream.colorspace in WIDE_GAMUT_MATRICES:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, HDR)
        stated = self._stated_seconds()
        if stated > self._limits.max_seconds:
            raise too_long(self._limits)
        context.thread_count = 1
        # A decoder that hides errors would show invented pixels.
        context.options = {"err_detect": "explode"}
        streams = tuple(
            FilmStream("cover" if is_cover(s) else str(s.type), codec_name(s))
            for s in self._container.streams
        )
        width, height = in_square_pixels(stream.width, stream.height, stream.sample_aspect_ratio)
        return FilmFacts(width, height, stated, streams)

    def _stated_seconds(self) -> float:
        """The longest duration that the header states for the picture; 0 where it states none."""
        stream = self._stream
        own = (
            float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0
        )
        whole = self._container.duration / 1_000_000 if self._container.duration else 0.0
        return own or whole

    # --- the frames ---

    def _decoded(self) -> Iterator[VideoFrame]:
        """All frames of the video stream, without interlacing."""
        deinterlacer: Deinterlacer | None = None
        limit = self._limits.max_seconds * self._limits.max_frames_per_second
        for frame in self._raw_frames():
            self.frames_decoded += 1
            if self.frames_decoded > limit:
                raise too_long(self._limits)
            self._check_frame(frame)
            if frame.interlaced_frame and deinterlacer is None:
                deinterlacer = Deinterlacer(self._stream)
            if deinterlacer is None:
                yield frame
            else:
                yield from deinterlacer.frames(frame)
        if deinterlacer is not None:
            yield from deinterlacer.frames(None)

    def _raw_frames(self) -> Iterator[VideoFrame]:
        import av

        end = 0.0
        try:
            for packet in self._container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    length = packet.duration or 0
                    end = max(end, float((packet.pts + length) * packet.time_base))
                if packet.stream.index != self._stream.index:
                    continue
                if packet.is_corrupt:
                    raise damaged()
                yield from self._stream.decode(packet)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise damaged() from error
        self._packets_end = end

    def _check_frame(self, frame: VideoFrame) -> None:
        size = (frame.width, frame.height)
        if self._size is None:
            self._size = size
            if frame.rotation % 180:
                turned = (self.facts.height, self.facts.width)
                self.facts = FilmFacts(*turned, self.facts.stated_seconds, self.facts.streams)
        if size != self._size:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, CHANGES)
        if frame.color_trc in HDR_TRANSFERS or frame.colorspace in WIDE_GAMUT_MATRICES:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, HDR)

    def _upright(self, frame: VideoFrame) -> RGB:
        """The frame in RGB, in square pixels, not larger than ``JUDGED_SIDE``, upright."""
        rotation = frame.rotation
        if rotation % 90:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, TILTED)
        width, height = in_square_pixels(
            frame.width, frame.height, self._stream.sample_aspect_ratio
        )
        shrink = min(1.0, JUDGED_SIDE / max(width, height))
        converted = frame.reformat(
            width=max(2, round(width * shrink)),
            height=max(2, round(height * shrink)),
            format="rgb24",
            src_colorspace=matrix_of(frame),
            interpolation="AREA" if shrink < 1 else "BILINEAR",
        )
        rgb = converted.to_ndarray()
        return np.ascontiguousarray(np.rot90(rgb, (rotation // 90) % 4), dtype=np.uint8)

    def _add_to_digest(self, frame: JudgedFrame) -> None:
        height, width = frame.rgb.shape[:2]
        self._digest.update(f"{frame.number}:{frame.time:.6f}:{height}x{width}:".encode())
        self._digest.update(frame.rgb.data)

    def _frame_seconds(self, frame: VideoFrame) -> float:
        """How long a frame is shown; one frame of the average rate where the file does not say."""
        if frame.duration and frame.time_base:
            return float(frame.duration * frame.time_base)
        rate = self._stream.average_rate
        return float(1 / rate) if rate else 0.0

    def _check_end(self) -> None:
        """Refuse a film that ends before the duration that its header states."""
        stream = self._stream
        own = (
            float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0
        )
        whole = self._container.duration / 1_000_000 if self._container.duration else 0.0
        start = self._container.start_time / 1_000_000 if self._container.start_time else 0.0
        if own and self._last_end < own - MAX_MISSING_SECONDS:
            raise damaged()
        if whole and max(self._packets_end - max(start, 0.0), self._last_end) < (
            whole - MAX_MISSING_SECONDS
        ):
            raise damaged()
