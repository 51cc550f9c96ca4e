"""Typed access to the open home and the logged-in user."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from consent_gate.db.models import User
from consent_gate.home.home import Home


def current_home() -> Home:
    """Return the home that this server was started for."""
    return cast(Home, getattr(settings, "CONSENT_GATE_HOME"))  # noqa: B009  mypy does not know this setting


def current_user(request: HttpRequest) -> User:
    """Return the logged-in user.

    Raises:
        PermissionDenied: Nobody is logged in.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
