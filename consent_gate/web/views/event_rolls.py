"""Saves who was at an event, as staff ticked it on the queue or on the page of the event."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from consent_gate.decisions.event_classes import known_classes, name_roll, school_names
from consent_gate.messages import counted
from consent_gate.register.event_names import NamedRoll, split_names, understand_names
from consent_gate.web.pages import queue
from consent_gate.web.request_context import current_home, current_user


def save_roll(request: HttpRequest, event: str) -> None:
    """Record who was at an event; no class and no pupil mean that anybody may have been.

    Nothing is saved if a name is not on the register. A message says what happened.
    """
    known = set(known_classes())
    ticked = tuple(group for group in request.POST.getlist("class") if group in known)
    others = understand_names(split_names(request.POST.get("others", "")), school_names())
    title = queue.event_title(event)
    if others.unknown:
        messages.error(
            request,
            f"Nothing was saved: {', '.join(others.unknown)} is not on the register. Check the"
            " spelling, or write the admission number.",
        )
        return
    classes = tuple(dict.fromkeys((*ticked, *others.classes)))
    name_roll(
        current_home(), event, NamedRoll(classes, others.pupils), current_user(request).username
    )
    if classes or others.pupils:
        named = [*classes, *([counted(len(others.pupils), "pupil")] if others.pupils else [])]
        message = (
            f"{title}: {', '.join(named)}. Only they are cleared automatically. The event's held"
            " pictures are decided again."
        )
    else:
        message = f"{title}: any class may have been there."
    messages.success(request, message)
