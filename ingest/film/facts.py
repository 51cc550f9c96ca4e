"""Check the header of a film, and say which of its streams is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.film.formats import CODECS
from ingest.film.libav import (
    CODEC,
    HDR,
    MICROSECONDS,
    NO_PICTURE,
    SEVERAL,
    TOO_LARGE,
    FilmLimits,
    codec_name,
    in_square_pixels,
    is_cover,
    is_high_dynamic_range,
    too_long,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


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
    """0 where the file states no duration."""
    streams: tuple[FilmStream, ...]


def only_video(container: InputContainer) -> VideoStream:
    """Return the one video stream.

    Raises:
        DecodeError: There is none, or there are several.
    """
    videos = [stream for stream in container.streams.video if not is_cover(stream)]
    if not videos:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, NO_PICTURE)
    if len(videos) > 1:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, SEVERAL)
    return videos[0]


def checked_facts(container: InputContainer, stream: VideoStream, limits: FilmLimits) -> FilmFacts:
    """Check the header of the film, and set how the stream is decoded.

    Raises:
        DecodeError: The film cannot be examined, or goes beyond a limit.
    """
    context = stream.codec_context
    if context is None or context.name not in CODECS:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, CODEC)
    pixels = stream.width * stream.height
    if not 0 < pixels <= limits.max_frame_pixels:
        raise DecodeError(Reason.NOT_EXAMINED, TOO_LARGE)
    if is_high_dynamic_range(context):
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, HDR)
    stated = own_seconds(stream) or whole_seconds(container)
    if stated > limits.max_seconds:
        raise too_long(limits)
    context.thread_count = 1
    # A decoder that hides errors would show invented pixels.
    context.options = {"err_detect": "explode"}
    streams = tuple(
        FilmStream("cover" if is_cover(s) else str(s.type), codec_name(s))
        for s in container.streams
    )
    width, height = in_square_pixels(stream.width, stream.height, stream.sample_aspect_ratio)
    return FilmFacts(width, height, stated, streams)


def own_seconds(stream: VideoStream) -> float:
    """Return the duration that the header states for the picture; 0 where it states none."""
    if not stream.duration or not stream.time_base:
        return 0.0
    return float(stream.duration * stream.time_base)


def whole_seconds(container: InputContainer) -> float:
    """Return the duration that the header states for the file; 0 where it states none."""
    return container.duration / MICROSECONDS if container.duration else 0.0
