"""``consent-gate-pull`` on a disk that is really full, and files that may not grow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.feed_server import FeedServer, picture_id, serve_feed

PICTURE = 300_000
"""Bytes; three of them do not fit on the small disk."""

BLOCKED = 65
"""Exit code: the folder cannot be written."""


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with serve_feed() as server:
        yield server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine may not mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def pull(feed: FeedServer, folder: Path, largest_file: int | None = None) -> int:
    """Run the command in a process of its own. ``largest_file`` is the kernel's limit in bytes."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_file},) * 2); "
    code = "from publish.pull.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", (limit if largest_file else "") + code, feed.address, str(folder)],
        env={**os.environ, "CONSENT_GATE_TOKEN": "a.token"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


def pictures(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("2*/*.jpg")}


def whole(folder: Path, feed: FeedServer) -> bool:
    """Whether each picture in the folder is one of the feed's, with all its bytes."""
    return all(feed.pictures.get(name) == data for name, data in pictures(folder).items())


def test_a_full_disk_keeps_whole_pictures_and_still_deletes_withdrawn_ones(
    feed: FeedServer, small_disk: Path
) -> None:
    folder = small_disk / "photos"
    names = [feed.publish(number, os.urandom(PICTURE)) for number in range(5)]
    assert pull(feed, folder) == BLOCKED
    assert whole(folder, feed)
    out = set(pictures(folder))
    assert 1 <= len(out) < len(names)
    (small_disk / "others").write_bytes(b"x" * _free(small_disk))
    gone = next(name for name in names if name in out)
    feed.withdraw(gone)
    pull(feed, folder)
    assert gone not in pictures(folder)
    assert whole(folder, feed)
    (small_disk / "others").unlink()
    for name in names[3:]:
        if name in feed.pictures:
            feed.withdraw(name)
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures
    assert picture_id(gone) in feed.confirmed


def _free(place: Path) -> int:
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize


def test_a_limit_on_the_size_of_files_leaves_no_half_picture(
    feed: FeedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    small, large = feed.publish(0, b"s" * 1000), feed.publish(1, os.urandom(PICTURE))
    assert pull(feed, folder, largest_file=PICTURE // 2) != 0
    assert set(pictures(folder)) <= {small}
    assert whole(folder, feed)
    feed.withdraw(small)
    assert pull(feed, folder, largest_file=PICTURE // 2) != 0
    assert pictures(folder) == {}
    assert feed.confirmed == [picture_id(small)]
    assert pull(feed, folder) == 0
    assert set(pictures(folder)) == {large}
