"""Sounds for tests: vowels that the speech finder takes for speech, and films that have them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ingest.film.sound import RATE, Samples
from tests.support.films import drawn_frames

VOWELS = (
    (120, ((730, 90), (1090, 110), (2440, 170))),
    (140, ((270, 60), (2290, 100), (3010, 120))),
    (110, ((300, 60), (870, 90), (2240, 150))),
    (130, ((730, 90), (1090, 110), (2440, 170))),
)
"""Of four vowels: the pitch, and frequency and width of three formants, in Hz (Peterson and Barney,
"Control methods used in a study of the vowels", 1952)."""


@cache
def _spoken() -> bytes:
    parts = []
    for pitch, formants in VOWELS:
        at = np.arange(RATE // 4) / RATE
        turns = np.cumsum(pitch * (1 + 0.05 * np.sin(2 * np.pi * 3 * at))) / RATE
        sound = np.zeros(len(at))
        sound[np.flatnonzero(np.diff(np.floor(turns)) > 0)] = 1
        for frequency, width in formants:
            sound = _resonance(sound, frequency, width)
        parts += [0.3 * sound / np.abs(sound).max(), np.zeros(RATE // 20)]
    return np.concatenate(parts).astype(np.float32).tobytes()


def _resonance(sound: NDArray[np.float64], frequency: float, width: float) -> NDArray[np.float64]:
    """Sound through a filter of two poles; frequency and width are in Hz."""
    radius = math.exp(-math.pi * width / RATE)
    turn = 2 * math.cos(2 * math.pi * frequency / RATE)
    made = [0.0, 0.0]
    for sample in sound.tolist():
        made.append((1 - radius) * sample + radius * turn * made[-1] - radius**2 * made[-2])
    return np.array(made[2:])


def spoken() -> Samples:
    """Four vowels in 1.2 seconds: shape (1, samples), at ``RATE``. No person's voice is in them."""
    return np.frombuffer(_spoken(), np.float32)[None].copy()


def silence(seconds: float, channels: int = 1) -> Samples:
    """Digital silence."""
    return np.zeros((channels, round(seconds * RATE)), np.float32)


def tone(seconds: float, frequency: float = 440, channels: int = 1) -> Samples:
    """A tone, which is no speech."""
    at = np.arange(round(seconds * RATE)) / RATE
    wave = (0.3 * np.sin(2 * np.pi * frequency * at)).astype(np.float32)
    return np.repeat(wave[None], channels, axis=0)


@dataclass(frozen=True, eq=False)
class Track:
    """One stream of sound."""

    samples: Samples
    codec: str = "pcm_s16le"
    rate: int = RATE
    layout: str = ""
    """By default mono or stereo."""
    start: float = 0.0
    """Seconds at which it begins in the file."""


def make_film_with(
    *tracks: Track, seconds: float = 2.0, container: str = "mov", first_frame: float = 0.0
) -> bytes:
    """A small film of drawn pictures with these sounds, which its first frame may follow."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        video: Any = file.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.options = {"preset": "ultrafast", "bf": "0"}
        video.codec_context.time_base = Fraction(1, 1000)
        streams = [_add_stream(file, track) for track in tracks]
        for number, rgb in enumerate(drawn_frames(round(seconds * 25), 64, 48)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts = round(1000 * (first_frame + number / 25))
            frame.time_base = Fraction(1, 1000)
            file.mux(video.encode(frame))
        file.mux(video.encode())
        for stream, track in zip(streams, tracks, strict=True):
            _encode(file, stream, track)
    return out.getvalue()


def _add_stream(file: Any, track: Track) -> Any:
    stream = file.add_stream(track.codec, rate=track.rate)
    stream.layout = _layout(track)
    return stream


def _layout(track: Track) -> str:
    return track.layout or ("mono", "stereo")[len(track.samples) - 1]


def _encode(file: Any, stream: Any, track: Track) -> None:
    to_form = av.AudioResampler(
        format=stream.codec_context.format or "s16", layout=_layout(track), rate=track.rate
    )
    begin = round(track.start * track.rate)
    for start in range(0, track.samples.shape[1], 4800):
        block = np.ascontiguousarray(track.samples[:, start : start + 4800])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=_layout(track))
        frame.sample_rate = RATE
        for made in to_form.resample(frame):
            made.pts, begin = begin, begin + made.samples
            made.time_base = Fraction(1, track.rate)
            file.mux(stream.encode(made))
    file.mux(stream.encode())


def loudness(samples: NDArray[Any], seconds: float = 0.1) -> list[float]:
    """The largest sample of each part of this length."""
    step = round(seconds * RATE)
    return [float(np.abs(samples[:, i : i + step]).max()) for i in range(0, samples.shape[1], step)]
