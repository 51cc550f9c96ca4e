"""The queue of held pictures."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import Item, ItemState, VerdictWord
from consent_gate.errors import GateError
from consent_gate.model import Reason
from consent_gate.web import queue
from consent_gate.web import review_service as review
from consent_gate.web.current import the_home, the_user
from consent_gate.web.notes import questions_for
from consent_gate.web.review_checks import CannotBeReleased
from consent_gate.web.undo import undoable
from consent_gate.wording import LABELS

NOT_IN_THE_QUEUE = frozenset({Reason.SEALED, Reason.REFUSED_BY_STAFF})


@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """Held pictures of one event, the longest waiting event unless one is asked for."""
    home = the_home()
    by = the_user(request).username
    wanted = queue.QueueFilter.of(request.GET, by)
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
        "total": sum(e.held for e in events),
        "piles": _piles(wanted, by),
        "batchable": any(c.only_no_faces for c in cards),
        **progress_now(),
        "reasons": [(r.value, LABELS[r]) for r in Reason if r not in NOT_IN_THE_QUEUE],
        "channels": [(name, c.title) for name, c in home.settings.channels.items()],
        "undo": undoable(home, by),
    }
    return render(request, "gate/queue.html", context)


def _piles(wanted: queue.QueueFilter, by: str) -> list[tuple[str, str, int, bool]]:
    """The tabs: title, end of the address, how many, whether it is the one shown."""
    piles = [
        ("To decide", replace(wanted, settled=False, asked="")),
        ("Consent says no", replace(wanted, settled=True, asked="")),
    ]
    if wanted.asked or questions_for(by):
        piles.append(("Asked of you", replace(wanted, settled=False, asked=by)))
    return [(title, pile.query(), pile.held().count(), pile == wanted) for title, pile in piles]


@require_POST
def batch(request: HttpRequest) -> HttpResponse:
    """Release or refuse the ticked pictures. Only pictures held for want of a face are released
    together: a face deserves a look of its own.
    """
    home, by = the_home(), the_user(request).username
    release = request.POST.get("answer") == "release"
    done = 0
    for item in Item.objects.filter(pk__in=request.POST.getlist("item")[: queue.PAGE]):
        try:
            _answer_one(review.latest(home, by, item.pk), item, request, release=release)
            done += 1
        except GateError as error:
            messages.error(request, str(error))
    word = "released" if release else "refused"
    messages.success(request, f"{done} pictures {word}." if done != 1 else f"One picture {word}.")
    wanted = queue.QueueFilter.of(request.GET, by)
    return redirect(f"{reverse('queue')}?{wanted.query(event=request.GET.get('event', ''))}")


def _answer_one(said: review.Said, item: Item, request: HttpRequest, *, release: bool) -> None:
    card = queue.card(said.home, item)
    channels = [d.channel for d in item.decisions.all() if d.verdict == VerdictWord.HELD]
    if release and not card.only_no_faces:
        raise CannotBeReleased("Please open pictures with people in them one by one.")
    if release:
        review.release(said, channels, request.POST.get("basis", ""))
    else:
        review.refuse(said, channels)


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far the gate is with new pictures; the queue asks every few seconds."""
    return render(request, "gate/_progress.html", progress_now())


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
