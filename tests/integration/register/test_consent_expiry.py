"""A consent ends after its last day in the school's time zone, whatever else fails."""

from __future__ import annotations

import io
import zipfile
from threading import Event, Thread

import pytest

from consent_gate.cli import run
from consent_gate.db.models import ConsentAnswer, ImportRun, Item, Restore, Template
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.model import BIOMETRIC
from consent_gate.vault.originals import vault_of
from ingest.enrolment import upload_queue
from ingest.pipeline import ingest_once
from ingest.runtime import runner
from ingest.runtime.heartbeat import read_heartbeat
from publish.release import publish_pending
from sims_import.applying.drop_folder import process_drop_folder
from tests.conftest import Clock
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
    published_files,
)
from tests.support.gate_thread import running_gate, wait_until


@pytest.fixture
def until_today(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Ann's picture is out; her consent for the website ends today. No template can be opened."""
    monkeypatch.setattr(runner, "FAULT_PAUSE_SECONDS", 0.2)
    make_world_with_ann(home)
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer())
    website = ConsentAnswer.objects.filter(purpose="website")
    website.update(expires_on=home.now().date())
    return home


def test_on_its_last_day_a_consent_still_holds(until_today: Home) -> None:
    with running_gate(until_today):
        wait_until(lambda: read_heartbeat(until_today))
    assert published_counts(until_today) == {"website": 1, "mag": 1, "displays": 1}


def test_the_day_after_the_picture_is_recalled_although_no_photo_can_be_examined(
    until_today: Home, clock: Clock
) -> None:
    clock.pass_days(1)
    with running_gate(until_today):
        wait_until(lambda: published_counts(until_today) == {"website": 0, "mag": 1, "displays": 1})
        wait_until(lambda: (sign := read_heartbeat(until_today)) and sign.trouble)


def test_folders_are_checked_and_files_deleted_although_no_photo_can_be_examined(
    until_today: Home,
) -> None:
    until_today.approved("website").joinpath("from-a-phone.jpg").write_bytes(b"not ours")
    forgotten, vault = make_photo(until_today, "000001"), vault_of(until_today)
    Item.objects.filter(pk=forgotten.pk).update(wrapped_key=None)
    with running_gate(until_today, *run._periodic_tasks()):
        wait_until(lambda: "from-a-phone.jpg" not in published_files(until_today))
        wait_until(lambda: not vault.exists(forgotten.pk))


def test_a_single_round_recalls_it_as_well(until_today: Home, clock: Clock) -> None:
    clock.pass_days(1)
    with pytest.raises(DecryptionError):
        ingest_once(until_today, lambda *_: None)
    assert published_counts(until_today) == {"website": 0, "mag": 1, "displays": 1}


def test_templates_are_destroyed_on_time_although_photos_cannot_be_examined(
    home: Home, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protection of Freedoms Act 2012 s.27; a ZIP of photos waits for an export meanwhile."""
    monkeypatch.setattr(run, "EXPORT_CHECK_INTERVAL", 0.05)
    make_world_with_ann(home)
    ConsentAnswer.objects.filter(purpose=BIOMETRIC).update(expires_on=home.now().date())
    clock.pass_days(1)
    made_at = home.now()
    Restore.objects.create(
        restored_at=made_at, on=made_at.date(), backup_made_at=made_at, newest_import=9
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nobody.jpg", b"")
    packed.seek(0)
    upload_queue.stage(home, "token", packed)
    upload_queue.enqueue(home, "token", "photos.zip", "office", None)
    process_drop_folder(home)
    assert ImportRun.objects.get(file_name="photos.zip").status == "queued", "not before an export"

    stop = Event()
    rounds = Thread(target=run._process_exports, args=(home, stop))
    rounds.start()
    try:
        wait_until(lambda: not Template.objects.exists())
    finally:
        stop.set()
        rounds.join()
