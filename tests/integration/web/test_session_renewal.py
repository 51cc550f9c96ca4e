"""Whoever works stays logged in; whoever is away for the set time does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client

from consent_gate.db.models import User
from tests.conftest import Clock
from tests.support.factories import World


def expires(client: Client) -> float:
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Session.objects.get(pk=key).expire_date.timestamp()


def test_work_keeps_the_session_alive_with_few_writes(
    world: World, clock: Clock, logged_in: Callable[[User], Client]
) -> None:
    staff = logged_in(world.make_user())
    staff.get("/queue/")
    Session.objects.update(expire_date=F("expire_date") - timedelta(minutes=20))
    soon = expires(staff)
    staff.get("/queue/")
    assert expires(staff) == soon, "renewed a moment ago"
    clock.pass_minutes(2)
    answer = staff.get("/queue/")
    assert expires(staff) > soon + 15 * 60
    assert settings.SESSION_COOKIE_NAME in answer.cookies, "the browser keeps it as long"


def test_an_idle_session_ends(world: World, logged_in: Callable[[User], Client]) -> None:
    staff = logged_in(world.make_user())
    staff.get("/queue/")
    Session.objects.update(expire_date=F("expire_date") - timedelta(minutes=31))
    assert staff.get("/queue/").status_code == 302


def test_a_page_that_asks_again_by_itself_keeps_nobody_logged_in(
    world: World, clock: Clock, logged_in: Callable[[User], Client]
) -> None:
    """A reviewer left the queue open and went home."""
    staff = logged_in(world.make_user())
    staff.get("/queue/")
    ends = expires(staff)
    clock.pass_minutes(5)
    staff.get("/queue/progress/", headers={"HX-Trigger": "progress"})
    assert expires(staff) == ends


def test_a_made_up_cookie_makes_no_session(world: World) -> None:
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    client.get("/login/")
    assert not Session.objects.exists()
