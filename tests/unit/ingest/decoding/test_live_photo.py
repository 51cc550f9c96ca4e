"""The two halves of a live photo are recognised by the identifier that both have."""

from __future__ import annotations

import hashlib
import io

import pytest

from ingest.decoding.decode import DecodeLimits, decode
from ingest.decoding.live_photo import identifier_of_picture
from ingest.film.live_photo import identifier_of_film
from tests.support.images import jpeg, saved, scene
from tests.support.live_photos import FIRST, SECOND, exif_block, live_film, live_picture

DIGEST = hashlib.sha256(FIRST.encode()).hexdigest()
FILM = b"\0\0\0\x14ftypqt  \0\0\0\0qt  \0\0\0\x08wide\0\0\0\x10mdat" + bytes(8) + b"\0\0\0\x08moov"


def of_film(data: bytes) -> str:
    file = io.BytesIO(data)
    found = identifier_of_film(file)
    assert file.tell() == 0
    return found


def test_both_halves_have_the_same_digest() -> None:
    assert identifier_of_picture(live_picture()) == DIGEST
    assert decode(live_picture(), DecodeLimits()).live_photo == DIGEST
    assert of_film(live_film(FILM)) == DIGEST
    assert of_film(live_film(FILM, version=bytes(4))) == DIGEST
    assert of_film(live_film(FILM, FIRST.lower())) == DIGEST
    assert of_film(live_film(FILM, SECOND)) not in {"", DIGEST}


@pytest.mark.parametrize("fmt", ["AVIF", "WEBP"])
def test_the_identifier_is_found_in_other_formats(fmt: str) -> None:
    data = saved(scene(), fmt, exif=b"Exif\0\0" + exif_block(FIRST))
    assert decode(data, DecodeLimits()).live_photo == DIGEST


@pytest.mark.parametrize(
    "identifier", ["", "x", "0" * 36, FIRST + "0", "../" * 12, FIRST[:-1] + "G"]
)
def test_what_is_no_identifier_links_nothing(identifier: str) -> None:
    """Or all pictures with an empty or worn-out identifier would belong together."""
    assert of_film(live_film(FILM, identifier)) == ""
    assert identifier_of_picture(live_picture(identifier)) == ""


def test_other_pictures_and_films_have_none() -> None:
    assert identifier_of_picture(jpeg()) == identifier_of_picture(b"") == ""
    for data in (b"", FILM, b"\0" * 100, b"\0\0\0\1moov" + b"\xff" * 100, b"RIFF" + bytes(60)):
        assert of_film(data) == ""


def test_no_damage_makes_it_fail() -> None:
    whole = live_film(FILM)
    for at in range(len(FILM) - 20, len(whole)):
        for value in (0, 255):
            of_film(whole[:at] + bytes([value]) + whole[at + 1 :])
        of_film(whole[:at])
    picture = live_picture()
    for at in range(20, 200):
        identifier_of_picture(picture[:at] + b"\xff" + picture[at + 1 :])
