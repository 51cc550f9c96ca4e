"""View of the Settings page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent_gate.home.settings import FILE_NAME
from consent_gate.web.pages import settings as settings_pages
from consent_gate.web.request_context import current_home


@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """Show the settings in force. They are changed in the settings file, not here."""
    home = current_home()
    context = {
        "cover_style": home.settings.publishing.cover_style.value,
        "path": home.root / FILE_NAME,
        "tables": settings_pages.settings_in_force(home),
        "problem": settings_pages.settings_file_problem(home),
    }
    return render(request, "gate/settings.html", context)
