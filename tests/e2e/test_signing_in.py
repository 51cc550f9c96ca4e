"""Signing in as a browser does it: passkeys with a virtual authenticator, and a provider's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from consent_gate.bootstrap import bind_database
from consent_gate.db.models import AuditEntry, Role, User
from consent_gate.home.home import Home
from consent_gate.home.settings_staff import Google, SignIn
from tests.support.browser import Site, log_in
from tests.support.factories import World
from tests.support.openid_provider import CLIENT, SECRET, provider
from tests.support.settings_override import with_settings

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("argon2")]


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """A page at ``localhost``: passkeys belong to a name, never to an address of figures."""
    window = chromium.new_context(
        base_url=site.address.replace("127.0.0.1", "localhost"), locale="en-GB"
    )
    window.set_default_timeout(15_000)
    complaints: list[str] = []
    tab = window.new_page()
    tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    window.close()
    assert complaints == []


class Key:
    """A security key plugged into the browser (Chromium's DevTools protocol, WebAuthn domain)."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.session: CDPSession = context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = made["authenticatorId"]

    def credentials(self) -> list[Any]:
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])


def add_a_passkey(page: Page) -> None:
    page.get_by_role("link", name="Jo Shaw").click()
    page.get_by_role("link", name="Add one").click()
    page.get_by_label("Your password").fill("three-green-bicycles")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("Office PC")
    page.get_by_label("Log in with it alone, without a password").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/**")


def add_a_passkey_and_log_out(world: World, page: Page) -> Key:
    """Jo Shaw of the office has a passkey and is logged out."""
    world.make_user("j.shaw", Role.OFFICE)
    key = Key(page.context, page)
    log_in(page)
    add_a_passkey(page)
    page.goto("/pupils/")
    page.get_by_role("button", name="Log out").click()
    return key


def test_a_person_logs_in_with_a_passkey_alone(site: Site, world: World, page: Page) -> None:
    key = add_a_passkey_and_log_out(world, page)
    assert len(key.credentials()) == 1
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/events/")
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    last = AuditEntry.objects.filter(action="user.logged_in").order_by("-sequence")[0]
    assert (last.actor, last.detail) == ("j.shaw", {"with": "webauthn"})


def test_a_passkey_is_asked_for_after_the_password_too(
    site: Site, world: World, page: Page
) -> None:
    add_a_passkey_and_log_out(world, page)
    page.get_by_label("Log-in name").fill("j.shaw")
    page.get_by_label("Password").fill("three-green-bicycles")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/second-step/authenticate/")
    page.goto("/pupils/")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/events/")


def test_a_passkey_that_was_taken_away_opens_nothing(site: Site, world: World, page: Page) -> None:
    add_a_passkey_and_log_out(world, page)
    Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).delete()
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_load_state("networkidle")
    page.goto("/pupils/")
    assert "/login/" in page.url


@pytest.fixture
def with_google(site: Site, world: World) -> Iterator[Home]:
    with provider() as google:
        google.claims = {"email": "jo@world.example", "email_verified": True, "hd": "world.example"}
        (site.home.secrets / "google-client-secret").write_text(SECRET)
        rules = SignIn(
            domains=("world.example",), google=Google(client_id=CLIENT, issuer=google.issuer)
        )
        home = with_settings(site.home, sign_in=rules)
        bind_database(home)
        settings.CONSENT_GATE_HOME = home
        yield home
    bind_database(site.home)


def test_a_browser_goes_to_google_and_comes_back_logged_in(
    site: Site, world: World, with_google: Home, page: Page
) -> None:
    user = world.make_user("j.shaw", Role.OFFICE)
    User.objects.filter(pk=user.pk).update(email="jo@world.example")
    page.goto("/pupils/")
    page.get_by_role("button", name="Log in with Google").click()
    page.wait_for_url("**/pupils/")
    expect(page.get_by_role("heading", name="Pupils", exact=True)).to_be_visible()
