"""View of the page Rules."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent_gate.decisions.rules.rule_book import rule_book
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.web.request_context import current_home


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Show both rule books with the settings and thresholds in force."""
    home = current_home()
    return render(request, "gate/rules.html", {"book": rule_book(home, rules_in_force(home))})
