"""The queue of held pictures."""

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
from consent_gate.decisions.event_classes import classes_at, known_classes, name_classes
from consent_gate.errors import GateError
from consent_gate.messages import LABELS
from consent_gate.model import Reason
from consent_gate.register.age import register_age
from consent_gate.review import service as review
from consent_gate.review.notes import count_questions_for
from consent_gate.review.undo import undoable_action
from consent_gate.review.validation import CannotBeReleased, InvalidInput
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages import queue
from consent_gate.web.request_context import current_home, current_user

NOT_IN_THE_QUEUE = frozenset({Reason.SEALED, Reason.REFUSED_BY_STAFF})


@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """Held pictures of one event, the longest waiting event unless one is asked for."""
    home = current_home()
    actor = current_user(request).username
    wanted = _wanted(request)
    stamp = queue.stamp(wanted)
    events = queue.events(wanted)
    asked = request.GET.get("event")
    event = next((e for e in events if e.name == asked), events[0] if events else None)
    items = queue.of_event(wanted, event.name) if event else Item.objects.none()
    page = Paginator(items.prefetch_related("decisions"), queue.PAGE).get_page(
        request.GET.get("page")
    )
    cards = [queue.card(home, item) for item in page]
    context = {
        "events": events,
        "event": event,
        "page": page,
        "cards": cards,
        "wanted": wanted,
        "piles": _piles(wanted, actor),
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
    """What the queue can be narrowed to."""
    channels = current_home().settings.channels
    return {
        "reasons": [(r.value, LABELS[r]) for r in Reason if r not in NOT_IN_THE_QUEUE],
        "channels": [(name, c.title) for name, c in channels.items()],
        "groups": known_classes(),
        "ages": [(key, words) for key, (_, words) in queue.AGES.items()],
    }


def _classes(event: str | None) -> dict[str, Any]:
    """The classes that were named for the event shown."""
    return {} if event is None else {"classes": classes_at(event)}


def _piles(wanted: queue.QueueFilter, actor: str) -> list[tuple[str, str, int, bool]]:
    """The tabs: title, end of the address, how many, whether it is the one shown."""
    piles = [
        ("To decide", replace(wanted, settled=False, asked="")),
        ("Consent says no", replace(wanted, settled=True, asked="")),
    ]
    if wanted.asked or count_questions_for(actor):
        piles.append(("Asked of you", replace(wanted, settled=False, asked=actor)))
    return [(title, pile.query(), pile.held().count(), pile == wanted) for title, pile in piles]


@require_POST
def batch(request: HttpRequest) -> HttpResponse:
    """Release or refuse the ticked pictures. Only pictures held for want of a face are released
    together: a face deserves a look of its own.
    """
    home, by = current_home(), current_user(request).username
    done, problems = [], Counter[str]()
    ticked = Item.objects.filter(pk__in=request.POST.getlist("item")[: queue.PAGE])
    for item in ticked:
        try:
            _answer_one(review.at_current_revision(home, by, item.pk), item, request)
            done.append(item.pk)
        except GateError as error:
            problems[str(error)] += 1
    request.session["answered"] = done
    for text, count in problems.items():
        messages.error(request, text if count == 1 else f"{count} pictures: {text}")
    if not done and not problems:
        messages.info(request, "Nothing was ticked, so nothing changed.")
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    query = _wanted(request).query(event=request.GET.get("event", ""))
    return redirect(f"{reverse('queue')}?{query}")


def _answer_one(said: review.ReviewAction, item: Item, request: HttpRequest) -> None:
    card, release = queue.card(said.home, item), request.POST.get("answer") == "release"
    channels = [d.channel for d in item.decisions.all() if d.verdict == ChannelStatus.HELD]
    if release and not card.only_no_faces:
        raise CannotBeReleased("Please open pictures with people in them one by one.")
    if release:
        review.release(said, channels, request.POST.get("basis", ""))
    elif request.POST.get("answer") == "refuse":
        review.refuse(said, channels)
    else:
        raise InvalidInput("Say whether to release or to refuse.")


@require_POST
def classes(request: HttpRequest) -> HttpResponse:
    """Say which classes were at an event, or take back what was said."""
    event = request.GET.get("event", "")
    known = known_classes()
    there = [group for group in request.POST.getlist("class") if group in known]
    name_classes(current_home(), event, there, current_user(request).username)
    title = queue.event_title(event)
    if there:
        told = f"{title}: {', '.join(there)}. Pupils of other classes are not taken for present."
    else:
        told = f"{title}: any class may have been there."
    messages.success(request, told)
    return _back(request)


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far the gate is with new pictures; the queue asks every few seconds, and is told to
    show itself anew when other pictures are held than those it shows.
    """
    wanted = _wanted(request)
    stamp = queue.stamp(wanted)
    context = {**progress_now(), "wanted": wanted, "stamp": stamp}
    answer = render(request, "gate/_progress.html", context)
    if request.GET.get("stamp", stamp) != stamp:
        answer.headers["HX-Trigger"] = "queue-changed"
    return answer


def progress_now() -> dict[str, object]:
    """The event being checked: how many of its pictures are done, and of how many."""
    waiting = Item.objects.filter(state=ItemState.RECEIVED)
    first = waiting.order_by("received_at", "pk").first()
    if first is None:
        return {"waiting": 0}
    event = Item.objects.filter(event=first.event).exclude(state=ItemState.SEALED)
    return {
        "waiting": waiting.count(),
        "running": queue.event_title(first.event),
        "running_done": event.exclude(state=ItemState.RECEIVED).count(),
        "running_of": event.count(),
    }
