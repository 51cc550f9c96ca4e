"""Staff are notified by mail: counts and events, never a child's name."""

from __future__ import annotations

from email import message_from_string
from typing import Any

import pytest
from django.conf import settings

from consent_gate.db.models import Role, SentReminder, User
from consent_gate.home.home import Home
from consent_gate.home.settings_machine import Mail
from consent_gate.home.settings_staff import Safeguarding
from consent_gate.review import sealed_exports as exports
from consent_gate.review import service as review
from consent_gate.web.notifications import send_notifications
from tests.conftest import Clock
from tests.support.factories import STRANGER, World, matches
from tests.support.mail_server import MailServer, mail_server
from tests.support.settings_override import with_section, with_settings

__all__ = ["mail_server"]


@pytest.fixture
def school(clock: Clock, world: World, mail_server: MailServer) -> Home:
    """A school that sends summaries from seven, at half past six in the morning."""
    clock.advance_to(6, 30)
    return with_mail(world.home, mail_server.port)


def with_mail(home: Home, port: int, **more: Any) -> Home:
    mail = Mail(host="127.0.0.1", port=port, security="none", digest=True, **more)
    changed = with_settings(home, mail=mail)
    settings.CONSENT_GATE_HOME = changed
    return changed


def a_colleague(world: World, name: str, role: Role = Role.REVIEWER) -> User:
    user = world.make_user(name, role)
    User.objects.filter(pk=user.pk).update(email=f"{name}@school.example")
    user.refresh_from_db()
    return user


def addressed(mail_server: MailServer) -> list[str]:
    return [str(message_from_string(text)["To"]) for text in mail_server.messages]


def test_each_reviewer_gets_one_summary_a_day_from_the_hour_of_the_settings(
    world: World, school: Home, clock: Clock, mail_server: MailServer
) -> None:
    a_colleague(world, "jo")
    a_colleague(world, "mo")
    a_colleague(world, "it", Role.TECHNICIAN)
    world.make_item(STRANGER, STRANGER, event="sports-day")
    world.make_item(STRANGER, event="sports-day")
    world.make_item(event="fair")
    assert send_notifications(school) == 0, "it is half past six"
    clock.pass_hours(1)
    assert send_notifications(school) == 2
    assert sorted(addressed(mail_server)) == ["jo@school.example", "mo@school.example"]
    told = mail_server.texts()[0]
    assert "3 pictures wait for a decision" in told
    assert "Sports day: 2 (someone not recognised: 2)" in told
    assert "Fair: 1 (no face found: 1)" in told
    clock.pass_hours(3)
    assert send_notifications(school) == 0, "once a day"
    clock.pass_days(1)
    assert send_notifications(school) == 2


def test_a_summary_names_no_child_even_where_a_folder_does(
    world: World, school: Home, clock: Clock, mail_server: MailServer
) -> None:
    a_colleague(world, "jo")
    world.make_pupil("000001", "Annalisa", "Archerfield")
    world.make_item(matches("000001"), STRANGER, event="annalisa-archerfield-cup")
    clock.pass_hours(1)
    send_notifications(school)
    [told] = mail_server.messages
    assert "An event: 1" in mail_server.texts()[0]
    assert "rcherfield" not in told
    assert "000001" not in told


def test_nothing_is_sent_when_nothing_waits_or_the_school_does_not_want_it(
    world: World, school: Home, clock: Clock, mail_server: MailServer
) -> None:
    a_colleague(world, "jo")
    clock.pass_hours(1)
    assert send_notifications(school) == 0
    world.make_item(STRANGER)
    silent = with_section(school, "mail", digest=False)
    assert send_notifications(silent) == 0
    assert mail_server.messages == []


def test_a_summary_the_mail_server_did_not_take_is_sent_later(
    world: World, school: Home, clock: Clock, mail_server: MailServer
) -> None:
    a_colleague(world, "jo")
    world.make_item(STRANGER)
    clock.pass_hours(1)
    assert send_notifications(with_mail(school, 1)) == 0
    assert send_notifications(school) == 1


@pytest.mark.dialect
def test_the_safeguarding_lead_is_told_at_once_that_something_was_sealed(
    world: World, school: Home, mail_server: MailServer
) -> None:
    a_colleague(world, "lead", Role.SAFEGUARDING_LEAD)
    item = world.make_item(STRANGER, event="swimming")
    review.seal(review.ReviewAction(school, "j.shaw", item.pk, item.revision))
    rules = Safeguarding(mail_to=("head@school.example",))
    told_too = with_settings(school, safeguarding=rules)
    assert send_notifications(told_too) == 1
    assert addressed(mail_server) == ["head@school.example, lead@school.example"]
    text = mail_server.texts()[0]
    assert "sealed a picture" in text
    assert "swimming" not in text
    assert send_notifications(told_too) == 0, "once"


def test_a_second_person_is_asked_by_mail_and_the_first_is_not(
    world: World, school: Home, mail_server: MailServer
) -> None:
    lead = a_colleague(world, "lead", Role.SAFEGUARDING_LEAD)
    a_colleague(world, "dpo", Role.DATA_PROTECTION_OFFICER)
    item = world.make_item(STRANGER)
    review.seal(review.ReviewAction(school, "j.shaw", item.pk, item.revision))
    item.refresh_from_db()
    exports.ask(school, item, "PC 1234", lead)
    send_notifications(school)
    asked = [
        a
        for a, t in zip(addressed(mail_server), mail_server.texts(), strict=True)
        if "a second person" in t
    ]
    assert asked == ["dpo@school.example"]
    assert "PC 1234" not in " ".join(mail_server.texts())


def test_it_is_forgotten_in_time_that_a_letter_went_out(
    world: World, school: Home, clock: Clock, mail_server: MailServer
) -> None:
    a_colleague(world, "jo")
    world.make_item(STRANGER)
    clock.pass_hours(1)
    send_notifications(school)
    clock.pass_days(62)
    send_notifications(school)
    assert SentReminder.objects.filter(code__startswith="digest:").count() == 1
