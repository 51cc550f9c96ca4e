"""The camera is read as make, model and serial number."""

from __future__ import annotations

import csv
import logging
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consent_gate.policy import is_registered
from ingest.decoding.camera import read_device
from ingest.decoding.decode import DecodeLimits, decode
from publish.verification.verify import FindingCode, verify
from tests.support import images as made
from tests.support.budgets import examples

CAMERA = "Canon|Canon EOS R10|0123456789"


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_school_camera_is_recognised_in_every_format(fmt: str) -> None:
    data = made.saved(made.scene(), fmt, exif=made.exif())
    assert decode(data, DecodeLimits()).device == CAMERA


def test_a_picture_without_camera_details_has_no_camera() -> None:
    assert read_device(made.jpeg()) is None


def test_padding_and_line_ends_do_not_make_another_camera() -> None:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "  NIKON\x00\x00junk", "COOLPIX |\n P1  "
    assert read_device(made.jpeg(exif=tags)) == "NIKON|COOLPIX P1|"


def test_a_serial_number_of_noughts_is_none() -> None:
    tags = made.exif()
    tags.get_ifd(0x8769)[0xA431] = "0000000000"
    assert read_device(made.jpeg(exif=tags)) == "Canon|Canon EOS R10|"


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "TIFF"])
def test_nothing_a_file_says_gets_into_the_log(fmt: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    data = made.saved(made.scene(), fmt, exif=made.exif())
    decode(data, DecodeLimits())
    verify(data)
    verify(made.jpeg(exif=made.exif()))
    assert made.CHILD.split()[0] not in caplog.text
    assert "Canon" not in caplog.text


@settings(deadline=None, max_examples=examples(30))
@given(st.binary(max_size=300))
def test_hostile_metadata_means_an_unknown_camera(junk: bytes) -> None:
    block = made.segment(0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + junk)
    device = read_device(made.with_segments(made.jpeg(made.scene(32, 32)), block))
    assert device is None or device.count("|") == 2


@settings(deadline=None)
@given(st.integers(min_value=20, max_value=400), st.integers(min_value=0, max_value=255))
def test_a_damaged_exif_block_never_stops_the_gate(position: int, value: int) -> None:
    data = bytearray(made.jpeg(made.scene(32, 32), exif=made.exif()))
    data[position] = value
    device = read_device(bytes(data))
    assert device is None or device.count("|") == 2


def test_a_maker_note_that_never_ends_does_not_keep_the_gate_busy() -> None:
    """Its length claims four thousand million bytes."""
    pointer = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    endless = struct.pack("<HHHIII", 1, 0x927C, 7, 0xFFFFFFFF, 8, 0)
    block = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + pointer + endless
    data = made.with_segments(made.jpeg(), made.segment(0xE1, block))
    started = time.process_time()
    assert read_device(data) is None
    assert FindingCode.METADATA_FOUND in {finding.code for finding in verify(data)}
    assert time.process_time() - started < 60


@pytest.mark.shared_data
def test_every_photo_of_the_made_school_is_told_from_a_phones(shared_data: Path) -> None:
    register = frozenset({"Canon|Canon EOS 2000D|", "NIKON CORPORATION|NIKON D3500|"})
    folder = shared_data / "school"
    rows = list(csv.DictReader((folder / "truth.csv").open(encoding="utf-8")))
    wrong = []
    for row in rows:
        photo = next(folder.rglob(row["file"].replace("\\", "/")))
        device = read_device(photo.read_bytes())
        if is_registered(device, register) != (row["camera"] != "Apple|iPhone 14"):
            wrong.append(row["file"])
    assert len(rows) > 200
    assert wrong == []
