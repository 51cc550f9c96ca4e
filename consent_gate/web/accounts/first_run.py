"""The first administrator account, which is made with a one-time set-up code.

There is no default password. ``run`` prints the code on the terminal. The code is kept in the
home's secrets folder until the first account exists, and works once.
"""

from __future__ import annotations

import base64
import secrets

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Role, User
from consent_gate.errors import GateError
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home

CODE_FILE = "set-up-code"
CODE_BYTES = 10
"""80 bits. NIST SP 800-63B asks for 64 with throttling."""


class WrongSetupCode(GateError):
    """The code is wrong, or an account exists already."""

    next_step = "Copy the code that 'consent-gate run' printed when it started."


def setup_code(home: Home) -> str | None:
    """Return the set-up code, making it at the first call; None once an account exists."""
    path = home.secrets / CODE_FILE
    if User.objects.exists():
        path.unlink(missing_ok=True)
        return None
    if not path.exists():
        text = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()
        replace_with(path, "-".join(text[i : i + 4] for i in range(0, 16, 4)).encode(), 0o600)
    return path.read_text("ascii")


def make_first_administrator(home: Home, code: str, user: User, password: str) -> User:
    """Save the first account as administrator and delete the set-up code.

    Args:
        home: The home without accounts.
        code: The set-up code that the person typed.
        user: The unsaved account.
        password: Its password, already validated.

    Raises:
        WrongSetupCode: The code is wrong, or an account exists already.
    """
    with transaction.atomic():
        expected = setup_code(home)
        typed = code.strip().lower().encode()
        if expected is None or not secrets.compare_digest(typed, expected.encode()):
            raise WrongSetupCode("That is not the set-up code.")
        user.role = Role.ADMINISTRATOR
        user.set_password(password)
        user.save()
        audit_log.record(home, "user.added", f"user:{user.username}", {"role": user.role})
    (home.secrets / CODE_FILE).unlink(missing_ok=True)
    return user
