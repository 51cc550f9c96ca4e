"""A photo in the inbox is deleted or moved only if exactly its bytes are in the vault."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_gate.db.models import InboxSighting, Item, ItemState
from consent_gate.decisions import sealing
from consent_gate.home.filesystem import path_as_text, path_from_text
from consent_gate.home.home import Home
from consent_gate.vault.originals import read_part
from ingest.inbox import claim
from ingest.intake import Intake, intake_once
from publish import retention
from tests.support.images import jpeg

FIRST, SECOND = jpeg() + b"first", jpeg() + b"other"
"""Two photos of the same size."""


@pytest.fixture(params=["delete", "move"])
def home_that_clears(home: Home, request: pytest.FixtureRequest) -> Home:
    """A home whose inbox is cleared after each photo was taken in."""
    object.__setattr__(home.settings.inbox, "afterwards", request.param)
    return home


def put(path: Path, data: bytes, modified_ns: int = 1_700_000_000_000_000_000) -> os.stat_result:
    """Write a file with this modification time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(modified_ns, modified_ns))
    return path.stat()


def stored(home: Home) -> set[bytes]:
    """What the vault returns for every item."""
    return {read_part(home, item) for item in Item.objects.all()}


def everywhere(home: Home) -> set[bytes]:
    """Contents of the vault, the inbox and ``done``."""
    folders = (home.inbox, home.root / "done")
    return stored(home) | {p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file()}


def test_a_second_photo_of_the_same_name_size_and_date_is_taken_too(
    home_that_clears: Home,
) -> None:
    home = home_that_clears
    put(home.inbox / "day" / "IMG_1.jpg", FIRST)
    intake_once(home)
    put(home.inbox / "day" / "IMG_1.jpg", SECOND)
    for _ in range(2):
        intake_once(home)
    assert stored(home) == {FIRST, SECOND}


def test_a_gate_that_runs_on_takes_the_second_photo_too(home_that_clears: Home) -> None:
    home = home_that_clears
    intake = Intake(home, patience=0, clock=lambda: next(seconds))
    seconds: Iterator[float] = iter(range(0, 10_000, 60))
    for data in (FIRST, SECOND):
        put(home.inbox / "IMG_1.jpg", data)
        intake.scan()
        intake.claim_due()
        intake.scan()
    assert stored(home) == {FIRST, SECOND}


def test_a_photo_left_in_the_inbox_is_read_again_when_another_takes_its_name(home: Home) -> None:
    put(home.inbox / "IMG_1.jpg", FIRST)
    put(home.inbox / ".hidden", SECOND)
    intake_once(home)
    (home.inbox / ".hidden").rename(home.inbox / "IMG_1.jpg")
    intake_once(home)
    assert stored(home) == {FIRST, SECOND}


def test_leftovers_are_hashed_before_they_are_deleted(
    home_that_clears: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sighting with the same facts proves nothing: a file server may lie about all of them."""
    home = home_that_clears
    with monkeypatch.context() as stopped:
        stopped.setattr(claim, "dispose_of_inbox_file", lambda *_: None)
        put(home.inbox / "IMG_1.jpg", FIRST)
        intake_once(home)
    facts = put(home.inbox / "IMG_1.jpg", SECOND)
    InboxSighting.objects.update(changed_ns=facts.st_ctime_ns, inode=facts.st_ino)
    intake = Intake(home, patience=0)
    for _ in range(2):  # the first scan finds out that the bytes are others
        intake.scan()
    assert {FIRST, SECOND} <= everywhere(home)
    time.sleep(2 * home.settings.inbox.settle_seconds)
    intake.claim_due()
    assert stored(home) == {FIRST, SECOND}


@pytest.mark.parametrize("how", ["rename", "write", "write and set the date back"])
def test_a_photo_that_is_replaced_after_it_was_hashed_is_not_deleted(
    home_that_clears: Home, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    home, path = home_that_clears, home_that_clears.inbox / "IMG_1.jpg"
    real = claim.is_copy_readable

    def replaced_meanwhile(home: Home, item: Item) -> bool:
        facts = path.stat()
        if how == "rename":
            put(home.root / "new.jpg", SECOND, facts.st_mtime_ns)
            (home.root / "new.jpg").rename(path)
        else:
            path.write_bytes(SECOND)
        if how == "write and set the date back":
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        return real(home, item)

    put(path, FIRST)
    with monkeypatch.context() as attacked:
        attacked.setattr(claim, "is_copy_readable", replaced_meanwhile)
        intake_once(home)
    assert path.read_bytes() == SECOND
    intake_once(home)
    assert stored(home) == {FIRST, SECOND}
    assert not path.exists()


def test_hard_links_and_twins_in_upper_case_are_all_taken(home_that_clears: Home) -> None:
    home = home_that_clears
    put(home.inbox / "Day" / "IMG_1.JPG", FIRST)
    put(home.inbox / "day" / "IMG_1.JPG", SECOND)
    put(home.inbox / "day" / "img_1.jpg", FIRST + b"3")
    os.link(home.inbox / "Day" / "IMG_1.JPG", home.inbox / "day" / "link.jpg")
    for _ in range(3):
        intake_once(home)
    assert stored(home) == {FIRST, SECOND, FIRST + b"3"}
    assert not [p for p in home.inbox.rglob("*") if p.is_file()]


def test_a_folder_that_tells_no_case_apart_keeps_both_photos(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``done`` may lie on such a disk although the inbox does not."""
    object.__setattr__(home.settings.inbox, "afterwards", "move")
    real = os.link

    def link_without_case(source: str, target: Path) -> None:
        names = {str(p).casefold() for p in (home.root / "done").rglob("*")}
        if str(target).casefold() in names:
            raise FileExistsError
        real(source, target)

    monkeypatch.setattr(os, "link", link_without_case)
    put(home.inbox / "day" / "IMG_1.JPG", FIRST)
    put(home.inbox / "day" / "img_1.jpg", SECOND)
    intake_once(home)
    done = {p.read_bytes() for p in (home.root / "done").rglob("*") if p.is_file()}
    assert done == {FIRST, SECOND}


def test_a_done_folder_on_another_disk_is_never_overwritten(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", "move")

    def no_links(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_links)
    for data in (FIRST, SECOND, FIRST, SECOND):
        put(home.inbox / "IMG_1.jpg", data)
        intake_once(home)
        intake_once(home)
    files = [p for p in (home.root / "done").rglob("*") if p.is_file()]
    assert sorted(p.read_bytes() for p in files) == sorted([FIRST, SECOND])
    assert not (home.inbox / "IMG_1.jpg").exists()


def test_two_names_that_look_the_same_in_the_list_are_two_files(home: Home) -> None:
    """One name has a byte that is not UTF-8; the other spells that byte with a backslash."""
    (home.inbox / os.fsdecode(b"caf\xff.jpg")).write_bytes(FIRST)
    (home.inbox / "caf\\xff.jpg").write_bytes(SECOND)
    (home.inbox / "caf\\\\xff.jpg").write_bytes(FIRST + b"3")
    intake_once(home)
    assert stored(home) == {FIRST, SECOND, FIRST + b"3"}
    assert InboxSighting.objects.values("source").distinct().count() == 3


def test_a_restored_older_photo_is_read_again(home_that_clears: Home) -> None:
    home = home_that_clears
    put(home.inbox / "IMG_1.jpg", FIRST)
    shutil.copy2(home.inbox / "IMG_1.jpg", home.root / "kept.jpg")
    intake_once(home)
    put(home.root / "kept.jpg", SECOND)
    shutil.copy2(home.root / "kept.jpg", home.inbox / "IMG_1.jpg")
    intake_once(home)
    digests = set(Item.objects.values_list("sha256", flat=True))
    assert hashlib.sha256(SECOND).hexdigest() in digests


@pytest.mark.parametrize(
    "name",
    [b"a.jpg", b"\xff.jpg", b"\\xff.jpg", b"\\\\xff\xff", b"\\", b"caf\xc3\xa9\\x", b"\xe9" * 255],
)
def test_a_stored_name_leads_back_to_its_file(name: bytes) -> None:
    text = path_as_text(os.fsdecode(name))
    text.encode()
    assert os.fsencode(path_from_text(text)) == name


def test_sealing_finds_the_copy_of_a_photo_whose_name_came_again(home: Home) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", "move")
    for data in (FIRST, SECOND):
        put(home.inbox / "IMG_1.jpg", data)
        intake_once(home)
    first = Item.objects.get(sha256=hashlib.sha256(FIRST).hexdigest())
    sealing.remove_copies(home, first, intact=True)
    left = [p.read_bytes() for p in (home.root / "done").rglob("*") if p.is_file()]
    assert left == [SECOND]


def test_the_sighting_of_an_erased_photo_stays_while_its_file_is_there(home: Home) -> None:
    """Without it the erased photo would be taken in again."""
    (home.inbox / os.fsdecode(b"\xe9" * 250 + b".jpg")).write_bytes(FIRST)
    intake_once(home)
    Item.objects.update(state=ItemState.ERASED)
    retention._delete_erased_sightings(home)
    assert InboxSighting.objects.count() == 1
