"""Decode the sound of a film to samples on the time of its judged frames.

One stream of sound is decoded, the first one; a published film has no other. The same file always
gives the same samples. They begin with the first judged frame: what was recorded before it is left
out. libav reads files of unknown origin here, so this runs in a confined worker. Sound is refused,
never repaired: after an error nobody knows whether the rest is what a person would hear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.decoding.decode import DecodeError
from ingest.film.libav import SeekableFile, codec_name, open_film

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

Samples = NDArray[np.float32]
"""Shape (channels, samples), -1 to 1, at ``RATE`` samples a second."""

RATE = 48_000
"""Samples a second of judged and of published sound."""

MAX_CHANNELS = 6
MAX_GAP_SECONDS = 0.05
"""How far the stated time of samples may differ from their place. Where more is missing, there is
silence; sound that overlaps by more is refused."""

CODECS = frozenset(
    {"aac", "ac3", "alac", "amrnb", "amrwb", "eac3", "flac", "mp2", "mp2float", "mp3", "mp3float"}
    | {"opus", "libopus", "vorbis", "libvorbis", "pcm_alaw", "pcm_mulaw"}
    | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_u8", "pcm_f32le"}
    | {"pcm_bluray", "pcm_dvd", "libopencore_amrnb", "libopencore_amrwb", "adpcm_ima_wav"}
)
"""Decoders of sound that are used, by libavcodec's names. Rare decoders are rarely tested."""

LEFT = frozenset({"FL", "BL", "SL", "FLC", "TFL", "TBL", "WL"})
RIGHT = frozenset({"FR", "BR", "SR", "FRC", "TFR", "TBR", "WR"})
"""Places of loudspeakers on one side, by libavutil's names. Others are heard on both sides."""


class SoundUnusable(Exception):
    """The sound cannot be decoded completely."""


class SoundReader:
    """Reads the sound of one film from its beginning to its end, once."""

    def __init__(self, file: SeekableFile, first_frame: float) -> None:
        """Open the file.

        Args:
            file: The film.
            first_frame: Time of the first judged frame in the file, in seconds.

        Raises:
            SoundUnusable: There is no sound, or it cannot be decoded.
        """
        self._first_frame = first_frame
        self._place = 0
        self._rest: list[Samples] = []
        self._is_at_end = False
        try:
            self._container = open_film(file)
        except DecodeError as error:
            raise SoundUnusable from error
        try:
            self._stream = self._first_stream()
            self._names = _channel_names(self._stream.codec_context)
        except BaseException:
            self._container.close()
            raise
        self._form = (self._stream.codec_context.sample_rate, len(self._names))
        self._samples = self._decoded()

    @property
    def channels(self) -> int:
        """Channels of the sound when it is published: 1 or 2."""
        return min(len(self._names), 2)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def read_until(self, seconds: float) -> Samples:
        """Return the samples from the place of the last call to this time, of each channel.

        Fewer samples mean that the sound has ended.

        Raises:
            SoundUnusable: The sound is damaged, or changes its form.
        """
        wanted = max(0, round(seconds * RATE) - self._place)
        while not self._is_at_end and sum(part.shape[1] for part in self._rest) < wanted:
            part = next(self._samples, None)
            self._is_at_end = part is None
            self._rest += [] if part is None else [part]
        whole = np.concatenate([np.zeros((len(self._names), 0), np.float32), *self._rest], axis=1)
        taken, rest = whole[:, :wanted], whole[:, wanted:]
        self._rest = [rest] if rest.shape[1] else []
        self._place += taken.shape[1]
        return taken

    def mixed(self, samples: Samples) -> Samples:
        """Return the samples of all channels as the one or two that are published."""
        if len(self._names) <= 2:
            return samples
        left = np.array([name not in RIGHT for name in self._names], np.float32)
        right = np.array([name not in LEFT for name in self._names], np.float32)
        mixed = np.zeros((2, samples.shape[1]), np.float32)
        # A product of matrices may round differently for pieces of another length.
        for index, channel in enumerate(samples):
            mixed[0] += channel * (left[index] / left.sum())
            mixed[1] += channel * (right[index] / right.sum())
        return mixed

    # --- the stream ---

    def _first_stream(self) -> Any:
        streams = self._container.streams.audio
        if not streams:
            raise SoundUnusable
        stream = streams[0]
        if codec_name(stream) not in CODECS:
            raise SoundUnusable
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}
        return stream

    def _decoded(self) -> Iterator[Samples]:
        """All samples from the first judged frame on, at ``RATE``."""
        from av import AudioResampler

        rate, is_begun = self._form[0], False
        layout = self._stream.codec_context.layout
        to_rate = AudioResampler(format="fltp", layout=layout, rate=RATE)
        for samples in self._placed():
            is_begun = True
            yield from _resampled(to_rate, samples, rate, layout)
        if is_begun:
            for frame in to_rate.resample(None):
                yield np.asarray(frame.to_ndarray(), np.float32)

    def _placed(self) -> Iterator[Samples]:
        """The samples of the file, with silence where some are missing, at the file's rate."""
        rate, count = self._form
        place = 0
        for frame in self._frames():
            samples = _as_float(frame)
            assert frame.time is not None  # noqa: S101  _frames refuses others
            begin = round((frame.time - self._first_frame) * rate)
            if begin < 0 and place == 0:
                samples, begin = samples[:, -begin:], 0  # before the first judged frame
                if not samples.shape[1]:
                    continue
            if begin < place - MAX_GAP_SECONDS * rate:
                raise SoundUnusable
            missing = begin - place
            if missing > MAX_GAP_SECONDS * rate:
                place += missing
                for start in range(0, missing, rate):
                    yield np.zeros((count, min(rate, missing - start)), np.float32)
            place += samples.shape[1]
            yield samples

    def _frames(self) -> Iterator[AudioFrame]:
        import av

        try:
            for packet in self._container.demux(self._stream):
                if packet.is_corrupt:
                    raise SoundUnusable
                for frame in self._stream.decode(packet):
                    form = (frame.sample_rate, len(frame.layout.channels))
                    if frame.time is None or frame.is_corrupt or form != self._form:
                        raise SoundUnusable
                    yield frame
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise SoundUnusable from error


class SoundDigest:
    """SHA-256 of the samples that may be published. It is the same however they are divided."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._count = 0

    def add(self, mixed: Samples) -> None:
        """Add samples: shape (1 or 2, samples)."""
        self._count += mixed.shape[1]
        self._digest.update(as_int16(mixed).T.tobytes())

    def hexdigest(self, channels: int) -> str:
        """Return the digest; empty if there was no sample."""
        if not self._count:
            return ""
        whole = self._digest.copy()
        whole.update(f":{channels}:{self._count}".encode())
        return whole.hexdigest()


def as_int16(samples: Samples) -> NDArray[np.int16]:
    """Return the samples as whole numbers."""
    return np.asarray(np.clip(np.rint(samples * 32767), -32768, 32767), np.int16)


def _channel_names(context: Any) -> tuple[str, ...]:
    names = tuple(channel.name for channel in context.layout.channels)
    if not 1 <= len(names) <= MAX_CHANNELS or not 4000 <= (context.sample_rate or 0) <= 192_000:
        raise SoundUnusable
    return names


def _as_float(frame: AudioFrame) -> Samples:
    """The samples of a frame: shape (channels, samples), -1 to 1."""
    samples: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype == np.uint8:
        return np.asarray((samples.astype(np.float32) - 128) / 128, np.float32)
    if samples.dtype in (np.int16, np.int32):
        return np.asarray(samples / -float(np.iinfo(samples.dtype).min), np.float32)
    if not np.isfinite(samples).all():
        raise SoundUnusable
    return np.asarray(samples, np.float32)


def _resampled(to_rate: Any, samples: Samples, rate: int, layout: Any) -> Iterator[Samples]:
    from av import AudioFrame as Frame

    frame = Frame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout.name)
    frame.sample_rate = rate
    for made in to_rate.resample(frame):
        yield np.asarray(made.to_ndarray(), np.float32)
