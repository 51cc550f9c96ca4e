"""A film is sent only while it is whole and in its folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from publish.feed.byte_ranges import ByteRange
from publish.feed.file_parts import FilePart, WholeFiles

DATA = bytes(range(250)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "2026-11" / "film.mp4"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


def part_of(film: Path, span: ByteRange) -> FilePart:
    found = WholeFiles().open(film, DIGEST)
    assert found is not None
    return FilePart(found, film, span)


def test_a_range_is_read_in_pieces_and_nothing_beyond_it(film: Path) -> None:
    with part_of(film, ByteRange(1000, 3000)) as part:
        assert part.read(700) + part.read(5000) == DATA[1000:3000]
        assert part.read(1) == b""
        assert part.seek(-10, os.SEEK_END) == 1990
        assert part.read() == DATA[2990:3000]
        assert part.seek(-99) == 0
        assert part.seek(9999) == len(part) == 2000


def test_a_film_that_is_recalled_while_it_is_sent_ends(film: Path) -> None:
    with part_of(film, ByteRange(0, len(DATA))) as part:
        assert part.read(10) == DATA[:10]
        film.unlink()
        with pytest.raises(OSError, match="No such file"):
            part.read(10)


def test_a_film_in_whose_place_another_file_comes_ends(film: Path) -> None:
    with part_of(film, ByteRange(0, len(DATA))) as part:
        other = film.with_name("other")
        other.write_bytes(DATA)
        other.replace(film)
        with pytest.raises(OSError, match="removed or changed"):
            part.read(10)


def test_a_changed_linked_or_missing_film_is_not_opened(film: Path, tmp_path: Path) -> None:
    files = WholeFiles()
    first = files.open(film, DIGEST)
    assert first is not None
    first.close()
    film.write_bytes(DATA[:-1] + b"x")
    assert files.open(film, DIGEST) is None
    film.write_bytes(DATA)
    moved = tmp_path / "moved"
    film.rename(moved)
    film.symlink_to(moved)
    assert files.open(film, DIGEST) is None
    film.unlink()
    assert files.open(film, DIGEST) is None
    moved.rename(film)
    real = tmp_path / "real"
    film.parent.rename(real)
    (tmp_path / "2026-11").symlink_to(real)
    assert files.open(film, DIGEST) is None


def test_a_film_changed_with_its_old_time_is_compared_again(film: Path) -> None:
    files, before = WholeFiles(), film.stat()
    first = files.open(film, DIGEST)
    assert first is not None
    first.close()
    film.write_bytes(DATA[:-1] + b"x")
    os.utime(film, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files.open(film, DIGEST) is None


def test_a_film_is_compared_once(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, read = WholeFiles(), hashlib.file_digest
    compared = []

    def count(file: object, name: str) -> object:
        compared.append(name)
        return read(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", count)
    for _ in range(3):
        found = files.open(film, DIGEST)
        assert found is not None
        found.close()
    assert len(compared) == 1
