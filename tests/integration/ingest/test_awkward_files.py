"""Every file that is dropped in is stored, is held with a reason, and does not stop the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from consent_gate.db.models import InboxSighting, Item
from consent_gate.decisions.item_report import item_as_dict
from consent_gate.home.home import Home
from consent_gate.operations import demo
from consent_gate.vault.interface import PartReader
from consent_gate.vault.originals import read_part
from ingest.intake import intake_once
from ingest.pipeline import ingest_once
from tests.support.cached_analysis import CachedPool
from tests.support.dropped_photos import all_decided
from tests.support.gate_thread import running_gate, wait_until
from tests.support.images import (
    archive_of_pictures,
    frames,
    jpeg,
    jpeg_declaring,
    office_file,
    png_declaring,
    raw_file,
    saved,
    scene,
)

CHANNELS = {"website", "mag", "displays"}


def silent(*_: int) -> None:
    """Nobody watches the progress."""


def drop(home: Home, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = home.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def reasons() -> dict[str, set[str]]:
    """By file: everything it is held for."""
    return {
        item.source: {r for c in item_as_dict(item)["channels"].values() for r in c["reasons"]}
        for item in Item.objects.all()
    }


def test_each_awkward_file_is_held_with_a_reason_and_kept(demo_school: Home) -> None:
    whole = demo.event_photos()[0].data
    files = {
        "corrupt.jpg": whole[:500] + b"\x00" * 4000 + whole[4500:],
        "cut short.jpg": whole[: len(whole) // 2],
        "huge.jpg": jpeg_declaring(60_000, 60_000),
        "huge.png": png_declaring(60_000, 60_000),
        "text called.jpg": b"Dear parents, the photos are on the stick.",
        "letter.docx": office_file(),
        "album.zip": archive_of_pictures(),
        "moving.avif": frames("AVIF"),
        "raw.nef": raw_file("nef"),
        "empty.jpg": b"",
        "one pixel.png": saved(scene(1, 1), "PNG"),
    }
    drop(demo_school, files)
    ingest_once(demo_school, silent, CachedPool)
    held = reasons()
    for name, data in files.items():
        item = Item.objects.get(source=name)
        assert held[name], f"{name} is held for something"
        assert {d.verdict for d in item.decisions.all()} == {"held"}, name
        assert {d.channel for d in item.decisions.all()} == CHANNELS, name
        assert read_part(demo_school, item) == data, f"{name} is kept as it was"
    unsupported = {n for n in files if held[n] == {"unsupported_format"}}
    assert unsupported >= {"letter.docx", "album.zip", "moving.avif"}
    assert held["cut short.jpg"] == held["huge.jpg"] == held["empty.jpg"] == {"not_examined"}


def test_a_picture_with_the_wrong_extension_is_judged_by_its_content(demo_school: Home) -> None:
    drop(demo_school, {"really a png.jpg": saved(scene(), "PNG")})
    ingest_once(demo_school, silent, CachedPool)
    assert reasons()["really a png.jpg"] == {"no_faces_found"}


def test_an_empty_file_is_taken_again_when_it_has_content(home: Home) -> None:
    drop(home, {"empty.jpg": b""})
    assert intake_once(home).new == 1
    drop(home, {"empty.jpg": jpeg()})
    assert intake_once(home).new == 1


def test_what_is_no_photo_of_the_office_is_left_alone(home: Home) -> None:
    drop(
        home,
        {
            "Thumbs.db": b"x",
            ".DS_Store": b"x",
            "._IMG_1.jpg": b"x",
            "~$letter.docx": b"x",
            "IMG_2.jpg.part": b"x",
            "IMG_3.crdownload": b"x",
            "@eaDir/IMG_4.jpg": b"x",
        },
    )
    taken = intake_once(home)
    assert (taken.new, taken.not_ready) == (0, ())


def test_links_and_devices_are_not_followed(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(jpeg())
    (home.inbox / "link.jpg").symlink_to(secret)
    (home.inbox / "folder").symlink_to(tmp_path)
    os.mkfifo(home.inbox / "pipe.jpg")
    assert intake_once(home).new == 0


def test_the_same_photo_in_two_events_is_one_item(home: Home) -> None:
    drop(home, {"sports-day/a.jpg": jpeg(), "open-evening/b.jpg": jpeg()})
    taken = intake_once(home)
    assert (taken.new, taken.known) == (1, 1)
    assert Item.objects.get().sightings.count() == 2


def test_the_same_name_with_other_content_is_another_item(home: Home) -> None:
    drop(home, {"a.jpg": jpeg(scene(seed=1))})
    intake_once(home)
    drop(home, {"a.jpg": jpeg(scene(seed=2))})
    assert intake_once(home).new == 1
    assert Item.objects.count() == 2


def test_a_second_scan_takes_no_file_twice(home: Home) -> None:
    drop(home, {"a.jpg": jpeg(), "b.jpg": jpeg(scene(seed=3))})
    assert intake_once(home).new == 2
    again = intake_once(home)
    assert (again.new, again.known) == (0, 0)


def test_a_name_in_no_known_encoding_is_taken_in(home: Home) -> None:
    name = os.fsdecode(b"caf\xe9 \xff.jpg")
    (home.inbox / name).write_bytes(jpeg())
    assert intake_once(home).new == 1
    assert intake_once(home).new == 0
    assert "caf" in InboxSighting.objects.get().source


@pytest.mark.parametrize("afterwards", ["move", "delete"])
def test_the_inbox_is_cleared_only_when_the_copy_is_good(home: Home, afterwards: str) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", afterwards)
    data = jpeg()
    drop(home, {"sports-day/a.jpg": data})
    intake_once(home)
    assert not (home.inbox / "sports-day/a.jpg").exists()
    assert read_part(home, Item.objects.get()) == data
    moved = home.root / "done/sports-day/a.jpg"
    assert moved.exists() == (afterwards == "move")


def test_a_file_in_the_inbox_stays_when_the_copy_cannot_be_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", "delete")
    monkeypatch.setattr(PartReader, "read_at", lambda *_: b"something else")
    drop(home, {"a.jpg": jpeg()})
    intake_once(home)
    assert (home.inbox / "a.jpg").exists()


def test_a_photo_that_is_too_large_by_new_settings_is_held_unopened(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.inbox / "film.mov").write_bytes(os.urandom(2 << 20))
    intake_once(home)
    object.__setattr__(home.settings.analysis, "max_megabytes", 1)
    monkeypatch.setattr("ingest.examinations.read_part", lambda *_: pytest.fail("it was opened"))
    with running_gate(home):
        wait_until(lambda: all_decided(1))
    assert "too large" in str(Item.objects.get().evidence)
