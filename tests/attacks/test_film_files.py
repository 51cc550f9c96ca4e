"""Files of films that were made or damaged so that something in them is not judged, or comes out.

Each film is either refused, or what leaves the gate is made of its judged frames alone.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.film.decode import FilmReader
from ingest.film.frames import JudgedFrame
from ingest.film.libav import FilmLimits
from publish.rendering.film import FilmEncoder
from publish.verification.verify import verify
from tests.support.films import RGB, drawn_frames, make_film

pytestmark = pytest.mark.costly

SECRET = "Mia Ashdown"
SIDE = 64


def small(count: int = 12, seed: int = 7) -> list[RGB]:
    return list(drawn_frames(count, SIDE, SIDE)) if seed == 7 else noise(count)


def noise(count: int) -> list[RGB]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(count)]


def judged(film: bytes, limits: FilmLimits | None = None) -> list[JudgedFrame]:
    with FilmReader(io.BytesIO(film), limits) as reader:
        return list(reader.frames())


def refusal(film: bytes, limits: FilmLimits | None = None) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        judged(film, limits)
    return caught.value


def published(film: bytes) -> bytes:
    """What leaves the gate of a film: its judged frames, encoded anew."""
    frames = judged(film)
    encoder = FilmEncoder(*frames[0].rgb.shape[1::-1])
    for frame in frames:
        encoder.add(frame.time, frame.rgb)
    return encoder.finish()


def assert_clean(film: bytes, count: int) -> None:
    out = published(film)
    assert verify(out) == []
    assert SECRET.encode() not in out
    assert len(judged(out, FilmLimits(min_spacing=0))) == count


# --- a file that is not whole ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "codec", "pix_fmt"),
    [
        ("matroska", "libx264", "yuv420p"),
        ("webm", "libvpx-vp9", "yuv420p"),
        ("avi", "mjpeg", "yuvj420p"),
        ("mp4", "libx264", "yuv420p"),
    ],
)
def test_a_film_is_refused_wherever_it_was_cut(container: str, codec: str, pix_fmt: str) -> None:
    film = make_film(small(25), container=container, codec=codec, pix_fmt=pix_fmt)
    assert judged(film)
    for part in np.linspace(0.5, 0.9999, 12):
        assert refusal(film[: int(len(film) * part)]).reason is Reason.NOT_EXAMINED, part


@pytest.mark.parametrize("m2ts", ["0", "1"])
def test_a_camcorder_film_is_refused_where_it_was_cut_inside_a_picture(m2ts: str) -> None:
    """Its pictures have many packets. A cut between two pictures cannot be seen."""
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (160, 160, 3), dtype=np.uint8) for _ in range(5)]
    film = make_film(pictures, container="mpegts", muxer={"mpegts_m2ts_mode": m2ts}, sound=True)
    assert len(judged(film)) == 5
    length = 192 if m2ts == "1" else 188
    packets = len(film) // length
    passed = 0
    for kept in range(packets // 2, packets - 8, 7):
        refusal(film[: kept * length - 50])
        try:
            passed += len(judged(film[: kept * length])) > 0
        except DecodeError:
            continue
    assert passed <= packets // 100


def test_a_film_from_which_a_part_is_missing_is_refused() -> None:
    for container in ("matroska", "mpegts", "avi"):
        codec = "mpeg4" if container == "avi" else "libx264"
        film = make_film(noise(25), container=container, codec=codec)
        for at in np.linspace(0.3, 0.9, 6):
            start = int(len(film) * at)
            step = 188 * 3 if container == "mpegts" else 700
            assert refusal(film[:start] + film[start + step :]).reason is Reason.NOT_EXAMINED


def test_a_damaged_cluster_of_a_matroska_film_is_not_left_out_silently() -> None:
    film = make_film(noise(25), container="matroska", sound=True)
    rng = np.random.default_rng(3)
    for _ in range(10):
        at, size = int(rng.integers(600, len(film) - 600)), int(rng.choice([1, 40, 400]))
        damaged = film[:at] + rng.bytes(size) + film[at + size :]
        if damaged != film:
            assert refusal(damaged).reason is Reason.NOT_EXAMINED


def test_data_behind_the_end_of_a_film_are_refused_or_stay_behind() -> None:
    for container in ("avi", "matroska"):
        codec, pix_fmt = ("mjpeg", "yuvj420p") if container == "avi" else ("libx264", "yuv420p")
        film = make_film(small(), container=container, codec=codec, pix_fmt=pix_fmt)
        assert refusal(film + SECRET.encode()).reason is Reason.NOT_EXAMINED
        assert refusal(film + film).reason is Reason.NOT_EXAMINED
    film = make_film(small())
    assert_clean(film + struct.pack(">I4s", 8 + len(SECRET), b"free") + SECRET.encode(), 12)


# --- other streams and texts -----------------------------------------------------------------


def test_chapters_and_titles_stay_behind() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as file:
        file.metadata.update({"title": SECRET, "artist": SECRET, "com.school.pupil": SECRET})
        file.set_chapters(
            [{"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000),
              "metadata": {"title": SECRET}}]
        )  # fmt: skip
        add_video(file, small())
    film = out.getvalue()
    assert SECRET.encode() in film
    assert_clean(film, 12)


def test_subtitles_stay_behind_and_are_named_in_the_evidence() -> None:
    srt = f"1\n00:00:00,000 --> 00:00:00,400\n{SECRET}\n\n".encode()
    out = io.BytesIO()
    with (
        av.open(io.BytesIO(srt), "r", format="srt") as texts,
        av.open(out, "w", format="matroska") as file,
    ):
        stream = file.add_stream_from_template(texts.streams.subtitles[0])
        packets = [packet for packet in texts.demux() if packet.size]
        add_video(file, small())
        for packet in packets:
            packet.stream = stream
            file.mux(packet)
    film = out.getvalue()
    assert SECRET.encode() in film
    with FilmReader(io.BytesIO(film)) as reader:
        assert [stream.kind for stream in reader.facts.streams] == ["subtitle", "video"]
    assert_clean(film, 12)


def test_cover_art_is_not_published() -> None:
    film = make_film(small(), cover=True)
    assert_clean(film, 12)


def test_a_second_video_is_refused_even_if_it_is_marked_as_a_picture_in_another_language() -> None:
    for container in ("mp4", "matroska"):
        film = make_film(small(), container=container, second_video=True)
        assert refusal(film).reason is Reason.UNSUPPORTED_FORMAT


def test_alpha_hides_nothing_from_the_gate_that_is_published() -> None:
    """The picture under a transparent layer is judged and published as it is."""
    film = make_film(small(), container="webm", codec="libvpx-vp9", pix_fmt="yuva420p")
    frames = judged(film)
    assert frames[0].rgb.shape == (SIDE, SIDE, 3)
    plain = judged(make_film(small(), container="webm", codec="libvpx-vp9"))
    difference = np.abs(frames[3].rgb.astype(int) - plain[3].rgb)
    assert difference.mean() < 3
    assert_clean(film, 12)


# --- pictures that change --------------------------------------------------------------------


def add_video(file: object, pictures: list[RGB], **options: str) -> None:
    stream = file.add_stream("libx264", rate=25)  # type: ignore[attr-defined]
    stream.height, stream.width = pictures[0].shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.options = {"preset": "ultrafast", **options}
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        file.mux(stream.encode(frame))  # type: ignore[attr-defined]
    file.mux(stream.encode())  # type: ignore[attr-defined]


def elementary(pictures: list[RGB], turned: str = "") -> Iterator[bytes]:
    """The packets of an H.264 stream with its headers inside; optionally turned by an SEI."""
    film = make_film(pictures, container="mpegts", options={"bf": "0", "tune": "zerolatency"})
    with av.open(io.BytesIO(film), "r") as file:
        stream = file.streams.video[0]
        name = (
            f"h264_metadata=display_orientation=insert:rotate={turned}"
            if turned
            else "h264_metadata"
        )
        mend = BitStreamFilterContext(name, stream)
        for packet in file.demux(stream):
            if packet.size:
                yield from (bytes(one) for one in mend.filter(packet))


def joined(*parts: Iterator[bytes]) -> bytes:
    """The parts as one film, one packet each 40 ms."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        number = 0
        for part in parts:
            for data in part:
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                packet.pts = packet.dts = number
                packet.duration = 1
                file.mux(packet)
                number += 1
    return out.getvalue()


def test_a_film_that_changes_its_size_is_refused() -> None:
    larger = list(drawn_frames(6, 96, 96))
    assert len(judged(joined(elementary(small(6)), elementary(small(6))))) == 12
    refused = refusal(joined(elementary(small(6)), elementary(larger)))
    assert "size" in refused.message


def test_a_film_that_is_turned_in_the_middle_is_refused() -> None:
    """Players and the gate would turn the boxes of faces differently."""
    refused = refusal(joined(elementary(small(6)), elementary(small(6), turned="90")))
    assert "size" in refused.message
    assert "upright" in refusal(joined(elementary(small(6), turned="30"))).message


def test_a_face_that_is_shown_for_one_frame_is_judged_or_is_not_published() -> None:
    """At a variable rate, one frame lies 10 ms behind another."""
    pictures = small(10)
    pictures[5] = np.full((SIDE, SIDE, 3), (255, 0, 0), np.uint8)
    for offset in (Fraction(1, 100), Fraction(3, 100), Fraction(1, 25)):
        times = [Fraction(n, 25) for n in range(5)]
        times += [times[-1] + offset + Fraction(n, 25) for n in range(5)]
        film = make_film(pictures, times=times, options={"bf": "0"})
        seen = [is_red(frame.rgb) for frame in judged(film)]
        out = [is_red(frame.rgb) for frame in judged(published(film), FilmLimits(min_spacing=0))]
        assert out == seen
        assert any(seen) == (offset > Fraction(1, 40))


def is_red(rgb: RGB) -> bool:
    red, green, _ = rgb.reshape(-1, 3).mean(axis=0)
    return bool(red > 150 > 2 * green)


MIRRORS = {
    "left and right": (-65536, 0, 0, 0, 65536),
    "up and down": (65536, 0, 0, 0, -65536),
    "diagonal": (0, 65536, 0, 65536, 0),
}
"""The first numbers of the matrix by which a player shows the picture."""


@pytest.mark.parametrize("mirror", MIRRORS)
def test_a_film_that_is_shown_in_a_mirror_is_refused(mirror: str) -> None:
    """It would be searched and published upside down."""
    film = bytearray(make_film(small(4)))
    struct.pack_into(">5i", film, film.index(b"tkhd") + 44, *MIRRORS[mirror])
    assert "mirror" in refusal(bytes(film)).message


def with_edits(film: bytes, *edits: tuple[float, float]) -> bytes:
    """A film whose edit list shows these parts: seconds of length and of the beginning."""
    at = film.index(b"elst")
    (entries,) = struct.unpack_from(">I", film, at + 8)
    units = struct.unpack_from(">I", film, film.index(b"mdhd") + 16)[0]
    rows = b"".join(
        struct.pack(">IiHH", round(1000 * length), round(units * start), 1, 0)
        for length, start in edits
    )
    changed = bytearray(film[: at + 8] + struct.pack(">I", len(edits)) + rows)
    changed += film[at + 12 + 12 * entries :]
    for box in (b"elst", b"edts", b"trak", b"moov"):
        place = film.index(box) - 4
        (size,) = struct.unpack_from(">I", film, place)
        struct.pack_into(">I", changed, place, size + 12 * (len(edits) - entries))
    return bytes(changed)


@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([(0.28, 0.2)], range(5, 12)),
        ([(0.2, 0)], range(5)),
        ([(0.24, 0), (0.24, 0)], [*range(6), *range(6)]),
        ([(0.24, 0.24), (0.24, 0)], [*range(6, 12), *range(6)]),
        ([(0.12, 0), (0.12, 0.36)], [0, 1, 2, 9, 10, 11]),
    ],
    ids=["hides the beginning", "hides the end", "twice", "in another order", "two parts"],
)
def test_what_an_edit_list_hides_is_neither_judged_nor_published(
    edits: list[tuple[float, float]], shown: Iterable[int]
) -> None:
    pictures = [np.full((SIDE, SIDE, 3), 20 * n, np.uint8) for n in range(12)]
    film = with_edits(make_film(pictures, options={"bf": "0"}), *edits)
    for frames in (judged(film), judged(published(film), FilmLimits(min_spacing=0))):
        assert [round(float(frame.rgb.mean()) / 20) for frame in frames] == list(shown)


@pytest.mark.parametrize("edits", [[(0, 0)], [(0.48, 60)]])
def test_a_film_of_which_an_edit_list_shows_nothing_is_refused(
    edits: list[tuple[float, float]],
) -> None:
    refusal(with_edits(make_film(small(12), options={"bf": "0"}), *edits))


def test_pictures_before_the_first_whole_one_are_neither_judged_nor_published() -> None:
    """An open group of pictures begins with B frames of which the reference is missing."""
    film = make_film(
        small(30), container="mpegts", options={"x264-params": "keyint=10:open-gop=1:bframes=3"}
    )
    whole = judged(film)
    with av.open(io.BytesIO(film), "r") as file:
        packets = [bytes(packet) for packet in file.demux(video=0) if packet.size]
    refused = refusal(joined(iter(packets[12:])))
    assert len(whole) == 30
    assert refused.reason is Reason.NOT_EXAMINED


def test_negative_times_and_a_late_beginning_are_counted_from_the_first_frame() -> None:
    for start in (Fraction(-2), Fraction(0), Fraction(3, 10)):
        times = [start + Fraction(n, 25) for n in range(10)]
        film = make_film(small(10), container="matroska", times=times)
        frames = judged(film)
        assert frames[0].time == 0
        assert frames[-1].time == pytest.approx(0.36, abs=0.01)
        assert_clean(film, 10)


def test_a_film_whose_frames_have_one_time_is_refused() -> None:
    film = bytearray(make_film(small(10), options={"bf": "0"}))
    at = film.index(b"stts")
    (entries,) = struct.unpack_from(">I", film, at + 8)
    for entry in range(entries):
        struct.pack_into(">I", film, at + 16 + 8 * entry, 0)
    assert refusal(bytes(film)).reason is Reason.NOT_EXAMINED


def test_a_stated_duration_of_zero_hides_no_frame() -> None:
    film = bytearray(make_film(small(10), options={"bf": "0"}))
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        struct.pack_into(">I", film, film.index(box) + offset, 0)
    assert len(judged(bytes(film))) == 10


def test_a_bomb_of_tiny_frames_ends_at_the_limit() -> None:
    tiny = [np.zeros((16, 16, 3), np.uint8)] * 400
    film = make_film(tiny, container="matroska", rate=1000)
    refused = refusal(film, FilmLimits(max_seconds=1, max_frames_per_second=200))
    assert "longer" in refused.message


@pytest.mark.slow
def test_a_million_tiny_frames_end_at_the_limit() -> None:
    tiny = np.zeros((16, 16, 3), np.uint8)
    film = make_film([tiny] * 300_000, container="matroska", rate=1000, codec="mpeg4")
    refused = refusal(film, FilmLimits(max_seconds=1000, max_frames_per_second=250))
    assert "longer" in refused.message


# --- colours that cannot be judged -----------------------------------------------------------


@pytest.mark.parametrize(
    "colours", [{"color_trc": 16}, {"color_trc": 18}, {"colorspace": 9}, {"color_primaries": 9}]
)
def test_high_dynamic_range_is_refused_by_each_of_its_signs(colours: dict[str, int]) -> None:
    film = make_film(small(4), codec="libx265", pix_fmt="yuv420p10le", colours=colours)
    assert "HDR" in refusal(film).message


def test_dolby_vision_is_refused_by_its_sample_entry() -> None:
    """In its own colours faces are violet and green, and nothing else says so."""
    film = make_film(small(4), codec="libx265", pix_fmt="yuv420p10le")
    assert len(judged(film)) == 4
    at = film.index(b"hev1") if b"hev1" in film else film.index(b"hvc1")
    assert "HDR" in refusal(film[:at] + b"dvh1" + film[at + 4 :]).message
