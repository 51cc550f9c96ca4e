"""Of a motion photo the still picture is judged and published, and its film never."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from ingest.decoding.decode import DecodeLimits, decode
from ingest.film.formats import HEAD_BYTES, container_of
from publish.rendering.render import RenditionSpec, render
from tests.support.images import jpeg, saved, scene, segment, with_segments

FILM = (
    struct.pack(">I4s4sI4s", 20, b"ftyp", b"mp42", 0, b"isom")
    + struct.pack(">I4s", 5008, b"mdat")
    + np.random.default_rng(3).bytes(5000)
    + struct.pack(">I4s", 108, b"moov")
    + np.random.default_rng(4).bytes(100)
)
"""Boxes like those of the film. Nobody may open it, so it need not be one."""


def xmp(attributes: str, inside: str = "") -> bytes:
    text = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" '
        'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" '
        f"{attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + text.encode())


def micro_video() -> bytes:
    """Google's older form: the offset from the end is in the XMP."""
    offset = f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(FILM)}"'
    return with_segments(jpeg(), xmp(offset)) + FILM


def google_motion_photo() -> bytes:
    """Google's newer form: a directory of what follows the picture."""
    items = (
        "<Container:Directory><rdf:Seq>"
        '<rdf:li Item:Mime="image/jpeg" Item:Semantic="Primary" Item:Length="0"/>'
        f'<rdf:li Item:Mime="video/mp4" Item:Semantic="MotionPhoto" Item:Length="{len(FILM)}"/>'
        "</rdf:Seq></Container:Directory>"
    )
    return with_segments(jpeg(), xmp('GCamera:MotionPhoto="1"', items)) + FILM


def samsung() -> bytes:
    """Samsung's trailer: named blocks, and their directory at the end of the file."""
    block = struct.pack("<HHI", 0, 0x0A30, 16) + b"MotionPhoto_Data" + FILM
    entry = struct.pack("<HHII", 0, 0x0A30, len(block), len(block))
    directory = b"SEFH" + struct.pack("<II", 107, 1) + entry
    return jpeg() + block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def huawei() -> bytes:
    """Huawei's and Honor's trailer."""
    return jpeg() + FILM + b"v2_f30              " + f"LIVE_{len(FILM):<15}".encode()


def after_a_second_picture() -> bytes:
    """A picture, its gain map and the film, as newer phones write them."""
    return jpeg() + jpeg(scene(80, 60, seed=5)) + FILM


def in_a_box() -> bytes:
    """A box of the same file, as in HEIC and AVIF of phones."""
    return saved(scene(), "AVIF") + struct.pack(">I4s", 8 + len(FILM), b"mpvd") + FILM


def with_samsungs_box() -> bytes:
    """Samsung's trailer in a box."""
    return saved(scene(), "AVIF") + struct.pack(">I4s", 8 + len(FILM), b"sefd") + FILM


FORMS = {
    form.__name__: form
    for form in (micro_video, google_motion_photo, samsung, huawei, after_a_second_picture)
}
BOXES = {form.__name__: form for form in (in_a_box, with_samsungs_box)}


@pytest.mark.parametrize("form", [*FORMS, *BOXES])
def test_the_film_of_a_motion_photo_is_neither_judged_nor_published(form: str) -> None:
    data = {**FORMS, **BOXES}[form]()
    assert container_of(data[:HEAD_BYTES]) is None  # it is examined as a picture
    alone = jpeg() if form in FORMS else saved(scene(), "AVIF")
    found = decode(data, DecodeLimits())
    assert found.pixels_sha256 == decode(alone, DecodeLimits()).pixels_sha256
    published = render(found.rgb, RenditionSpec(max_side=400))
    for mark in (b"ftyp", b"mdat", b"moov", b"MotionPhoto", b"MicroVideo", FILM[40:80]):
        assert mark not in published


def test_a_film_before_a_picture_is_a_film() -> None:
    assert container_of((FILM + jpeg())[:HEAD_BYTES]) is not None
