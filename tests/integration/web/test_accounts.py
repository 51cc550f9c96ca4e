"""Accounts are personal, and an administrator's change ends their sessions at once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from typer.testing import CliRunner, Result

from consent_gate.cli.app import app
from consent_gate.db.models import AuditEntry, Role, User
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from tests.support.factories import PASSWORD, World

pytestmark = pytest.mark.usefixtures("argon2")

LogIn = Callable[[User], Client]


@pytest.fixture
def admin(world: World, logged_in: LogIn) -> Client:
    return logged_in(world.make_user("admin", Role.ADMINISTRATOR))


@pytest.mark.parametrize(
    ("change", "value", "after"),
    [
        ("role", "dpo", {"role": "dpo"}),
        ("email", " Mo@School.example ", {"email": "Mo@School.example"}),
        ("close", "", {"is_active": False}),
    ],
)
def test_a_change_is_made_and_shown_and_ends_the_sessions(
    world: World, logged_in: LogIn, change: str, value: str, after: dict[str, object]
) -> None:
    admin = logged_in(world.make_user("admin", Role.ADMINISTRATOR))
    colleague = world.make_user("m.reid")
    theirs = logged_in(colleague)
    assert theirs.get("/queue/").status_code == 200
    admin.post(f"/people/{colleague.pk}/", {"change": change, change: value})
    assert User.objects.values(*after).get(pk=colleague.pk) == after
    assert theirs.get("/queue/").status_code == 302
    assert AuditEntry.objects.get(action=f"user.{change}").actor == "admin"


def test_a_lost_phone_and_an_old_google_account_are_forgotten(world: World, admin: Client) -> None:
    colleague = world.make_user("m.reid")
    TOTP.activate(colleague, generate_totp_secret())
    SocialAccount.objects.create(user=colleague, provider="google", uid="1001")
    page = admin.get("/people/").content.decode()
    assert "Remove the second step" in page
    assert "Unlink the Google account" in page
    for change in ("no-second-step", "untie"):
        admin.post(f"/people/{colleague.pk}/", {"change": change})
    assert not Authenticator.objects.exists()
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("change", "value"),
    [("role", "headmaster"), ("email", "not an address"), ("password", "short"), ("", "")],
)
def test_nonsense_changes_nothing(world: World, admin: Client, change: str, value: str) -> None:
    colleague = world.make_user("m.reid")
    before = User.objects.values().get(pk=colleague.pk)
    answer = admin.post(f"/people/{colleague.pk}/", {"change": change, change: value}, follow=True)
    assert "notice error" in answer.content.decode()
    assert User.objects.values().get(pk=colleague.pk) == before


def command(home: Home, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["--home", str(home.root), *words], input=typed)


def test_whoever_has_the_machine_looks_after_accounts_without_the_pages(home: Home) -> None:
    added = command(home, "user", "add", "m.reid", "--email", "m@school.example", typed=PASSWORD)
    assert added.exit_code == 0, added.output
    command(home, "user", "change", "m.reid", "role", "dpo")
    command(home, "user", "change", "m.reid", "password", typed="four-red-tricycles")
    command(home, "user", "close", "m.reid")
    [line] = command(home, "user", "list", "--json").stdout.splitlines()
    assert json.loads(line) == {
        "name": "m.reid",
        "role": "dpo",
        "email": "m@school.example",
        "open": False,
    }
    assert User.objects.get().check_password("four-red-tricycles")
    assert User.objects.get().password.startswith("argon2$")
    assert isinstance(
        command(home, "user", "change", "nobody", "role", "dpo").exception, ItemNotFound
    )
    assert command(home, "user", "change", "m.reid", "role", "headmaster").exit_code == 2
    assert command(home, "user", "change", "m.reid", "password", typed="short").exit_code == 2
