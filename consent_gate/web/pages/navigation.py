"""What every page shows: the school's name and the ways this person may go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.http import HttpRequest

from consent_gate.db.models import Item, ItemState, NeverPublishLift, SuspendedPurpose, User
from consent_gate.messages import purpose_title
from consent_gate.review.sealed_exports import open_requests
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.request_context import current_home

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
class NavItem:
    """One link of the top bar."""

    page: str
    title: str
    is_current: bool
    waiting: int = 0
    """How many things there wait for this person."""


def school(request: HttpRequest) -> dict[str, Any]:
    """Context processor. What only whole pages show is asked of the database by them alone."""
    match = request.resolver_match
    here = match.view_name if match else ""
    here = "imports" if here.startswith("import_") else here  # the steps of an import
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"school_name": current_home().settings.school.name}
    return {
        "school_name": current_home().settings.school.name,
        "here": here,
        "ways": lambda: nav_items(user, here),
        "tabs": _tabs(user, here),
        "sealed_count": cache(partial(_sealed, user)),
        "suspended": cache(partial(_suspended, user)),
    }


def nav_items(user: User, here: str = "") -> list[NavItem]:
    """Where this person may go from the top bar."""
    ways = []
    for title, pages in SECTIONS:
        allowed = _allowed(user, pages)
        if allowed:
            name = title if len(allowed) > 1 else allowed[0][1]
            waiting = _to_confirm(user) if allowed[0][0] == "confirmations" else 0
            ways.append(NavItem(allowed[0][0], name, here in dict(allowed), waiting))
    return ways


def _tabs(user: User, here: str) -> tuple[Page, ...]:
    """The pages of this part that the person may open; none where there is but one."""
    for _, pages in SECTIONS:
        allowed = _allowed(user, pages)
        if here in dict(allowed) and len(allowed) > 1:
            return allowed
    return ()


def _allowed(user: User, pages: tuple[Page, ...]) -> tuple[Page, ...]:
    return tuple(page for page in pages if may_open(user, page[0]))


def _sealed(user: User) -> int:
    """Sealed pictures, for the safeguarding lead's banner; nobody else learns of them."""
    if not may_open(user, "sealed"):
        return 0
    return Item.objects.filter(state=ItemState.SEALED).count()


def _suspended(user: User) -> list[str]:
    """Uses of pictures that wait for a word about consent that was gone all at once."""
    if not may_open(user, "imports"):
        return []
    titles = current_home().settings.consent_titles
    names = SuspendedPurpose.objects.order_by("purpose").values_list("purpose", flat=True)
    return [purpose_title(name, titles) for name in names]


def _to_confirm(user: User) -> int:
    """What colleagues asked for that this person may confirm."""
    lifts = NeverPublishLift.objects.exclude(asked_by=user.username).order_by()
    exports = open_requests(current_home()).exclude(asked_by=user.username).order_by()
    return lifts.values("pk").union(exports.values("pk"), all=True).count()
