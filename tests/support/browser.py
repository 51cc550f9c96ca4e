"""Logging in and the command-line options of the browser tests."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from consent_gate.home.home import Home
from tests.support.factories import PASSWORD

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Site:
    """The running pages."""

    address: str
    home: Home


def log_in(page: Page, name: str = "j.shaw") -> None:
    """Through the log-in page."""
    page.goto("/login/")
    page.get_by_label("Log-in name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda address: "/login/" not in address)
