"""A slip in the settings that points a channel at a folder with other things in it.

The gate takes every file that it did not publish out of a channel's folder. With a wrong folder it
would take away the website's own pictures, the photos in the inbox, or the home itself.
"""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from consent_gate.bootstrap import open_home
from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home
from consent_gate.operations.backup import restore
from publish.channel.folder import adopt, folder_problems
from publish.integrity.check import integrity_round
from publish.release import publish_pending
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
)

PRIVATE = (".", "..", "inbox", "inbox/website", "sims", "vault", "secrets", "done/x", "quarantine")


def with_folder(home: Home, folder: str) -> Home:
    """The home whose channel ``website`` has this folder."""
    website = home.settings.channels["website"].model_copy(update={"folder": Path(folder)})
    channels = {**home.settings.channels, "website": website}
    return replace(home, settings=home.settings.model_copy(update={"channels": channels}))


@pytest.mark.parametrize("folder", PRIVATE)
def test_a_home_does_not_open_where_a_channel_has_a_folder_of_the_gate(
    home: Home, folder: str
) -> None:
    settings = home.root / "consent-gate.toml"
    text = settings.read_text()
    heading = "[channels.website]\n"
    assert heading in text
    settings.write_text(text.replace(heading, f'{heading}folder = "{folder}"\n', 1))
    connection.close()
    with pytest.raises(SettingsInvalid, match="website"):
        open_home(home.root)


@pytest.fixture
def webroot(tmp_path: Path) -> Path:
    """A folder of a website with files of its own."""
    folder = tmp_path / "uploads"
    (folder / "2019").mkdir(parents=True)
    (folder / "2019" / "head-teacher.jpg").write_bytes(b"not of the gate")
    (folder / "index.php").write_bytes(b"<?php")
    return folder


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_files_that_lay_in_a_channels_folder_before_stay_there(home: Home, webroot: Path) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    moved = with_folder(home, str(webroot))
    publish_pending(moved, FakeRenderer())
    integrity_round(moved, FakeRenderer())
    assert files_in(webroot) == {"head-teacher.jpg", "index.php"}
    assert [problem.channel for problem in folder_problems(moved)] == ["website"]
    assert published_counts(home)["mag"] == 1, "the other channels go on"


def test_an_empty_folder_outside_the_home_is_used(home: Home, tmp_path: Path) -> None:
    make_world_with_ann(home)
    for name in ("lost+found", "@eaDir", ".snapshot"):  # as on a new disk, or on a file server
        (tmp_path / "empty" / name).mkdir(parents=True)
    moved = with_folder(home, str(tmp_path / "empty"))
    for _ in range(2):
        make_photo(home, "000001")
        publish_pending(moved, FakeRenderer())
        integrity_round(moved, FakeRenderer())
    assert published_counts(moved)["website"] == 2


def test_a_folder_that_somebody_adopted_is_used(home: Home, webroot: Path) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    moved = with_folder(home, str(webroot))
    adopt(moved, "website", "j.shaw")
    publish_pending(moved, FakeRenderer())
    assert "manifest.json" in files_in(webroot)


def swapped(home: Home) -> Home:
    """The home whose settings have the folders of ``website`` and ``mag`` the wrong way round."""
    channels = dict(home.settings.channels)
    for name, other in (("website", "mag"), ("mag", "website")):
        folder = home.approved(other)
        channels[name] = channels[name].model_copy(update={"folder": folder})
    return replace(home, settings=home.settings.model_copy(update={"channels": channels}))


def test_no_picture_goes_into_the_folder_of_another_channel(home: Home) -> None:
    """The website shows what lies in its folder. Ben may be in the magazine only."""
    world = make_world_with_ann(home)
    world.make_pupil("000002", "Ben", said_no_to=["website"])
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer())
    before = files_in(home.approved("website"))
    make_photo(home, "000002")
    publish_pending(swapped(home), FakeRenderer())
    integrity_round(swapped(home), FakeRenderer())
    assert files_in(home.approved("website")) == before
    problems = {problem.channel for problem in folder_problems(swapped(home))}
    assert problems == {"website", "mag"}
    publish_pending(home, FakeRenderer())
    assert published_counts(home) == {"website": 1, "mag": 2, "displays": 2}


def test_no_picture_goes_into_a_folder_whose_list_the_disk_does_not_give(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows then whose folder it is."""
    make_world_with_ann(home)
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer())
    before = files_in(home.approved("website"))
    make_photo(home, "000001")
    opened = Path.open

    def broken(path: Path, mode: str = "r", **named: Any) -> Any:
        if path.name == "manifest.json" and "r" in mode:
            raise OSError(errno.EIO, "Input/output error")
        return opened(path, mode, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", broken)
        publish_pending(swapped(home), FakeRenderer())
    assert files_in(home.approved("website")) == before


@pytest.mark.parametrize("published", [False, True])
def test_a_folder_with_the_pictures_of_another_school_is_not_used(
    home: Home, tmp_path: Path, published: bool
) -> None:
    theirs = tmp_path / "their website"
    theirs.mkdir()
    (theirs / "2026-11").mkdir()
    (theirs / "2026-11" / f"{'a' * 26}.jpg").write_bytes(b"a picture")
    entry = {"id": "b" * 26, "file": f"2026-11/{'a' * 26}.jpg"}
    listed = {"schema": "x", "channel": "website", "items": [entry], "withdrawn": []}
    (theirs / "manifest.json").write_text(json.dumps(listed))
    make_world_with_ann(home)
    make_photo(home, "000001")
    if published:
        publish_pending(home, FakeRenderer())
    moved = with_folder(home, str(theirs))
    make_photo(home, "000001")
    publish_pending(moved, FakeRenderer())
    integrity_round(moved, FakeRenderer())
    assert files_in(theirs) == {"manifest.json", f"{'a' * 26}.jpg"}
    assert not restore._rebuild_channel(moved, "website", "j.shaw"), "a restore adopts it neither"
    assert [problem.channel for problem in folder_problems(moved)] == ["website"]
    adopt(moved, "website", "j.shaw")
    publish_pending(moved, FakeRenderer())
    assert len(files_in(theirs)) > 2
