"""Views of the Calibration page: matching thresholds in force, proposals and reports."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import ThresholdSet
from consent_gate.errors import GateError
from consent_gate.matching.thresholds import Thresholds
from consent_gate.operations.recognition.school_model import accept_proposal
from consent_gate.register import thresholds
from consent_gate.register.school_model import school_model_use
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user

REPORT_NAME = re.compile(r"calibration-(\d{4}-\d{2}-\d{2})\.html")
MAX_ROWS = 20
"""Largest number of reports, and of proposals, on the page."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the thresholds in force, the proposals and the reports."""
    rows = list(ThresholdSet.objects.order_by("-pk")[:MAX_ROWS])
    names = display_names(name for row in rows for name in (row.proposed_by, row.accepted_by))
    use = school_model_use(current_home())
    in_force = (use.thresholds if use else None) or thresholds.thresholds_in_force()
    context = {
        "school_model": current_home().settings.recognition.model,
        "refusal": use.refusal if use else "",
        "rate": round(1 / in_force.false_accept_rate),
        "force": in_force,
        "shipped": not any(row.accepted_at and _has_values(row, in_force) for row in rows),
        "rows": [
            (
                row,
                names.get(row.proposed_by, row.proposed_by),
                names.get(row.accepted_by, row.accepted_by),
                bool(row.accepted_at) and _has_values(row, in_force),
            )
            for row in rows
        ],
        "reports": _reports()[:MAX_ROWS],
        "may_accept": may_open(current_user(request), "calibration_accept"),
    }
    return render(request, "gate/calibration.html", context)


@require_safe
def report(_request: HttpRequest, name: str) -> HttpResponse:
    """Show one report. Its inline style sheet is allowed by hash."""
    path = current_home().root / "reports" / f"calibration-{name}.html"
    if REPORT_NAME.fullmatch(path.name) is None or not path.is_file():
        raise Http404
    page = path.read_text("utf-8")
    styles = (f"'sha256-{_digest(css)}'" for css in re.findall("<style>(.*?)</style>", page, re.S))
    response = HttpResponse(page)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src data:; style-src {' '.join(styles)};"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )
    return response


@require_POST
def accept(request: HttpRequest, number: int) -> HttpResponse:
    """Put a proposal into force in the user's name."""
    try:
        accept_proposal(current_home(), number, current_user(request).username)
        messages.success(
            request, f"Proposal {number} is in force for all pictures that arrive from now on."
        )
    except GateError as error:
        messages.error(request, str(error))
    return redirect("calibration")


def _reports() -> list[date]:
    """Dates of the reports in the home, newest first."""
    found = (
        REPORT_NAME.fullmatch(p.name)
        for p in (current_home().root / "reports").glob("calibration-*")
    )
    return sorted((date.fromisoformat(match[1]) for match in found if match), reverse=True)


def _has_values(row: ThresholdSet, in_force: Thresholds) -> bool:
    try:
        return Thresholds.from_json(row.values) == in_force
    except ValueError:
        return False


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
