"""Views of one past import: its changes, undoing its grants, resuming a blocked one."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import ImportRun
from consent_gate.errors import GateError, ItemNotFound
from consent_gate.home.filesystem import open_regular_file
from consent_gate.home.home import Home
from consent_gate.messages import counted, recalled_text
from consent_gate.web import uploads
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages import imports
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment.zip_contents import read_tables
from sims_import.applying.drop_folder import blocked_file
from sims_import.applying.history import can_be_undone, changes_of, find_run, undo_grants

PAGE_SIZE = 100


@require_safe
def show(request: HttpRequest, number: int) -> HttpResponse:
    """Show one import with all its changes by pupil."""
    home, run = current_home(), _run(number)
    page = Paginator(imports.pupil_rows(home, changes_of(run)), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "run": run,
        "page": page,
        "may_undo": may_open(current_user(request), "import_undo") and _has_grants(run),
        "row": imports.history(home, [run])[0],
    }
    return render(request, "gate/import_run.html", context)


@require_POST
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Undo the consents that an import granted. What it withdrew stays withdrawn."""
    home, run = current_home(), _run(number)
    done = undo_grants(home, run.pk, current_user(request).username)
    message = "What this import allowed is undone for "
    message += f"{counted(len(done.pupils), 'pupil')}."
    if done.recalled:
        message += f" {recalled_text(done.recalled)}"
    messages.success(request, message)
    return redirect("import_run", number=run.pk)


@require_POST
def open_blocked(request: HttpRequest, number: int) -> HttpResponse:
    """Open a blocked file from the drop folder in the same steps as an upload."""
    home, run = current_home(), _run(number)
    try:
        token = uploads.store(
            home, _blocked_upload(home, run), owner=current_user(request).username
        )
    except GateError as error:
        messages.error(request, str(error))
        return redirect("imports")
    return redirect("import_questions", token=token)


def _blocked_upload(home: Home, run: ImportRun) -> uploads.Upload:
    """Return a blocked file from the drop folder as an upload.

    Raises:
        ItemNotFound: The file is no longer there, or cannot be read.
        ExportUnreadable: The file is far larger than an export, or a damaged ZIP.
    """
    path = blocked_file(home, run)
    if path is None:
        raise ItemNotFound(
            "That file is no longer waiting. It was applied, or somebody removed it."
        )
    try:
        with open_regular_file(path) as file:
            data = read_tables(file)
    except OSError as error:
        raise ItemNotFound("That file cannot be read. Drop the report in again.") from error
    return uploads.Upload(run.file_name, data, blocked_run=run.pk)


def _run(number: int) -> ImportRun:
    try:
        return find_run(number)
    except ItemNotFound as error:
        raise Http404 from error


def _has_grants(run: ImportRun) -> bool:
    """Whether the import granted anything that can still be undone."""
    return run.undone_at is None and any(map(can_be_undone, changes_of(run)))
