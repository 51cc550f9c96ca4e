"""Views that decide on one picture: seal, release, refuse and undo."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from consent_gate.db.models import Item
from consent_gate.errors import GateError
from consent_gate.messages import counted
from consent_gate.review import service as review
from consent_gate.review.covering import CoverPlan, cover_and_release, undo_answers, was_saved
from consent_gate.review.undo import undoable_action
from consent_gate.review.validation import CannotBeReleased, InvalidInput
from consent_gate.web.forms import parse_count
from consent_gate.web.pages.picture import picture_view
from consent_gate.web.pages.queue import picture_after
from consent_gate.web.request_context import current_home, current_user
from consent_gate.web.views.picture_panel import (
    NOBODY_RECOGNISABLE,
    picture_address,
    queue_filter,
    review_action,
    visible_item,
)


@require_POST
def seal(request: HttpRequest, item_id: str) -> HttpResponse:
    """Seal the picture and show what to do next."""
    item = visible_item(item_id)
    try:
        review.seal(review_action(request, item))
    except (GateError, OSError):
        message = "The picture could not be sealed. Tell your safeguarding lead in person now."
        messages.error(request, message)
        return redirect("queue")
    return redirect("sealed_advice")


@require_POST
def decide(request: HttpRequest, item_id: str) -> HttpResponse:
    """Release or refuse the picture for the ticked channels, then go to the next picture."""
    item = visible_item(item_id)
    action = review_action(request, item)
    channels = request.POST.getlist("channel")
    wanted = queue_filter(request)
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
        return redirect(picture_address(item.pk, wanted))
    if following is None:
        return redirect("queue")
    return redirect(picture_address(following, wanted))


@require_POST
def cover(request: HttpRequest, item_id: str) -> HttpResponse:
    """Cover everybody who is not cleared and release the picture; then go to the next picture.

    The form says what the page showed. Nothing is saved if that is no longer what would be covered.
    Sending the same form twice saves it once.
    """
    item = visible_item(item_id)
    action, shown, wanted = (
        review_action(request, item),
        _shown_plan(request),
        queue_filter(request),
    )
    following = picture_after(wanted, item)
    try:
        cover_and_release(action, shown)
    except GateError as error:
        if not was_saved(action, shown):
            messages.error(request, str(error))
            return redirect(picture_address(item.pk, wanted))
    if following is None:
        return redirect("queue")
    return redirect(picture_address(following, wanted))


def _shown_plan(request: HttpRequest) -> CoverPlan:
    """What the page said would be covered, and the ticked channels that it offered for it."""
    offered = request.POST.getlist("cover_for")
    return CoverPlan(
        tuple(sorted(_indices(request.POST.getlist("cover_face")))),
        tuple(sorted(_indices(request.POST.getlist("cover_name")))),
        tuple(name for name in offered if name in request.POST.getlist("channel")),
    )


def _indices(texts: list[str]) -> set[int]:
    return {number for text in texts if (number := parse_count(text)) is not None}


@require_POST
def undo(request: HttpRequest, item_id: str) -> HttpResponse:
    """Undo the user's last decision, for all its pictures, and return to them."""
    item = visible_item(item_id)
    home, actor, wanted = current_home(), current_user(request).username, queue_filter(request)
    last = undoable_action(home, actor, request.session.get("answered", ()))
    try:
        if last is None or last.item.pk != item.pk:
            raise InvalidInput("It is too late to undo that here. Open the picture to change it.")
        for answered, channels in last.answers:
            undo_answers(review.ReviewAction(home, actor, answered.pk, answered.revision), channels)
        pictures = counted(len(last.answers), "picture waits", "pictures wait")
        messages.success(request, f"Undone: {pictures} for a decision again.")
    except GateError as error:
        messages.error(request, str(error))
    if last is not None and len(last.answers) > 1:
        return redirect(f"{reverse('queue')}?{wanted.query(event=item.event)}")
    return redirect(picture_address(item.pk, wanted))


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
