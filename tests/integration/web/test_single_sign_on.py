"""Google and Microsoft sign in the staff whom an administrator entered, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import requests
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponseBase
from django.test import Client

from consent_gate.bootstrap import bind_database
from consent_gate.db.models import AuditEntry, Role, User
from consent_gate.home.home import Home
from consent_gate.home.settings_staff import Google, Microsoft, SignIn
from consent_gate.web.request_context import current_home
from tests.support.factories import World
from tests.support.openid_provider import CLIENT, SECRET, Provider, provider
from tests.support.settings_override import with_settings

TENANT = "0f0e0d0c-0b0a-4900-8807-060504030201"
JO = "j.shaw@world.example"
AT_GOOGLE = {"email": JO, "email_verified": True, "hd": "world.example"}
AT_MICROSOFT = {"preferred_username": JO, "tid": TENANT}


@pytest.fixture
def google() -> Iterator[Provider]:
    with provider() as server:
        yield server


@pytest.fixture
def microsoft() -> Iterator[Provider]:
    with provider(f"/{TENANT}/v2.0") as server:
        yield server


@pytest.fixture
def school(world: World, google: Provider, microsoft: Provider) -> Iterator[World]:
    """A school that uses both, with one member of staff, Jo Shaw."""
    home = world.home
    for name in ("google", "microsoft"):
        (home.secrets / f"{name}-client-secret").write_text(f"{SECRET}\n")
    sign_in = SignIn(
        domains=("world.example",),
        google=Google(client_id=CLIENT, issuer=google.issuer),
        microsoft=Microsoft(client_id=CLIENT, tenant=TENANT, authority=microsoft.address),
    )
    with_providers(home, sign_in)
    jo = world.make_user("j.shaw", Role.OFFICE)
    User.objects.filter(pk=jo.pk).update(email="J.Shaw@World.example")
    cache.clear()
    yield world
    with_providers(home, SignIn())


def with_providers(home: Home, sign_in: SignIn) -> None:
    changed = with_settings(home, sign_in=sign_in)
    bind_database(changed)
    settings.CONSENT_GATE_HOME = changed


def sign_in(browser: Client, way: str) -> HttpResponseBase:
    """What a browser does: the button, the provider's page, and back."""
    page = browser.post(f"/login/with/{way}/")
    onward = unescape(page.content.decode().split('content="0;url=')[1].split('"')[0])
    back = requests.get(onward, allow_redirects=False, timeout=10).headers["Location"]
    return browser.get(back.removeprefix("http://localhost"))


def is_in(browser: Client) -> bool:
    return browser.get("/pupils/").status_code == 200


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def why_refused() -> list[str]:
    rows = AuditEntry.objects.filter(action="user.sign_in_refused")
    return [row.detail["why"] for row in rows.order_by("sequence")]


@pytest.mark.parametrize("way", ["google", "microsoft"])
def test_a_member_of_staff_signs_in_with_the_schools_own_account(
    school: World, google: Provider, microsoft: Provider, way: str
) -> None:
    google.claims, microsoft.claims = AT_GOOGLE, AT_MICROSOFT
    person = browser()
    assert f"/login/with/{way}/" in person.get("/login/").content.decode()
    sign_in(person, way)
    assert is_in(person)
    told = AuditEntry.objects.get(action="user.logged_in")
    assert (told.actor, told.detail) == ("j.shaw", {"with": way})
    assert not SocialToken.objects.exists(), "what would open the mailbox is not kept"
    again = browser()
    sign_in(again, way)
    assert is_in(again)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email": "j.shaw@gmail.example", "hd": "gmail.example"}, "wrong_domain"),
        ({"hd": "other-school.example"}, "wrong_domain"),
        ({"hd": None}, "wrong_domain"),
        ({"email_verified": False}, "unverified_address"),
        ({"email_verified": "false"}, "unverified_address"),
        ({"email_verified": None}, "unverified_address"),
        ({"email": "j.shaw@world.example.elsewhere.example"}, "wrong_domain"),
        ({"email": "@world.example"}, "wrong_domain"),
        ({"email": "nobody@world.example"}, "unknown_person"),
    ],
)
def test_google_does_not_let_in(
    school: World, google: Provider, claims: dict[str, Any], why: str
) -> None:
    google.claims = AT_GOOGLE | claims
    person = browser()
    answer = sign_in(person, "google")
    assert answer.headers["Location"] == "/login/"
    assert "notice error" in person.get("/login/").content.decode()
    assert not is_in(person)
    assert why_refused() == [why]
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"tid": "9f0e0d0c-0b0a-4900-8807-060504030201"}, "wrong_tenant"),
        ({"tid": None}, "wrong_tenant"),
        ({"preferred_username": "j.shaw@elsewhere.example", "email": JO}, "wrong_domain"),
        ({"preferred_username": "n.body@world.example"}, "unknown_person"),
        ({"idp": "https://sts.windows.net/elsewhere/"}, "guest"),
        ({"acct": 1}, "guest"),
    ],
)
def test_microsoft_does_not_let_in(
    school: World, microsoft: Provider, claims: dict[str, Any], why: str
) -> None:
    microsoft.claims = AT_MICROSOFT | claims
    person = browser()
    sign_in(person, "microsoft")
    assert not is_in(person)
    assert why_refused() == [why]


@pytest.mark.parametrize(
    "claims", [{"aud": "another program"}, {"iss": "https://elsewhere.example"}]
)
def test_a_token_that_was_made_for_somebody_else_opens_nothing(
    school: World, google: Provider, claims: dict[str, str]
) -> None:
    google.claims = AT_GOOGLE | claims
    person = browser()
    sign_in(person, "google")
    assert not is_in(person)


def test_an_account_that_was_closed_stays_closed(school: World, google: Provider) -> None:
    google.claims = AT_GOOGLE
    User.objects.update(is_active=False)
    person = browser()
    sign_in(person, "google")
    assert not is_in(person)


def test_two_people_with_one_address_are_not_told_apart_by_it(
    school: World, google: Provider
) -> None:
    school.make_user("m.reid")
    User.objects.update(email=JO)
    google.claims = AT_GOOGLE
    person = browser()
    sign_in(person, "google")
    assert not is_in(person)
    assert why_refused() == ["shared_address"]


def test_an_address_that_is_given_to_somebody_else_does_not_bring_the_account_with_it(
    school: World, google: Provider
) -> None:
    google.claims = AT_GOOGLE | {"sub": "1001"}
    sign_in(browser(), "google")
    google.claims = AT_GOOGLE | {"sub": "2002"}
    successor = browser()
    sign_in(successor, "google")
    assert not is_in(successor)
    assert why_refused() == ["other_account"]


def test_a_new_address_at_google_does_not_open_the_old_account(
    school: World, google: Provider
) -> None:
    google.claims = AT_GOOGLE
    sign_in(browser(), "google")
    school.make_user("m.reid")
    User.objects.filter(username="m.reid").update(email="m.reid@world.example")
    google.claims = AT_GOOGLE | {"email": "m.reid@world.example"}
    person = browser()
    sign_in(person, "google")
    assert not is_in(person)


def test_the_second_step_is_asked_for_as_after_a_password(school: World, google: Provider) -> None:
    TOTP.activate(User.objects.get(), generate_totp_secret())
    google.claims = AT_GOOGLE
    person = browser()
    answer = sign_in(person, "google")
    assert answer.headers["Location"] == "/account/second-step/authenticate/"
    assert not is_in(person)


def test_a_colleague_who_signs_in_with_google_needs_no_password_here(
    school: World, google: Provider
) -> None:
    admin = browser()
    admin.force_login(school.make_user("admin", Role.ADMINISTRATOR))
    form = {"username": "m.reid", "email": "m.reid@world.example", "role": "office"}
    admin.post("/people/", {**form, "password": "", "again": ""})
    assert not User.objects.get(username="m.reid").has_usable_password()
    google.claims = AT_GOOGLE | {"email": "m.reid@world.example"}
    person = browser()
    sign_in(person, "google")
    assert is_in(person)
    with_providers(current_home(), SignIn())
    admin.post("/people/", {**form, "username": "x", "password": "", "again": ""})
    assert not User.objects.filter(username="x").exists()


def test_an_answer_nobody_asked_for_opens_nothing(school: World, google: Provider) -> None:
    google.claims = AT_GOOGLE
    page = browser().post("/login/with/google/").content.decode()
    onward = unescape(page.split('content="0;url=')[1].split('"')[0])
    back = requests.get(onward, allow_redirects=False, timeout=10).headers["Location"]
    victim = browser()
    victim.get(back.removeprefix("http://localhost"))
    assert not is_in(victim)


def test_somebody_logged_in_cannot_tie_another_account_to_theirs(
    school: World, google: Provider
) -> None:
    google.claims = AT_GOOGLE
    person = browser()
    person.force_login(User.objects.get())
    sign_in(person, "google/?process=connect")
    assert not SocialAccount.objects.exists()
    assert why_refused() == ["not_a_sign_in"]


def test_a_provider_that_cannot_be_reached_is_told_in_words(
    school: World, google: Provider
) -> None:
    google.shutdown()
    google.server_close()
    person = browser()
    person.post("/login/with/google/")
    assert "Google cannot be reached" in person.get("/login/").content.decode()


def test_a_school_without_google_offers_none(world: World) -> None:
    assert "/login/with/" not in browser().get("/login/").content.decode()
    world.make_user()
    assert browser().post("/login/with/google/").status_code == 404


def test_nobody_works_without_a_second_step_where_the_school_requires_one(school: World) -> None:
    home = current_home()
    required = home.settings.sign_in.model_copy(update={"second_step": "required"})
    with_providers(home, required)
    jo = User.objects.get()
    person = browser()
    person.force_login(jo)
    assert person.get("/pupils/").headers["Location"] == "/account/second-step/"
    assert person.get("/account/second-step/").status_code == 200
    TOTP.activate(jo, generate_totp_secret())
    assert is_in(person)
