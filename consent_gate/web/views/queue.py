"""The queue of held pictures."""

from __future__ import annotations

from dataclasses import replace

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent_gate.db.models import Item, ItemState
from consent_gate.model import Reason
from consent_gate.web import queue
from consent_gate.web.current import the_home, the_user
from consent_gate.web.undo import undoable
from consent_gate.wording import LABELS

NOT_IN_THE_QUEUE = frozenset({Reason.SEALED, Reason.REFUSED_BY_STAFF})


@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """Held pictures of one event, the longest waiting event unless one is asked for."""
    home = the_home()
    wanted = queue.QueueFilter.of(request.GET)
    events = queue.events(wanted)
    asked = request.GET.get("event")
    event = next((e for e in events if e.name == asked), events[0] if events else None)
    items = queue.of_event(wanted, event.name) if event else Item.objects.none()
    page = Paginator(items.prefetch_related("decisions"), queue.PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "events": events,
        "event": event,
        "page": page,
        "cards": [queue.card(home, item) for item in page],
        "wanted": wanted,
        "total": sum(e.held for e in events),
        "other": replace(wanted, settled=not wanted.settled),
        "other_total": replace(wanted, settled=not wanted.settled).held().count(),
        "waiting": Item.objects.filter(state=ItemState.RECEIVED).count(),
        "reasons": [(r.value, LABELS[r]) for r in Reason if r not in NOT_IN_THE_QUEUE],
        "channels": [(name, c.title) for name, c in home.settings.channels.items()],
        "undo": undoable(home, the_user(request).username),
    }
    return render(request, "gate/queue.html", context)
