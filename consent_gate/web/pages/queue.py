"""The queue of held pictures: filters, events, working order and cards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    Item,
    ItemState,
    PupilEntry,
    PupilInItem,
    ReviewNote,
)
from consent_gate.decisions import bursts
from consent_gate.home.home import Home
from consent_gate.messages import LABELS
from consent_gate.model import Box, Examined, Reason
from consent_gate.web.pages import labels
from consent_gate.web.pages.picture_faces import reading_order

HYPHENS = re.compile(r"(?<!\d{4})(?<!\d{4}-\d{2})-|-(?!\d{2})")
"""Hyphens of a folder's name that are none of a day in ISO form."""

PAGE_SIZE = 24
"""Pictures on one page: four rows of six on an office screen."""

CONSENT_DENIED = "settled"
"""Value of the query parameter ``show``: pictures held for missing or refused consent."""

ASKED = "asked"
"""Value of the query parameter ``show``: pictures with an open question to this user."""

AGES = {
    "day": (1, "More than a day"),
    "week": (7, "More than a week"),
    "month": (30, "More than a month"),
}
"""Waiting time filters: number of days and label."""


@dataclass(frozen=True)
class QueueFilter:
    """The part of the queue that a user wants to see. Empty fields do not filter."""

    reason: str = ""
    channel: str = ""
    consent_denied: bool = False
    """True: pictures that lack consent in every channel where they are held, so nobody has to
    decide them. False: pictures that a reviewer could still release to a channel."""

    asked: str = ""
    """Log-in name: only pictures about which colleagues asked this user."""
    group: str = ""
    """Class: only pictures that show, or may show, one of its pupils."""
    age: str = ""
    """Key of ``AGES``: only pictures that have waited longer."""
    now: datetime | None = None
    """Present time, for ``age``."""

    @staticmethod
    def of(query: QueryDict, actor: str, now: datetime) -> QueueFilter:
        """Read a filter from query parameters. Unknown values are ignored."""
        reason, age, show = query.get("reason", ""), query.get("age", ""), query.get("show")
        return QueueFilter(
            reason=reason if reason in set(Reason) else "",
            channel=query.get("channel", ""),
            consent_denied=show == CONSENT_DENIED,
            asked=actor if show == ASKED else "",
            group=query.get("class", ""),
            age=age if age in AGES else "",
            now=now,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether a filter hides some pictures of the chosen tab."""
        return bool(self.reason or self.channel or self.group or self.age)

    @property
    def fields(self) -> dict[str, str]:
        """Form field names and values, without empty ones."""
        show = CONSENT_DENIED if self.consent_denied else ASKED if self.asked else ""
        wanted = {"show": show, "reason": self.reason, "channel": self.channel}
        wanted |= {"class": self.group, "age": self.age}
        return {key: value for key, value in wanted.items() if value}

    def query(self, **more: str) -> str:
        """Return the query string, with ``more`` added."""
        return urlencode({**self.fields, **{key: value for key, value in more.items() if value}})

    def held(self) -> QuerySet[Item]:
        """Return the held pictures that match the filter."""
        return self._held.all()

    @cached_property
    def _held(self) -> QuerySet[Item]:
        """The query, which a page needs several times and which takes long to build."""
        held = ChannelDecision.objects.filter(item=OuterRef("pk"), verdict=ChannelStatus.HELD)
        held = held.annotate(text=Cast("reasons", TextField()))
        if self.channel:
            held = held.filter(channel=self.channel)
        if self.reason:
            held = held.filter(text__contains=f'"{self.reason}"')
        undecided = held
        for reason in labels.NO_CONSENT:
            undecided = undecided.exclude(text__contains=f'"{reason.value}"')
        items = self._of_class_and_age(Item.objects.filter(state=ItemState.DECIDED))
        if self.asked:
            questions = ReviewNote.objects.filter(asked=self.asked, answered_at=None)
            return items.filter(Exists(held), pk__in=questions.values("item"))
        if self.consent_denied:
            return items.filter(Exists(held), ~Exists(undecided))
        return items.filter(Exists(undecided))

    def _of_class_and_age(self, items: QuerySet[Item]) -> QuerySet[Item]:
        if self.group:
            pupils = PupilEntry.objects.filter(reg_group=self.group).values("admission_number")
            shown = PupilInItem.objects.filter(item=OuterRef("pk"), admission_number__in=pupils)
            items = items.filter(Exists(shown))
        if self.age and self.now:
            items = items.filter(received_at__lt=self.now - timedelta(days=AGES[self.age][0]))
        return items


@dataclass(frozen=True)
class EventView:
    """One event in the list beside the queue."""

    name: str
    """Folder below the inbox; empty for pictures directly in the inbox."""
    title: str
    held: int
    oldest: datetime


@dataclass(frozen=True)
class MarkedBox:
    """A face on a thumbnail."""

    box: Box
    mark: str


@dataclass(frozen=True)
class Card:
    """One picture in the queue."""

    item: Item
    width: int
    height: int
    boxes: tuple[MarkedBox, ...]
    why: str
    """Why the picture is held, in one sentence."""
    channels: tuple[tuple[str, str], ...]
    """Title and verdict of each channel; empty when the picture is held for all channels."""
    only_no_faces: bool
    """Whether it is a picture, and the only reason is that no face was found. Only these are
    released in a batch: a film must be watched."""
    same_moment: bool = False
    """Whether it was taken at the same moment as the picture before it in the list."""


def events(wanted: QueueFilter) -> list[EventView]:
    """Return events with held pictures, the longest waiting first."""
    rows = wanted.held().order_by().values("event")
    counted = rows.annotate(held=Count("pk"), oldest=Min("received_at")).order_by("oldest", "event")
    return [
        EventView(row["event"], event_title(row["event"]), row["held"], row["oldest"])
        for row in counted
    ]


def event_title(event: str) -> str:
    """Return a title for an event folder: ``sports-day_2026`` becomes ``Sports day 2026``.

    A day such as ``2026-06-12`` stays as it is.
    """
    text = HYPHENS.sub(" ", event).replace("_", " ").replace("/", ": ").strip()
    return text[:1].upper() + text[1:] if text else "No event folder"


def queue_version(wanted: QueueFilter) -> str:
    """Return a value that changes when a picture joins, leaves or changes in the queue."""
    seen = wanted.held().aggregate(count=Count("pk"), latest=Max("decided_at"))
    latest = seen["latest"]
    return f"{seen['count']}-{latest.timestamp() if latest else 0:.3f}"


def held_in_event(wanted: QueueFilter, event: str) -> QuerySet[Item]:
    """Return the held pictures of one event in working order: those of one moment follow each
    other."""
    return wanted.held().filter(event=event).order_by(*bursts.ORDER)


def picture_after(wanted: QueueFilter, item: Item) -> str | None:
    """Return the id of the held picture to review next.

    Later pictures of the event come first, then the rest of the event, then other events. None
    when no other picture is held.
    """
    same = held_in_event(wanted, item.event).exclude(pk=item.pk)
    later = same.exclude(_sorted_before(item))
    others = wanted.held().exclude(pk=item.pk).order_by("received_at", *bursts.ORDER)
    for candidates in (later, same, others):
        found = candidates.values_list("pk", flat=True).first()
        if found:
            return found
    return None


def picture_before(wanted: QueueFilter, item: Item) -> str | None:
    """Return the id of the held picture before this one in its event."""
    earlier = held_in_event(wanted, item.event).filter(_sorted_before(item))
    return earlier.reverse().values_list("pk", flat=True).first()


def _sorted_before(item: Item) -> Q:
    """Pictures of the event that stand before this one in working order."""
    same_place = Q(queue_place=item.queue_place) & bursts.received_before(item)
    return Q(queue_place__lt=item.queue_place) | same_place


def card(home: Home, item: Item) -> Card:
    """Build the card of one picture. Prefetch ``decisions`` for a list of pictures."""
    decisions = {d.channel: d for d in item.decisions.all() if d.channel in home.settings.channels}
    held = [d for d in decisions.values() if d.verdict == ChannelStatus.HELD]
    by_face: dict[int, set[Reason]] = {}
    for decision in held:
        for text, reasons in decision.faces.items():
            by_face.setdefault(int(text), set()).update(Reason(r) for r in reasons)
    whole = {Reason(r) for d in held for r in d.reasons}
    evidence = from_json(item.evidence)
    examined = evidence if isinstance(evidence, Examined) else None
    is_film = examined is not None and examined.film is not None
    # The faces of a film are in other frames than the one that the card shows.
    boxes = [face.box for face in examined.faces] if examined and not is_film else []
    return Card(
        item=item,
        width=examined.width if examined else 0,
        height=examined.height if examined else 0,
        boxes=tuple(
            MarkedBox(boxes[i], labels.face_mark(by_face.get(i, ()))) for i in reading_order(boxes)
        ),
        why=held_reasons(by_face, whole),
        channels=()
        if len(held) == len(home.settings.channels)
        else tuple(
            (channel.title, decisions[name].verdict if name in decisions else "held")
            for name, channel in home.settings.channels.items()
        ),
        only_no_faces=whole == {Reason.NO_FACES_FOUND} and not is_film,
    )


def cards(home: Home, items: Iterable[Item]) -> list[Card]:
    """Build the cards of one page. Prefetch ``decisions``."""
    made: list[Card] = []
    for item in items:
        before = made[-1].item.queue_place if made else ""
        same = bool(before) and item.queue_place == before
        made.append(replace(card(home, item), same_moment=same))
    return made


def held_reasons(by_face: dict[int, set[Reason]], whole: set[Reason]) -> str:
    """Return one sentence: the reasons of the faces with counts, then of the whole picture."""
    faces = Counter(reason for reasons in by_face.values() for reason in reasons)
    parts = [
        f"{_faces(count)}: {labels.face_reason_text(reason)}"
        for reason, count in sorted(faces.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    parts += [LABELS[reason] for reason in sorted(whole - set(faces))]
    text = "; ".join(parts) or "waiting for a decision"
    return f"{text[:1].upper()}{text[1:]}."


def _faces(count: int) -> str:
    return "one face" if count == 1 else f"{count} faces"
