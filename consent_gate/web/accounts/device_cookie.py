"""Recognise a browser in which somebody logged in before, by a signed cookie for each account.

The cookie is no log-in. It only counts wrong passwords from this browser apart from those of
strangers, so that strangers cannot keep the owner out.
Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from consent_gate.db.models import User

PREFIX = "gate_device_"
SALT = "consent_gate.device_cookie"
MAX_AGE_SECONDS = 365 * 24 * 3600
MAX_COOKIES = 20
"""Accounts that one browser remembers. A proxy may refuse requests with more cookies."""

_REMEMBER = "_consent_gate_remember_device_of"


def known_device(request: HttpRequest, user: User | None) -> str:
    """Return the name of this browser's cookie for an account; empty if there is no valid one.

    A cookie of another account is not valid, and none is after the password was changed.
    """
    if user is None:
        return ""
    try:
        owner, device = signing.loads(
            request.COOKIES.get(cookie_name(user), ""), salt=_salt(user), max_age=MAX_AGE_SECONDS
        )
    except (signing.BadSignature, ValueError):
        return ""
    return str(device) if owner == user.pk else ""


def remember_device(request: HttpRequest, user: User) -> None:
    """Give this browser a cookie for the account with the response."""
    setattr(request, _REMEMBER, user)


def device_cookie_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that sets the cookie after ``remember_device``."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        user = getattr(request, _REMEMBER, None)
        if isinstance(user, User):
            _set_cookie(request, response, user)
        return response

    return middleware


def cookie_name(user: User) -> str:
    """The name of the account's cookie, which does not tell whose it is."""
    return PREFIX + salted_hmac(SALT, str(user.pk), algorithm="sha256").hexdigest()[:16]


def _salt(user: User) -> str:
    """The session hash ends the cookie with the password, as it ends the sessions."""
    return f"{SALT}.{user.get_session_auth_hash()}"


def _set_cookie(request: HttpRequest, response: HttpResponse, user: User) -> None:
    name = cookie_name(user)
    others = [key for key in request.COOKIES if key.startswith(PREFIX) and key != name]
    for other in others[MAX_COOKIES - 1 :]:
        response.delete_cookie(other)
    response.set_cookie(
        name,
        signing.dumps([user.pk, secrets.token_hex(16)], salt=_salt(user)),
        max_age=MAX_AGE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
