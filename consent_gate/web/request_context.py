"""The home that is open and the person who is logged in, with their types."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from consent_gate.db.models import User
from consent_gate.home.home import Home


def current_home() -> Home:
    """The home this server was started for."""
    return cast(Home, getattr(settings, "CONSENT_GATE_HOME"))  # noqa: B009  mypy knows no such setting


def current_user(request: HttpRequest) -> User:
    """The person logged in. Raises PermissionDenied when there is none."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
