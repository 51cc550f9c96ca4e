"""What every page shows: the school's name and the ways this person may go."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from consent_gate.db.models import Item, ItemState, User
from consent_gate.web.current import the_home
from consent_gate.web.permissions import may_open

WAYS = (
    ("queue", "Held pictures"),
    ("published", "Published"),
    ("pupils", "Pupils"),
    ("imports", "Imports"),
    ("audit", "Audit trail"),
    ("sealed", "Sealed"),
    ("health", "Health"),
    ("people", "People"),
    ("settings", "Settings"),
)
"""Pages in the top bar, in order; each person sees those they may open."""


def school(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    user = getattr(request, "user", None)
    match = request.resolver_match
    return {
        "school_name": the_home().settings.school.name,
        "ways": ways_of(user) if isinstance(user, User) else [],
        "sealed_count": _sealed(user) if isinstance(user, User) else 0,
        "here": match.view_name if match else "",
    }


def ways_of(user: User) -> list[tuple[str, str]]:
    """Where this person may go from the top bar."""
    return [way for way in WAYS if may_open(user, way[0])]


def _sealed(user: User) -> int:
    """Sealed pictures, for the safeguarding lead's banner; nobody else learns of them."""
    if not may_open(user, "sealed"):
        return 0
    return Item.objects.filter(state=ItemState.SEALED).count()
