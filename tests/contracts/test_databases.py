"""SQLite and PostgreSQL keep transactions whole and answer the gate's queries alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import Item, PupilEntry
from consent_gate.home.home import Home
from tests.conftest import CopyHome, make_fresh_home
from tests.support.factories import STRANGER, World


class Stopped(Exception):
    """The program ends in the middle of a transaction."""


class DatabaseContract:
    """A subclass gives the fixture ``there``: an open and empty home."""

    def test_a_transaction_that_ends_in_an_error_leaves_nothing(self, there: Home) -> None:
        @transaction.atomic
        def half_done() -> None:
            World(there).make_pupil("000001")
            raise Stopped

        with pytest.raises(Stopped):
            half_done()
        assert not PupilEntry.objects.exists()

    def test_a_pupil_is_on_the_register_once(self, there: Home) -> None:
        World(there).make_pupil("000001")
        with pytest.raises(DatabaseError), transaction.atomic():
            PupilEntry.objects.create(admission_number="000001")
        assert PupilEntry.objects.count() == 1

    def test_a_row_is_locked_in_a_transaction_and_nowhere_else(self, there: Home) -> None:
        World(there).make_pupil("000001")
        with transaction.atomic():
            assert PupilEntry.objects.select_for_update().get().admission_number == "000001"

    def test_a_picture_is_found_by_what_was_seen_in_it(self, there: Home) -> None:
        item = World(there).make_item(STRANGER)
        assert Item.objects.filter(evidence__has_key="examined").get() == item
        assert not Item.objects.filter(evidence__has_key="not_examined").exists()

    def test_names_are_ordered_and_kept_letter_by_letter(self, there: Home) -> None:
        for number, name in (("000002", "Núñez"), ("000010", "O'Brien"), ("000001", "Żak")):
            World(there).make_pupil(number, surname=name)
        rows = PupilEntry.objects.order_by("admission_number")
        assert list(rows.values_list("surname", flat=True)) == ["Żak", "Núñez", "O'Brien"]

    def test_the_audit_trail_is_whole_and_an_altered_entry_is_found(self, there: Home) -> None:
        for number in range(3):
            with transaction.atomic():
                audit_log.record(there, "test", f"item:{number}", {"ä": number})
        assert audit_log.verify(there) == []
        with connection.cursor() as cursor:
            cursor.execute("UPDATE gate_auditentry SET actor = 'nobody' WHERE sequence = 2")
        assert audit_log.verify(there) != []


class TestSqlite(DatabaseContract):
    """A file in the home."""

    @pytest.fixture(scope="class")
    @classmethod
    def empty(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return make_fresh_home(tmp_path_factory.mktemp("on-sqlite") / "home", None)

    @pytest.fixture
    def there(self, empty: Path, tmp_path: Path, another_home: CopyHome) -> Home:
        return open_home(another_home(empty, tmp_path / "home"))


class TestPostgresql(DatabaseContract):
    """A server."""

    @pytest.fixture
    def there(self, home_on_postgresql: Home) -> Home:
        return home_on_postgresql
