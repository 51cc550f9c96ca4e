"""The office hears in time that the consent list grows old, and that something waits for it."""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string
from email.utils import parsedate_to_datetime

import pytest

from consent_gate.db.models import ConsentAnswer, Template
from consent_gate.home.home import Home
from consent_gate.home.settings import Mail
from consent_gate.operations.reminders import EXPORT_RETENTION_DAYS, pending_reminders, run_daily
from consent_gate.register.age import register_age
from tests.conftest import Clock
from tests.integration.sims_import.test_import import (
    bring,
    school_of,
    stored_bytes,
    with_template,
)
from tests.support.settings_override import altered


class _Conversation(socketserver.StreamRequestHandler):
    """The little of SMTP (RFC 5321) that a message needs."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.messages.append(self._message())
                self.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 good\r\n")

    def _message(self) -> str:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.decode().removesuffix("\r\n"))
        return "\n".join(lines)


class MailServer(socketserver.ThreadingTCPServer):
    """A real mail server of the test's own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def texts(self) -> list[str]:
        parsed = [message_from_string(text) for text in self.messages]
        contents = [bytes(m.get_payload(decode=True)) for m in parsed]
        return [content.decode().replace("\n", " ") for content in contents]


@pytest.fixture
def post() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def with_mail(home: Home, port: int) -> Home:
    mail = Mail(host="127.0.0.1", port=port, security="none", to=("office@example.sch.uk",))
    return altered(home, mail=mail)


def test_the_office_is_mailed_two_weeks_before_everything_is_held(
    home: Home, clock: Clock, post: MailServer
) -> None:
    home = with_mail(home, post.port)
    bring(home, school_of())
    clock.pass_days(115)
    run_daily(home)
    assert post.messages == []
    clock.pass_days(1)
    run_daily(home)
    assert len(post.messages) == 1
    assert "In 14 days every new picture will be held" in post.texts()[0]
    assert "office@example.sch.uk" in post.messages[0]
    dated = parsedate_to_datetime(message_from_string(post.messages[0])["Date"])
    assert dated.date() == home.now().date()
    run_daily(home)
    assert len(post.messages) == 1, "not every day"
    clock.pass_days(7)
    run_daily(home)
    assert "In 7 days" in post.texts()[1]


def test_a_stale_register_is_told_and_a_new_import_ends_it(home: Home, clock: Clock) -> None:
    bring(home, school_of())
    assert (register_age(home).is_stale, register_age(home).days_left) == (False, 130)
    clock.pass_days(131)
    assert register_age(home).is_stale
    assert [w.code.split(":")[0] for w in pending_reminders(home)] == ["register-stale"]
    bring(home, school_of())
    assert pending_reminders(home) == []


def test_a_stopped_import_and_a_suspended_consent_are_mailed(home: Home, post: MailServer) -> None:
    home = with_mail(home, post.port)
    bring(home, school_of())
    bring(home, school_of(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(40)}))
    run_daily(home)
    told = " ".join(post.texts())
    assert "Many consents for School website disappeared in the import of" in told
    assert "Please decide about it on the page Imports" in told
    assert "Name1" not in told, "no names in mail"


def test_a_mail_that_did_not_go_out_is_tried_again(home: Home, post: MailServer) -> None:
    bring(home, school_of())
    bring(home, school_of(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(40)}))
    nobody_there = with_mail(home, 1)
    run_daily(nobody_there)
    run_daily(with_mail(home, post.port))
    assert len(post.messages) == 2


def test_a_template_is_destroyed_on_the_day_after_its_consent_ran_out(
    home: Home, clock: Clock
) -> None:
    bring(home, school_of())
    sealed = with_template(home, "007001")
    answers = ConsentAnswer.objects.filter(pupil__admission_number="007001", purpose="biometric")
    answers.update(expires_on=home.now().date())
    run_daily(home)
    assert Template.objects.count() == 1
    clock.pass_days(1)
    run_daily(home)
    assert Template.objects.count() == 0
    assert sealed not in stored_bytes(home)


def test_imported_exports_do_not_lie_about_for_ever(home: Home, clock: Clock) -> None:
    done = home.sims / "done"
    done.mkdir()
    for name, days in (("old.csv", EXPORT_RETENTION_DAYS + 1), ("new.csv", 1)):
        path = done / name
        path.write_text("an export")
        when = (home.now() - timedelta(days=days)).timestamp()
        os.utime(path, (when, when))
    run_daily(home)
    assert [path.name for path in done.iterdir()] == ["new.csv"]
