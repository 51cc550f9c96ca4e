"""Display names of staff, and the search for pupils."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from consent_gate.db.models import PupilEntry, User

MAX_FOUND = 12
"""Search results beside a picture; more do not fit."""


def display_names(usernames: Iterable[str]) -> dict[str, str]:
    """Return full names by log-in name, for the users who have one."""
    found = User.objects.filter(username__in=set(usernames))
    return {user.username: user.get_full_name() for user in found if user.get_full_name()}


def full_name(username: str) -> str:
    """Return the full name of a user; the log-in name when there is none."""
    return display_names([username]).get(username, username)


def search(query: str) -> QuerySet[PupilEntry]:
    """Return pupils for whom every word of the query matches a name, class or number."""
    found = PupilEntry.objects.all()
    for word in query.split():
        found = found.filter(_prefix_match(word))
    return found


def find_pupils(query: str, limit: int = MAX_FOUND) -> list[PupilEntry]:
    """Return pupils on roll for the list beside a picture; none for an empty query."""
    if not query.strip():
        return []
    found = search(query).filter(on_roll=True)
    return list(found.order_by("surname", "forename", "admission_number")[:limit])


def _prefix_match(word: str) -> Q:
    names = ("forename", "surname", "preferred_forename", "preferred_surname")
    anywhere = Q(reg_group__iexact=word) | Q(year_group__iendswith=f" {word}")
    anywhere |= Q(admission_number__endswith=word)
    for name in names:
        anywhere |= Q(**{f"{name}__istartswith": word}) | Q(**{f"{name}__icontains": f" {word}"})
    return anywhere
