"""Every container and codec of docs/film.md: a small film of each is judged frame by frame."""

from __future__ import annotations

import io

import cv2
import pytest

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.film.decode import FilmReader
from ingest.film.formats import HEAD_BYTES, Container, container_of
from tests.support.films import drawn_frames, make_film

pytestmark = pytest.mark.costly

KINDS = [
    ("mp4", "mpeg4", "yuv420p", {}, Container.ISO_MEDIA),
    ("mp4", "libvpx-vp9", "yuv420p", {}, Container.ISO_MEDIA),
    ("mp4", "libx265", "yuv420p", {}, Container.ISO_MEDIA),
    ("mov", "libx264", "yuv420p", {}, Container.ISO_MEDIA),
    ("mov", "mjpeg", "yuvj420p", {}, Container.ISO_MEDIA),
    ("ipod", "libx264", "yuv420p", {}, Container.ISO_MEDIA),  # M4V
    ("3gp", "h263", "yuv420p", {}, Container.ISO_MEDIA),
    ("3gp", "mpeg4", "yuv420p", {}, Container.ISO_MEDIA),
    ("mpegts", "mpeg2video", "yuv420p", {}, Container.MPEG_TS),  # MTS
    ("mpegts", "libx264", "yuv420p", {"mpegts_m2ts_mode": "1"}, Container.MPEG_TS),  # M2TS
    ("avi", "mjpeg", "yuvj420p", {}, Container.AVI),
    ("matroska", "libx265", "yuv420p", {}, Container.MATROSKA),
    ("matroska", "libvpx-vp9", "yuv420p", {}, Container.MATROSKA),
    ("matroska", "libsvtav1", "yuv420p", {}, Container.MATROSKA),
    ("webm", "libvpx", "yuv420p", {}, Container.MATROSKA),
    ("mp4", "libx264", "yuv420p10le", {}, Container.ISO_MEDIA),
    ("mp4", "libx264", "yuv422p", {}, Container.ISO_MEDIA),
]


@pytest.mark.parametrize(("muxer", "codec", "pix_fmt", "options", "container"), KINDS)
def test_a_small_film_of_each_kind_is_judged(
    muxer: str, codec: str, pix_fmt: str, options: dict[str, str], container: Container
) -> None:
    frames = list(drawn_frames(5, 176, 144))  # a size that H.263 has
    film = make_film(frames, container=muxer, codec=codec, pix_fmt=pix_fmt, muxer=options)
    assert container_of(film[:HEAD_BYTES]) is container
    with FilmReader(io.BytesIO(film)) as reader:
        judged = list(reader.frames())
    assert len(judged) == 5
    for before, after in zip(frames, judged, strict=True):
        height, width = after.rgb.shape[:2]
        assert (height, width) in {(144, 176), (144, 192)}  # pixels of H.263 are not square
        expected = cv2.resize(before, (width, height)).astype(int)
        assert abs(after.rgb.astype(int) - expected).mean() < 12, (
            "the colours are those of the film"
        )


@pytest.mark.parametrize(("muxer", "codec"), [("flv", "flv1"), ("asf", "wmv2")])
def test_another_container_is_no_film_that_can_be_examined(muxer: str, codec: str) -> None:
    film = make_film(drawn_frames(5, 176, 144), container=muxer, codec=codec)
    assert container_of(film[:HEAD_BYTES]) is None
    with pytest.raises(DecodeError) as caught:
        FilmReader(io.BytesIO(film))
    assert caught.value.reason is Reason.UNSUPPORTED_FORMAT
