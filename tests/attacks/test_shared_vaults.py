"""A start removes from the vault only what this home began to store and a crash left there.

The same folder or bucket may be another school's by mistake, or that of the home of which this one
is a copy. The files in it may be the only copies of their photos.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from consent_gate.bootstrap import create_home, open_home
from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.vault.interface import as_stream
from consent_gate.vault.originals import read_part, vault_of
from ingest.inbox import claim
from ingest.intake import intake_once
from ingest.scheduling.claims_under_way import noted_claim
from ingest.scheduling.lock import ingest_lock
from tests.support.images import jpeg
from tests.support.settings_override import with_section

pytestmark = pytest.mark.sqlite_only

FIRST, SECOND = jpeg() + b"first", jpeg() + b"second"


@pytest.fixture
def school(home: Home) -> Home:
    """A school whose photos are in the vault only."""
    object.__setattr__(home.settings.inbox, "afterwards", "delete")
    take_in(home, FIRST)
    return home


def take_in(home: Home, photo: bytes) -> None:
    path = home.inbox / f"{len(photo)}.jpg"
    path.write_bytes(photo)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    intake_once(home)
    assert not path.exists()


def start(home: Home) -> None:
    """What every start of a gate does."""
    with ingest_lock(home):
        pass


def store(home: Home, name: str) -> None:
    """Write a file to the vault as a claim does before its row."""
    key, _ = vault_of(home).new_key(name)
    vault_of(home).write(name, key, as_stream(b"photo"))


def stored(home: Home) -> set[bytes]:
    """The originals that the school's own program reads."""
    connection.close()
    opened = open_home(home.root)
    return {read_part(opened, item) for item in Item.objects.all()}


def copy_of(home: Home, to: Path) -> Home:
    """A copy made with a file manager. The settings name the vault by its full path."""
    connection.close()
    shutil.copytree(home.root, to)
    return with_section(open_home(to), "paths", vault=home.vault)


def test_another_school_that_names_this_vault_removes_no_photo(
    school: Home, tmp_path: Path
) -> None:
    connection.close()
    other = with_section(create_home(tmp_path / "other"), "paths", vault=school.vault)
    start(other)
    assert stored(school) == {FIRST}


def test_a_copy_of_the_home_removes_no_photo_that_came_after_it(
    school: Home, tmp_path: Path
) -> None:
    copy = copy_of(school, tmp_path / "copy")
    connection.close()
    open_home(school.root)
    take_in(school, SECOND)
    connection.close()
    open_home(copy.root)
    start(copy)
    assert stored(school) == {FIRST, SECOND}


def test_a_home_copied_while_it_takes_a_photo_in_removes_no_photo(
    school: Home, tmp_path: Path
) -> None:
    with noted_claim(school, "underway"):
        store(school, "underway")
        start(copy_of(school, tmp_path / "copy"))
        assert vault_of(school).exists("underway")


def test_an_older_database_put_back_costs_no_photo(school: Home, tmp_path: Path) -> None:
    connection.close()
    shutil.copy(school.database, tmp_path / "older")
    open_home(school.root)
    take_in(school, SECOND)
    connection.close()
    newer = school.database.read_bytes()
    shutil.copy(tmp_path / "older", school.database)
    start(open_home(school.root))
    connection.close()
    school.database.write_bytes(newer)
    assert stored(school) == {FIRST, SECOND}


class Killed(BaseException):
    """Ends the program at once."""


@pytest.mark.parametrize("end", [Killed, DatabaseError])
def test_what_an_interrupted_claim_left_is_removed(
    school: Home, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    """Also where the database was away, and the claim could not tidy up itself."""

    def ended(*_: object) -> None:
        raise end

    path = school.inbox / "b.jpg"
    path.write_bytes(SECOND)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with monkeypatch.context() as broken:
        broken.setattr(claim, "_save_rows", ended)
        broken.setattr(type(vault_of(school)), "remove", ended)
        with pytest.raises((Killed, DatabaseError)):
            intake_once(school)
    assert len(list(vault_of(school).item_ids())) == 2
    start(school)
    assert len(list(vault_of(school).item_ids())) == 1
    assert not list((school.root / ".claims").iterdir())
    take_in(school, SECOND)
    assert stored(school) == {FIRST, SECOND}


def test_a_damaged_note_of_a_claim_keeps_no_gate_from_starting(school: Home) -> None:
    (school.root / ".claims").mkdir(exist_ok=True)
    (school.root / ".claims" / "x").write_bytes(b"\xff\x00" * 300)
    (school.root / ".claims" / "folder").mkdir()
    start(school)
    assert stored(school) == {FIRST}
