"""Views for importing a SIMS export: upload, questions, preview, apply."""

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
from consent_gate.home.filesystem import printable_name
from consent_gate.home.home import Home
from consent_gate.messages import recalled_text
from consent_gate.operations.reminders import pending_reminders
from consent_gate.subject_rights.never_publish import open_lifts
from consent_gate.web import uploads
from consent_gate.web.pages import imports
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment import upload_queue
from ingest.enrolment.zip_contents import read_tables
from sims_import.applying.apply import Applied, ExportFile, import_context, preview_import
from sims_import.applying.drop_folder import finish_blocked
from sims_import.applying.run import run_import
from sims_import.mapping.file import from_toml, to_toml
from sims_import.mapping.understand import SavedMapping
from sims_import.planning.answers import with_answers
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.prepare import PreparedImport
from sims_import.planning.report import Outcome, report

MAX_LISTED = 50
"""Imports on the page: four years of monthly imports."""
NOT_PHOTOS = "That file is not a ZIP file of photos. Please choose another."


@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Accept an upload; list reminders and past imports."""
    home = current_home()
    if request.method == "POST":
        return _receive_upload(request, home)
    runs, lifts = ImportRun.objects.order_by("-pk"), open_lifts()
    people = display_names(lift.asked_by for lift in lifts)
    context = {
        "history": imports.history(home, runs[:MAX_LISTED]),
        "older": max(0, runs.count() - MAX_LISTED),
        "matters": pending_reminders(home),
        "lifts": [(lift, people.get(lift.asked_by, lift.asked_by)) for lift in lifts],
        "today": home.now().date(),
    }
    return render(request, "gate/imports.html", context)


def _receive_upload(request: HttpRequest, home: Home) -> HttpResponse:
    export, photos = _file(request, "export"), _file(request, "photos")
    if export is None and photos is None:
        messages.error(
            request, "Choose the report that you saved from SIMS, or a ZIP file of photos."
        )
        return redirect("imports")
    taken = _day(request, "photos_taken_on")
    upload = uploads.Upload("", b"", _day(request), photos_taken_on=taken)
    if export is not None:
        try:
            upload = replace(upload, name=_name(export, "export"), data=_tables(export))
        except GateError as error:
            messages.error(request, str(error))
            return redirect("imports")
    try:
        token = uploads.store(home, upload, owner=current_user(request).username)
    except uploads.TooManyUploads as error:
        messages.error(request, str(error))
        return redirect("imports")
    try:
        if photos is not None and photos.file is not None:
            upload_queue.stage(home, token, photos.file)
        elif export is not None and len(upload.data) != export.size and export.file is not None:
            export.file.seek(0)  # a large ZIP, of which ``upload`` has the tables only
            upload_queue.stage(home, token, export.file)
        if export is None:
            return _enqueue_photos(request, home, token, taken)
        return _next_step(home, token, upload)
    except (GateError, OSError) as error:
        message = str(error) if isinstance(error, GateError) else NOT_PHOTOS
        return _discard(request, home, token, message)


def _tables(export: UploadedFile) -> bytes:
    """The export, or the tables of a large ZIP without its photos; a bounded number of bytes.

    Raises:
        ExportUnreadable: The file is far larger than an export, or a damaged ZIP.
    """
    return read_tables(export.file) if export.file is not None else b""


def _name(file: UploadedFile, otherwise: str) -> str:
    return printable_name(file.name or otherwise)


def _next_step(home: Home, token: str, upload: uploads.Upload) -> HttpResponse:
    """Redirect to the questions, or to the preview when there are none.

    Raises:
        ExportUnreadable: The file is no export.
    """
    asked = preview_import(home, _export(home, upload)).understanding.questions
    return redirect("import_questions" if asked else "import_preview", token=token)


def _enqueue_photos(request: HttpRequest, home: Home, token: str, taken: str) -> HttpResponse:
    name = _name(_file(request, "photos") or UploadedFile(), "photos.zip")
    upload_queue.enqueue(home, token, name, current_user(request).username, _as_date(taken))
    uploads.delete(home, token)
    messages.success(
        request, "The photos are being processed. The result will appear in the list below."
    )
    return redirect("imports")


@require_http_methods(["GET", "POST"])
def questions(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the questions that only the school can answer about this export."""
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
        return _discard(request, home, token, str(error))
    forms = imports.question_forms(home, prepared, _mapping(home, upload))
    if not forms:
        return redirect("import_preview", token=token)
    context = {"token": token, "name": upload.name, "forms": forms}
    return render(request, "gate/import_questions.html", context)


@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the import would change and what blocks it. A POST sets the run date."""
    home = current_home()
    try:
        upload = uploads.find(home, token)
        if request.method == "POST":
            upload = replace(upload, exported_on=_day(request))
            uploads.store(home, upload, token)
        prepared = preview_import(home, _export(home, upload))
    except GateError as error:
        return _discard(request, home, token, str(error))
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
    """Apply an import. While a warning is not accepted, the file is kept for up to a day."""
    home, accepted, actor = (
        current_home(),
        request.POST.getlist("accept"),
        current_user(request).username,
    )
    if request.POST.get("answer") == "cancel":
        return _cancel(request, home, token)
    try:
        upload = uploads.find(home, token)
        applied = run_import(home, _export(home, upload), accepted, actor)
    except GateError as error:
        return _discard(request, home, token, str(error))
    show = messages.warning if applied.done.standing else messages.success
    show(request, _result_message(applied))
    if applied.done.standing:
        applied.run.summary[imports.UPLOAD_KEY] = token
        applied.run.save(update_fields=["summary"])
        return redirect("import_preview", token=token)
    if upload.blocked_run:
        with suppress(GateError):
            finish_blocked(home, upload.blocked_run, applied.run.summary)
    _enqueue_photos_of(home, token, upload, actor)
    uploads.delete(home, token)
    return redirect("import_run", number=applied.run.pk)


def _enqueue_photos_of(home: Home, token: str, upload: uploads.Upload, actor: str) -> None:
    """Enqueue the enrolment photos that were uploaded with the export or inside its ZIP."""
    if not upload_queue.is_staged(home, token):
        with suppress(OSError):
            upload_queue.stage(home, token, upload.as_file())
    taken = _as_date(upload.photos_taken_on)
    upload_queue.enqueue(home, token, f"Photos with {upload.name}", actor, taken)


def _cancel(request: HttpRequest, home: Home, token: str) -> HttpResponse:
    """Cancel an import. What an earlier blocked attempt applied stays applied."""
    tried = ImportRun.objects.filter(**{f"summary__{imports.UPLOAD_KEY}": token}).exists()
    effect = "Pictures that it held stay held." if tried else "Nothing was changed."
    messages.info(request, f"The import is cancelled. {effect}")
    return _discard(request, home, token, "")


def _discard(request: HttpRequest, home: Home, token: str, why: str) -> HttpResponse:
    """Delete the upload and go back to the imports, with an error message if ``why`` is given."""
    if why:
        messages.error(request, why)
    uploads.delete(home, token)
    upload_queue.discard(home, token)
    return redirect("imports")


def _file(request: HttpRequest, name: str) -> UploadedFile | None:
    sent = request.FILES.get(name)
    return sent if isinstance(sent, UploadedFile) else None


def _day(request: HttpRequest, name: str = "exported_on") -> str:
    """Return the date in a form field as ISO text; empty when it is no date."""
    value = request.POST.get(name, "")
    with suppress(ValueError):
        return date.fromisoformat(value).isoformat()
    return ""


def _mapping(home: Home, upload: uploads.Upload) -> SavedMapping | None:
    return from_toml(upload.mapping, import_context(home).vocabulary) if upload.mapping else None


def _export(home: Home, upload: uploads.Upload) -> ExportFile:
    day = _as_date(upload.exported_on)
    return ExportFile(upload.name, upload.data, day, _mapping(home, upload))


def _as_date(iso: str) -> date | None:
    return date.fromisoformat(iso) if iso else None


def _report(prepared: PreparedImport) -> dict[str, Any]:
    done = gate_plan(prepared.plan, prepared.blocks, [])
    outcome = Outcome(questions=prepared.understanding.questions, preview=prepared.preview)
    return report(prepared.plan, done, outcome)


def _result_message(applied: Applied) -> str:
    if applied.done.standing:
        message = (
            "Part of it is waiting for your answer. Changes that only hold pictures are applied."
        )
    else:
        message = "The import is applied."
    return f"{message} {recalled_text(applied.recalled)}" if applied.recalled else message
