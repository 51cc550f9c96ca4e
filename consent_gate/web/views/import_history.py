"""One import of the past: who, which file, what it changed; taking its grants back."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import ImportRun
from consent_gate.errors import GateError, ItemNotFound
from consent_gate.home.home import Home
from consent_gate.messages import counted, recalled_text
from consent_gate.web import uploads
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages import imports
from consent_gate.web.request_context import current_home, current_user
from sims_import.applying.drop_folder import blocked_file
from sims_import.applying.history import can_be_undone, changes_of, find_run, undo_grants

PAGE = 100


@require_safe
def show(request: HttpRequest, number: int) -> HttpResponse:
    """One import, with everything it changed by name."""
    home, run = current_home(), _run(number)
    page = Paginator(imports.rows_of(home, changes_of(run)), PAGE).get_page(request.GET.get("page"))
    context = {
        "run": run,
        "page": page,
        "may_undo": may_open(current_user(request), "import_undo") and _grants(run),
        "row": imports.history(home, [run])[0],
    }
    return render(request, "gate/import_run.html", context)


@require_POST
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Take back what the import allowed; what it withdrew stays withdrawn."""
    home, run = current_home(), _run(number)
    done = undo_grants(home, run.pk, current_user(request).username)
    text = counted(len(done.pupils), "pupil is as they were", "pupils are as they were")
    text += " before that import."
    if done.recalled:
        text += f" {recalled_text(done.recalled)}"
    messages.success(request, text)
    return redirect("import_run", number=run.pk)


@require_POST
def look(request: HttpRequest, number: int) -> HttpResponse:
    """A dropped file that waits for a person goes through the same steps as an upload."""
    home, run = current_home(), _run(number)
    try:
        token = uploads.store(home, _waiting(home, run))
    except GateError as error:
        messages.error(request, str(error))
        return redirect("imports")
    return redirect("import_questions", token=token)


def _waiting(home: Home, run: ImportRun) -> uploads.Upload:
    """Raises ItemNotFound."""
    path = blocked_file(home, run)
    if path is None:
        raise ItemNotFound("That file does not wait any more.")
    return uploads.Upload(run.file_name, path.read_bytes(), waiting=run.pk)


def _run(number: int) -> ImportRun:
    try:
        return find_run(number)
    except ItemNotFound as error:
        raise Http404 from error


def _grants(run: ImportRun) -> bool:
    """Whether the import allowed anything that can be taken back."""
    return run.undone_at is None and any(map(can_be_undone, changes_of(run)))
