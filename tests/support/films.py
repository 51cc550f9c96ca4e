"""Small films for tests, written with PyAV: drawn pictures, any container, odd streams."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

RGB = NDArray[np.uint8]

WIDTH, HEIGHT = 320, 240


def drawn_frames(count: int = 25, width: int = WIDTH, height: int = HEIGHT) -> Iterator[RGB]:
    """A pattern that moves."""
    noise = np.random.default_rng(7).integers(0, 255, (height, width, 3), dtype=np.uint8)
    pattern = cv2.GaussianBlur(noise, (9, 9), 4)
    for number in range(count):
        yield np.roll(pattern, 2 * number, axis=1)


def make_film(
    frames: Iterable[RGB] | None = None,
    *,
    container: str = "mp4",
    codec: str = "libx264",
    rate: int = 25,
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    times: Iterable[Fraction] | None = None,
    options: Mapping[str, str] | None = None,
    muxer: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    sound: bool = False,
    loudness: float = 1.0,
    second_video: bool = False,
    cover: bool = False,
    colours: Mapping[str, int] | None = None,
) -> bytes:
    """The bytes of a film.

    Args:
        frames: RGB arrays of one even size; a moving pattern of one second if None.
        container: Name of libavformat's muxer.
        codec: Name of libavcodec's encoder.
        rate: Frames a second.
        pix_fmt: Pixel format of the encoder.
        rotation: Degrees that the display matrix asks for.
        times: When each frame is shown, in seconds; else by ``rate``.
        options: Options of the encoder.
        muxer: Options of the muxer.
        metadata: Tags of the file.
        sound: Whether to add a tone.
        loudness: Its largest sample, of 1.
        second_video: Whether to add a second video stream.
        cover: Whether to mark a second video stream as cover art.
        colours: Attributes of the encoder such as ``color_trc``.
    """
    out = io.BytesIO()
    pictures = list(frames if frames is not None else drawn_frames())
    moments = (
        list(times) if times is not None else [Fraction(n, rate) for n in range(len(pictures))]
    )
    with av.open(out, "w", format=container, options=dict(muxer or {})) as file:
        file.metadata.update(metadata or {})
        streams = [_add_video(file, codec, pictures[0], rate, pix_fmt, options, colours)]
        if second_video or cover:
            extra = "mjpeg" if cover else codec
            format_ = "yuvj420p" if cover else pix_fmt
            streams.append(_add_video(file, extra, pictures[0], rate, format_, None, None))
        if rotation:
            streams[0].set_display_rotation(rotation)
        if cover:
            streams[1].disposition = Disposition.attached_pic
        tone = file.add_stream("aac", rate=44100) if sound else None
        for picture, moment in zip(pictures, moments, strict=True):
            for stream in streams[: 1 if cover else None]:
                _encode(file, stream, picture, moment)
        if cover:
            _encode(file, streams[1], pictures[0], Fraction(0))
        for stream in streams:
            file.mux(stream.encode())
        if tone is not None:
            _add_tone(file, tone, float(moments[-1]), loudness)
    if codec == "libsvtav1":
        # Where root runs it, this encoder gives the thread that calls it real-time priority, which
        # every process started later would inherit: a browser then takes all processors for itself.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return out.getvalue()


def _add_video(  # noqa: PLR0917
    file: Any,
    codec: str,
    picture: RGB,
    rate: int,
    pix_fmt: str,
    options: Mapping[str, str] | None,
    colours: Mapping[str, int] | None,
) -> Any:
    stream = file.add_stream(codec, rate=rate)
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = pix_fmt
    # MPEG-2 has a few fixed rates only.
    stream.codec_context.time_base = Fraction(1, rate if codec == "mpeg2video" else 1000)
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    quick = {"preset": "ultrafast"} if codec in ("libx264", "libx265") else {}
    stream.options = {**quick, **quiet, **(options or {})}
    for name, value in (colours or {}).items():
        setattr(stream.codec_context, name, value)
    return stream


def _encode(file: Any, stream: Any, picture: RGB, moment: Fraction) -> None:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts, frame.time_base = round(moment * 1000), Fraction(1, 1000)
    file.mux(stream.encode(frame))


def _add_tone(file: Any, stream: Any, seconds: float, loudness: float) -> None:
    at = np.arange(int(44100 * (seconds + 0.04))) / 44100
    samples = loudness * np.sin(2 * np.pi * 440 * at)
    for start in range(0, len(samples), 1024):
        block = samples[start : start + 1024].astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, start
        file.mux(stream.encode(frame))
    file.mux(stream.encode())
