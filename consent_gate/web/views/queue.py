"""Views of the queue of held pictures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import ChannelStatus, Item, ItemState
from consent_gate.decisions.event_classes import known_classes, proposal_for
from consent_gate.decisions.staff_input import roster_for
from consent_gate.errors import GateError
from consent_gate.messages import LABELS
from consent_gate.model import Reason
from consent_gate.register.age import register_age
from consent_gate.review import service as review
from consent_gate.review.notes import count_questions_for
from consent_gate.review.undo import undoable_action
from consent_gate.review.validation import CannotBeReleased, InvalidInput
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.forms import parse_count
from consent_gate.web.pages import queue
from consent_gate.web.request_context import current_home, current_user
from consent_gate.web.views.event_rolls import save_roll
from ingest.runtime.heartbeat import read_heartbeat
from publish.channel.albums import album_of, all_titles

WITH_PEOPLE = "Pictures with people cannot be released together. Please open them one by one."

UNFILTERED_REASONS = frozenset({Reason.SEALED, Reason.REFUSED_BY_STAFF})


@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """Show the held pictures of one event; by default of the event that has waited longest."""
    home = current_home()
    actor = current_user(request).username
    wanted = _wanted(request)
    stamp = queue.queue_version(wanted)
    events = queue.events(wanted)
    asked = request.GET.get("event")
    event = next((e for e in events if e.name == asked), events[0] if events else None)
    items = queue.held_in_event(wanted, event.name) if event else Item.objects.none()
    page = Paginator(items.prefetch_related("decisions"), queue.PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    cards = queue.cards(home, page)
    context = {
        "events": events,
        "event": event,
        "page": page,
        "cards": cards,
        "wanted": wanted,
        "piles": _tabs(wanted, actor),
        "batchable": any(c.only_no_faces for c in cards),
        **_filters(),
        **_classes(event.name if event else None),
        **progress_now(),
        "stamp": stamp,
        "undo": undoable_action(home, actor, request.session.get("answered", ())),
        "no_list": not events and register_age(home).exported_on is None,
        "may_import": may_open(current_user(request), "imports"),
    }
    return render(request, "gate/queue.html", context)


def _wanted(request: HttpRequest) -> queue.QueueFilter:
    return queue.QueueFilter.of(request.GET, current_user(request).username, current_home().now())


def _filters() -> dict[str, Any]:
    """Options of the filter form."""
    channels = current_home().settings.channels
    return {
        "reasons": [(r.value, LABELS[r]) for r in Reason if r not in UNFILTERED_REASONS],
        "channels": [(name, c.title) for name, c in channels.items()],
        "groups": known_classes(),
        "ages": [(key, words) for key, (_, words) in queue.AGES.items()],
    }


def _classes(event: str | None) -> dict[str, Any]:
    """Who staff named for the event, the classes to ask about, and the album."""
    if event is None:
        return {}
    album = {"album": album_of(event, all_titles())}
    named = roster_for(event)
    if named is None:
        return {"classes": (), "proposal": proposal_for(current_home(), event), **album}
    single = named.pupils.exclude(pupil__reg_group__in=named.reg_groups)
    return {
        "classes": tuple(named.reg_groups),
        "single_pupils": list(single.values_list("pupil__admission_number", flat=True)),
        "unknown_names": tuple(named.unknown),
        "roll_restored": named.restored,
        **album,
    }


def _tabs(wanted: queue.QueueFilter, actor: str) -> list[tuple[str, str, int, bool]]:
    """The tabs of the queue: title, query string, number of pictures, whether it is shown."""
    tabs = [
        ("To decide", replace(wanted, consent_denied=False, asked="")),
        ("No consent", replace(wanted, consent_denied=True, asked="")),
    ]
    if wanted.asked or count_questions_for(actor):
        tabs.append(("Questions for you", replace(wanted, consent_denied=False, asked=actor)))
    return [(title, tab.query(), tab.held().count(), tab == wanted) for title, tab in tabs]


@require_POST
def batch(request: HttpRequest) -> HttpResponse:
    """Release or refuse the ticked pictures.

    Only pictures without faces are released in a batch: each face must be reviewed by itself. A
    release shows first what would go where, and is saved only for pictures that are still as they
    were shown.
    """
    if request.POST.get("answer") == "release" and not request.POST.getlist("shown"):
        return _what_would_go_out(request)
    home, actor = current_home(), current_user(request).username
    shown = dict(entry.partition(":")[::2] for entry in request.POST.getlist("shown"))
    done, problems = [], Counter[str]()
    ticked = Item.objects.filter(pk__in=request.POST.getlist("item")[: queue.PAGE_SIZE])
    for item in ticked:
        try:
            action = review.at_current_revision(home, actor, item.pk)
            if shown:  # a picture that was not shown has the revision of none
                count = parse_count(shown.get(item.pk, ""))
                action = replace(action, revision=-1 if count is None else count)
            _decide(action, item, request)
            done.append(item.pk)
        except GateError as error:
            problems[str(error)] += 1
    request.session["answered"] = done
    for text, count in problems.items():
        messages.error(request, text if count == 1 else f"{count} pictures: {text}")
    if not done and not problems:
        messages.info(request, "No picture was ticked, so nothing has changed.")
    return _redirect_to_queue(request)


def _what_would_go_out(request: HttpRequest) -> HttpResponse:
    """Show the ticked pictures without faces, and how many would go to each channel."""
    home = current_home()
    ticked = Item.objects.filter(pk__in=request.POST.getlist("item")[: queue.PAGE_SIZE])
    cards = [queue.card(home, item) for item in ticked.prefetch_related("decisions")]
    ready = [card for card in cards if card.only_no_faces]
    if not ready:
        if cards:
            messages.error(request, WITH_PEOPLE)
        else:
            messages.info(request, "No picture was ticked, so nothing has changed.")
        return _redirect_to_queue(request)
    held = Counter(
        decision.channel
        for card in ready
        for decision in card.item.decisions.all()
        if decision.verdict == ChannelStatus.HELD
    )
    context = {
        "cards": ready,
        "left_out": len(cards) - len(ready),
        "channels": [(title, held[name]) for name, title in home.settings.titles.items()],
        "basis": request.POST.get("basis", ""),
        "wanted": _wanted(request),
        "event": request.GET.get("event", ""),
    }
    return render(request, "gate/batch.html", context)


def _redirect_to_queue(request: HttpRequest) -> HttpResponse:
    query = _wanted(request).query(event=request.GET.get("event", ""))
    return redirect(f"{reverse('queue')}?{query}")


def _decide(action: review.ReviewAction, item: Item, request: HttpRequest) -> None:
    card, release = queue.card(action.home, item), request.POST.get("answer") == "release"
    channels = [d.channel for d in item.decisions.all() if d.verdict == ChannelStatus.HELD]
    if release and not card.only_no_faces:
        raise CannotBeReleased(WITH_PEOPLE)
    if release:
        review.release(action, channels, request.POST.get("basis", ""))
    elif request.POST.get("answer") == "refuse":
        review.refuse(action, channels)
    else:
        raise InvalidInput("Please choose Release or Refuse.")


@require_POST
def classes(request: HttpRequest) -> HttpResponse:
    """Record who was at an event."""
    save_roll(request, request.GET.get("event", ""))
    return _redirect_to_queue(request)


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """Return the progress bar, which requests itself every few seconds.

    The htmx event ``queue-changed`` makes the page reload the queue when its pictures changed.
    """
    wanted = _wanted(request)
    stamp = queue.queue_version(wanted)
    context = {**progress_now(), "wanted": wanted, "stamp": stamp}
    response = render(request, "gate/_progress.html", context)
    if request.GET.get("stamp", stamp) != stamp:
        response.headers["HX-Trigger"] = "queue-changed"
    return response


def progress_now() -> dict[str, object]:
    """Template context of the progress bar: the event being checked and its counts."""
    waiting = Item.objects.filter(state=ItemState.RECEIVED)
    oldest = waiting.order_by("received_at", "pk").first()
    if oldest is None:
        return {"waiting": 0}
    heartbeat = read_heartbeat(current_home())
    event = Item.objects.filter(event=oldest.event).exclude(state=ItemState.SEALED)
    return {
        "waiting": waiting.count(),
        "films": heartbeat.films if heartbeat else (),
        "running": queue.event_title(oldest.event),
        "running_done": event.exclude(state=ItemState.RECEIVED).count(),
        "running_of": event.count(),
    }
