"""The office is reminded by mail before the consent list is too old, and when something waits."""

from __future__ import annotations

import os
from datetime import timedelta
from email import message_from_string
from email.utils import parsedate_to_datetime

from consent_gate.db.models import ConsentAnswer, Template
from consent_gate.home.home import Home
from consent_gate.home.settings_machine import Mail
from consent_gate.operations.reminders import EXPORT_RETENTION_DAYS, pending_reminders, run_daily
from consent_gate.register.age import register_age
from tests.conftest import Clock
from tests.support.imports import consent_csv, database_bytes, import_csv, make_template
from tests.support.mail_server import MailServer, mail_server
from tests.support.settings_override import with_settings

__all__ = ["mail_server"]


def with_mail(home: Home, port: int) -> Home:
    mail = Mail(host="127.0.0.1", port=port, security="none", to=("office@example.sch.uk",))
    return with_settings(home, mail=mail)


def test_the_office_is_mailed_two_weeks_before_everything_is_held(
    home: Home, clock: Clock, mail_server: MailServer
) -> None:
    home = with_mail(home, mail_server.port)
    import_csv(home, consent_csv())
    clock.pass_days(115)
    run_daily(home)
    assert mail_server.messages == []
    clock.pass_days(1)
    run_daily(home)
    assert len(mail_server.messages) == 1
    assert "In 14 days every new picture will be held" in mail_server.texts()[0]
    assert "office@example.sch.uk" in mail_server.messages[0]
    dated = parsedate_to_datetime(message_from_string(mail_server.messages[0])["Date"])
    assert dated.date() == home.now().date()
    run_daily(home)
    assert len(mail_server.messages) == 1, "not every day"
    clock.pass_days(7)
    run_daily(home)
    assert "In 7 days" in mail_server.texts()[1]


def test_a_stale_register_is_mailed_and_a_new_import_ends_it(home: Home, clock: Clock) -> None:
    import_csv(home, consent_csv())
    assert (register_age(home).is_stale, register_age(home).days_left) == (False, 130)
    clock.pass_days(131)
    assert register_age(home).is_stale
    assert [w.code.split(":")[0] for w in pending_reminders(home)] == ["register-stale"]
    import_csv(home, consent_csv())
    assert pending_reminders(home) == []


def test_a_stopped_import_and_a_suspended_consent_are_mailed(
    home: Home, mail_server: MailServer
) -> None:
    home = with_mail(home, mail_server.port)
    import_csv(home, consent_csv())
    import_csv(home, consent_csv(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(40)}))
    run_daily(home)
    told = " ".join(mail_server.texts())
    assert "Many consents for School website disappeared" in told
    assert "was stopped" in told
    assert "Name1" not in told, "no names in mail"


def test_a_mail_that_did_not_go_out_is_tried_again(home: Home, mail_server: MailServer) -> None:
    import_csv(home, consent_csv())
    import_csv(home, consent_csv(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(40)}))
    nobody_there = with_mail(home, 1)
    run_daily(nobody_there)
    run_daily(with_mail(home, mail_server.port))
    assert len(mail_server.messages) == 2


def test_a_template_is_destroyed_on_the_day_after_its_consent_ran_out(
    home: Home, clock: Clock
) -> None:
    import_csv(home, consent_csv())
    sealed = make_template(home, "007001")
    answers = ConsentAnswer.objects.filter(pupil__admission_number="007001", purpose="biometric")
    answers.update(expires_on=home.now().date())
    run_daily(home)
    assert Template.objects.count() == 1
    clock.pass_days(1)
    run_daily(home)
    assert Template.objects.count() == 0
    assert sealed not in database_bytes(home)


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
