"""Decode a film into the frames that are judged, and refuse what cannot be decoded completely.

The one video stream is decoded; of all other streams only the kind is read.

libav is written in C and reads files of unknown origin, so everything here runs in a confined
worker. A film is refused, never repaired: an error after good frames, a frame that the decoder
marks as damaged, or an end before the stated duration may hide a face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.faces.protocols import RGB
from ingest.film.completeness import PictureCount, stored_pictures
from ingest.film.facts import checked_facts, only_video, own_seconds, whole_seconds
from ingest.film.frames import JUDGED_SIDE, FrameReader, JudgedFrame
from ingest.film.libav import (
    CHANGES,
    HDR,
    MICROSECONDS,
    MIRRORED,
    NO_PICTURE,
    TILTED,
    Deinterlacer,
    FilmLimits,
    SeekableFile,
    damaged,
    in_square_pixels,
    is_high_dynamic_range,
    is_mirrored,
    matrix_of,
    open_film,
    too_long,
)

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

MAX_MISSING_SECONDS = 0.5
"""How far before the stated end the last frame may end. Sound often runs a little longer."""


@dataclass(frozen=True)
class _FirstFrame:
    """What all frames of a film have in common."""

    width: int
    height: int
    rotation: int
    """Degrees by which the frame is turned to be upright."""


class FilmReader(FrameReader):
    """Reads one film."""

    def __init__(self, file: SeekableFile, limits: FilmLimits | None = None) -> None:
        """Open the film and check its header.

        Raises:
            DecodeError: PyAV is not installed, or the film cannot be examined.
        """
        super().__init__()
        self._limits = limits or FilmLimits()
        self._last_end = self._packets_end = 0.0
        self._first: _FirstFrame | None = None
        self._count = PictureCount(stored_pictures(file))
        self._container = open_film(file)
        try:
            self._stream = only_video(self._container)
            self.facts = checked_facts(self._container, self._stream, self._limits)
        except BaseException:
            self._container.close()
            raise

    def close(self) -> None:
        """Close the container."""
        self._container.close()

    def frames(self) -> Iterator[JudgedFrame]:
        first: float | None = None
        last_kept = float("-inf")
        last = float("-inf")
        for frame in self._decoded():
            if frame.time is None or frame.is_corrupt:
                raise damaged()
            if first is None:
                first = self.first_time = frame.time
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
            yield self._judge(time, self._upright(frame))
        if first is None:
            raise DecodeError(Reason.NOT_EXAMINED, NO_PICTURE)
        self.seconds = self._last_end
        self._check_end()

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

        try:
            for packet in self._container.demux():
                if packet.is_corrupt:
                    raise damaged()
                self._note_end(packet)
                if packet.stream.index != self._stream.index:
                    continue
                self._count.add_packet(packet.size, is_discarded=packet.is_discard)
                for frame in self._stream.decode(packet):
                    self._count.add_frame(is_interlaced=frame.interlaced_frame)
                    yield frame
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise damaged() from error

    def _note_end(self, packet: Packet[Any]) -> None:
        if packet.pts is not None and packet.time_base is not None:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self._packets_end = max(self._packets_end, end)

    def _check_frame(self, frame: VideoFrame) -> None:
        """Refuse a frame that is no frame of the same film as the first."""
        if frame.rotation % 90:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, TILTED)
        if is_mirrored(frame):
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, MIRRORED)
        form = _FirstFrame(frame.width, frame.height, frame.rotation)
        if self._first is None:
            self._first = form
            if frame.rotation % 180:
                facts = self.facts
                self.facts = replace(facts, width=facts.height, height=facts.width)
        if form != self._first:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, CHANGES)
        if is_high_dynamic_range(frame):
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, HDR)

    def _upright(self, frame: VideoFrame) -> RGB:
        """The frame in RGB, in square pixels, not larger than ``JUDGED_SIDE``, upright."""
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
        return np.ascontiguousarray(np.rot90(rgb, (frame.rotation // 90) % 4), dtype=np.uint8)

    def _frame_seconds(self, frame: VideoFrame) -> float:
        """How long a frame is shown; one frame of the average rate where the file does not say."""
        if frame.duration and frame.time_base:
            return float(frame.duration * frame.time_base)
        rate = self._stream.average_rate
        return float(1 / rate) if rate else 0.0

    def _check_end(self) -> None:
        """Refuse a film that ends before the duration that its header states."""
        self._count.check()
        own, whole = own_seconds(self._stream), whole_seconds(self._container)
        start = self._container.start_time / MICROSECONDS if self._container.start_time else 0.0
        if own and self._last_end < own - MAX_MISSING_SECONDS:
            raise damaged()
        if whole and max(self._packets_end - max(start, 0.0), self._last_end) < (
            whole - MAX_MISSING_SECONDS
        ):
            raise damaged()
