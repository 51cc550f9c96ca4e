"""Sealed pictures: what to do, whom to call, and handing one over. None is ever shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import AuditEntry, Item, ItemState, SealedExport
from consent_gate.errors import GateError
from consent_gate.review import sealed_exports as exports
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user


@require_safe
def advice(request: HttpRequest) -> HttpResponse:
    """What to do, and what not to, after sealing a picture."""
    rules = current_home().settings.safeguarding
    context = {"contacts": rules.contacts, "guidance": rules.guidance}
    return render(request, "gate/sealed_advice.html", context)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """For the safeguarding lead: that pictures are sealed, when and by whom."""
    home, me = current_home(), current_user(request).username
    exports.forget_lapsed(home)
    rules = home.settings.safeguarding
    context = {
        "rows": _rows(),
        "ready": _with_names(exports.ready_packages(home).filter(asked_by=me)),
        "waiting": exports.open_requests(home).filter(asked_by=me),
        "contacts": rules.contacts,
        "guidance": rules.guidance,
        "hours": rules.export_hours,
    }
    return render(request, "gate/sealed.html", context)


@require_POST
def ask(request: HttpRequest, item_id: str) -> HttpResponse:
    """Ask for an export to the authorities; a second person has to confirm it."""
    item = get_object_or_404(Item, pk=item_id, state=ItemState.SEALED)
    try:
        exports.ask(current_home(), item, request.POST.get("reason", ""), current_user(request))
        messages.success(request, "Now somebody else has to confirm it, on the page Confirm.")
    except GateError as error:
        messages.error(request, str(error))
    return redirect("sealed")


@require_POST
def confirm(request: HttpRequest, export_id: int) -> HttpResponse:
    """Confirm a colleague's request; the answer shows the passphrase, this once."""
    row = get_object_or_404(SealedExport, pk=export_id)
    try:
        passphrase = exports.confirm(current_home(), row, current_user(request))
    except (GateError, OSError) as error:
        known = str(error) if isinstance(error, GateError) else "The safe copy cannot be read."
        messages.error(request, known)
        return redirect("confirmations")
    context = {"row": row, "passphrase": passphrase}
    return render(request, "gate/sealed_confirmed.html", context)


@require_POST
def refuse(request: HttpRequest, export_id: int) -> HttpResponse:
    """Say no to a request, one's own or a colleague's."""
    row = get_object_or_404(SealedExport, pk=export_id)
    me = current_user(request)
    mine = row.asked_by == me.username
    if exports.refuse(current_home(), row, me):
        told = "Your request is taken back." if mine else "The request is refused."
        messages.success(request, f"{told} Nothing was handed over.")
    else:
        messages.info(request, "That request is not open any more.")
    return redirect("sealed" if mine else "confirmations")


@require_POST
def take(request: HttpRequest, export_id: int) -> HttpResponse:
    """The encrypted file, once, for the person who asked."""
    row = get_object_or_404(SealedExport, pk=export_id)
    try:
        data = exports.download(current_home(), row, current_user(request))
    except GateError as error:
        messages.error(request, str(error))
        return redirect("sealed")
    answer = HttpResponse(data, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="sealed-{row.pk}.zip"'
    return answer


def _with_names(rows: Iterable[SealedExport]) -> list[tuple[SealedExport, str]]:
    """Each package with the full name of who confirmed it."""
    found = list(rows)
    names = display_names(row.confirmed_by for row in found)
    return [(row, names.get(row.confirmed_by, row.confirmed_by)) for row in found]


def _moment(entry: AuditEntry) -> datetime:
    """The trail keeps text; templates show times of the school."""
    return datetime.fromisoformat(entry.at)


def _rows() -> list[tuple[str, datetime, str, str]]:
    """Item, when, by whom and reference of each sealed picture, newest first."""
    sealed = set(exports.sealed_items().values_list("pk", flat=True))
    entries = AuditEntry.objects.filter(action="item.sealed").order_by("-sequence")
    names = display_names(entry.actor for entry in entries)
    return [
        (pk, _moment(entry), names.get(entry.actor, entry.actor), entry.subject)
        for entry in entries
        if (pk := entry.subject.removeprefix("item:")) in sealed
    ]
