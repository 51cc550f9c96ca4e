"""Views of sealed pictures: advice, list and hand-over. No view shows a sealed picture."""

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

UNREADABLE = "The stored picture cannot be read. Please tell your technician."


@require_safe
def advice(request: HttpRequest) -> HttpResponse:
    """Show what to do, and what not to do, after a picture was sealed."""
    safeguarding = current_home().settings.safeguarding
    context = {"contacts": safeguarding.contacts, "guidance": safeguarding.guidance}
    return render(request, "gate/sealed_advice.html", context)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List sealed pictures for the safeguarding lead: when and by whom they were sealed."""
    home, user = current_home(), current_user(request).username
    exports.forget_lapsed(home)
    safeguarding = home.settings.safeguarding
    context = {
        "rows": _rows(),
        "ready": _with_names(exports.ready_packages(home).filter(asked_by=user)),
        "waiting": exports.open_requests(home).filter(asked_by=user),
        "contacts": safeguarding.contacts,
        "guidance": safeguarding.guidance,
        "hours": safeguarding.export_hours,
    }
    return render(request, "gate/sealed.html", context)


@require_POST
def request_export(request: HttpRequest, item_id: str) -> HttpResponse:
    """Request an export for the authorities. A second person must confirm it."""
    item = get_object_or_404(Item, pk=item_id, state=ItemState.SEALED)
    try:
        exports.ask(current_home(), item, request.POST.get("reason", ""), current_user(request))
        messages.success(
            request, "The request is made. A second person must now confirm it on the page Confirm."
        )
    except GateError as error:
        messages.error(request, str(error))
    return redirect("sealed")


@require_POST
def confirm(request: HttpRequest, export_id: int) -> HttpResponse:
    """Confirm a colleague's request and show the passphrase, which is shown only once."""
    row = get_object_or_404(SealedExport, pk=export_id)
    try:
        passphrase = exports.confirm(current_home(), row, current_user(request))
    except (GateError, OSError) as error:
        message = str(error) if isinstance(error, GateError) else UNREADABLE
        messages.error(request, message)
        return redirect("confirmations")
    context = {"row": row, "passphrase": passphrase}
    return render(request, "gate/sealed_confirmed.html", context)


@require_POST
def refuse(request: HttpRequest, export_id: int) -> HttpResponse:
    """Cancel one's own request, or refuse a colleague's."""
    row = get_object_or_404(SealedExport, pk=export_id)
    user = current_user(request)
    is_own = row.asked_by == user.username
    if exports.refuse(current_home(), row, user):
        message = "Your request is cancelled." if is_own else "The request is refused."
        messages.success(request, f"{message} Nothing was handed over.")
    else:
        messages.info(request, "That request is no longer open.")
    return redirect("sealed" if is_own else "confirmations")


@require_POST
def download(request: HttpRequest, export_id: int) -> HttpResponse:
    """Send the encrypted file once to the person who made the request."""
    row = get_object_or_404(SealedExport, pk=export_id)
    try:
        data = exports.download(current_home(), row, current_user(request))
    except GateError as error:
        messages.error(request, str(error))
        return redirect("sealed")
    response = HttpResponse(data, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="sealed-{row.pk}.zip"'
    return response


def _with_names(rows: Iterable[SealedExport]) -> list[tuple[SealedExport, str]]:
    """Each export with the full name of the person who confirmed it."""
    found = list(rows)
    names = display_names(row.confirmed_by for row in found)
    return [(row, names.get(row.confirmed_by, row.confirmed_by)) for row in found]


def _written_at(entry: AuditEntry) -> datetime:
    """Audit entries hold their time as text; templates need it as a ``datetime``."""
    return datetime.fromisoformat(entry.at)


def _rows() -> list[tuple[str, datetime, str, str]]:
    """Item id, time, person and audit reference of each sealed picture, newest first."""
    sealed = set(exports.sealed_items().values_list("pk", flat=True))
    entries = AuditEntry.objects.filter(action="item.sealed").order_by("-sequence")
    names = display_names(entry.actor for entry in entries)
    return [
        (pk, _written_at(entry), names.get(entry.actor, entry.actor), entry.subject)
        for entry in entries
        if (pk := entry.subject.removeprefix("item:")) in sealed
    ]
