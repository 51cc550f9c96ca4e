"""Views that edit one picture: its faces, crop, cuts, sound, enrolments, texts and notes."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from consent_gate.db.models import Item
from consent_gate.errors import GateError
from consent_gate.review import service as review
from consent_gate.review.film_cuts import FilmCut, cut_film, keep_whole_film
from consent_gate.review.film_sound import (
    mark_heard,
    mute,
    publish_without_sound,
    start_again,
)
from consent_gate.review.notes import add_note
from consent_gate.review.validation import EditConflict, InvalidInput, size_of
from consent_gate.web.forms import parse_box, parse_crop, parse_tag, parse_time
from consent_gate.web.views.picture_panel import (
    panel_context,
    picture_address,
    queue_filter,
    review_action,
    visible_item,
)
from consent_gate.web.views.previews import was_sent
from ingest.enrolment.remember import ask_to_remember, remember


@require_POST
def tag(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Tag a face, or remove its tag."""
    item = visible_item(item_id)

    def save(action: review.ReviewAction) -> None:
        try:
            wanted = parse_tag(request.POST)
        except ValueError as error:
            raise InvalidInput("Please choose who or what this face is.") from error
        if wanted is None:
            review.untag_face(action, index)
        else:
            review.tag_face(action, index, wanted)
            if (ticked := request.POST.get("remember")) in {"yes", "sure"}:
                by_hand = ticked == "sure"
                ask_to_remember(action.home, item, index, action.actor, by_hand=by_hand)

    return _save_and_show(request, item, save)


@require_POST
def add_face(request: HttpRequest, item_id: str) -> HttpResponse:
    """Add a missed face as a box in 1/10 000 of the picture's sides."""
    item = visible_item(item_id)
    return _save_and_show(
        request,
        item,
        lambda action: review.add_face(action, parse_box(request.POST, *size_of(item))),
    )


@require_POST
def cover_name(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Cover a pupil's name that can be read."""
    item = visible_item(item_id)
    return _save_and_show(request, item, lambda action: review.cover_name(action, index))


@require_POST
def crop(request: HttpRequest, item_id: str) -> HttpResponse:
    """Set the part to publish, as per cent cut off each side."""
    item = visible_item(item_id)
    return _save_and_show(
        request, item, lambda action: review.crop(action, parse_crop(request.POST, *size_of(item)))
    )


@require_POST
def cut(request: HttpRequest, item_id: str) -> HttpResponse:
    """Cut a film, or take its cuts back."""
    item = visible_item(item_id)
    times = [parse_time(request.POST.get(name, "")) for name in ("from", "to")]

    def save(action: review.ReviewAction) -> None:
        try:
            wanted = FilmCut(request.POST.get("cut", ""))
        except ValueError as error:
            raise InvalidInput("Please choose what to do with this part.") from error
        if wanted is FilmCut.WHOLE:
            keep_whole_film(action)
        elif times[0] is None or times[1] is None:
            raise InvalidInput("Give two times in seconds, such as 12.5, or as 1:05.")
        else:
            cut_film(action, wanted, times[0], times[1])

    return _save_and_show(request, item, save)


NOT_SENT = (
    "Your browser has not loaded the sound of this part. Load the page again, play the part, and "
    "then say that you listened to it."
)


@require_POST
def sound(request: HttpRequest, item_id: str) -> HttpResponse:
    """Save that a part of a film was heard, mute it, or publish the film without sound."""
    item, said = visible_item(item_id), request.POST.get("said", "")
    begin, end = (parse_time(request.POST.get(name, "")) for name in ("from", "to"))

    def save(action: review.ReviewAction) -> None:
        if said == "off":
            publish_without_sound(action)
        elif said == "again":
            start_again(action)
        elif said not in ("heard", "muted"):
            raise InvalidInput("Please choose what to do with the sound.")
        elif begin is None or end is None:
            raise InvalidInput("Give two times in seconds, such as 12.5, or as 1:05.")
        elif said == "heard" and not was_sent(request, item.pk, begin, end):
            raise InvalidInput(NOT_SENT)
        else:
            (mark_heard if said == "heard" else mute)(action, begin, end)

    return _save_and_show(request, item, save)


@require_POST
def enrol(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Use a named face as an enrolment photo of the pupil."""
    item = visible_item(item_id)

    def save(action: review.ReviewAction) -> None:
        if request.POST.get("sure") != "yes":
            raise InvalidInput("Please tick the box to confirm that you are sure who it is.")
        if action.revision != item.revision:
            raise EditConflict("Somebody else changed this picture while you had it open.")
        remember(action.home, item.pk, index, action.actor)

    return _save_and_show(request, item, save)


@require_POST
def describe(request: HttpRequest, item_id: str) -> HttpResponse:
    """Save the title and the description for readers."""
    item = visible_item(item_id)
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
    item = visible_item(item_id)
    text, asked = request.POST.get("text", ""), request.POST.get("asked", "")
    return _save_and_show(
        request, item, lambda action: add_note(action.home, action.actor, item, text, asked)
    )


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
        save(review_action(request, item))
    except GateError as error:
        problem = str(error)
    item.refresh_from_db()
    if request.headers.get("HX-Request") == "true":
        notices = {"error": problem, "saved": "" if problem else saved}
        return render(request, "gate/_panel.html", {**panel_context(request, item), **notices})
    if problem:
        messages.error(request, problem)
    elif saved:
        messages.success(request, saved)
    return redirect(picture_address(item.pk, queue_filter(request)))
