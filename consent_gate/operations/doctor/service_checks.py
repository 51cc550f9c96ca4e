"""Check the services outside the machine: the mail server and the sign-in providers."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator

from consent_gate.home.home import Home
from consent_gate.operations.health.health_check import HealthCheck, State

MAIL_TIMEOUT = 10
"""Seconds to wait for the mail server."""


def mail(home: Home) -> Iterator[HealthCheck]:
    """Whether the mail server accepts the log-in. No mail is sent."""
    settings = home.settings.mail
    if not settings.host:
        message = "No mail is set up. Warnings are shown on the pages only."
        yield HealthCheck("mail", "Mail", State.GOOD, message)
        return
    try:
        kind = smtplib.SMTP_SSL if settings.security == "tls" else smtplib.SMTP
        with kind(settings.host, settings.port, timeout=MAIL_TIMEOUT) as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                password = (home.root / settings.password_file).read_text("utf-8").strip()
                server.login(settings.user, password)
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        message = f"{settings.host}:{settings.port} refused ({type(error).__name__}). Check [mail]."
        yield HealthCheck("mail", "Mail", State.BAD, message)
    else:
        yield HealthCheck("mail", "Mail", State.GOOD, f"{settings.host} answers.")


def sign_in(home: Home) -> Iterator[HealthCheck]:
    """Whether the secret of each sign-in provider (Google, Microsoft) is there."""
    for name, provider in home.settings.sign_in.providers().items():
        path = home.root / provider.secret_file
        exists = path.is_file() and bool(path.read_text("utf-8").strip())
        message = (
            "Set up." if exists else f"{path} is missing or empty: nobody can sign in this way."
        )
        title = f"Sign-in with {provider.title}"
        yield HealthCheck(f"sign_in.{name}", title, State.GOOD if exists else State.BAD, message)
