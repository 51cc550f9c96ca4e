"""Encode a published film: one stream of judged frames in an MP4, with AAC sound or without.

The encoder receives arrays and times, so it cannot copy anything of the original file. What libav
and the encoders add of their own (names and settings) is left out here, and
``publish.verification.mp4`` refuses a file that has it. PyAV is imported when the first film is
encoded: it is an extra.
"""

from __future__ import annotations

import io
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from publish.rendering.mp4_index import index_first

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from av.video.stream import VideoStream

TICKS = 90_000
"""Time units of the published film a second."""

MAX_FILM_BYTES = 200 << 20
"""A larger film is not published: a worker's answer must hold it."""

MAX_BIT_RATE = "4M"

KEY_FRAME_INTERVAL = 50
"""Frames between two key frames at most, so that players can jump."""

MAX_LAST_SECONDS = 10
"""How long the last frame is shown at most: the file says so, and files may say anything."""

_SEI = 6
"""NAL unit type (ITU-T H.264 table 7-1) in which libx264 writes its settings."""

_BT709 = 1

SOUND_RATE = 48_000
"""Samples of sound a second."""
SOUND_BITS = 64_000
"""Bits of sound a second for each channel."""

_LAYOUTS = {1: "mono", 2: "stereo"}


class FilmCodec(StrEnum):
    """How the picture of a published film is compressed."""

    H264 = "h264"
    VP9 = "vp9"


_ENCODERS: dict[FilmCodec, Literal["libx264", "libvpx-vp9"]] = {
    FilmCodec.H264: "libx264",
    FilmCodec.VP9: "libvpx-vp9",
}
"""libavcodec's encoders. SVT-AV1 is not among them: it gives its process real-time priority."""

_OPTIONS: dict[FilmCodec, dict[str, object]] = {
    FilmCodec.H264: {
        "preset": "veryfast",
        "crf": "23",
        "maxrate": MAX_BIT_RATE,
        "bufsize": MAX_BIT_RATE,
        "bf": "0",
    },
    # Without a look ahead there are no hidden frames, so each packet shows one frame.
    FilmCodec.VP9: {
        "deadline": "realtime",
        "cpu-used": "8",
        "crf": "33",
        "b": MAX_BIT_RATE,
        "maxrate": MAX_BIT_RATE,
        "bufsize": MAX_BIT_RATE,
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
    },
}


def can_encode(codec: FilmCodec) -> bool:
    """Whether the installed PyAV has the encoder."""
    import av

    return _ENCODERS[codec] in av.codecs_available


class FilmTooLarge(Exception):
    """The encoded film would be larger than ``MAX_FILM_BYTES``."""


class FilmEncoder:
    """Encodes frames of one size, in the order of time, and sound beside them."""

    def __init__(
        self, width: int, height: int, channels: int = 0, codec: FilmCodec = FilmCodec.H264
    ) -> None:
        """Begin a film.

        Args:
            width: In pixels, even.
            height: In pixels, even.
            channels: Of the sound: 1 or 2; 0 for a silent film.
            codec: How the picture is compressed. ``can_encode`` says whether that is possible.
        """
        import av
        from av.bitstream import BitStreamFilterContext
        from av.video.reformatter import Colorspace, VideoReformatter

        self._buffer = io.BytesIO()
        self._container = av.open(
            self._buffer,
            "w",
            format="mp4",
            options={
                "fflags": "+bitexact",
                "use_editlist": "0",
                "video_track_timescale": str(TICKS),
                "empty_hdlr_name": "1",
                "write_btrt": "0",
            },
        )
        stream = self._container.add_stream(_ENCODERS[codec], rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.thread_count = 1
        context.gop_size = KEY_FRAME_INTERVAL
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = 1
        stream.options = _OPTIONS[codec]
        self._stream = stream
        cleaner = f"filter_units=remove_types={_SEI}" if codec is FilmCodec.H264 else "null"
        self._cleaner = BitStreamFilterContext(cleaner, stream)
        self._newest: Packet[VideoStream] | None = None
        self._size = (width, height)
        self._converter, self._colours = VideoReformatter(), Colorspace.ITU709
        self._sound = self._add_sound_stream(channels) if channels else None
        self._layout = _LAYOUTS.get(channels, "")
        self._samples = 0

    def add(self, time: float, rgb: NDArray[np.uint8]) -> None:
        """Add a frame: (height, width, 3), uint8, RGB, scaled to the film's size if it is larger.

        Raises:
            FilmTooLarge: The film has become too large.
        """
        import av

        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame = self._converter.reformat(
            frame, *self._size, "yuv420p", dst_colorspace=self._colours, interpolation="AREA"
        )
        self._last = round(time * TICKS)
        frame.pts, frame.time_base = self._last, Fraction(1, TICKS)
        self._mux(self._stream.encode(frame))
        if self._buffer.tell() > MAX_FILM_BYTES:
            raise FilmTooLarge

    def add_sound(self, samples: NDArray[np.int16]) -> None:
        """Add sound: (channels, samples), int16, at ``SOUND_RATE``. It follows what was added.

        Raises:
            FilmTooLarge: The film has become too large.
        """
        import av

        if self._sound is None or not samples.shape[1]:
            return
        planes = np.ascontiguousarray(samples.astype(np.float32) / 32768)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts = SOUND_RATE, self._samples
        frame.time_base = Fraction(1, SOUND_RATE)
        self._samples += samples.shape[1]
        self._mux_sound(self._sound.encode(frame))
        if self._buffer.tell() > MAX_FILM_BYTES:
            raise FilmTooLarge

    def finish(self, ends_at: float | None = None) -> bytes:
        """Return the whole file.

        Args:
            ends_at: Second at which the last frame ends; None for one frame of 30 a second. It is
                shown for ``MAX_LAST_SECONDS`` at most.
        """
        self._mux(self._stream.encode())
        if self._newest is not None and ends_at is not None:
            last = round(min(ends_at * TICKS - self._last, MAX_LAST_SECONDS * TICKS))
            self._newest.duration = max(last, 1)
        self._mux_newest()
        self._container.mux(self._cleaner.filter(None))
        if self._sound is not None:
            self._mux_sound(self._sound.encode())
        self._container.close()
        return index_first(self._buffer.getbuffer())

    def _add_sound_stream(self, channels: int) -> AudioStream:
        from av.codec.context import Flags

        stream = self._container.add_stream("aac", rate=SOUND_RATE)
        stream.layout = _LAYOUTS[channels]
        stream.bit_rate = SOUND_BITS * channels
        # Otherwise the encoder writes its name into the first packet.
        stream.codec_context.flags |= Flags.bitexact
        return stream

    def _mux_sound(self, packets: list[Packet[AudioStream]]) -> None:
        for packet in packets:
            # The first packet has no samples of ours: it is there for the overlap of the second.
            if packet.pts is not None and packet.pts >= 0:
                self._container.mux(packet)

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        """Write packets, and keep the newest: only ``finish`` knows how long the last is shown."""
        for packet in packets:
            self._mux_newest()
            self._newest = packet

    def _mux_newest(self) -> None:
        if self._newest is None:
            return
        for cleaned in self._cleaner.filter(self._newest):
            cleaned.stream = self._stream
            self._container.mux(cleaned)
        self._newest = None


def published_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Even width and height of a film that is at most ``max_side`` pixels long, never enlarged."""
    shrink = min(1.0, max_side / max(width, height))
    return max(2, round(width * shrink / 2) * 2), max(2, round(height * shrink / 2) * 2)
