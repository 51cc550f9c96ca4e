"""The pupils that the review page offers for a face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consent_gate.db.models import Item, PupilEntry, StaffTag
from consent_gate.home.home import Home
from consent_gate.model import TagKind
from consent_gate.register.display import class_of, display_name
from consent_gate.register.portraits import pupils_with_portrait

RECENT_NAMES = 6
"""Pupils named before in the same event that are offered; more do not fit on one line."""


@dataclass(frozen=True)
class Choice:
    """A pupil offered for a face."""

    number: str
    name: str
    group: str
    portrait: bool = False
    """Whether there is a portrait to show."""


def choices(home: Home, pupils: Iterable[PupilEntry]) -> list[Choice]:
    """Return the choices for pupils."""
    found = list(pupils)
    with_portrait = pupils_with_portrait(home, found) if found else set()
    return [
        Choice(p.admission_number, display_name(p), class_of(p), p.pk in with_portrait)
        for p in found
    ]


def recently_named(item: Item) -> list[Choice]:
    """Return pupils whom staff named in other pictures of the event, the latest first.

    They are shown without portraits.
    """
    tags = StaffTag.objects.filter(item__event=item.event, kind=TagKind.PUPIL.value)
    latest = (
        tags.exclude(item=item).order_by("-created_at").values_list("admission_number", flat=True)
    )
    numbers = list(dict.fromkeys(latest[: 10 * RECENT_NAMES]))[:RECENT_NAMES]
    pupils = PupilEntry.objects.filter(admission_number__in=numbers)
    found = {
        p.admission_number: Choice(p.admission_number, display_name(p), class_of(p)) for p in pupils
    }
    return [found[number] for number in numbers if number in found]
