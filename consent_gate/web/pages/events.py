"""What the pages about events show: what came, what is out, what is held, and who was there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from consent_gate.db.event_folders import in_folder
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    EventClasses,
    Item,
    ItemState,
    Publication,
)
from consent_gate.decisions.staff_input import roster_for
from consent_gate.home.home import Home
from consent_gate.messages import LABELS
from consent_gate.model import Reason
from consent_gate.publication import OPEN
from consent_gate.web.pages.queue import event_title
from publish.channel.albums import album_of, all_titles
from publish.recall.by_hand import RecallSelection, select_publications

VISIBLE = (ItemState.RECEIVED, ItemState.DECIDED)
"""States of the pictures that are counted. A sealed or erased picture is in no number."""


@dataclass(frozen=True)
class EventRow:
    """One event in the list."""

    name: str
    title: str
    came: int
    latest: datetime


@dataclass(frozen=True)
class HeldReason:
    """Why some pictures of an event are held."""

    reason: str
    """Identifier, for the filter of the queue; empty where nothing is said."""
    label: str
    pictures: int


@dataclass(frozen=True)
class EventPage:
    """Everything about one event."""

    name: str
    """Folder below the inbox."""
    title: str
    came: int
    waiting: int
    """Pictures that are not examined yet."""
    out: tuple[tuple[str, int], ...]
    """Title of each channel with the number of pictures that are out, or on their way."""
    out_pictures: int
    """Pictures that are out in any channel."""
    held: tuple[HeldReason, ...]
    """Why pictures are held, the most frequent reason first."""
    held_pictures: int
    classes: tuple[str, ...]
    pupils: int
    """Pupils on the roll."""
    single_pupils: tuple[str, ...]
    """Admission numbers of the pupils who were named without their class."""
    unknown: tuple[str, ...]
    """Names on the roll that are not on the register."""
    album: str

    @property
    def takes_back(self) -> int:
        """Publications that a recall of the event would take back."""
        return sum(count for _, count in self.out)


def event_rows() -> list[EventRow]:
    """Return all events that pictures came from, the latest first."""
    items = Item.objects.filter(state__in=VISIBLE).order_by()
    rows = items.values("event").annotate(came=Count("pk"), latest=Max("received_at"))
    return [
        EventRow(row["event"], event_title(row["event"]), row["came"], row["latest"])
        for row in rows.order_by("-latest", "event")
        if row["event"]
    ]


def event_page(home: Home, event: str) -> EventPage:
    """Return the numbers of an event and of the folders below it."""
    items = Item.objects.filter(in_folder(event), state__in=VISIBLE)
    decisions = ChannelDecision.objects.filter(in_folder(event, "item__event"))
    held = decisions.filter(verdict=ChannelStatus.HELD, item__state__in=VISIBLE)
    pictures: dict[str, set[str]] = {}
    for pk, reasons in held.values_list("item", "reasons"):
        for reason in reasons or [""]:
            pictures.setdefault(reason, set()).add(pk)
    why = Counter({reason: len(found) for reason, found in pictures.items()})
    out = Publication.objects.filter(in_folder(event, "item__event"), state__in=OPEN)
    by_channel = dict(out.order_by().values_list("channel").annotate(Count("pk")))
    named = roster_for(event)
    return EventPage(
        name=event,
        title=event_title(event),
        came=items.count(),
        waiting=items.filter(state=ItemState.RECEIVED).count(),
        out=tuple((title, by_channel.get(name, 0)) for name, title in home.settings.titles.items()),
        out_pictures=out.order_by().values("item").distinct().count(),
        held=tuple(HeldReason(reason, _label(reason), n) for reason, n in why.most_common()),
        held_pictures=len(set().union(*pictures.values())) if pictures else 0,
        classes=tuple(named.reg_groups) if named else (),
        pupils=named.pupils.count() if named else 0,
        single_pupils=_single_pupils(named) if named else (),
        unknown=tuple(named.unknown) if named else (),
        album=album_of(event, all_titles()),
    )


def recall_of_event(event: str) -> RecallSelection:
    """Return the selection of all pictures of an event and of the folders below it."""
    return RecallSelection(events=(event,))


def count_out(event: str) -> int:
    """Return how many publications a recall of the event would take back."""
    return select_publications(recall_of_event(event)).count()


def _single_pupils(named: EventClasses) -> tuple[str, ...]:
    pupils = named.pupils.exclude(pupil__reg_group__in=named.reg_groups)
    return tuple(pupils.values_list("pupil__admission_number", flat=True))


def _label(reason: str) -> str:
    return LABELS[Reason(reason)] if reason in set(Reason) else "waiting for a decision"
