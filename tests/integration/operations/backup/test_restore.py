"""A lost home is restored with every picture, and holds everything before a fresh export."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from consent_gate.bootstrap import create_home, open_home
from consent_gate.db import audit_log
from consent_gate.db.models import (
    ImportRun,
    Item,
    Template,
)
from consent_gate.errors import (
    AwaitingExport,
    HomeNotFound,
    UpgradeNeeded,
)
from consent_gate.home.home import Home
from consent_gate.operations.backup import backup, restore
from consent_gate.register.repository import last_exported_on, load_gallery, load_register
from consent_gate.vault.originals import read_part
from publish.integrity.check import find_discrepancies, integrity_round
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support import postgresql
from tests.support.backups import (
    BackedUpSchool,
    no_progress,
    office,
)
from tests.support.factories import World
from tests.support.fake_renderer import FakeRenderer, make_two_photos, published_files

__all__ = ["office"]


def an_older_version() -> None:
    """The database as a version without a second step of signing in would have left it."""
    call_command("migrate", "mfa", "zero", verbosity=0)


def tables_in(copy: Path) -> set[str]:
    if copy.suffix == ".dump":
        return postgresql.tables_in_dump(copy)
    with sqlite3.connect(copy) as old:
        return {row[0] for row in old.execute("SELECT name FROM sqlite_master")}


@pytest.mark.dialect
def test_a_lost_home_is_put_back_with_every_picture_and_a_whole_audit_trail(
    office: BackedUpSchool,
) -> None:
    before = {item.pk: read_part(office.home, item) for item in Item.objects.all()}
    entries = list(audit_log.entries())
    done = office.back_up()
    office.lose_the_home()
    home = office.put_back(done)
    assert {item.pk: read_part(home, item) for item in Item.objects.all()} == before
    assert all(read_part(home, item, "preview") for item in Item.objects.all())
    assert audit_log.verify(home) == []
    assert list(audit_log.entries())[: len(entries)] == entries
    assert Template.objects.count() == 2
    assert (home.root / "consent-gate.toml").read_text() == (done / "consent-gate.toml").read_text()


def test_after_a_restore_nothing_goes_out_before_a_fresh_export(office: BackedUpSchool) -> None:
    """Whoever withdrew consent since the backup is not known to it."""
    done = office.back_up()
    office.lose_the_home()
    home = office.put_back(done)
    assert load_register(home.now().date()).exported_on is None
    with pytest.raises(AwaitingExport):
        load_gallery(home)
    old_export = ImportRun.objects.get()
    old_export.pk, old_export.exported_on = None, home.now().date().replace(year=2020)
    old_export.save()
    assert last_exported_on() is None, "last year's export says nothing of this year"
    office.import_of_today()
    assert last_exported_on() == home.now().date()


def test_after_a_fresh_export_the_same_pictures_are_published_again(
    home: Home, tmp_path: Path, clock: Clock
) -> None:
    make_two_photos(home)
    publish_pending(home, FakeRenderer())
    before = published_files(home)
    assert len(before) == 2
    office = BackedUpSchool(World(home), tmp_path, clock)
    done = office.back_up()
    office.lose_the_home()
    restored = office.put_back(done)
    assert published_files(restored) == {}
    office.home = restored
    office.import_of_today()
    integrity_round(restored, FakeRenderer())
    publish_pending(restored, FakeRenderer())
    assert published_files(restored) == before
    assert find_discrepancies(restored) == []
    assert audit_log.verify(restored) == []


@pytest.mark.dialect
def test_an_interrupted_restore_is_resumed(
    office: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = office.back_up()
    office.lose_the_home()

    def power_cut(_number: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore.restore(done, office.new_root, office.safe, "office", power_cut)
    with pytest.raises(HomeNotFound):
        open_home(office.new_root)
    assert audit_log.verify(office.put_back(done)) == []


def test_a_home_is_never_put_over_another(office: BackedUpSchool) -> None:
    done = office.back_up()
    with pytest.raises(restore.HomeNotEmpty):
        restore.restore(done, office.home.root, office.safe, "office", no_progress)


@pytest.mark.dialect
def test_a_database_of_an_older_version_is_copied_and_brought_up_to_date(
    office: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgresql.programs()}:{os.environ['PATH']}")
    an_older_version()
    for way_in in (open_home, create_home):
        with pytest.raises(UpgradeNeeded, match="consent-gate migrate"):
            way_in(office.home.root)
    home = open_home(office.home.root, migrated=False)
    copy = backup.upgrade(home)
    assert copy is not None
    assert "mfa_authenticator" in connection.introspection.table_names()
    tables = tables_in(copy)
    assert "gate_item" in tables
    assert "mfa_authenticator" not in tables
    assert open_home(office.home.root).root == home.root
    assert audit_log.verify(office.home) == []
    assert backup.upgrade(home) is None
    office.back_up()
    assert not copy.exists(), "it would keep what is erased from now on"


@pytest.mark.dialect
def test_the_migrations_make_the_tables_that_the_models_describe(office: BackedUpSchool) -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


@pytest.mark.dialect
def test_a_database_of_a_newer_version_is_left_alone(office: BackedUpSchool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('gate', '9999_future', '2030-01-01')"
        )
    with pytest.raises(UpgradeNeeded, match="newer version"):
        open_home(office.home.root)
