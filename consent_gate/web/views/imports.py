"""Bringing a SIMS export in: upload, look at what it would change, apply."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from consent_gate.db.models import ImportRun, PupilEntry
from consent_gate.errors import GateError
from consent_gate.web import uploads
from consent_gate.web.current import the_home, the_user
from consent_gate.web.names import called, class_of
from sims_import.apply import Applied, ExportFile, carry_out, work_out
from sims_import.brakes import split
from sims_import.prepare import Prepared
from sims_import.report import Outcome, report

SHOWN = 30
"""Pupils named for each kind of change: more are counted, not listed."""

LISTS = (
    ("added", "New pupils"),
    ("withdrawn", "Pupils who lose a consent"),
    ("leavers", "Pupils who have left"),
    ("changed", "Pupils with changes"),
)


@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Upload an export; the imports so far below it."""
    if request.method == "POST":
        sent = request.FILES.get("export")
        if sent is None or isinstance(sent, list):
            messages.error(request, "Choose the file that you saved from SIMS.")
            return redirect("imports")
        token = uploads.keep(the_home(), uploads.Upload(sent.name or "export", sent.read()))
        return redirect("import_preview", token=token)
    runs = ImportRun.objects.order_by("-at")[:50]
    return render(request, "gate/imports.html", {"runs": runs})


@require_safe
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """What applying the file would change, and what stops it."""
    home = the_home()
    day = request.GET.get("exported_on", "")
    try:
        upload = uploads.find(home, token)
        prepared = work_out(home, _export(upload, day))
    except GateError as error:
        messages.error(request, str(error))
        return redirect("imports")
    context = {
        "token": token,
        "name": upload.name,
        "exported_on": day,
        "prepared": prepared,
        "report": _report(prepared, []),
        "lists": _lists(_report(prepared, [b.code for b in prepared.brakes])),
    }
    return render(request, "gate/import_preview.html", context)


@require_http_methods(["POST"])
def apply(request: HttpRequest, token: str) -> HttpResponse:
    """Apply what was looked at; what is not accepted waits."""
    home, accepted = the_home(), request.POST.getlist("accept")
    try:
        if request.POST.get("answer") != "cancel":
            export = _export(uploads.find(home, token), request.POST.get("exported_on", ""))
            prepared, applied = carry_out(home, export, accepted, the_user(request).username)
            _keep_report(prepared, applied, accepted)
            messages.success(request, _told(applied))
        uploads.forget(home, token)
    except GateError as error:
        messages.error(request, str(error))
    return redirect("imports")


def _export(upload: uploads.Upload, day: str) -> ExportFile:
    try:
        exported_on = date.fromisoformat(day) if day else None
    except ValueError:
        exported_on = None
    return ExportFile(upload.name, upload.data, exported_on)


def _report(prepared: Prepared, accepted: list[str], recalled: int = 0) -> dict[str, Any]:
    done = split(prepared.plan, prepared.brakes, accepted)
    outcome = Outcome(recalled=recalled, questions=prepared.understanding.questions)
    return dict(report(prepared.plan, done, outcome))


def _keep_report(prepared: Prepared, applied: Applied, accepted: list[str]) -> None:
    applied.run.summary = _report(prepared, accepted, applied.recalled)
    applied.run.save(update_fields=["summary"])


def _told(applied: Applied) -> str:
    if applied.done.standing:
        text = "Some of it waits for your answer. What only holds pictures back is in force."
    else:
        text = "Applied."
    if applied.recalled:
        text += f" {applied.recalled} published pictures were taken back."
    return text


def _lists(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Pupils by what happens to them, with names for the screen."""
    wanted = {number for key, _ in LISTS for number in found[key][:SHOWN]}
    known = {
        p.admission_number: f"{called(p)} {class_of(p)}".strip()
        for p in PupilEntry.objects.filter(admission_number__in=wanted)
    }
    return [
        {
            "title": title,
            "count": len(found[key]),
            "shown": [known.get(number, number) for number in found[key][:SHOWN]],
            "more": max(0, len(found[key]) - SHOWN),
        }
        for key, title in LISTS
    ]
