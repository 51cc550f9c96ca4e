"""What every page shows: the school's name and the ways this person may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from consent_gate.db.models import Item, ItemState, MarkLift, User
from consent_gate.web.current import the_home
from consent_gate.web.permissions import may_open
from consent_gate.web.sealed_exports import open_requests

Page = tuple[str, str]
"""Name of an address and what staff call it."""

SECTIONS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    ("Held pictures", (("queue", "Held pictures"),)),
    ("Published", (("published", "Published"),)),
    ("Pupils", (("pupils", "Pupils"),)),
    ("Imports", (("imports", "Imports"),)),
    ("Confirm", (("confirmations", "Confirm"),)),
    ("Sealed", (("sealed", "Sealed"),)),
    ("Records", (("audit", "Audit trail"), ("erasures", "Erasures"))),
    (
        "The gate",
        (
            ("health", "Health"),
            ("cameras", "Cameras"),
            ("calibration", "Calibration"),
            ("settings", "Settings"),
        ),
    ),
    ("People", (("people", "People"),)),
)
"""The top bar in order, and the pages of each part; each person sees those they may open."""


@dataclass(frozen=True)
class Way:
    """One link of the top bar."""

    page: str
    title: str
    is_here: bool
    pages: tuple[Page, ...]
    """Those of the part that this person may open."""
    waiting: int = 0
    """How many things there wait for this person."""


def school(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    match = request.resolver_match
    here = match.view_name if match else ""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"school_name": the_home().settings.school.name}
    ways = ways_of(user, here)
    return {
        "school_name": the_home().settings.school.name,
        "ways": ways,
        "here": here,
        "tabs": next((way.pages for way in ways if way.is_here and len(way.pages) > 1), ()),
        "sealed_count": _sealed(user),
    }


def ways_of(user: User, here: str = "") -> list[Way]:
    """Where this person may go from the top bar."""
    ways = []
    for title, pages in SECTIONS:
        allowed = tuple(page for page in pages if may_open(user, page[0]))
        if allowed:
            name = title if len(allowed) > 1 else allowed[0][1]
            is_here = here in {page for page, _ in allowed}
            waiting = _to_confirm(user) if allowed[0][0] == "confirmations" else 0
            ways.append(Way(allowed[0][0], name, is_here, allowed, waiting))
    return ways


def _sealed(user: User) -> int:
    """Sealed pictures, for the safeguarding lead's banner; nobody else learns of them."""
    if not may_open(user, "sealed"):
        return 0
    return Item.objects.filter(state=ItemState.SEALED).count()


def _to_confirm(user: User) -> int:
    """What colleagues asked for that this person may confirm."""
    lifts = MarkLift.objects.exclude(asked_by=user.username).count()
    return lifts + open_requests(the_home()).exclude(asked_by=user.username).count()
