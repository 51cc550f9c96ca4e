"""Keeps the session of a person who works alive, with one write a minute.

Each save of a session is a transaction, which waits for the gate's own. A page with its pictures
would save it four times.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from consent_gate.web.request_context import current_home

RENEWED = "renewed"
"""Key in the session: Unix time at which it was last renewed."""

SHARE = 30
"""The session is renewed once this part of its time has passed. So it ends up to a thirtieth
early, and never late."""

POLLED = frozenset({"progress", "held", "came"})
"""Ids of the parts of pages that ask again by themselves, which is no sign of a person."""


def session_renewal_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that renews the session of whoever is logged in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        by_person = request.headers.get("HX-Trigger") not in POLLED
        named = settings.SESSION_COOKIE_NAME in request.COOKIES
        if by_person and named and SESSION_KEY in request.session:
            now = int(current_home().clock().timestamp())
            age = now - request.session.get(RENEWED, 0)
            if not 0 <= age < settings.SESSION_COOKIE_AGE / SHARE:
                request.session[RENEWED] = now
        return get_response(request)

    return middleware
