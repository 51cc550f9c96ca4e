"""The Settings page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent_gate.home.settings import FILE_NAME
from consent_gate.web.pages import settings as settings_pages
from consent_gate.web.request_context import current_home


@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """The settings in force, to read; they are changed on the machine."""
    home = current_home()
    context = {
        "path": home.root / FILE_NAME,
        "tables": settings_pages.in_force(home),
        "trouble": settings_pages.settings_file_problem(home),
    }
    return render(request, "gate/settings.html", context)
