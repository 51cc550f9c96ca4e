"""Views that show one picture, and its panel with one face open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import Item, User
from consent_gate.review.undo import undoable_action
from consent_gate.vault.originals import vault_of
from consent_gate.web.pages.queue import event_title, picture_after, picture_before
from consent_gate.web.request_context import current_home, current_user
from consent_gate.web.views.picture_panel import panel_context, queue_filter, visible_item


@require_safe
def show(request: HttpRequest, item_id: str) -> HttpResponse:
    """Show the page of one picture. The query parameter ``face`` opens one face."""
    return _page(request, visible_item(item_id))


@require_safe
def face(request: HttpRequest, item_id: str) -> HttpResponse:
    """Return the panel with one face open; the pupil search requests it at each key."""
    searching = request.headers.get("HX-Trigger") == "q"
    part = "gate/_panel_body.html" if searching else "gate/_panel.html"
    return render(request, part, panel_context(request, visible_item(item_id)))


@require_safe
def cut_preview(request: HttpRequest, item_id: str) -> HttpResponse:
    """Return what would stay of a film if the marked part were kept alone, or cut out."""
    context = panel_context(request, visible_item(item_id))
    return render(request, "gate/_cut_preview.html", context)


@require_POST
def tour_done(request: HttpRequest) -> HttpResponse:
    """Remember that this person has closed the tour."""
    User.objects.filter(pk=current_user(request).pk).update(knows_review=True)
    if request.headers.get("HX-Request") == "true":
        return HttpResponse("")
    return redirect("queue")


def _page(request: HttpRequest, item: Item) -> HttpResponse:
    wanted = queue_filter(request)
    following = picture_after(wanted, item)
    context = {
        **panel_context(request, item),
        "following": following,
        "preload": following is not None and _has_preview(following),
        "before": picture_before(wanted, item),
        "undo": undoable_action(
            current_home(), current_user(request).username, request.session.get("answered", ())
        ),
        "tour": not current_user(request).knows_review or "tour" in request.GET,
        "event": event_title(item.event),
        "file_name": item.source.rpartition("/")[2],
    }
    return render(request, "gate/picture.html", context)


def _has_preview(item_id: str) -> bool:
    return vault_of(current_home()).exists(item_id, "preview")
