"""The audit trail: look, check, export."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db import trail
from consent_gate.db.models import AuditEntry
from consent_gate.web.current import the_home, the_user

PAGE = 100


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Entries, newest first, narrowed by who, what or about whom."""
    page = Paginator(_wanted(request), PAGE).get_page(request.GET.get("page"))
    return render(
        request, "gate/audit.html", {**_form(request), "page": page, "rows": _in_words(page)}
    )


@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Check the whole chain and show where it does not hold."""
    breaks = trail.verify(the_home())
    page = Paginator(_wanted(request), PAGE).get_page(1)
    context = {
        **_form(request),
        "page": page,
        "rows": _in_words(page),
        "checked": True,
        "breaks": breaks,
    }
    return render(request, "gate/audit.html", context)


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole trail as CSV, oldest first; that it was taken is itself recorded."""
    with transaction.atomic():
        trail.record(the_home(), "audit.exported", "audit", {}, the_user(request).username)
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
    for e in trail.entries():
        detail = json.dumps(dict(e.detail), ensure_ascii=False)
        yield writer.writerow([e.sequence, e.at, e.actor, e.action, e.subject, detail, e.mac])


def _wanted(request: HttpRequest) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.order_by("-sequence")
    for field in ("actor", "action", "subject"):
        text = request.GET.get(field, "").strip()
        if text:
            rows = rows.filter(**{f"{field}__icontains": text})
    return rows


def _in_words(page: Page[AuditEntry]) -> list[tuple[AuditEntry, str]]:
    """``user.logged_in`` reads "User logged in"."""
    return [(e, e.action.replace(".", " ").replace("_", " ").capitalize()) for e in page]


def _form(request: HttpRequest) -> dict[str, str]:
    return {field: request.GET.get(field, "").strip() for field in ("actor", "action", "subject")}
