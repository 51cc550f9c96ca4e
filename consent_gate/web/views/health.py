"""View of the Health page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent_gate.operations.health.health import all_checks
from consent_gate.web.request_context import current_home


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Show the state of the gate, one row for each check."""
    return render(request, "gate/health.html", {"findings": all_checks(current_home())})
