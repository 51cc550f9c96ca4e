"""The doctor finds faults of an installation and describes them."""

from __future__ import annotations

import json
import socketserver
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection, transaction
from typer.testing import CliRunner

from consent_gate.db import audit_log
from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.home.settings_machine import FilmSettings, Mail
from consent_gate.home.settings_staff import Google, SignIn
from consent_gate.operations.doctor import doctor, film_checks, service_checks
from consent_gate.operations.health import machine_checks
from consent_gate.operations.health.health import all_checks
from consent_gate.operations.health.health_check import HealthCheck, State
from ingest.workers import sandbox
from tests.support.factories import World, matches
from tests.support.settings_override import with_section, with_settings


def bad(found: list[HealthCheck]) -> set[str]:
    return {one.code for one in found if one.state is State.BAD}


@pytest.fixture
def school(world: World) -> World:
    """A school in good order."""
    world.make_pupil("000001", "Ann", "Archer")
    world.make_item(matches("000001"))
    return world


def test_a_school_in_good_order_is_well(school: World) -> None:
    assert bad(doctor.examine(school.home.root)) == set()


def test_a_home_without_any_consent_list_is_not_well(home: Home) -> None:
    assert bad(doctor.examine(home.root)) == {"register"}


def test_a_key_that_others_can_read_is_found(school: World) -> None:
    (school.home.secrets / "vault.key").chmod(0o644)
    assert bad(doctor.examine(school.home.root)) == {"home"}


def test_a_secret_that_others_can_read_is_found(school: World) -> None:
    (school.home.secrets / "metrics-token").write_text("x" * 32)
    (school.home.secrets / "metrics-token").chmod(0o644)
    assert bad(doctor.examine(school.home.root)) == {"keys.private"}


def test_keys_of_another_home_are_found(school: World) -> None:
    (school.home.secrets / "vault.key").write_text("ab" * 32)
    assert bad(doctor.examine(school.home.root)) == {"keys.fit"}


def test_a_safe_store_open_to_all_is_found(school: World) -> None:
    school.home.vault.chmod(0o755)
    assert bad(doctor.examine(school.home.root)) == {"private"}


def test_an_inbox_that_is_gone_is_found(school: World) -> None:
    school.home.inbox.rmdir()
    assert bad(doctor.examine(school.home.root)) == {"inbox"}


def test_keys_inside_an_approved_folder_are_found_behind_a_link(
    school: World, tmp_path: Path
) -> None:
    """A home whose settings name such a folder itself does not open."""
    settings, link = school.home.root / "consent-gate.toml", tmp_path / "website"
    link.symlink_to(school.home.secrets)
    text = settings.read_text().replace(
        "[channels.website]\n", f'[channels.website]\nfolder = "{link}"\n'
    )
    settings.write_text(text)
    assert "separation" in bad(doctor.examine(school.home.root))


@pytest.mark.sqlite_only
@pytest.mark.dialect
def test_a_damaged_database_is_found(school: World) -> None:
    """Pages in the middle are overwritten, as a dying disk does."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    database = school.home.database
    data = bytearray(database.read_bytes())
    with sqlite3.connect(database) as plain:
        (page,) = plain.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'gate_auditentry'"
        ).fetchone()
    data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    database.write_bytes(data)
    assert "database.whole" in bad(doctor.examine(school.home.root))


@pytest.mark.dialect
def test_a_database_of_an_older_version_is_found(school: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'gate' AND name ="
            " (SELECT MAX(name) FROM django_migrations WHERE app = 'gate')"
        )
    assert "database.version" in {f.code for f in doctor.database_integrity(school.home)}
    assert bad(list(doctor.database_integrity(school.home))) == {"database.version"}


def test_a_clock_that_was_set_back_is_found(school: World) -> None:
    with transaction.atomic():
        audit_log.record(school.home, "user.added", "user:x")
    earlier = replace(school.home, clock=lambda: school.home.clock() - timedelta(days=3))
    assert bad(list(doctor.clock(earlier))) == {"clock"}
    assert bad(list(doctor.clock(school.home))) == set()


class MailServer(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as saying hello and good-bye takes."""

    def handle(self) -> None:
        self.wfile.write(b"220 mail.school.example\r\n")
        while line := self.rfile.readline():
            self.wfile.write(b"250 ok\r\n" if line[:4] != b"QUIT" else b"221 bye\r\n")


def with_mail(home: Home, port: int) -> Home:
    mail = Mail(host="127.0.0.1", port=port, security="none", to=("office@school.example",))
    return with_settings(home, mail=mail)


def test_a_mail_server_that_does_not_answer_is_found(home: Home) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        assert bad(list(service_checks.mail(with_mail(home, port)))) == set()
        server.shutdown()
    assert bad(list(service_checks.mail(with_mail(home, port)))) == {"mail"}
    assert bad(list(service_checks.mail(home))) == set(), "a school may do without"


def test_a_codec_of_films_that_the_program_cannot_write_is_found(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    using = with_settings(home, film=FilmSettings(codec="vp9"))
    assert bad(list(film_checks.films(using))) == set()
    monkeypatch.setattr("av.codecs_available", {"libx264"})
    assert bad(list(film_checks.films(using))) == {"films.codec"}
    assert bad(list(film_checks.films(home))) == set()
    monkeypatch.setattr(film_checks, "is_installed", lambda: False)
    assert bad(list(film_checks.films(using))) == set(), "a school may do without films"


def test_a_missing_secret_of_google_is_found(home: Home) -> None:
    rules = SignIn(domains=("school.example",), google=Google(client_id="x"))
    using = with_settings(home, sign_in=rules)
    assert bad(list(service_checks.sign_in(using))) == {"sign_in.google"}
    (home.secrets / "google-client-secret").write_text("secret")
    assert bad(list(service_checks.sign_in(using))) == set()
    assert list(service_checks.sign_in(home)) == [], "a school may do without"


def test_pictures_that_wait_for_hours_are_found(school: World) -> None:
    late = school.home.now() - timedelta(hours=2)
    Item.objects.update(state="received", received_at=late, evidence=None)
    assert bad(all_checks(school.home)) == {"waiting"}


def test_a_check_that_fails_itself_does_not_hide_the_others(
    school: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_check(_home: Home) -> list[HealthCheck]:
        raise ZeroDivisionError

    monkeypatch.setattr(doctor, "CHECKS", (broken_check, doctor.clock))
    found = doctor.examine(school.home.root)
    assert bad(found) == {"broken_check"}
    assert "clock" in {f.code for f in found}


def test_the_command_exits_with_1_when_something_is_not_well(home: Home, world: World) -> None:
    from consent_gate.cli.app import app

    run = CliRunner()
    well = run.invoke(app, ["--home", str(home.root), "doctor", "--json"])
    assert well.exit_code == 0, well.output
    answer = json.loads(well.output)
    assert answer["ok"] is True
    assert all(set(f) == {"code", "what", "state", "words"} for f in answer["findings"])
    assert "No problem was found" in run.invoke(app, ["--home", str(home.root), "doctor"]).output
    home.vault.chmod(0o777)
    ill = run.invoke(app, ["--home", str(home.root), "doctor", "--json"])
    assert ill.exit_code == 1
    assert json.loads(ill.output)["ok"] is False


def test_status_tells_programs_whether_the_gate_is_well(world: World) -> None:
    from consent_gate.cli.app import app

    answer = CliRunner().invoke(app, ["--home", str(world.home.root), "status", "--json"])
    facts = json.loads(answer.output)
    assert facts["ok"] is True
    assert facts["checks"]["database"] == "good"
    assert facts["checks"]["running"] == "look", "it has not run yet"


@pytest.mark.parametrize(
    ("setting", "state"), [("required", State.BAD), ("best_effort", State.WARNING)]
)
def test_a_machine_that_cannot_confine_workers_is_reported(
    school: World, monkeypatch: pytest.MonkeyPatch, setting: str, state: State
) -> None:
    monkeypatch.setattr(sandbox, "missing_parts", lambda: ("Landlock",))
    home = with_section(school.home, "analysis", sandbox=setting)
    (found,) = machine_checks.worker_sandbox(home)
    assert (found.code, found.state) == ("sandbox", state)
    assert "Landlock" in found.message


def test_keys_among_the_libraries_that_workers_read_are_found(
    school: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "readable_paths", lambda: [school.home.root.parent])
    (found,) = machine_checks.worker_sandbox(school.home)
    assert found.state is State.BAD
