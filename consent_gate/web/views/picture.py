"""One picture: look, tag, release or refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import Item, ItemState, ReviewNote
from consent_gate.errors import GateError
from consent_gate.messages import counted
from consent_gate.review import service as review
from consent_gate.review.notes import add_note, colleagues
from consent_gate.review.undo import undoable_action
from consent_gate.review.validation import (
    CannotBeReleased,
    EditConflict,
    InvalidInput,
    size_of,
)
from consent_gate.vault.originals import vault_of
from consent_gate.web.forms import box_in, crop_in, tag_of
from consent_gate.web.pages.enrolment_offer import enrolment_offer
from consent_gate.web.pages.names import display_names, find_pupils
from consent_gate.web.pages.picture import picture_view
from consent_gate.web.pages.pupil_choices import choices, recently_named
from consent_gate.web.pages.queue import QueueFilter, before, event_title, next_after
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment.from_picture import enrol_face

NO_STAFF = "Nobody can be recognised"
BASES = (
    "I know everyone shown",
    "The class teacher told me",
    "I have seen the signed agreement",
    NO_STAFF,
)
"""Offered for the basis of a release; any other words may be typed."""


@require_safe
def show(request: HttpRequest, item_id: str) -> HttpResponse:
    """The page of one picture. ``face`` in the address opens one face."""
    return _page(request, _item(item_id))


@require_safe
def face(request: HttpRequest, item_id: str) -> HttpResponse:
    """The panel beside the picture, with one face open; the search asks for it at each key."""
    searching = request.headers.get("HX-Trigger") == "q"
    part = "gate/_panel_body.html" if searching else "gate/_panel.html"
    return render(request, part, _context(request, _item(item_id)))


@require_POST
def tag(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Say who or what a face is, or take it back."""
    item = _item(item_id)

    def save(said: review.ReviewAction) -> None:
        try:
            wanted = tag_of(request.POST)
        except ValueError as error:
            raise InvalidInput("Choose what this is.") from error
        if wanted is None:
            review.untag_face(said, index)
        else:
            review.tag_face(said, index, wanted)

    return _answer_beside(request, item, save)


@require_POST
def add_face(request: HttpRequest, item_id: str) -> HttpResponse:
    """A face that was missed, as a box in hundredths of a per cent of the picture's sides."""
    item = _item(item_id)
    return _answer_beside(
        request, item, lambda said: review.add_face(said, box_in(request.POST, *size_of(item)))
    )


@require_POST
def crop(request: HttpRequest, item_id: str) -> HttpResponse:
    """Which part is published, as per cent cut off each side."""
    item = _item(item_id)
    return _answer_beside(
        request, item, lambda said: review.crop(said, crop_in(request.POST, *size_of(item)))
    )


@require_POST
def enrol(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Use a named face as an enrolment photo of that pupil."""
    item = _item(item_id)

    def save(said: review.ReviewAction) -> None:
        if request.POST.get("sure") != "yes":
            raise InvalidInput("Tick that you are sure who it is.")
        if said.revision != item.revision:
            raise EditConflict("Somebody else changed this picture while you had it open.")
        enrol_face(said.home, item.pk, index, said.actor)

    return _answer_beside(request, item, save)


@require_POST
def describe(request: HttpRequest, item_id: str) -> HttpResponse:
    """Title and description for readers."""
    item = _item(item_id)
    return _answer_beside(
        request,
        item,
        lambda said: review.describe(
            said, request.POST.get("title", ""), request.POST.get("alt", "")
        ),
        "Title and description are saved.",
    )


@require_POST
def note(request: HttpRequest, item_id: str) -> HttpResponse:
    """A note for colleagues, or a question to one."""
    item = _item(item_id)
    text, asked = request.POST.get("text", ""), request.POST.get("asked", "")
    return _answer_beside(
        request, item, lambda said: add_note(said.home, said.actor, item, text, asked)
    )


@require_POST
def seal(request: HttpRequest, item_id: str) -> HttpResponse:
    """Lock the picture away and say what to do now."""
    item = _item(item_id)
    try:
        review.seal(_said(request, item))
    except (GateError, OSError):
        told = "The picture could not be sealed. Tell your safeguarding lead in person now."
        messages.error(request, told)
        return redirect("queue")
    return redirect("sealed_advice")


@require_POST
def decide(request: HttpRequest, item_id: str) -> HttpResponse:
    """Release to, or refuse for, the ticked channels; then on to the next picture."""
    item = _item(item_id)
    said = _said(request, item)
    channels = request.POST.getlist("channel")
    wanted = _wanted(request)
    following = next_after(wanted, item)
    try:
        if request.POST.get("answer") == "refuse":
            review.refuse(said, channels, request.POST.get("basis", ""))
        else:
            basis = request.POST.get("basis", "")
            review.release(said, _releasable(request, item, channels), basis)
            if basis.strip() != NO_STAFF:
                request.session["basis"] = basis.strip()
    except GateError as error:
        messages.error(request, str(error))
        return redirect(_address(item.pk, wanted))
    if following is None:
        return redirect("queue")
    return redirect(_address(following, wanted))


@require_POST
def undo(request: HttpRequest, item_id: str) -> HttpResponse:
    """Take one's own last answer back, to all pictures it was given to, and return to them."""
    item = _item(item_id)
    home, by, wanted = current_home(), current_user(request).username, _wanted(request)
    last = undoable_action(home, by, request.session.get("answered", ()))
    try:
        if last is None or last.item.pk != item.pk:
            raise InvalidInput("That can no longer be undone here. Open the picture instead.")
        for each, channels in last.answers:
            review.reopen(review.ReviewAction(home, by, each.pk, each.revision), channels)
        again = counted(len(last.answers), "picture waits", "pictures wait")
        messages.success(request, f"Undone: {again} for a decision again.")
    except GateError as error:
        messages.error(request, str(error))
    if last is not None and len(last.answers) > 1:
        return redirect(f"{reverse('queue')}?{wanted.query(event=item.event)}")
    return redirect(_address(item.pk, wanted))


def _wanted(request: HttpRequest) -> QueueFilter:
    return QueueFilter.of(request.GET, current_user(request).username, current_home().now())


def _item(item_id: str) -> Item:
    """Raises Http404 for what nobody may look at any more."""
    return get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))


def _said(request: HttpRequest, item: Item) -> review.ReviewAction:
    text = request.POST.get("revision", "")
    revision = int(text) if text.isdecimal() else -1
    return review.ReviewAction(current_home(), current_user(request).username, item.pk, revision)


def _releasable(request: HttpRequest, item: Item, ticked: list[str]) -> list[str]:
    """The ticked channels that a signature opens; the others stay as they are.

    Raises CannotBeReleased when there is none.
    """
    view = picture_view(current_home(), item, current_user(request).username)
    wanted = [c.name for c in view.releasable if c.name in ticked]
    if ticked and not wanted:
        raise CannotBeReleased("Not everyone in the picture is cleared for this.")
    return wanted


def _answer_beside(
    request: HttpRequest, item: Item, save: Callable[[review.ReviewAction], object], saved: str = ""
) -> HttpResponse:
    """Save, then show the panel again: beside the picture, or as a whole page without scripts.

    ``saved`` is told where the panel itself does not show what was saved.
    """
    problem = ""
    try:
        save(_said(request, item))
    except GateError as error:
        problem = str(error)
    item.refresh_from_db()
    if request.headers.get("HX-Request") == "true":
        told = {"error": problem, "saved": "" if problem else saved}
        return render(request, "gate/_panel.html", {**_context(request, item), **told})
    if problem:
        messages.error(request, problem)
    elif saved:
        messages.success(request, saved)
    return redirect(_address(item.pk, _wanted(request)))


def _page(request: HttpRequest, item: Item) -> HttpResponse:
    wanted = _wanted(request)
    following = next_after(wanted, item)
    context = {
        **_context(request, item),
        "following": following,
        "preload": following is not None and _has_preview(following),
        "before": before(wanted, item),
        "undo": undoable_action(
            current_home(), current_user(request).username, request.session.get("answered", ())
        ),
        "event": event_title(item.event),
        "file_name": item.source.rpartition("/")[2],
    }
    return render(request, "gate/picture.html", context)


def _notes(item: Item) -> list[tuple[ReviewNote, str, str]]:
    """Each note with the full names of who wrote it and of whom it asks."""
    notes = list(ReviewNote.objects.filter(item=item).order_by("created_at"))
    people = display_names(n for note in notes for n in (note.actor, note.asked)) if notes else {}
    return [(n, people.get(n.actor, n.actor), people.get(n.asked, n.asked)) for n in notes]


def _has_preview(item_id: str) -> bool:
    return vault_of(current_home()).exists(item_id, "preview")


def _context(request: HttpRequest, item: Item) -> dict[str, Any]:
    view = picture_view(current_home(), item, current_user(request).username)
    number = request.GET.get("face", "")
    chosen = next((f for f in view.faces if str(f.number) == number), None)
    if chosen is None and number != "none":
        chosen = next((f for f in view.faces if f.mark != "cleared" and f.tag is None), None)
    query = request.GET.get("q", "").strip()
    return {
        "item": item,
        "view": view,
        "chosen": chosen,
        "query": query,
        "found": choices(current_home(), find_pupils(query)) if query else [],
        "recent": recently_named(current_home(), item) if chosen and not query else [],
        "bases": BASES,
        "enrolment": enrolment_offer(current_home(), item, chosen) if chosen else None,
        "notes": _notes(item),
        "colleagues": colleagues(current_user(request).username),
        "basis": request.session.get("basis", "") if view.faces else NO_STAFF,
        "wanted": _wanted(request),
    }


def _address(item_id: str, wanted: QueueFilter) -> str:
    query = wanted.query()
    return reverse("picture", args=[item_id]) + (f"?{query}" if query else "")
