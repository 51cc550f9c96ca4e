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
from consent_gate.lookalike_text import fold_case
from consent_gate.web.accounts.device_cookie import known_device
from consent_gate.web.request_context import current_home

PASSWORD, CODE = "password", "code"
QUARTER_HOUR = timedelta(minutes=15)
"""Attempts are kept for so long."""
MINUTE = timedelta(minutes=1)

KNOWN_DEVICE_ATTEMPTS = 10
"""From one known device in a quarter of an hour. Nobody else can use them up."""
CLIENT_ATTEMPTS = 5
"""On one account from one unknown address in a quarter of an hour."""
ACCOUNT_ATTEMPTS = {PASSWORD: 20, CODE: 10}
"""On one account from all unknown devices in a quarter of an hour."""
ADDRESS_ATTEMPTS = 20
"""On all accounts from the unknown devices of one address in a minute."""

IPV6_PREFIX = 64
"""A household or a school gets at least so large a network, and may use all its addresses."""


@dataclass(frozen=True)
class Limit:
    """How many attempts of a kind are allowed in a time."""

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
    """The client's address as the trusted proxy gave it; for IPv6 the network that it is in."""
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
    """Delete attempts that count no longer, and those of a clock that was wrong."""
    LogInAttempt.objects.exclude(at__range=(now - QUARTER_HOUR, now + QUARTER_HOUR)).delete()


def _hash(kind: str, value: str) -> str:
    return salted_hmac(f"{__name__}.{kind}", value, algorithm="sha256").hexdigest()
