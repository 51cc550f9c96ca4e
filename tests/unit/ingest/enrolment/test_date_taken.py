"""The date on which a portrait was taken, where its EXIF block gives a plausible one."""

from __future__ import annotations

import struct
from datetime import date

import pytest

from ingest.enrolment.date_taken import plausible, taken_on
from tests.support.demo_portraits import OBAMA, exif_taken_in, portrait_jpeg


@pytest.mark.parametrize(
    ("taken", "born"),
    [
        (date(2027, 1, 1), None),
        (date(1970, 1, 1), None),
        (date(2015, 1, 1), date(2016, 3, 1)),
        (None, None),
    ],
    ids=["in the future", "the clock's beginning", "before birth", "unknown"],
)
def test_a_date_on_which_it_cannot_have_been_taken_is_no_date(
    taken: date | None, born: date | None
) -> None:
    assert plausible(taken, born, date(2026, 11, 22)) is None
    assert plausible(date(2026, 9, 4), born, date(2026, 11, 22)) == date(2026, 9, 4)


def test_a_damaged_exif_block_is_no_date_and_no_error() -> None:
    whole = portrait_jpeg(OBAMA, exif=exif_taken_in(2021))
    assert taken_on(whole) == date(2021, 9, 4)
    at = whole.index(b"Exif\0\0")
    for byte in range(at, at + 120):
        for value in (0, 1, 255):
            spoiled = bytearray(whole)
            spoiled[byte] = value
            found = taken_on(bytes(spoiled))
            assert found is None or isinstance(found, date)
    for length in range(0, at + 120):
        assert taken_on(whole[:length]) in {None, date(2021, 9, 4)}
    assert taken_on(b"\xff\xd8" + b"\xff\xe1" + struct.pack(">H", 0) * 50_000) is None
