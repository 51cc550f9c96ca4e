"""Films are known by their first bytes."""

from __future__ import annotations

import pytest

from ingest.film.formats import Container, container_of
from tests.support.films import make_film
from tests.support.images import jpeg


@pytest.mark.parametrize(
    ("muxer", "codec", "container"),
    [
        ("mp4", "libx264", Container.ISO_MEDIA),
        ("mov", "libx264", Container.ISO_MEDIA),
        ("3gp", "libx264", Container.ISO_MEDIA),
        ("matroska", "libx264", Container.MATROSKA),
        ("webm", "libvpx", Container.MATROSKA),
        ("mpegts", "libx264", Container.MPEG_TS),
        ("avi", "mpeg4", Container.AVI),
    ],
)
def test_each_container_is_known(muxer: str, codec: str, container: Container) -> None:
    assert container_of(make_film(container=muxer, codec=codec)) is container


def test_a_camcorder_file_with_time_stamps_is_known() -> None:
    film = make_film(container="mpegts", muxer={"mpegts_m2ts_mode": "1"})
    assert container_of(film) is Container.MPEG_TS


def test_an_old_quicktime_file_without_a_type_box_is_known() -> None:
    assert container_of(b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat") is Container.ISO_MEDIA


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"G" * 5,
        jpeg(),
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00",
        b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x00",
        b"#EXTM3U\n#EXTINF:1\n/etc/passwd",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"G" + b"\x00" * 5000,
    ],
)
def test_other_files_are_no_films(head: bytes) -> None:
    assert container_of(head) is None
