"""Views for subject access, erasure, and lifting a never-publish mark."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db import audit_log
from consent_gate.db.models import PupilEntry
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.subject_rights import never_publish
from consent_gate.subject_rights.access import export_subject_data
from consent_gate.subject_rights.erase import certificates, erase_pupil
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user


@require_POST
def export(request: HttpRequest, number: str) -> HttpResponse:
    """Send all data about one pupil as a ZIP, for a subject access request."""
    home, actor = current_home(), current_user(request).username
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    try:
        data = export_subject_data(home, pupil)
    except GateError as error:
        messages.error(request, str(error))
        return redirect("pupil", number=pupil.admission_number)
    with transaction.atomic():
        subject = audit_log.pupil_subject(home, pupil.admission_number)
        audit_log.record(home, "pupil.exported", subject, {}, actor)
    response = HttpResponse(data, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="subject-access.zip"'
    return response


@require_POST
def erase(request: HttpRequest, number: str) -> HttpResponse:
    """Erase one pupil from all stores. The admission number must be typed to confirm."""
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    if request.POST.get("again", "").strip() != pupil.admission_number:
        messages.error(
            request, "Nothing was erased. To confirm, type the pupil's admission number exactly."
        )
        return redirect("pupil", number=pupil.admission_number)
    erase_pupil(current_home(), pupil.admission_number, current_user(request).username)
    messages.success(request, "The pupil is erased. This is the certificate.")
    return redirect("erasures")


@require_safe
def erasures(request: HttpRequest) -> HttpResponse:
    """List the certificates of erasure, newest first. They hold no names."""
    found = certificates(current_home())
    names = display_names(certificate["by"] for certificate in found)
    rows = [
        (
            certificate,
            datetime.fromisoformat(certificate["erased_at"]),
            names.get(certificate["by"], certificate["by"]),
            [
                (place.replace("_", " ").capitalize(), n)
                for place, n in certificate["destroyed"].items()
            ],
        )
        for certificate in found
    ]
    return render(request, "gate/erasures.html", {"rows": rows})


@require_POST
def ask_lift(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for a never-publish mark to be lifted, as the first of two people."""
    message = "The request is made. The mark stays until a second person confirms it."
    return _change_mark(request, number, never_publish.ask_to_lift, message)


@require_POST
def confirm_lift(request: HttpRequest, number: str) -> HttpResponse:
    """Lift a never-publish mark, as the second person."""
    message = "The mark is lifted. From now on the pupil's consents decide."
    return _change_mark(request, number, never_publish.confirm_lift, message)


@require_POST
def keep_mark(request: HttpRequest, number: str) -> HttpResponse:
    """Refuse a request to lift a never-publish mark."""
    return _change_mark(request, number, never_publish.refuse_lift, "The mark stays.")


def _change_mark(
    request: HttpRequest, number: str, step: Callable[[Home, str, str], object], message: str
) -> HttpResponse:
    """Run one step in the user's name, show the result and return to the pupil's page."""
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    try:
        step(current_home(), pupil.admission_number, current_user(request).username)
        messages.success(request, message)
    except GateError as error:
        messages.error(request, str(error))
    return redirect("pupil", number=pupil.admission_number)
