"""Send e-mail to the office and to staff. A message never names a child."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from email.utils import format_datetime
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from consent_gate.home.home import Home

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20
"""How long to wait for a mail server that does not answer."""


def send(home: Home, subject: str, body: str, recipients: Sequence[str] | None = None) -> bool:
    """Send one message.

    Args:
        home: The home whose settings name the mail server.
        subject: Without the name of the school, which is put before it.
        body: Plain text that names no child.
        recipients: E-mail addresses; None for those in ``[mail] to``.

    Returns:
        Whether the mail server accepted the message. False if no mail is set up. False, with a
        warning in the log, if the server refuses the message.
    """
    mail = home.settings.mail
    addresses = list(mail.to if recipients is None else recipients)
    if not (mail.host and addresses):
        return False
    message = EmailMessage(
        subject=f"[{home.settings.school.name}] {subject}",
        body=body,
        from_email=mail.sender or next(iter(mail.to), addresses[0]),
        to=addresses,
        headers={"Date": format_datetime(home.now())},
    )
    try:
        message.connection = EmailBackend(
            host=mail.host,
            port=mail.port,
            username=mail.user,
            password=_password(home),
            use_tls=mail.security == "starttls",
            use_ssl=mail.security == "tls",
            timeout=TIMEOUT_SECONDS,
        )
        return bool(message.send())
    except (OSError, SMTPException) as error:
        log.warning("The mail server did not accept a message (%s).", type(error).__name__)
        return False


def _password(home: Home) -> str:
    """Read the password from its own file, so that the settings can be shown and copied.

    Raises:
        OSError: The file cannot be read.
    """
    mail = home.settings.mail
    return (home.root / mail.password_file).read_text("utf-8").strip() if mail.user else ""
