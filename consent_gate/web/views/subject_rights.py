"""What a family may ask for, and what takes two people: access, erasure, never-publish marks."""

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
    """Everything about one pupil as a ZIP: the answer to a subject access request."""
    home, by = current_home(), current_user(request).username
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    try:
        data = export_subject_data(home, pupil)
    except GateError as error:
        messages.error(request, str(error))
        return redirect("pupil", number=pupil.admission_number)
    with transaction.atomic():
        subject = audit_log.pupil_subject(home, pupil.admission_number)
        audit_log.record(home, "pupil.exported", subject, {}, by)
    answer = HttpResponse(data, content_type="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="subject-access.zip"'
    return answer


@require_POST
def erase(request: HttpRequest, number: str) -> HttpResponse:
    """Forget one pupil everywhere, once the admission number was typed again."""
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    if request.POST.get("again", "").strip() != pupil.admission_number:
        messages.error(request, "Nothing was erased: type the admission number to confirm.")
        return redirect("pupil", number=pupil.admission_number)
    erase_pupil(current_home(), pupil.admission_number, current_user(request).username)
    messages.success(request, "The pupil is erased. This is the certificate.")
    return redirect("erasures")


@require_safe
def erasures(request: HttpRequest) -> HttpResponse:
    """Every certificate, newest first; they name nobody."""
    found = certificates(current_home())
    names = display_names(c["by"] for c in found)
    rows = [
        (
            c,
            datetime.fromisoformat(c["erased_at"]),
            names.get(c["by"], c["by"]),
            [(what.replace("_", " ").capitalize(), n) for what, n in c["destroyed"].items()],
        )
        for c in found
    ]
    return render(request, "gate/erasures.html", {"rows": rows})


@require_POST
def ask_lift(request: HttpRequest, number: str) -> HttpResponse:
    """The first of two people asks for a never-publish mark to be lifted."""
    said = "Asked. The mark stays until somebody else has confirmed it."
    return _about_the_mark(request, number, never_publish.ask_to_lift, said)


@require_POST
def confirm_lift(request: HttpRequest, number: str) -> HttpResponse:
    """The second person agrees: the mark goes."""
    said = "The mark is lifted. Consent decides from now on."
    return _about_the_mark(request, number, never_publish.confirm_lift, said)


@require_POST
def keep_mark(request: HttpRequest, number: str) -> HttpResponse:
    """Somebody says that the mark stays."""
    return _about_the_mark(request, number, never_publish.refuse_lift, "The mark stays.")


def _about_the_mark(
    request: HttpRequest, number: str, step: Callable[[Home, str, str], object], said: str
) -> HttpResponse:
    """One step, in the name of whoever is logged in; a refusal is told."""
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    try:
        step(current_home(), pupil.admission_number, current_user(request).username)
        messages.success(request, said)
    except GateError as error:
        messages.error(request, str(error))
    return redirect("pupil", number=pupil.admission_number)
