"""What the views of one picture share: the picture, its address, and the context of its panel."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from consent_gate.db.models import Item, ItemState, ReviewNote
from consent_gate.review import service as review
from consent_gate.review.notes import colleagues
from consent_gate.web.forms import parse_count, parse_time
from consent_gate.web.pages.burst import answer_in_burst
from consent_gate.web.pages.enrolment_offer import enrolment_offer
from consent_gate.web.pages.event_words import offered_description
from consent_gate.web.pages.film_cuts import cut_preview
from consent_gate.web.pages.names import display_names, find_pupils
from consent_gate.web.pages.picture import picture_view
from consent_gate.web.pages.pupil_choices import choices, recently_named
from consent_gate.web.pages.queue import QueueFilter
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment.remember import may_be_ticked, may_be_ticked_by_hand

NOBODY_RECOGNISABLE = "Nobody can be recognised"


RELEASE_BASES = (
    "I know everyone shown",
    "The class teacher told me",
    "I have seen the signed agreement",
    NOBODY_RECOGNISABLE,
)
"""Suggestions for the basis of a release. Staff may type any other text."""


def queue_filter(request: HttpRequest) -> QueueFilter:
    return QueueFilter.of(request.GET, current_user(request).username, current_home().now())


def visible_item(item_id: str) -> Item:
    """Return a picture that staff may see.

    Raises:
        Http404: There is no such picture, or it is sealed or erased.
    """
    return get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))


def review_action(request: HttpRequest, item: Item) -> review.ReviewAction:
    count = parse_count(request.POST.get("revision", ""))
    revision = -1 if count is None else count
    return review.ReviewAction(current_home(), current_user(request).username, item.pk, revision)


def _notes(item: Item) -> list[tuple[ReviewNote, str, str]]:
    """Notes with the full names of the author and of the colleague asked."""
    notes = list(ReviewNote.objects.filter(item=item).order_by("created_at"))
    people = display_names(n for note in notes for n in (note.actor, note.asked)) if notes else {}
    return [(n, people.get(n.actor, n.actor), people.get(n.asked, n.asked)) for n in notes]


def _earlier_pictures(item: Item) -> list[str]:
    """Ids of the closed pictures that this one is a copy of, without sealed and erased ones."""
    copies = sorted(item.seen_before.all(), key=lambda row: row.created_at)
    shown = (row.earlier for row in copies if row.earlier is not None and not row.earlier.sealed)
    return [earlier.item_id for earlier in shown]


def panel_context(request: HttpRequest, item: Item) -> dict[str, Any]:
    view = picture_view(current_home(), item, current_user(request).username)
    number = request.GET.get("face", "")
    chosen = next((f for f in view.faces if str(f.number) == number), None)
    if chosen is None and number != "none":
        chosen = next(
            (f for f in view.faces if f.mark not in ("cleared", "cut") and f.tag is None), None
        )
    query = request.GET.get("q", "").strip()
    return {
        "item": item,
        "alt": item.alt or offered_description(current_home(), item.event),
        "view": view,
        "chosen": chosen,
        "query": query,
        "found": choices(current_home(), find_pupils(query)) if query else [],
        "burst": answer_in_burst(current_home(), item, chosen.index)
        if chosen and chosen.tag is None and not query
        else None,
        "recent": recently_named(item) if chosen and not query else [],
        "bases": RELEASE_BASES,
        "enrolment": enrolment_offer(current_home(), item, chosen) if chosen else None,
        "may_remember": chosen is not None and may_be_ticked(current_home(), item, chosen.index),
        "may_tick": chosen is not None
        and chosen.tag is None
        and may_be_ticked_by_hand(current_home(), item, chosen.index),
        "notes": _notes(item),
        "earlier": _earlier_pictures(item),
        "colleagues": colleagues(current_user(request).username),
        "basis": request.session.get("basis", "") if view.faces else NOBODY_RECOGNISABLE,
        "wanted": queue_filter(request),
        "cut": cut_preview(view, *marked_part(request)),
    }


def marked_part(request: HttpRequest) -> tuple[int | None, int | None]:
    """Return the part of a film that a page marks, in milliseconds."""
    return parse_time(request.GET.get("from", "")), parse_time(request.GET.get("to", ""))


def picture_address(item_id: str, wanted: QueueFilter) -> str:
    query = wanted.query()
    return reverse("picture", args=[item_id]) + (f"?{query}" if query else "")
