"""Bringing a SIMS export in: upload, answer what is not clear, look at it, apply."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from consent_gate.db.models import ImportRun
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.messages import recalled_text
from consent_gate.operations.reminders import pending_reminders
from consent_gate.subject_rights.never_publish import open_lifts
from consent_gate.web import uploads
from consent_gate.web.pages import imports
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment import upload_queue
from sims_import.applying.apply import Applied, ExportFile, import_context, preview_import
from sims_import.applying.drop_folder import finish_blocked
from sims_import.applying.run import run_import
from sims_import.mapping.file import from_toml, to_toml
from sims_import.mapping.understand import SavedMapping
from sims_import.planning.answers import with_answers
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.prepare import PreparedImport
from sims_import.planning.report import Outcome, report

LISTED = 50
"""Imports on the first page: four years of a school that imports each month."""


@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Upload an export, photos, or both; what waits; the imports so far."""
    home = current_home()
    if request.method == "POST":
        return _take(request, home)
    runs, lifts = ImportRun.objects.order_by("-pk"), open_lifts()
    people = display_names(lift.asked_by for lift in lifts)
    context = {
        "history": imports.history(home, runs[:LISTED]),
        "older": max(0, runs.count() - LISTED),
        "matters": pending_reminders(home),
        "lifts": [(lift, people.get(lift.asked_by, lift.asked_by)) for lift in lifts],
        "today": home.now().date(),
    }
    return render(request, "gate/imports.html", context)


def _take(request: HttpRequest, home: Home) -> HttpResponse:
    export, photos = _file(request, "export"), _file(request, "photos")
    if export is None and photos is None:
        messages.error(request, "Choose the file that you saved from SIMS, or a ZIP of photos.")
        return redirect("imports")
    taken = _day(request, "photos_taken_on")
    upload = uploads.Upload("", b"", _day(request), photos_taken_on=taken)
    if export is not None:
        upload = replace(upload, name=export.name or "export", data=export.read())
    token = uploads.store(home, upload)
    try:
        if photos is not None and photos.file is not None:
            upload_queue.stage(home, token, photos.file)
        if export is None:
            return _photos_alone(request, home, token, taken)
        return _next_step(home, token, upload)
    except (GateError, OSError) as error:
        text = str(error) if isinstance(error, GateError) else "The photos are not a ZIP of photos."
        return _dropped(request, home, token, text)


def _next_step(home: Home, token: str, upload: uploads.Upload) -> HttpResponse:
    """Questions first, if there are any. Raises ExportUnreadable."""
    asked = preview_import(home, _export(home, upload)).understanding.questions
    return redirect("import_questions" if asked else "import_preview", token=token)


def _photos_alone(request: HttpRequest, home: Home, token: str, taken: str) -> HttpResponse:
    name = (_file(request, "photos") or UploadedFile()).name or "photos.zip"
    upload_queue.enqueue(home, token, name, current_user(request).username, _as_date(taken))
    uploads.delete(home, token)
    messages.success(request, "The gate looks at the photos now. What came of it will stand below.")
    return redirect("imports")


@require_http_methods(["GET", "POST"])
def questions(request: HttpRequest, token: str) -> HttpResponse:
    """What only the school can say about this export."""
    home = current_home()
    try:
        upload = uploads.find(home, token)
        prepared = preview_import(home, _export(home, upload))
        if request.method == "POST":
            school = import_context(home, _mapping(home, upload))
            asked = prepared.understanding.questions
            mapping = with_answers(
                school, asked, {q.code: request.POST.get(q.code, "") for q in asked}
            )
            uploads.store(home, replace(upload, mapping=to_toml(mapping)), token)
            return redirect("import_preview", token=token)
    except GateError as error:
        return _dropped(request, home, token, str(error))
    forms = imports.forms_of(home, prepared, _mapping(home, upload))
    if not forms:
        return redirect("import_preview", token=token)
    context = {"token": token, "name": upload.name, "forms": forms}
    return render(request, "gate/import_questions.html", context)


@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """What applying the file would change, and what stops it; a POST says when it was run."""
    home = current_home()
    try:
        upload = uploads.find(home, token)
        if request.method == "POST":
            upload = replace(upload, exported_on=_day(request))
            uploads.store(home, upload, token)
        prepared = preview_import(home, _export(home, upload))
    except GateError as error:
        return _dropped(request, home, token, str(error))
    context = {
        "token": token,
        "upload": upload,
        "photos": upload_queue.is_staged(home, token),
        "prepared": prepared,
        "report": _report(prepared),
        "parts": imports.change_groups(home, prepared),
        "uses": imports.use_rows(prepared),
        "run_on": prepared.plan.exported_on,
        "today": home.now().date(),
    }
    return render(request, "gate/import_preview.html", context)


@require_POST
def apply(request: HttpRequest, token: str) -> HttpResponse:
    """Apply what was looked at. While something is not accepted the file stays here for a day."""
    home, accepted, by = (
        current_home(),
        request.POST.getlist("accept"),
        current_user(request).username,
    )
    if request.POST.get("answer") == "cancel":
        return _cancelled(request, home, token)
    try:
        upload = uploads.find(home, token)
        applied = run_import(home, _export(home, upload), accepted, by)
    except GateError as error:
        return _dropped(request, home, token, str(error))
    tell = messages.warning if applied.done.standing else messages.success
    tell(request, _told(applied))
    if applied.done.standing:
        applied.run.summary[imports.UPLOAD] = token
        applied.run.save(update_fields=["summary"])
        return redirect("import_preview", token=token)
    if upload.waiting:
        with suppress(GateError):
            finish_blocked(home, upload.waiting, applied.run.summary)
    _photos_next(home, token, upload, by)
    uploads.delete(home, token)
    return redirect("import_run", number=applied.run.pk)


def _photos_next(home: Home, token: str, upload: uploads.Upload, actor: str) -> None:
    """The photos that came with the export, beside it or inside its ZIP, are looked at next."""
    if not upload_queue.is_staged(home, token):
        with suppress(OSError):
            upload_queue.stage(home, token, upload.as_file())
    taken = _as_date(upload.photos_taken_on)
    upload_queue.enqueue(home, token, f"Photos with {upload.name}", actor, taken)


def _cancelled(request: HttpRequest, home: Home, token: str) -> HttpResponse:
    """The person does not want it; what a stopped try of it did is not undone."""
    tried = ImportRun.objects.filter(**{f"summary__{imports.UPLOAD}": token}).exists()
    told = "What it held back stays held back." if tried else "Nothing was changed."
    messages.info(request, f"The import is cancelled. {told}")
    return _dropped(request, home, token, "")


def _dropped(request: HttpRequest, home: Home, token: str, why: str) -> HttpResponse:
    """The file is not wanted any more, or cannot be used."""
    if why:
        messages.error(request, why)
    uploads.delete(home, token)
    upload_queue.discard(home, token)
    return redirect("imports")


def _file(request: HttpRequest, name: str) -> UploadedFile | None:
    sent = request.FILES.get(name)
    return sent if isinstance(sent, UploadedFile) else None


def _day(request: HttpRequest, name: str = "exported_on") -> str:
    """The day somebody typed, as ISO text; empty where it is none."""
    text = request.POST.get(name, "")
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat()
    return ""


def _mapping(home: Home, upload: uploads.Upload) -> SavedMapping | None:
    return from_toml(upload.mapping, import_context(home).vocabulary) if upload.mapping else None


def _export(home: Home, upload: uploads.Upload) -> ExportFile:
    day = _as_date(upload.exported_on)
    return ExportFile(upload.name, upload.data, day, _mapping(home, upload))


def _as_date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _report(prepared: PreparedImport) -> dict[str, Any]:
    done = gate_plan(prepared.plan, prepared.blocks, [])
    outcome = Outcome(questions=prepared.understanding.questions, preview=prepared.preview)
    return report(prepared.plan, done, outcome)


def _told(applied: Applied) -> str:
    if applied.done.standing:
        text = "Some of it waits for your answer. What only holds pictures back is in force."
    else:
        text = "Applied."
    return f"{text} {recalled_text(applied.recalled)}" if applied.recalled else text
