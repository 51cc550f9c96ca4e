"""Saves who was at an event, as staff ticked it on the queue or on the page of the event."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from consent_gate.decisions.event_classes import known_classes, name_roll, school_names
from consent_gate.errors import ExportUnreadable
from consent_gate.home.filesystem import printable_name
from consent_gate.messages import counted
from consent_gate.register.event_names import NamedRoll, split_names, understand_names
from consent_gate.web.pages import queue
from consent_gate.web.request_context import current_home, current_user
from sims_import.readers.pupil_list import PupilListUnclear, read_pupil_list

MAX_LIST_BYTES = 8 << 20
"""A larger file is no list of the pupils at one event."""


def save_roll(request: HttpRequest, event: str) -> None:
    """Record who was at an event; no class and no pupil mean that anybody may have been.

    Nothing is saved if a name or a row of the list is not on the register. A message says what
    happened.
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
    try:
        listed = _listed(request.FILES.get("list"))
    except ExportUnreadable as error:
        messages.error(request, str(error))
        return
    classes = tuple(dict.fromkeys((*ticked, *others.classes)))
    pupils = tuple(dict.fromkeys((*others.pupils, *listed)))
    name_roll(current_home(), event, NamedRoll(classes, pupils), current_user(request).username)
    if classes or pupils:
        named = [*classes, *([counted(len(pupils), "pupil")] if pupils else [])]
        message = (
            f"{title}: {', '.join(named)}. Only they are cleared automatically. The event's held"
            " pictures are decided again."
        )
    else:
        message = f"{title}: any class may have been there."
    messages.success(request, message)


def _listed(posted: UploadedFile | None) -> tuple[str, ...]:
    """The pupils in the list that staff chose, if they did.

    Raises:
        ExportUnreadable: The list cannot be read, or does not say for certain who is meant.
    """
    if posted is None:
        return ()
    data = posted.read(MAX_LIST_BYTES + 1)
    if len(data) > MAX_LIST_BYTES:
        raise PupilListUnclear("This file is too large for a list of pupils.")
    return read_pupil_list(data, printable_name(posted.name or "the list"), school_names())
