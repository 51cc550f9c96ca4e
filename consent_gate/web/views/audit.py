"""The audit trail: look, check, export."""

from __future__ import annotations

import csv
import json
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

PAGE = 100
MAX_BREAKS = 10
"""Named on the page; the command ``audit verify`` lists all."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Entries, newest first, narrowed by who, what or about whom."""
    page = Paginator(_wanted(request), PAGE).get_page(request.GET.get("page"))
    return render(
        request, "gate/audit.html", {**_form(request), "page": page, "rows": _in_words(page)}
    )


@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Check the whole chain and tell where it does not hold."""
    breaks = audit_log.verify(current_home())
    for found in breaks[:MAX_BREAKS]:
        messages.error(request, f"The trail does not hold: {found.problem}")
    if len(breaks) > MAX_BREAKS:
        messages.error(request, f"And {len(breaks) - MAX_BREAKS} more places.")
    if not breaks:
        messages.success(request, "The trail is whole: nothing was changed, removed or moved.")
    return redirect("audit")


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole trail as CSV, oldest first; that it was taken is itself recorded."""
    with transaction.atomic():
        audit_log.record(
            current_home(), "audit.exported", "audit", {}, current_user(request).username
        )
    answer = StreamingHttpResponse(_lines(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit-trail.csv"'
    return answer


class _Echo:
    """A file that hands each line on."""

    def write(self, text: str) -> str:
        return text


def _lines() -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["number", "time", "who", "what", "about", "details", "seal"])
    for e in audit_log.entries():
        detail = json.dumps(dict(e.detail), ensure_ascii=False)
        yield writer.writerow([e.sequence, e.at, e.actor, e.action, e.subject, detail, e.mac])


def _wanted(request: HttpRequest) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.order_by("-sequence")
    for field in ("actor", "action", "subject"):
        text = request.GET.get(field, "").strip()
        if text and field == "action":
            rows = rows.annotate(words=_WORDS).filter(words__icontains=_action_text(text))
        elif text:
            rows = rows.filter(**{f"{field}__icontains": text})
    return rows


_WORDS = Replace(Replace("action", Value("."), Value(" ")), Value("_"), Value(" "))
"""``user.logged_in`` as the page tells it: "user logged in"."""

Row = tuple[AuditEntry, datetime, str, list[tuple[str, str]]]
"""An entry, when it was written, what was done in words, and its details."""


def _action_text(action: str) -> str:
    return action.replace(".", " ").replace("_", " ")


def _in_words(page: Page[AuditEntry]) -> list[Row]:
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


def _detail_text(value: object) -> str:
    """A detail as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_detail_text(part) for part in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_detail_text(part)}" for name, part in value.items())
    if value in set(Reason):
        return LABELS[Reason(str(value))]
    return "none" if value in ("", None) else str(value)


def _form(request: HttpRequest) -> dict[str, str]:
    return {field: request.GET.get(field, "").strip() for field in ("actor", "action", "subject")}
