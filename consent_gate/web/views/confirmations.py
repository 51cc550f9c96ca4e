"""View of the page Confirm: requests by colleagues that a second person must confirm."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent_gate.register.display import class_of, display_name
from consent_gate.review.sealed_exports import open_requests
from consent_gate.subject_rights.never_publish import open_lifts
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List never-publish marks to lift and sealed pictures to hand over."""
    lifts, exports = open_lifts(), list(open_requests(current_home()))
    names = display_names([*(row.asked_by for row in lifts), *(row.asked_by for row in exports)])
    context = {
        "lifts": [
            (
                row,
                names.get(row.asked_by, row.asked_by),
                display_name(row.pupil),
                class_of(row.pupil),
            )
            for row in lifts
        ],
        "exports": [(row, names.get(row.asked_by, row.asked_by)) for row in exports],
    }
    return render(request, "gate/confirmations.html", context)
