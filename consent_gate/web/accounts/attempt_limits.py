"""Limit wrong passwords and wrong codes by account, by device and by the client's address.

Each attempt is written to the database before the password is checked, and deleted if it was right.
So parallel guesses count, and no flood of other requests removes a count. Names that no account has
count like others, so that the answers do not tell which names exist.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from consent_gate.db.models import LogInAttempt, User
from consent_gate.names.lookalike_text import fold_case
from consent_gate.web.accounts.device_cookie import known_device
from consent_gate.web.request_context import current_home

PASSWORD, CODE = "password", "code"
QUARTER_HOUR = timedelta(minutes=15)
"""How long an attempt is stored."""
MINUTE = timedelta(minutes=1)

KNOWN_DEVICE_ATTEMPTS = 10
"""Limit for one known device on its account, in 15 minutes. Other clients do not count here."""
CLIENT_ATTEMPTS = 5
"""Limit for the unknown devices of one address on one account, in 15 minutes."""
ACCOUNT_ATTEMPTS = {PASSWORD: 20, CODE: 10}
"""Limit for all unknown devices on one account, in 15 minutes, by step."""
ADDRESS_ATTEMPTS = 20
"""Limit for the unknown devices of one address on all accounts, in a minute."""

IPV6_PREFIX = 64
"""Length in bits of the network that counts as one address: a household has at least so large a
network, and a client may use any address in it."""


@dataclass(frozen=True)
class Limit:
    """The number of attempts of one kind that are allowed in a period."""

    kind: Q
    attempts: int
    period: timedelta


def find_user(username: str) -> User | None:
    """Return the account with this log-in name, in any case and width."""
    return User.objects.filter(username_key=fold_case(username)).first()


def reserve(request: HttpRequest, username: str, step: str) -> LogInAttempt | None:
    """Count an attempt before its password or code is checked.

    Args:
        request: The request that holds the password or code.
        username: Log-in name as typed.
        step: ``PASSWORD`` or ``CODE``.

    Returns:
        The attempt. Delete it if the password or code was right. None: there were too many.
    """
    now = current_home().now()
    _delete_old(now)
    attempt = LogInAttempt.objects.create(
        account=_hash("account", fold_case(username)),
        client=_hash("client", client_network(request)),
        device=known_device(request, find_user(username)),
        step=step,
        at=now,
    )
    # Counted after the row is committed: of parallel attempts, the last to count sees all others.
    for limit in _limits(attempt):
        found = LogInAttempt.objects.filter(limit.kind, at__gt=now - limit.period)
        if found.count() > limit.attempts:
            attempt.delete()
            return None
    return attempt


def client_network(request: HttpRequest) -> str:
    """Return the client's address as the trusted proxy gave it; for IPv6, its network."""
    text = request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return str(text)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed, IPV6_PREFIX), strict=False))


def _limits(attempt: LogInAttempt) -> tuple[Limit, ...]:
    account = Q(account=attempt.account, step=attempt.step, device=attempt.device)
    if attempt.device:
        return (Limit(account, KNOWN_DEVICE_ATTEMPTS, QUARTER_HOUR),)
    client = Q(client=attempt.client, device="")
    return (
        Limit(account & client, CLIENT_ATTEMPTS, QUARTER_HOUR),
        Limit(account, ACCOUNT_ATTEMPTS[attempt.step], QUARTER_HOUR),
        Limit(client, ADDRESS_ATTEMPTS, MINUTE),
    )


def _delete_old(now: datetime) -> None:
    """Delete attempts that are too old to count, or that a wrong clock dated in the future."""
    LogInAttempt.objects.exclude(at__range=(now - QUARTER_HOUR, now + QUARTER_HOUR)).delete()


def _hash(kind: str, value: str) -> str:
    return salted_hmac(f"{__name__}.{kind}", value, algorithm="sha256").hexdigest()
