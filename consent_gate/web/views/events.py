"""Views of events: the list, one event, photos that staff upload, and the recall of an event."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent_gate.db.models import Item
from consent_gate.decisions.event_classes import known_classes, name_roll
from consent_gate.errors import GateError
from consent_gate.messages import counted
from consent_gate.register.event_names import NamedRoll
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.forms import parse_count
from consent_gate.web.pages.events import count_out, event_page, event_rows, recall_of_event
from consent_gate.web.request_context import current_home, current_user
from consent_gate.web.views.event_rolls import save_roll
from ingest.inbox.browser_uploads import (
    MAX_PIECE_BYTES,
    OfferedFile,
    UploadRefused,
    UploadState,
    append,
    begin,
    event_folder,
    file_name,
)
from publish.recall import by_hand

PAGE_SIZE = 50


@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """List the events; a POST makes a new one and opens its page."""
    if request.method == "POST":
        return _make_event(request)
    context = {
        "page": Paginator(event_rows(), PAGE_SIZE).get_page(request.GET.get("page")),
        "groups": known_classes(),
        "today": current_home().now().date(),
    }
    return render(request, "gate/events.html", context)


def _make_event(request: HttpRequest) -> HttpResponse:
    """Make the folder, and name the classes. An event that exists keeps its photos."""
    home, known = current_home(), set(known_classes())
    classes = tuple(group for group in request.POST.getlist("class") if group in known)
    try:
        event = event_folder(request.POST.get("name", ""), _day(request.POST.get("day", "")))
        (home.inbox / event).mkdir(exist_ok=True)
        if classes:
            name_roll(home, event, NamedRoll(classes, ()), current_user(request).username)
    except (GateError, OSError) as error:
        message = str(error) if isinstance(error, GateError) else "The photo folder cannot be used."
        messages.error(request, message)
        return redirect("events")
    return redirect(_address(event))


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        return ""


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show one event.

    Raises:
        Http404: There is no such event.
    """
    event, user = _event(request), current_user(request)
    view = event_page(current_home(), event)
    context: dict[str, Any] = {
        "event": view,
        "groups": known_classes(),
        "classes": view.classes,
        "single_pupils": view.single_pupils,
        "piece": MAX_PIECE_BYTES // 2,
        "may_upload": may_open(user, "event_upload") and "/" not in event,
        "may_recall": may_open(user, "event_recall"),
        "may_review": may_open(user, "queue"),
        "may_write_album": may_open(user, "album"),
    }
    return render(request, "gate/event.html", context)


@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    """Take one piece of a photo, or say how much of it is there.

    The query describes the file, so that the body is the piece alone. An empty body only asks.
    """
    home, owner = current_home(), current_user(request).username
    try:
        file = OfferedFile(
            _event(request),
            file_name(request.GET.get("name", "")),
            parse_count(request.GET.get("size", "")) or 0,
            request.GET.get("modified", "")[:20],
        )
        piece, offset = request.body, parse_count(request.GET.get("offset", "")) or 0
        done = append(home, owner, file, offset, piece) if piece else begin(home, owner, file)
    except GateError as error:
        return JsonResponse({"error": str(error)}, status=422)
    except OSError:
        return JsonResponse({"error": "The photo folder cannot be written."}, status=503)
    return JsonResponse({"received": done.received, "state": done.state.value})


@require_POST
def upload_form(request: HttpRequest) -> HttpResponse:
    """Take whole photos from a form without a script."""
    home, owner, event = current_home(), current_user(request).username, _event(request)
    taken = known = 0
    for posted in request.FILES.getlist("photos"):
        # A form says no time. The content keeps two files of one name and size apart.
        digest = _digest_of(posted)
        file = OfferedFile(event, file_name(posted.name or ""), posted.size or 0, digest[:20])
        try:
            begun = begin(home, owner, file)
            offset, state = begun.received, begun.state
            posted.seek(offset)
            while piece := posted.read(MAX_PIECE_BYTES):
                state = append(home, owner, file, offset, piece).state
                offset += len(piece)
            taken += state is UploadState.TAKEN
            known += state is UploadState.KNOWN
        except GateError as error:
            messages.error(request, str(error))
        except OSError:
            messages.error(request, f"{file.name} cannot be written. Try again, or rename it.")
    if taken or known:
        already = f" {counted(known, 'photo was', 'photos were')} here already." if known else ""
        messages.success(request, f"{counted(taken, 'photo', 'photos')} uploaded.{already}")
    return redirect(_address(event))


@require_POST
def roll(request: HttpRequest) -> HttpResponse:
    """Record who was at an event."""
    event = _event(request)
    save_roll(request, event)
    return redirect(_address(event))


def _digest_of(posted: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in posted.chunks():
        digest.update(chunk)
    return digest.hexdigest()


@require_POST
def recall(request: HttpRequest) -> HttpResponse:
    """Take back everything of an event, if it is as much as the page said."""
    event, home = _event(request), current_home()
    if parse_count(request.POST.get("count", "")) != count_out(event):
        messages.error(
            request, "Another number is out by now, so nothing was taken back. Look at it again."
        )
        return redirect(_address(event))
    done = by_hand.recall_selection(home, recall_of_event(event), current_user(request).username)
    pictures = len({row.item_id for row in done.publications})
    messages.success(
        request, f"{counted(pictures, 'picture is', 'pictures are')} taken back from everywhere."
    )
    return redirect(_address(event))


def _event(request: HttpRequest) -> str:
    """The event in the query: a folder of the inbox, or one that pictures came from.

    Raises:
        Http404: There is none.
    """
    event = request.GET.get("event", "")
    if event and Item.objects.filter(event=event).exists():
        return event
    try:
        if event == event_folder(event) and (current_home().inbox / event).is_dir():
            return event
    except (UploadRefused, OSError, ValueError):
        pass
    raise Http404("There is no such event.")


def _address(event: str) -> str:
    return f"{reverse('event')}?{urlencode({'event': event})}"
