"""The template context of every page: school name, navigation and banners."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.http import HttpRequest

from consent_gate.db.models import Item, ItemState, NeverPublishLift, Role, SuspendedPurpose, User
from consent_gate.messages import purpose_title
from consent_gate.register.school_model import school_model_use
from consent_gate.review.sealed_exports import open_requests
from consent_gate.web.accounts.permissions import PAGES, may_open
from consent_gate.web.request_context import current_home

Page = tuple[str, str]
"""URL name of a page and its title."""

SECTIONS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    ("Held pictures", (("queue", "Held pictures"),)),
    ("Events", (("events", "Events"),)),
    ("Published", (("published", "Published"),)),
    ("Pupils", (("pupils", "Pupils"), ("portraits", "Portraits"))),
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
            ("rules", "Rules"),
        ),
    ),
    ("People", (("people", "People"),)),
)
"""Sections of the top bar with their pages. Users see only the pages they may open."""


@dataclass(frozen=True)
class NavItem:
    """One link of the top bar."""

    page: str
    title: str
    is_current: bool
    waiting: int = 0
    """Number of requests on that page that this user may confirm."""


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Values that only whole pages show are callables, queried on use."""
    match = request.resolver_match
    current_page = match.view_name if match else ""
    # Import steps are part of Imports, and one event is part of Events.
    current_page = "imports" if current_page.startswith("import_") else current_page
    current_page = "events" if current_page == "event" else current_page
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"school_name": current_home().settings.school.name}
    return {
        "school_name": current_home().settings.school.name,
        "current_page": current_page,
        "nav_items": lambda: nav_items(user, current_page),
        "tabs": _tabs(user, current_page),
        "sealed_count": cache(partial(_sealed_count, user)),
        "suspended": cache(partial(_suspended_purposes, user)),
        "school_model_refusal": cache(partial(_school_model_refusal, user)),
    }


def nav_items(user: User, current_page: str = "") -> list[NavItem]:
    """Return the links of the top bar for a user."""
    items = []
    for title, pages in SECTIONS:
        allowed = _allowed(user, pages)
        if allowed:
            name = title if len(allowed) > 1 else allowed[0][1]
            waiting = _confirmations_waiting(user) if allowed[0][0] == "confirmations" else 0
            items.append(NavItem(allowed[0][0], name, current_page in dict(allowed), waiting))
    return items


def pages_by_role() -> list[tuple[str, str]]:
    """Return each role's title, with the titles of the pages in the top bar that the role opens."""
    pages = [page for _, section in SECTIONS for page in section]
    return [
        (str(role.label), ", ".join(title for name, title in pages if role in PAGES[name]))
        for role in Role
    ]


def _tabs(user: User, current_page: str) -> tuple[Page, ...]:
    """Pages of the current section that the user may open; none when there is only one."""
    for _, pages in SECTIONS:
        allowed = _allowed(user, pages)
        if current_page in dict(allowed) and len(allowed) > 1:
            return allowed
    return ()


def _allowed(user: User, pages: tuple[Page, ...]) -> tuple[Page, ...]:
    return tuple(page for page in pages if may_open(user, page[0]))


def _sealed_count(user: User) -> int:
    """Number of sealed pictures for the safeguarding lead's banner; 0 for everybody else."""
    if not may_open(user, "sealed"):
        return 0
    return Item.objects.filter(state=ItemState.SEALED).count()


def _suspended_purposes(user: User) -> list[str]:
    """Titles of suspended purposes: many of their consents disappeared in one import."""
    if not may_open(user, "imports"):
        return []
    titles = current_home().settings.consent_titles
    names = SuspendedPurpose.objects.order_by("purpose").values_list("purpose", flat=True)
    return [purpose_title(name, titles) for name in names]


def _school_model_refusal(user: User) -> str:
    """Why the school's own face model decides nothing; empty where it does, or there is none."""
    if current_home().settings.recognition.model is None or not may_open(user, "queue"):
        return ""
    use = school_model_use(current_home())
    return use.refusal if use else ""


def _confirmations_waiting(user: User) -> int:
    """Number of requests by colleagues that this user may confirm."""
    lifts = NeverPublishLift.objects.exclude(asked_by=user.username).order_by()
    exports = open_requests(current_home()).exclude(asked_by=user.username).order_by()
    return lifts.values("pk").union(exports.values("pk"), all=True).count()
