"""Somebody speaks a name where nobody listens: in a second stream, beside the film, or quietly."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing

import av
import numpy as np
import pytest

from consent_gate.film.spans import joined_spans
from consent_gate.model import FilmSpan, KeptSound, Sound
from ingest.film import finished, rendition
from ingest.film.decode import FilmReader
from ingest.film.finished import FilmSearchers
from ingest.film.libav import FilmLimits
from ingest.film.rendition import make_film
from ingest.film.shared_file import SharedFile
from ingest.film.sound import Samples, SoundReader, SoundUnusable
from ingest.film.sound_check import SoundExamination
from ingest.film.sound_cut import Published
from ingest.film.speech import SpeechFinder, SpeechWatch
from publish.rendering.film import FilmEncoder
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused
from publish.verification.mp4 import plain_structure
from publish.verification.verify import verify
from tests.support.drawn_people import DrawnFinder
from tests.support.sounds import Track, loudness, make_film_with, silence, spoken, tone

Spans = tuple[FilmSpan, ...]


@pytest.fixture(scope="module")
def finder() -> SpeechFinder:
    return SpeechFinder()


class Blind:
    """A detector that sees nobody."""

    name = "yunet"

    def detect(self, _: object) -> list[object]:
        return []


def examined(film: bytes, finder: SpeechFinder | None = None) -> tuple[Sound | None, Samples, str]:
    """What is recorded of the sound, what staff hear, and the digest of the frames."""
    file, heard = SharedFile(io.BytesIO(film)), []
    with (
        closing(SoundExamination(file.reader(), finder)) as sound,
        FilmReader(file.reader()) as reader,
    ):
        for frame in reader.frames():
            heard.append(sound.until(reader.first_time, frame.time))
        heard.append(sound.until(reader.first_time, reader.seconds))
        found = sound.result(reader.facts)
    whole = [piece for piece in heard if piece.size]
    samples = np.concatenate(whole, axis=1) / 32768 if whole else np.zeros((1, 0))
    return found, np.asarray(samples, np.float32), reader.frames_sha256


def publish(
    film: bytes, *, muted: Spans = (), kept: Spans | None = None, sha256: str | None = None
) -> Rendition | RenditionRefused:
    """The film with its sound."""
    sound, _, frames = examined(film)
    assert sound is not None
    wanted = KeptSound(sound.sha256 if sha256 is None else sha256, muted)
    order = FilmRequest(1280, frames, 64, 48, (), kept, sound=wanted)
    searchers = FilmSearchers(Blind(), DrawnFinder())  # type: ignore[arg-type]
    return make_film(io.BytesIO(film), order, FilmLimits(), searchers)


def heard_in(made: Rendition | RenditionRefused) -> Samples:
    """The sound of a published film."""
    assert isinstance(made, Rendition), made
    assert made.film is not None
    assert verify(made.film.data) == []
    with closing(SoundReader(io.BytesIO(made.film.data), 0.0)) as reader:
        return reader.read_until(60)


def spans_of(samples: Samples, finder: SpeechFinder) -> Spans | None:
    watch = SpeechWatch(finder)
    for start in range(0, samples.shape[1], 1920):
        piece = samples[:, start : start + 1920]
        watch.add(piece, piece[:2])
    return watch.finish()


# --- what is heard is what is published ---


def test_a_second_stream_of_sound_is_never_published() -> None:
    film = make_film_with(Track(tone(2)), Track(spoken()))
    sound, heard, _ = examined(film)
    assert sound is not None
    assert sound.sha256 == (examined(make_film_with(Track(tone(2))))[0] or sound).sha256
    published = heard_in(publish(film))
    assert np.abs(heard - tone(2)[:, : heard.shape[1]]).max() < 0.01
    assert np.abs(published[:, 4800:90000] - tone(2)[:, 4800:90000]).max() < 0.05
    made = publish(film)
    assert isinstance(made, Rendition)
    assert made.film is not None
    structure = plain_structure(made.film.data)
    assert structure is not None
    assert structure.channels == 1


def test_sound_that_goes_on_after_the_film_is_left_out() -> None:
    film = make_film_with(Track(np.concatenate([silence(2), spoken(), spoken()], axis=1)))
    _, heard, _ = examined(film)
    assert heard.shape[1] == pytest.approx(2 * 48_000, abs=10)
    assert max(loudness(heard_in(publish(film)))) < 0.001


def test_sound_from_before_the_first_frame_is_left_out() -> None:
    whole = np.concatenate([spoken(), silence(2)], axis=1)
    film = make_film_with(Track(whole), first_frame=1.24)
    _, heard, _ = examined(film)
    assert max(loudness(heard)) < 0.001
    assert max(loudness(heard_in(publish(film)))) < 0.001


def test_sound_that_begins_late_stays_in_its_place() -> None:
    film = make_film_with(Track(tone(1), start=1.0))
    parts = loudness(heard_in(publish(film)), 0.5)
    assert parts[0] < 0.001
    assert min(parts[2:4]) > 0.2


@pytest.mark.parametrize(
    ("muted", "kept", "loud"),
    [
        ((FilmSpan(500, 1000),), None, "xxxx.......xxxxxxxxx"),
        ((), (FilmSpan(0, 600), FilmSpan(1400, 2000)), "xxxxxxxxxxxx"),
        ((FilmSpan(500, 1500),), (FilmSpan(0, 800), FilmSpan(1200, 2000)), "xxxx........xxxx"),
    ],
)
def test_muted_parts_are_silent_and_cut_parts_are_gone(
    muted: Spans, kept: Spans | None, loud: str
) -> None:
    """In the cut film, the tone changes where the cut is: 600 Hz is cut out."""
    sound = np.concatenate([tone(0.7), tone(0.6, 600), tone(0.7)], axis=1)
    published = heard_in(publish(make_film_with(Track(sound)), muted=muted, kept=kept))
    parts = loudness(published)[: len(loud)]
    # A part that the encoder mixes with its neighbour is neither loud nor silent.
    said = "".join("x" if part > 0.2 else "." if part < 1e-4 else "?" for part in parts)
    assert all(b in {a, "?"} for a, b in zip(loud, said, strict=True)), said
    assert said.count("?") <= 2
    assert published.shape[1] <= 4800 * len(loud) + 2 * 1024
    if kept is not None:
        spectrum = np.abs(np.fft.rfft(published[0, : 48_000 // 2]))
        assert spectrum[300] < spectrum[220] / 20  # half a second: two steps a hertz


@pytest.mark.parametrize(
    ("leak", "muted"),
    [
        (lambda samples: np.where(samples == 0, 300, samples).astype(np.int16), (500, 1500)),
        (lambda samples: np.clip(samples * 3.0, -32768, 32767).astype(np.int16), (500, 1500)),
        (lambda samples: np.repeat(samples, 2, axis=1), (3000, 4000)),
    ],
)
def test_an_encoder_that_lets_other_sound_out_is_found_out(
    monkeypatch: pytest.MonkeyPatch, leak: Callable[[Published], Published], muted: tuple[int, int]
) -> None:
    add = FilmEncoder.add_sound
    monkeypatch.setattr(FilmEncoder, "add_sound", lambda self, samples: add(self, leak(samples)))
    film = make_film_with(Track(tone(2)))
    assert publish(film, muted=(FilmSpan(*muted),)) == finished.NOT_PLAIN


def test_a_cut_between_two_frames_cuts_the_sound_there() -> None:
    """Frames are shown every 40 ms; the tone is heard between the cuts only."""
    sound = np.concatenate([silence(0.61), tone(0.8), silence(0.59)], axis=1)
    kept = (FilmSpan(0, 610), FilmSpan(1410, 2000))
    assert max(loudness(heard_in(publish(make_film_with(Track(sound)), kept=kept)))) < 0.001


def test_other_sound_than_what_was_heard_is_not_published() -> None:
    assert publish(make_film_with(Track(tone(1))), sha256="0" * 64) == rendition._OTHER_SOUND


# --- sound that cannot be decoded completely ---


def test_a_damaged_packet_of_sound_makes_the_sound_unusable() -> None:
    film = bytearray(make_film_with(Track(tone(2), "aac")))
    with av.open(io.BytesIO(film), "r") as file:
        packets = [packet for packet in file.demux(audio=0) if packet.size]
    middle = packets[len(packets) // 2]
    assert middle.pos is not None
    film[middle.pos : middle.pos + middle.size] = b"\xff" * middle.size
    sound, *_ = examined(bytes(film))
    assert sound == Sound("", None)
    assert publish(bytes(film)) == rendition._OTHER_SOUND


@pytest.mark.parametrize(("second", "apart"), [(44_100, 1e9), (48_000, 0.05)])
def test_sound_that_changes_its_rate_or_overlaps_itself_is_unusable(
    monkeypatch: pytest.MonkeyPatch, second: int, apart: float
) -> None:
    """The second sound begins at the time of the first; the first case does not look at times."""
    monkeypatch.setattr("ingest.film.sound.MAX_GAP_SECONDS", apart)
    parts = [make_film_with(Track(tone(1), "mp2", rate), container="mpegts", seconds=1)
             for rate in (48_000, second)]  # fmt: skip
    packets = [part[i : i + 188] for part in parts for i in range(0, len(part), 188)]
    first = len(parts[0]) // 188
    sound = [p for p in packets[first:] if ((p[1] & 0x1F) << 8 | p[2]) == 0x101]
    mixed = b"".join([*packets[:first], *sound])
    with closing(SoundReader(io.BytesIO(mixed), 0.0)) as reader, pytest.raises(SoundUnusable):
        reader.read_until(60)


def test_a_film_whose_sound_nobody_can_decode_counts_as_speech_from_end_to_end() -> None:
    film = make_film_with(Track(tone(2), "tta"), container="matroska")
    sound, *_ = examined(film)
    assert sound == Sound("", None)


# --- where somebody speaks ---


def test_speech_is_found_however_it_is_hidden(finder: SpeechFinder) -> None:
    words = np.concatenate([silence(1), spoken(), silence(1)], axis=1)
    noise = np.random.default_rng(3).normal(0, 2, words.shape).astype(np.float32)
    none = np.zeros_like(words)
    hidden = {
        "plain": words,
        "very quiet": np.round(words * 3e-3 * 32767).astype(np.float32) / 32767,
        "turned round in one": np.concatenate([words, -words]),
        "only in the difference": np.concatenate([noise + words / 2, noise - words / 2]),
        "only in the sum": np.concatenate([words / 2 + noise, words / 2 - noise]),
        "in one of six": np.concatenate([none, none, none, words / 10, none, none]),
    }
    for name, samples in hidden.items():
        spans = spans_of(samples, finder)
        assert spans, name
        assert spans[0].from_ms <= 1000, name
        assert spans[-1].to_ms >= 2200, name


def test_speech_at_8_khz_is_found(finder: SpeechFinder) -> None:
    words = np.concatenate([silence(0.5), spoken(), silence(0.3)], axis=1)
    sound, *_ = examined(make_film_with(Track(words, rate=8000)), finder)
    assert sound is not None
    assert sound.speech
    assert sound.speech[0].from_ms <= 500
    assert sound.speech[-1].to_ms >= 1700


def test_silence_and_quiet_tones_and_noise_are_no_speech(finder: SpeechFinder) -> None:
    noise = np.random.default_rng(5).normal(0, 0.005, (2, 5 * 48_000)).astype(np.float32)
    for samples in (silence(5), 0.03 * tone(5), noise):
        assert spans_of(samples, finder) == ()


@pytest.mark.parametrize("kind", ["tone", "noise"])
def test_somebody_listens_to_what_is_loud_enough_to_hide_a_voice(
    finder: SpeechFinder, kind: str
) -> None:
    noise = np.random.default_rng(5).normal(0, 0.05, (1, 48_000)).astype(np.float32)
    loud = noise if kind == "noise" else tone(1)
    spans = spans_of(np.concatenate([silence(2), loud, silence(2)], axis=1), finder)
    assert spans is not None
    (span,) = spans
    assert 1400 <= span.from_ms <= 2000
    assert 3000 <= span.to_ms <= 3600


def test_without_the_network_and_after_its_failure_everything_counts_as_speech(
    finder: SpeechFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make_film_with(Track(tone(2)))
    sound, *_ = examined(film)
    assert sound is not None
    assert (len(sound.sha256), sound.speech) == (64, None)

    def fails(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(finder, "likeness", fails)
    assert (examined(film, finder)[0] or sound).speech is None
    monkeypatch.setattr(finder, "likeness", lambda chunks, state: (np.full(2, np.nan), state))
    spans = (examined(film, finder)[0] or sound).speech
    assert spans is not None
    assert spans[0].from_ms == 0
    assert spans[-1].to_ms >= 2000


def test_a_part_is_joined_only_with_its_neighbours() -> None:
    spans = joined_spans((FilmSpan(0, 100), FilmSpan(300, 400)), 100, 200)
    assert spans == (FilmSpan(0, 200), FilmSpan(300, 400))
