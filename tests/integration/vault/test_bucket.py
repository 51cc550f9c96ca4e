"""The gate with its originals in a bucket: a store that is away loses no photo."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from django.db import connection, transaction

from consent_gate.bootstrap import open_home
from consent_gate.db.models import Item, ItemState, Publication, PublicationState
from consent_gate.decisions.publications import recall_or_cancel_rows
from consent_gate.home.home import Home
from consent_gate.home.settings import Settings
from consent_gate.home.settings_machine import Storage
from consent_gate.model import WhenNoFaces
from consent_gate.operations.backup import backup, key_backup, restore
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service
from consent_gate.vault.bucket import BucketVault, StoreUnavailable
from consent_gate.vault.interface import as_stream
from consent_gate.vault.originals import read_part, vault_of
from ingest.pipeline import process_all
from ingest.scheduling.claims_under_way import noted_claim
from ingest.scheduling.lock import remove_orphans
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support import postgresql
from tests.support.bucket import Bucket
from tests.support.factories import World
from tests.support.fake_analysis import FakePool
from tests.support.images import scene

KEY = bytes(32)


@pytest.fixture
def vault(bucket: Bucket) -> BucketVault:
    return BucketVault(KEY, f"{bucket.location}/vault", bucket.endpoint)


@pytest.fixture
def school(home: Home, bucket: Bucket) -> Home:
    """A home whose originals lie in the bucket, and whose website takes pictures of nobody."""
    storage = Storage(originals=f"{bucket.location}/millfields", endpoint=bucket.endpoint)
    channels = {
        name: channel.model_copy(update={"when_no_faces": WhenNoFaces.RELEASE})
        for name, channel in home.settings.channels.items()
    }
    update = {"storage": storage, "channels": channels}
    settings: Settings = home.settings.model_copy(update=update)
    school = replace(home, settings=settings)
    World(school).make_import()
    return school


def drop(home: Home, *numbers: int) -> None:
    for number in numbers:
        photo = bytes(cv2.imencode(".jpg", scene(seed=number))[1])
        (home.inbox / f"{number}.jpg").write_bytes(photo)
    time.sleep(0.1)


def work(home: Home) -> None:
    with FakePool(home, None) as pool:  # type: ignore[arg-type]
        process_all(home, pool, lambda *_: None, gallery_version(home))


def test_photos_go_through_the_whole_gate_with_originals_in_the_bucket(
    school: Home, bucket: Bucket
) -> None:
    drop(school, 1, 2)
    work(school)
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.DECIDED}
    live = Publication.objects.filter(state=PublicationState.LIVE, channel="website")
    assert live.count() == 2
    kept = {key.rpartition("/")[2] for key in bucket.objects() if "/originals/" in key}
    assert kept == set(Item.objects.values_list("pk", flat=True))
    assert not list(school.vault.rglob("originals/*/*"))


def test_while_the_store_is_away_no_photo_is_lost_and_none_is_held_for_it(
    school: Home, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(school, 1)
    with monkeypatch.context() as away:
        away.setattr("consent_gate.vault.bucket.BucketVault.create", _no_store)
        with pytest.raises(StoreUnavailable):
            work(school)
    assert Item.objects.count() == 0
    assert (school.inbox / "1.jpg").exists()
    work(school)
    for _ in range(5):  # more often than a photo may stop the program
        Item.objects.update(state=ItemState.RECEIVED)
        with monkeypatch.context() as away:
            away.setattr("consent_gate.vault.bucket.BucketVault.open_encrypted", _no_store)
            with pytest.raises(StoreUnavailable):
                work(school)
    assert Item.objects.get().attempts == 0
    work(school)
    assert Item.objects.get().decisions.get(channel="website").verdict == "released"


def _no_store(*_: object) -> None:
    raise StoreUnavailable("away")


def test_a_withdrawn_picture_comes_back_while_the_store_is_away(
    school: Home, bucket: Bucket
) -> None:
    drop(school, 1)
    work(school)
    publication = Publication.objects.get(channel="website")
    path = school.approved("website") / publication.file
    assert path.exists()
    bucket.stop()
    with transaction.atomic():
        recall_or_cancel_rows(school, [publication], "test", school.now())
    with FakePool(school, None) as pool:  # type: ignore[arg-type]
        publish_pending(school, pool)
    assert not path.exists()


def test_a_picture_is_sealed_while_the_store_is_away(school: Home, bucket: Bucket) -> None:
    drop(school, 1)
    work(school)
    item = Item.objects.get()
    bucket.stop()
    service.seal(service.at_current_revision(school, "j.shaw", item.pk))
    item.refresh_from_db()
    assert item.state == ItemState.SEALED
    assert not list(school.approved("website").glob("*/*"))
    assert (school.inbox / "1.jpg").exists(), "it may be the only copy there is"


def test_tidying_removes_what_has_no_row_and_nothing_else(school: Home, bucket: Bucket) -> None:
    drop(school, 1)
    work(school)
    vault = vault_of(school)
    key, _ = vault.new_key("orphan")
    with suppress(KeyboardInterrupt), noted_claim(school, "orphan"):
        vault.write("orphan", key, as_stream(b"x"))
        raise KeyboardInterrupt  # the program is stopped
    assert remove_orphans(school) == 1
    assert list(vault.item_ids()) == list(Item.objects.values_list("pk", flat=True))


def test_a_lost_bucket_is_filled_again_from_a_backup(
    school: Home, bucket: Bucket, tmp_path: Path, clock: Clock
) -> None:
    settings = school.root / "consent-gate.toml"
    named = f'originals = "{bucket.location}/millfields"\nendpoint = "{bucket.endpoint}"\n#'
    settings.write_text(settings.read_text().replace("# originals =", named))
    drop(school, 1, 2)
    work(school)
    before = bucket.objects()
    folder = backup.make_backup(school, tmp_path / "disk", "office", lambda *_: None)
    clock.pass_days(1)
    again = backup.make_backup(school, tmp_path / "disk", "office", lambda *_: None)
    item = Item.objects.order_by("pk").first()
    assert item is not None
    data = read_part(school, item)
    copy = f"vault/originals/{item.pk[:2]}/{item.pk}"
    assert (folder / copy).stat().st_ino == (again / copy).stat().st_ino
    key_backup.copy_keys(school, tmp_path / "safe")

    connection.close()
    postgresql.rename_schema(school.settings.database)
    shutil.rmtree(school.root)
    for name in before:
        vault_of(school).remove(name.rpartition("/")[2])
    assert bucket.objects() == []
    root = tmp_path / "new"
    restore.restore(again, root, tmp_path / "safe", "office", lambda *_: None, lists=[])
    assert bucket.objects() == before
    home = open_home(root)
    assert read_part(home, Item.objects.get(pk=item.pk)) == data
