"""Approved folders hold exactly the released pictures, unchanged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, Publication, PublicationState
from consent_gate.home.home import Home
from consent_gate.vault.originals import vault_of
from publish.channel.folder import adopt, folder_problems
from publish.integrity.check import VerifiedFilesCache, find_discrepancies, integrity_round
from publish.release import publish_pending
from tests.conftest import Clock, HomeAfter
from tests.support.fake_renderer import (
    FakeRenderer,
    assert_folders_hold_just_the_manifest,
    make_photo,
    make_two_out,
    published_files,
    read_manifest,
    refuse_in_register,
    withdraw_consent,
)


@pytest.fixture
def out(home_after: HomeAfter) -> Home:
    """Two pictures are out everywhere."""
    return home_after(make_two_out)


def a_released_file(home: Home) -> Path:
    return home.approved("website") / sorted(published_files(home))[0]


def problems(home: Home, seen: VerifiedFilesCache | None = None) -> list[str]:
    return [found.problem for found in integrity_round(home, FakeRenderer(), seen)]


def quarantined(home: Home) -> list[bytes]:
    return [path.read_bytes() for path in sorted((home.root / "quarantine").glob("*"))]


def test_folders_as_they_were_released_are_left_alone(out: Home) -> None:
    before = published_files(out)
    assert problems(out) == []
    assert published_files(out) == before


@pytest.mark.parametrize(
    "name", ["IMG_0042.jpg", ".hidden", "2026-11/Robin Ashdown.jpg", "Summer/fair/a.jpg", "x.php"]
)
def test_an_unknown_file_is_removed_and_kept_privately(out: Home, name: str) -> None:
    path = out.approved("website") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"somebody's own picture")
    assert "unknown" in problems(out)
    assert not path.exists()
    assert quarantined(out) == [b"somebody's own picture"]
    assert (out.root / "quarantine").stat().st_mode & 0o077 == 0
    assert "Robin" not in str(list((out.root / "quarantine").iterdir()))
    entry = AuditEntry.objects.get(action="folder.quarantined")
    assert "Robin" not in str(entry.detail)
    assert integrity_round(out, FakeRenderer()) == []
    assert_folders_hold_just_the_manifest(out)


def test_a_link_is_removed_and_what_it_points_to_is_untouched(out: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"private")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside.jpg").write_bytes(b"private too")
    (out.approved("website") / "link.jpg").symlink_to(secret)
    (out.approved("website") / "2031-01").symlink_to(folder)
    assert problems(out) == ["unknown", "unknown"]
    assert sorted(p.name for p in out.approved("website").iterdir())[-1] == "manifest.json"
    assert secret.read_bytes() == b"private"
    assert (folder / "inside.jpg").exists()
    assert quarantined(out) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_stop_the_check(out: Home) -> None:
    os.mkfifo(out.approved("website") / "pipe.jpg")
    assert problems(out) == ["unknown"]
    assert_folders_hold_just_the_manifest(out)


def test_a_changed_picture_is_taken_away_and_made_again(out: Home) -> None:
    path, before = a_released_file(out), published_files(out)
    path.write_bytes(path.read_bytes() + b"hidden message")
    assert problems(out) == ["changed"]
    assert published_files(out) == before
    assert quarantined(out)[0].endswith(b"hidden message")
    assert_folders_hold_just_the_manifest(out)


def test_a_link_in_a_pictures_place_is_replaced_by_the_picture(out: Home, tmp_path: Path) -> None:
    path, before = a_released_file(out), published_files(out)
    (tmp_path / "same.jpg").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "same.jpg")
    assert problems(out) == ["changed"]
    assert not path.is_symlink()
    assert published_files(out) == before


@pytest.mark.dialect
def test_a_lost_picture_is_made_again_from_the_vault(out: Home) -> None:
    before = published_files(out)
    a_released_file(out).unlink()
    assert problems(out) == ["missing"]
    assert published_files(out) == before
    assert find_discrepancies(out) == []


@pytest.mark.dialect
def test_a_lost_picture_whose_consent_went_meanwhile_is_not_made_again(out: Home) -> None:
    a_released_file(out).unlink()
    refuse_in_register("000001")
    integrity_round(out, FakeRenderer())
    remade = Publication.objects.filter(channel="website", state=PublicationState.REMOVED)
    assert remade.count() == 1
    assert len(read_manifest(out)["withdrawn"]) == 1
    assert not a_released_file(out).name.startswith(remade.get().file)
    assert_folders_hold_just_the_manifest(out)


def test_a_lost_picture_without_an_original_is_reported_and_taken_off_the_list(out: Home) -> None:
    path = a_released_file(out)
    row = Publication.objects.get(file=path.relative_to(out.approved("website")).as_posix())
    vault_of(out).remove(row.item_id)
    path.unlink()
    assert problems(out) == ["missing"]
    row.refresh_from_db()
    assert row.state == PublicationState.REMOVED
    assert [gone["id"] for gone in read_manifest(out)["withdrawn"]] == [row.pk]


def test_a_withdrawn_picture_that_a_sync_program_brings_back_is_taken_away(out: Home) -> None:
    path = a_released_file(out)
    data = path.read_bytes()
    withdraw_consent(out, "000001")
    publish_pending(out, FakeRenderer())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    assert problems(out) == ["unknown"]
    assert published_files(out) == {}


@pytest.mark.parametrize("damage", ["{}", "not json", '{"items": []}'])
def test_a_changed_list_is_written_again(out: Home, damage: str) -> None:
    path = out.approved("website") / "manifest.json"
    path.write_text(damage)
    assert problems(out) == ["manifest"]
    assert len(json.loads(path.read_text())["items"]) == 2
    path.unlink()
    integrity_round(out, FakeRenderer())
    assert len(json.loads(path.read_text())["items"]) == 2


def test_a_share_that_is_away_is_not_taken_for_deleted_pictures(out: Home, tmp_path: Path) -> None:
    """Neither when the folder is gone, nor when its empty mount point is left."""
    folder, away = out.approved("website"), tmp_path / "away"
    folder.rename(away)
    item = make_photo(out, "000001")
    for _ in range(2):
        assert "folder" in problems(out)
        publish_pending(out, FakeRenderer())
        assert not folder.exists() or not any(folder.iterdir())
        assert [trouble.channel for trouble in folder_problems(out)] == ["website"]
        assert len(published_files(out, "mag")) == 3, "other channels go on"
        folder.mkdir(exist_ok=True)
    assert not Publication.objects.filter(item=item, channel="website", state="live").exists()
    folder.rmdir()
    away.rename(folder)
    assert publish_pending(out, FakeRenderer()) == []
    assert len(published_files(out)) == 3
    assert_folders_hold_just_the_manifest(out)


@pytest.mark.dialect
def test_a_recall_while_the_share_is_away_is_carried_out_when_it_is_back(
    out: Home, tmp_path: Path
) -> None:
    folder, away = out.approved("website"), tmp_path / "away"
    folder.rename(away)
    withdraw_consent(out, "000001")
    publish_pending(out, FakeRenderer())
    rows = Publication.objects.filter(channel="website")
    assert {row.state for row in rows} == {PublicationState.WITHDRAWING}
    away.rename(folder)
    publish_pending(out, FakeRenderer())
    assert published_files(out) == {}
    assert {row.state for row in rows.all()} == {PublicationState.REMOVED}


def test_a_folder_that_was_emptied_on_purpose_is_filled_when_somebody_says_so(out: Home) -> None:
    before = published_files(out)
    shutil.rmtree(out.approved("website"))
    out.approved("website").mkdir()
    publish_pending(out, FakeRenderer())
    assert published_files(out) == {}
    adopt(out, "website", "t.smith")
    integrity_round(out, FakeRenderer())
    assert published_files(out) == before
    assert_folders_hold_just_the_manifest(out)


@pytest.mark.skipif(os.geteuid() == 0, reason="needs a user other than root")
def test_a_folder_that_cannot_be_written_is_reported(out: Home) -> None:
    folder = out.approved("website")
    make_photo(out, "000001")
    folder.chmod(0o555)
    try:
        found = publish_pending(out, FakeRenderer())
    finally:
        folder.chmod(0o755)
    assert [trouble.channel for trouble in found] == ["website"]
    assert "Permission denied" in found[0].message
    publish_pending(out, FakeRenderer())
    assert len(published_files(out)) == 3


@pytest.mark.dialect
def test_a_channel_taken_out_of_the_settings_is_reported_while_pictures_are_out(
    out: Home,
) -> None:
    out.settings.channels.pop("mag")
    assert [trouble.channel for trouble in folder_problems(out)] == ["mag"]
    assert [trouble.channel for trouble in publish_pending(out, FakeRenderer())] == ["mag"]


def test_an_unchanged_file_is_read_again_only_once_a_day(out: Home, clock: Clock) -> None:
    seen = VerifiedFilesCache()
    assert problems(out, seen) == []
    path = a_released_file(out)
    facts = path.stat()
    path.write_bytes(bytes(facts.st_size))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert problems(out, seen) == ["changed"], "the change of its inode gives it away"
    stamps = {file: (stamp, digest) for file, (stamp, digest) in seen.stamps.items()}
    clock.pass_days(1)
    assert problems(out, seen) == []
    assert seen.stamps.keys() == stamps.keys() | {path}


def test_everything_is_read_again_when_the_clock_was_set_back(out: Home, clock: Clock) -> None:
    seen = VerifiedFilesCache()
    problems(out, seen)
    clock.pass_days(-3)
    path = a_released_file(out)
    seen.stamps[path] = (seen.stamps[path][0], "forged")
    problems(out, seen)
    assert seen.stamps[path][1] != "forged"


def test_unfinished_files_of_the_gate_are_not_reported(out: Home) -> None:
    waiting = Item.objects.count()
    make_photo(out, "000001")
    row = Publication.objects.get(channel="website", state=PublicationState.INTENDED)
    (out.approved("website") / f".partial-{row.pk}-{'0' * 16}").write_bytes(b"half")
    assert find_discrepancies(out) == []
    publish_pending(out, FakeRenderer())
    assert_folders_hold_just_the_manifest(out)
    assert Item.objects.count() == waiting + 1
    assert audit_log.verify(out) == []
