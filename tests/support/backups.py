"""A school with a backup disk and a safe for its keys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.db import connection, transaction

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import (
    ImportRun,
    Publication,
)
from consent_gate.home.home import Home
from consent_gate.operations.backup import backup, key_backup, restore
from consent_gate.register.templates import destroy_lost_templates
from tests.conftest import Clock
from tests.support import postgresql
from tests.support.factories import STRANGER, World, matches


def no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


class BackedUpSchool:
    """A school with a backup disk and a safe for the keys."""

    def __init__(self, world: World, tmp_path: Path, clock: Clock) -> None:
        self.world, self.home, self.clock = world, world.home, clock
        self.disk, self.safe = tmp_path / "disk", tmp_path / "safe"
        self.new_root = tmp_path / "new" / "home"

    def back_up(self, **how: int) -> Path:
        done = backup.make_backup(self.home, self.disk, "office", no_progress, **how)
        key_backup.copy_keys(self.home, self.safe)
        self.clock.pass_days(1)
        return done

    def lose_the_home(self) -> None:
        connection.close()
        postgresql.rename_schema(self.home.settings.database)
        shutil.rmtree(self.home.root)

    def put_back(self, folder: Path, lists: list[Path] | None = None) -> Home:
        connection.close()
        postgresql.rename_schema(self.home.settings.database)
        restore.restore(
            folder,
            self.new_root,
            self.safe,
            "office",
            no_progress,
            lists=lists or [],
            clock=self.clock,
        )
        home = open_home(self.new_root)
        return Home(home.root, home.settings, home.keys, self.clock)

    def import_of_today(self) -> None:
        now = self.home.now()
        ImportRun.objects.create(
            file_name="today.csv",
            file_sha256="1" * 64,
            exported_on=now.date(),
            status=ImportRun.Status.APPLIED,
            actor="office",
            created_at=now,
        )


@pytest.fixture
def office(world: World, tmp_path: Path, clock: Clock) -> BackedUpSchool:
    world.make_pupil("000001", "Ann", "Archer")
    world.make_pupil("000002", "Ben", "Baker")
    world.make_item(matches("000001"))
    world.make_item(matches("000001"), matches("000002"))
    world.make_item(STRANGER)
    return BackedUpSchool(world, tmp_path, clock)


def mark_all_live(home: Home) -> None:
    """Everything released is out, as after a round of publishing."""
    Publication.objects.update(state="live", released_at=home.now())


def withdraw_matching_consent(home: Home, number: str) -> None:
    """The parents withdraw consent for face matching."""
    from consent_gate.db.models import ConsentAnswer

    ConsentAnswer.objects.filter(pupil__admission_number=number, purpose="biometric").update(
        answer="refused"
    )
    with transaction.atomic():
        assert destroy_lost_templates(home, "office") == [number]
    audit_log.save_anchor(home)


def lose_and_restore(office: BackedUpSchool, done: Path) -> Home:
    """With the revocation list as it was when the home was lost."""
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    return office.put_back(done)
