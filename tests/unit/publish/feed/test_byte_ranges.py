"""Ranges of a file by RFC 9110, section 14."""

from __future__ import annotations

import pytest

from publish.feed.byte_ranges import ByteRange, RangeAnswer, answer_range, shortened

TAG = '"tag"'


def answer(header: str, if_range: str | None = None, method: str = "GET") -> RangeAnswer:
    return answer_range(method, header, if_range, TAG, 100)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=90-", 90, 100),
        ("bytes=-7", 93, 100),
        ("bytes=95-999", 95, 100),
    ],
)
def test_one_range_is_sent_with_its_place(header: str, start: int, end: int) -> None:
    found = answer(header, TAG)
    assert (found.status, found.sent) == (206, ByteRange(start, end))
    assert found.headers["Content-Range"] == f"bytes {start}-{end - 1}/100"
    assert found.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["", "bytes=9-2", "bytes=0-1,4-5", "items=0-1", "bytes=-", "x"])
def test_anything_else_gets_the_whole_file(header: str) -> None:
    found = answer(header)
    assert (found.status, found.sent) == (200, ByteRange(0, 100))
    assert found.headers == {"Accept-Ranges": "bytes", "Content-Length": "100"}


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(header: str) -> None:
    found = answer(header)
    assert (found.status, found.sent) == (416, ByteRange(0, 0))
    assert found.headers["Content-Range"] == "bytes */100"


@pytest.mark.parametrize("tag", ['"other"', 'W/"tag"', "Sun, 29 Nov 2026 10:00:00 GMT", ""])
def test_a_part_of_another_file_is_not_completed(tag: str) -> None:
    assert answer("bytes=50-", tag).status == 200


def test_an_answer_to_head_is_about_the_whole_file() -> None:
    assert answer("bytes=50-", method="HEAD").headers["Content-Length"] == "100"
    assert answer("bytes=500-", method="HEAD").status == 200


def test_a_long_range_is_sent_in_parts() -> None:
    found = shortened(answer("bytes=10-"), 30)
    assert (found.status, found.sent) == (206, ByteRange(10, 40))
    assert found.headers["Content-Range"] == "bytes 10-39/100"
    assert found.headers["Content-Length"] == "30"
    for short in (answer("bytes=80-"), answer(""), answer("bytes=100-")):
        assert shortened(short, 30) == short
