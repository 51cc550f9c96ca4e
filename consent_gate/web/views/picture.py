"""Views of one picture: show, tag, crop, describe, seal, release, refuse and undo."""

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
from consent_gate.web.forms import parse_box, parse_count, parse_crop, parse_tag
from consent_gate.web.pages.enrolment_offer import enrolment_offer
from consent_gate.web.pages.event_words import offered_description
from consent_gate.web.pages.names import display_names, find_pupils
from consent_gate.web.pages.picture import picture_view
from consent_gate.web.pages.pupil_choices import choices, recently_named
from consent_gate.web.pages.queue import QueueFilter, event_title, picture_after, picture_before
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment.from_picture import enrol_face

NOBODY_RECOGNISABLE = "Nobody can be recognised"
RELEASE_BASES = (
    "I know everyone shown",
    "The class teacher told me",
    "I have seen the signed agreement",
    NOBODY_RECOGNISABLE,
)
"""Suggestions for the basis of a release. Staff may type any other text."""


@require_safe
def show(request: HttpRequest, item_id: str) -> HttpResponse:
    """Show the page of one picture. The query parameter ``face`` opens one face."""
    return _page(request, _item(item_id))


@require_safe
def face(request: HttpRequest, item_id: str) -> HttpResponse:
    """Return the panel with one face open; the pupil search requests it at each key."""
    searching = request.headers.get("HX-Trigger") == "q"
    part = "gate/_panel_body.html" if searching else "gate/_panel.html"
    return render(request, part, _context(request, _item(item_id)))


@require_POST
def tag(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Tag a face, or remove its tag."""
    item = _item(item_id)

    def save(action: review.ReviewAction) -> None:
        try:
            wanted = parse_tag(request.POST)
        except ValueError as error:
            raise InvalidInput("Please choose who or what this face is.") from error
        if wanted is None:
            review.untag_face(action, index)
        else:
            review.tag_face(action, index, wanted)

    return _save_and_show(request, item, save)


@require_POST
def add_face(request: HttpRequest, item_id: str) -> HttpResponse:
    """Add a missed face as a box in 1/10 000 of the picture's sides."""
    item = _item(item_id)
    return _save_and_show(
        request,
        item,
        lambda action: review.add_face(action, parse_box(request.POST, *size_of(item))),
    )


@require_POST
def crop(request: HttpRequest, item_id: str) -> HttpResponse:
    """Set the part to publish, as per cent cut off each side."""
    item = _item(item_id)
    return _save_and_show(
        request, item, lambda action: review.crop(action, parse_crop(request.POST, *size_of(item)))
    )


@require_POST
def enrol(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Use a named face as an enrolment photo of the pupil."""
    item = _item(item_id)

    def save(action: review.ReviewAction) -> None:
        if request.POST.get("sure") != "yes":
            raise InvalidInput("Please tick the box to confirm that you are sure who it is.")
        if action.revision != item.revision:
            raise EditConflict("Somebody else changed this picture while you had it open.")
        enrol_face(action.home, item.pk, index, action.actor)

    return _save_and_show(request, item, save)


@require_POST
def describe(request: HttpRequest, item_id: str) -> HttpResponse:
    """Save the title and the description for readers."""
    item = _item(item_id)
    return _save_and_show(
        request,
        item,
        lambda action: review.describe(
            action, request.POST.get("title", ""), request.POST.get("alt", "")
        ),
        "Title and description are saved.",
    )


@require_POST
def note(request: HttpRequest, item_id: str) -> HttpResponse:
    """Save a note for colleagues, or a question to one of them."""
    item = _item(item_id)
    text, asked = request.POST.get("text", ""), request.POST.get("asked", "")
    return _save_and_show(
        request, item, lambda action: add_note(action.home, action.actor, item, text, asked)
    )


@require_POST
def seal(request: HttpRequest, item_id: str) -> HttpResponse:
    """Seal the picture and show what to do next."""
    item = _item(item_id)
    try:
        review.seal(_review_action(request, item))
    except (GateError, OSError):
        message = "The picture could not be sealed. Tell your safeguarding lead in person now."
        messages.error(request, message)
        return redirect("queue")
    return redirect("sealed_advice")


@require_POST
def decide(request: HttpRequest, item_id: str) -> HttpResponse:
    """Release or refuse the picture for the ticked channels, then go to the next picture."""
    item = _item(item_id)
    action = _review_action(request, item)
    channels = request.POST.getlist("channel")
    wanted = _wanted(request)
    following = picture_after(wanted, item)
    try:
        if request.POST.get("answer") == "refuse":
            review.refuse(action, channels, request.POST.get("basis", ""))
        else:
            basis = request.POST.get("basis", "")
            alt = request.POST.get("alt")
            review.release(action, _releasable(request, item, channels), basis, alt)
            if basis.strip() != NOBODY_RECOGNISABLE:
                request.session["basis"] = basis.strip()
    except GateError as error:
        messages.error(request, str(error))
        return redirect(_address(item.pk, wanted))
    if following is None:
        return redirect("queue")
    return redirect(_address(following, wanted))


@require_POST
def undo(request: HttpRequest, item_id: str) -> HttpResponse:
    """Undo the user's last decision, for all its pictures, and return to them."""
    item = _item(item_id)
    home, actor, wanted = current_home(), current_user(request).username, _wanted(request)
    last = undoable_action(home, actor, request.session.get("answered", ()))
    try:
        if last is None or last.item.pk != item.pk:
            raise InvalidInput("It is too late to undo that here. Open the picture to change it.")
        for answered, channels in last.answers:
            review.reopen(
                review.ReviewAction(home, actor, answered.pk, answered.revision), channels
            )
        pictures = counted(len(last.answers), "picture waits", "pictures wait")
        messages.success(request, f"Undone: {pictures} for a decision again.")
    except GateError as error:
        messages.error(request, str(error))
    if last is not None and len(last.answers) > 1:
        return redirect(f"{reverse('queue')}?{wanted.query(event=item.event)}")
    return redirect(_address(item.pk, wanted))


def _wanted(request: HttpRequest) -> QueueFilter:
    return QueueFilter.of(request.GET, current_user(request).username, current_home().now())


def _item(item_id: str) -> Item:
    """Return a picture that staff may see.

    Raises:
        Http404: There is no such picture, or it is sealed or erased.
    """
    return get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))


def _review_action(request: HttpRequest, item: Item) -> review.ReviewAction:
    count = parse_count(request.POST.get("revision", ""))
    revision = -1 if count is None else count
    return review.ReviewAction(current_home(), current_user(request).username, item.pk, revision)


def _releasable(request: HttpRequest, item: Item, ticked: list[str]) -> list[str]:
    """Return the ticked channels that this user's approval opens.

    Raises:
        CannotBeReleased: Channels are ticked, but none of them can be opened.
    """
    view = picture_view(current_home(), item, current_user(request).username)
    wanted = [c.name for c in view.releasable if c.name in ticked]
    if ticked and not wanted:
        raise CannotBeReleased("Not everyone in the picture may be shown there.")
    return wanted


def _save_and_show(
    request: HttpRequest, item: Item, save: Callable[[review.ReviewAction], object], saved: str = ""
) -> HttpResponse:
    """Save a change, then return the panel partial for htmx, else redirect to the full page.

    Args:
        request: The request.
        item: The picture.
        save: Saves the change; a ``GateError`` is shown to the user.
        saved: Message after success, when the panel does not show the change itself.
    """
    problem = ""
    try:
        save(_review_action(request, item))
    except GateError as error:
        problem = str(error)
    item.refresh_from_db()
    if request.headers.get("HX-Request") == "true":
        notices = {"error": problem, "saved": "" if problem else saved}
        return render(request, "gate/_panel.html", {**_context(request, item), **notices})
    if problem:
        messages.error(request, problem)
    elif saved:
        messages.success(request, saved)
    return redirect(_address(item.pk, _wanted(request)))


def _page(request: HttpRequest, item: Item) -> HttpResponse:
    wanted = _wanted(request)
    following = picture_after(wanted, item)
    context = {
        **_context(request, item),
        "following": following,
        "preload": following is not None and _has_preview(following),
        "before": picture_before(wanted, item),
        "undo": undoable_action(
            current_home(), current_user(request).username, request.session.get("answered", ())
        ),
        "event": event_title(item.event),
        "file_name": item.source.rpartition("/")[2],
    }
    return render(request, "gate/picture.html", context)


def _notes(item: Item) -> list[tuple[ReviewNote, str, str]]:
    """Notes with the full names of the author and of the colleague asked."""
    notes = list(ReviewNote.objects.filter(item=item).order_by("created_at"))
    people = display_names(n for note in notes for n in (note.actor, note.asked)) if notes else {}
    return [(n, people.get(n.actor, n.actor), people.get(n.asked, n.asked)) for n in notes]


def _earlier_pictures(item: Item) -> list[str]:
    """Ids of the closed pictures that this one is a copy of, without sealed and erased ones."""
    earlier = item.seen_before.filter(earlier__sealed=False).order_by("created_at")
    return list(earlier.values_list("earlier__item", flat=True))


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
        "bases": RELEASE_BASES,
        "enrolment": enrolment_offer(current_home(), item, chosen) if chosen else None,
        "alt": item.alt or offered_description(current_home(), item.event),
        "notes": _notes(item),
        "earlier": _earlier_pictures(item),
        "colleagues": colleagues(current_user(request).username),
        "basis": request.session.get("basis", "") if view.faces else NOBODY_RECOGNISABLE,
        "wanted": _wanted(request),
    }


def _address(item_id: str, wanted: QueueFilter) -> str:
    query = wanted.query()
    return reverse("picture", args=[item_id]) + (f"?{query}" if query else "")
