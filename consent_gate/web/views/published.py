"""Views of published and withdrawn pictures, and of their albums."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import Publication
from consent_gate.errors import GateError
from consent_gate.messages import LABELS, counted
from consent_gate.publication import (
    APPEARANCE_CHANGED,
    APPROVAL_WITHDRAWN,
    BY_HAND,
    OPEN,
    RECALLED_BEFORE,
)
from consent_gate.review.descriptions import describe_event
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages.event_words import event_words
from consent_gate.web.pages.queue import event_title
from consent_gate.web.request_context import current_home, current_user
from publish.albums import set_album
from publish.feed.readers import silent_readers
from publish.recall import by_hand, tickets
from publish.recall.by_hand import RecallSelection

PAGE_SIZE = 48
ALBUMS = "/published/?show=albums"

CAUSES = {
    BY_HAND: "by a member of staff",
    APPEARANCE_CHANGED: "the picture was changed by staff",
    APPROVAL_WITHDRAWN: "the approval was withdrawn",
    RECALLED_BEFORE: "it was withdrawn before the gate was restored from a backup",
} | {reason.value: label for reason, label in LABELS.items()}
"""Why a picture was withdrawn, for staff."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List published pictures, withdrawn pictures with ``?show=back``, or albums, newest first."""
    if request.GET.get("show") == "albums":
        return _albums(request)
    home, user = current_home(), current_user(request)
    channels = home.settings.titles
    channel = request.GET.get("channel", "")
    is_withdrawn = request.GET.get("show") == "back"
    rows = Publication.objects.select_related("item").order_by("-intended_at", "item_id", "channel")
    rows = rows.filter(withdrawn_at__isnull=False) if is_withdrawn else rows.filter(state__in=OPEN)
    if is_withdrawn:
        rows = rows.prefetch_related("confirmations")
    if channel in channels:
        rows = rows.filter(channel=channel)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    waits = {t.publication.pk: t for t in tickets.open_tickets(home, page)} if is_withdrawn else {}
    context = {
        "page": page,
        "rows": [_row(row, channels, waits) for row in page],
        "channels": channels,
        "channel": channel,
        "back": is_withdrawn,
        "shown": "back" if is_withdrawn else "",
        "late": tickets.overdue_tickets(home),
        "silent": silent_readers(home),
        "may_see": may_open(user, "picture_thumbnail"),
        "may_withdraw": may_open(user, "take_back"),
    }
    return render(request, "gate/published.html", context)


@require_POST
def withdraw(request: HttpRequest, publication_id: str) -> HttpResponse:
    """Withdraw one picture from one channel. Only staff can release it again."""
    row = get_object_or_404(Publication, pk=publication_id)
    selection = RecallSelection(items=[row.item_id], channels=[row.channel])
    home = current_home()
    done = by_hand.recall_selection(home, selection, current_user(request).username)
    if done.publications:
        place = home.settings.titles.get(row.channel, row.channel)
        messages.success(request, f"The picture is withdrawn from {place}.")
    else:
        messages.info(request, "The picture had been withdrawn already.")
    return _redirect_to_list(request)


@require_POST
def confirm(request: HttpRequest, publication_id: str) -> HttpResponse:
    """Record that all copies of a withdrawn picture are gone."""
    row = get_object_or_404(Publication, pk=publication_id)
    try:
        tickets.confirm(current_home(), [row], tickets.STAFF, current_user(request).username)
        messages.success(request, "Recorded: all copies are gone.")
    except GateError as error:
        messages.error(request, str(error))
    return _redirect_to_list(request)


@require_POST
def album(request: HttpRequest) -> HttpResponse:
    """Save the public title of an event's pictures."""
    event = request.POST.get("event", "")
    actor = current_user(request).username
    try:
        title = set_album(current_home(), event, request.POST.get("title", ""), actor)
        messages.success(
            request,
            f"{event_title(event)}: the album is called “{title}”."
            if title
            else f"{event_title(event)}: no album.",
        )
    except GateError as error:
        messages.error(request, str(error))
    if request.POST.get("from") == "queue":
        return redirect(f"{reverse('queue')}?{urlencode({'event': event})}")
    if request.POST.get("from") == "event":
        return redirect(f"{reverse('event')}?{urlencode({'event': event})}")
    return redirect(ALBUMS)


@require_POST
def describe(request: HttpRequest) -> HttpResponse:
    """Give the pictures of an event that have no description the same one."""
    event, alt = request.POST.get("event", ""), request.POST.get("alt", "")
    try:
        count = describe_event(current_home(), event, alt, current_user(request).username)
        messages.success(request, f"{counted(count, 'picture has', 'pictures have')} it now.")
    except GateError as error:
        messages.error(request, str(error))
    return redirect(ALBUMS)


def _albums(request: HttpRequest) -> HttpResponse:
    """List the events with published pictures, the latest first."""
    user = current_user(request)
    out = Publication.objects.filter(state__in=OPEN).values("item__event")
    events = out.annotate(latest=Max("intended_at")).order_by("-latest", "item__event")
    page = Paginator(events, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [event_words(current_home(), row["item__event"]) for row in page],
        "shown": "albums",
        "may_write": may_open(user, "album"),
        "may_describe": may_open(user, "describe_event"),
    }
    return render(request, "gate/albums.html", context)


def _redirect_to_list(request: HttpRequest) -> HttpResponse:
    """Redirect to the list with the same filter."""
    return redirect(f"{reverse('published')}?{request.GET.urlencode()}".rstrip("?"))


def _row(
    row: Publication, channels: dict[str, str], waits: dict[str, tickets.Ticket]
) -> dict[str, object]:
    ticket = waits.get(row.pk)
    return {
        "publication": row,
        "channel": channels.get(row.channel, row.channel),
        "event": event_title(row.item.event),
        "cause": CAUSES.get(row.cause, row.cause),
        "open": row.confirmed_at is None,
        "confirmed_by": sorted(c.reader for c in row.confirmations.all()) if ticket else [],
        "waits_for": [c for c in ticket.waits_for if c != tickets.STAFF] if ticket else [],
        "asks_staff": ticket is not None and tickets.STAFF in ticket.waits_for,
    }
