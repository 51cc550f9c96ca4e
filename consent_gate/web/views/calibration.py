"""Calibration: what was measured on the school's own portraits, and who put it into force."""

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
from consent_gate.register import thresholds
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user

NAME = re.compile(r"calibration-(\d{4}-\d{2}-\d{2})\.html")
MAX_ROWS = 20
"""Reports and proposals on the page."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What matching goes by today, the reports, and what waits to be accepted."""
    rows = list(ThresholdSet.objects.order_by("-pk")[:MAX_ROWS])
    names = display_names(name for row in rows for name in (row.proposed_by, row.accepted_by))
    force = thresholds.thresholds_in_force()
    context = {
        "rate": round(1 / force.false_accept_rate),
        "force": force,
        "shipped": not any(row.accepted_at and _is(row, force) for row in rows),
        "rows": [
            (
                row,
                names.get(row.proposed_by, row.proposed_by),
                names.get(row.accepted_by, row.accepted_by),
                bool(row.accepted_at) and _is(row, force),
            )
            for row in rows
        ],
        "reports": _reports()[:MAX_ROWS],
        "may_accept": may_open(current_user(request), "calibration_accept"),
    }
    return render(request, "gate/calibration.html", context)


@require_safe
def report(_request: HttpRequest, name: str) -> HttpResponse:
    """One report as it was written: a page of its own, whose one style sheet is named by hash."""
    path = current_home().root / "reports" / f"calibration-{name}.html"
    if NAME.fullmatch(path.name) is None or not path.is_file():
        raise Http404
    text = path.read_text("utf-8")
    styles = (f"'sha256-{_digest(css)}'" for css in re.findall("<style>(.*?)</style>", text, re.S))
    answer = HttpResponse(text)
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src data:; style-src {' '.join(styles)};"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )
    return answer


@require_POST
def accept(request: HttpRequest, number: int) -> HttpResponse:
    """Put a proposal into force, in this person's name."""
    try:
        thresholds.accept(current_home(), number, current_user(request).username)
        messages.success(request, "In force. Pictures taken in from now on go by it.")
    except GateError as error:
        messages.error(request, str(error))
    return redirect("calibration")


def _reports() -> list[date]:
    """Days of the reports in the home, newest first."""
    found = (
        NAME.fullmatch(p.name) for p in (current_home().root / "reports").glob("calibration-*")
    )
    return sorted((date.fromisoformat(match[1]) for match in found if match), reverse=True)


def _is(row: ThresholdSet, force: Thresholds) -> bool:
    try:
        return Thresholds.from_json(row.values) == force
    except ValueError:
        return False


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
