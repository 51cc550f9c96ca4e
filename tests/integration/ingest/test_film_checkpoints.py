"""How far the examination of a film is, in the vault: used after a restart, and deleted in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction

from consent_gate.db.models import Item, ItemState
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.operations.backup.backup_copy import copy_vault
from consent_gate.register.gallery_version import gallery_version
from consent_gate.vault.interface import as_stream
from consent_gate.vault.originals import (
    CHECKPOINT,
    remove_staff_parts,
    save_checkpoint,
    vault_of,
)
from ingest.examinations import MAX_ATTEMPTS, start_examination
from ingest.intake import intake_once
from ingest.pipeline import LocalExaminations
from ingest.runtime.worker_session import WorkerSession, process_item
from ingest.scheduling.lock import remove_orphans
from ingest.workers.served_file import ServedFile
from publish.retention import erase_item
from tests.support.checkpoints import PUPIL, checkpoint_bytes
from tests.support.factories import World, folder_vault
from tests.support.fake_analysis import FakePool
from tests.support.films import drawn_frames, make_film
from tests.support.slow_films import SlowFilms


@pytest.fixture
def school(home: Home) -> Home:
    """A home with one film that waits."""
    World(home).make_import()
    (home.inbox / "play.mp4").write_bytes(make_film(drawn_frames(3, 64, 64)))
    intake_once(home)
    return home


def begin(home: Home, pool: SlowFilms) -> ServedFile:
    """Start the examination of the film. Returns the file that its worker reads."""
    start_examination(home, pool, Item.objects.get().pk)
    return pool.films[-1][0]


def path_of(home: Home) -> Path:
    return folder_vault(home).path(Item.objects.get().pk, CHECKPOINT)


@pytest.mark.dialect
def test_an_examination_goes_on_after_a_restart(school: Home) -> None:
    with SlowFilms(school) as pool:
        film = begin(school, pool)
        assert film.checkpoint == b""
        film.note_checkpoint(checkpoint_bytes(500))
        film.note_checkpoint(checkpoint_bytes(900))
        assert begin(school, pool).checkpoint == checkpoint_bytes(900)
    stored = path_of(school).read_bytes()
    assert PUPIL.encode() not in stored
    assert path_of(school).stat().st_mode & 0o077 == 0


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)


def forged(path: Path) -> None:
    path.write_bytes(checkpoint_bytes())


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("change", [cut_short, damaged, forged, empty])
def test_a_checkpoint_that_was_altered_is_not_used(
    school: Home, change: Callable[[Path], None]
) -> None:
    with SlowFilms(school) as pool:
        begin(school, pool).note_checkpoint(checkpoint_bytes())
        change(path_of(school))
        assert begin(school, pool).checkpoint == b""


def test_a_checkpoint_of_another_film_is_not_used(school: Home) -> None:
    with SlowFilms(school) as pool:
        begin(school, pool)
        vault = folder_vault(school)
        key, _ = vault.new_key("anotherfilm")
        vault.write("anotherfilm", key, as_stream(checkpoint_bytes()), CHECKPOINT)
        path_of(school).parent.mkdir(parents=True, exist_ok=True)
        vault.path("anotherfilm", CHECKPOINT).rename(path_of(school))
        assert begin(school, pool).checkpoint == b""


def test_it_is_deleted_when_the_examination_has_ended(school: Home) -> None:
    with SlowFilms(school) as pool:
        examinations = LocalExaminations(school, pool, gallery_version(school))
        examinations.submit_ready()
        pool.films[0][0].note_checkpoint(checkpoint_bytes())
        assert path_of(school).exists()
        pool.finish_film()
        examinations.collect_done()
    assert Item.objects.get().state == ItemState.DECIDED
    assert not path_of(school).exists()


def test_a_worker_machine_deletes_it_too(school: Home) -> None:
    item = Item.objects.get()
    save_checkpoint(school, item, checkpoint_bytes())
    with FakePool(school, gallery_of(())) as pool:
        process_item(WorkerSession(school, pool, gallery_version(school)), item.pk)
    assert Item.objects.get().state == ItemState.DECIDED
    assert not path_of(school).exists()


@pytest.mark.dialect
def test_it_stays_when_the_gate_is_stopped_and_that_counts_as_no_attempt(school: Home) -> None:
    for _ in range(MAX_ATTEMPTS + 2):
        with SlowFilms(school) as pool:
            examinations = LocalExaminations(school, pool, gallery_version(school))
            examinations.submit_ready()
            pool.films[0][0].note_checkpoint(checkpoint_bytes())
            examinations.release_all()
    assert Item.objects.get().attempts == 0
    assert path_of(school).exists()


def test_a_film_that_ends_the_program_each_time_is_held_however_far_it_came(school: Home) -> None:
    for attempt in range(MAX_ATTEMPTS):
        with SlowFilms(school) as pool:
            begin(school, pool).note_checkpoint(checkpoint_bytes(1000 * (attempt + 1)))
    with SlowFilms(school) as pool:
        examinations = LocalExaminations(school, pool, gallery_version(school))
        examinations.submit_ready()
        examinations.collect_done()
        assert pool.films == []
    item = Item.objects.get()
    assert item.state == ItemState.DECIDED
    assert {reason for one in item.decisions.all() for reason in one.reasons} == {"not_examined"}
    assert not path_of(school).exists()


@pytest.mark.parametrize("state", [ItemState.SEALED, ItemState.ERASED, ItemState.DECIDED])
@pytest.mark.dialect
def test_nothing_is_stored_of_an_item_that_was_closed_meanwhile(
    school: Home, state: ItemState
) -> None:
    with SlowFilms(school) as pool:
        film = begin(school, pool)
        Item.objects.update(state=state)
        film.note_checkpoint(checkpoint_bytes())
    assert not path_of(school).exists()


def test_a_full_disk_does_not_end_the_examination(
    school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with SlowFilms(school) as pool:
        film = begin(school, pool)
        monkeypatch.setattr("ingest.workers.submit.save_checkpoint", full)
        film.note_checkpoint(checkpoint_bytes())
    assert not path_of(school).exists()


def test_it_is_deleted_with_what_staff_see_and_is_unreadable_once_the_key_is_gone(
    school: Home,
) -> None:
    with SlowFilms(school) as pool:
        film = begin(school, pool)
        film.note_checkpoint(checkpoint_bytes())
        remove_staff_parts(school, Item.objects.get().pk)
        assert not path_of(school).exists()
        film.note_checkpoint(checkpoint_bytes())
        item = Item.objects.get()
        with transaction.atomic():
            erase_item(school, item, "test")
        assert not Item.objects.get().wrapped_key
        film.note_checkpoint(checkpoint_bytes(900))
    remove_orphans(school)
    assert not path_of(school).exists()


@pytest.mark.dialect
def test_a_start_deletes_what_a_killed_program_left_behind(school: Home) -> None:
    with SlowFilms(school) as pool:
        begin(school, pool).note_checkpoint(checkpoint_bytes())
    remove_orphans(school)
    assert path_of(school).exists(), "the film still waits"
    Item.objects.update(state=ItemState.DECIDED)
    remove_orphans(school)
    assert not path_of(school).exists()


def test_a_backup_has_no_checkpoint(school: Home, tmp_path: Path) -> None:
    with SlowFilms(school) as pool:
        begin(school, pool).note_checkpoint(checkpoint_bytes())
    assert vault_of(school).exists(Item.objects.get().pk, CHECKPOINT)
    copied = tmp_path / "backup"
    copy_vault(school, copied, [Item.objects.get().pk], None, lambda *_: None)
    assert [path.parts[-3] for path in copied.rglob("*") if path.is_file()] == ["originals"]
