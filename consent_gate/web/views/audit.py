"""Views of the audit trail: list, verify and export."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Replace
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry
from consent_gate.messages import LABELS
from consent_gate.model import Reason
from consent_gate.web.request_context import current_home, current_user

PAGE_SIZE = 100
MAX_BREAKS = 10
"""Problems shown on the page; the command ``audit verify`` lists all."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List entries, newest first, filtered by person, action and subject."""
    page = Paginator(_filtered_entries(request), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "gate/audit.html",
        {**_filter_values(request), "page": page, "rows": _table_rows(page)},
    )


@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Check the whole hash chain and show the problems."""
    breaks = audit_log.verify(current_home())
    for found in breaks[:MAX_BREAKS]:
        messages.error(request, f"The audit trail is damaged: {found.problem}")
    if len(breaks) > MAX_BREAKS:
        messages.error(request, f"There are {len(breaks) - MAX_BREAKS} more problems.")
    if not breaks:
        messages.success(
            request, "The audit trail is complete: no entry was changed, removed or moved."
        )
    return redirect("audit")


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Download all entries as CSV, oldest first. The download itself is recorded."""
    with transaction.atomic():
        audit_log.record(
            current_home(), "audit.exported", "audit", {}, current_user(request).username
        )
    response = StreamingHttpResponse(_csv_rows(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit-trail.csv"'
    return response


class _Echo:
    """A file object for ``csv.writer`` whose ``write`` returns the line."""

    def write(self, value: str) -> str:
        return value


def _csv_rows() -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["number", "time", "who", "what", "about", "details", "code"])
    for e in audit_log.entries():
        detail = json.dumps(dict(e.detail), ensure_ascii=False)
        yield writer.writerow([e.sequence, e.at, e.actor, e.action, e.subject, detail, e.mac])


def _filtered_entries(request: HttpRequest) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.order_by("-sequence")
    for field in ("actor", "action", "subject"):
        value = request.GET.get(field, "").strip()
        if value and field == "action":
            rows = rows.annotate(action_text=_ACTION_TEXT).filter(
                action_text__icontains=_action_text(value)
            )
        elif value:
            rows = rows.filter(**{f"{field}__icontains": value})
    return rows


_ACTION_TEXT = Replace(Replace("action", Value("."), Value(" ")), Value("_"), Value(" "))
"""SQL form of ``_action_text``, so that a search finds what the page shows."""

Row = tuple[AuditEntry, datetime, str, list[tuple[str, str]]]
"""An entry with its time, its action as text, and its details as text."""


def _action_text(action: str) -> str:
    return action.replace(".", " ").replace("_", " ")


def _table_rows(page: Page[AuditEntry]) -> list[Row]:
    return [
        (
            e,
            datetime.fromisoformat(e.at),
            _action_text(e.action).capitalize(),
            [
                (name.replace("_", " "), _detail_text(value))
                for name, value in e.detail.items()
                if value not in ("", None)
            ],
        )
        for e in page
    ]


_DIGEST = re.compile("[0-9a-f]{64}")
SHOWN_DIGITS = 12
"""Digits of a SHA-256 that the page shows. The saved file has all of them."""


def _detail_text(value: object) -> str:
    """Return a detail as text for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_detail_text(part) for part in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_detail_text(part)}" for name, part in value.items())
    if value in set(Reason):
        return LABELS[Reason(str(value))]
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return f"{value[:SHOWN_DIGITS]}…"
    return "none" if value in ("", None) else str(value)


def _filter_values(request: HttpRequest) -> dict[str, str]:
    return {field: request.GET.get(field, "").strip() for field in ("actor", "action", "subject")}
