"""Views of the pupils' pages: list, one pupil, recall of a pupil's pictures."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import EnrolmentPhoto, NeverPublishLift, PupilEntry
from consent_gate.messages import recalled_text
from consent_gate.register.display import class_of, display_name
from consent_gate.register.repository import without_enrolment_photo
from consent_gate.subject_rights.access import numbers_of
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages import pupils
from consent_gate.web.pages.names import full_name, search
from consent_gate.web.pages.queue import event_title
from consent_gate.web.request_context import current_home, current_user
from publish.recall.by_hand import RecallSelection, recall_selection

PAGE_SIZE = 50
MAX_PICTURES = 60
"""Newest pictures shown on a pupil's page; the count includes all."""

_ACTIONS = (
    "picture",
    "pupil_recall",
    "pupil_export",
    "pupil_erase",
    "pupil_ask_lift",
    "pupil_confirm_lift",
    "pupil_webcam",
)
"""Actions of a pupil's page, by URL name; each user sees those that their role allows."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List all pupils, or the results of a search."""
    query = request.GET.get("q", "").strip()
    page = Paginator(_found(query), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = [pupil.pk for pupil in page]
    recognised = EnrolmentPhoto.objects.filter(pupil__in=shown, templates__isnull=False)
    known = set(recognised.values_list("pupil", flat=True))
    missing = without_enrolment_photo(current_home().now().date()).filter(pk__in=shown)
    photo_missing = set(missing.values_list("pk", flat=True))
    rows = [
        (pupil, display_name(pupil), class_of(pupil), _recognition(pupil, known, photo_missing))
        for pupil in page
    ]
    context = {"query": query, "page": page, "rows": rows}
    return render(request, "gate/pupils.html", context)


def _recognition(pupil: PupilEntry, known: set[int], photo_missing: set[int]) -> str:
    """Why the computer does not recognise a pupil, for staff; empty where it does, or who left."""
    if pupil.pk in photo_missing:
        return "No enrolment photo"
    return "Named by hand only" if pupil.on_roll and pupil.pk not in known else ""


@require_safe
def show(request: HttpRequest, number: str) -> HttpResponse:
    """Show one pupil."""
    home = current_home()
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    titles, pictures = home.settings.titles, pupils.pictures_showing(pupil)
    context = {
        "pupil": pupil,
        "name": display_name(pupil),
        "group": class_of(pupil),
        "consents": pupils.consent_rows(home, pupil),
        "enrolled": pupils.template_rows(home, pupil),
        "history": pupils.import_history(home, pupil),
        "lift": (lift := NeverPublishLift.objects.filter(pupil=pupil).first()),
        "lift_asked_by": full_name(lift.asked_by) if lift else "",
        "pictures": list(pictures[:MAX_PICTURES]),
        "pictures_count": pictures.count(),
        "published": [
            (event_title(row.item.event), titles.get(row.channel, row.channel), row.intended_at)
            for row in pupils.open_publications(pupil)
        ],
        "may": {page for page in _ACTIONS if may_open(current_user(request), page)},
    }
    return render(request, "gate/pupil.html", context)


@require_POST
def recall(request: HttpRequest, number: str) -> HttpResponse:
    """Withdraw every published picture that shows the pupil."""
    home, actor = current_home(), current_user(request).username
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    done = recall_selection(home, RecallSelection(pupils=numbers_of(pupil)), actor)
    messages.success(request, recalled_text(len(done.publications)))
    return redirect("pupil", number=pupil.admission_number)


def _found(query: str) -> QuerySet[PupilEntry]:
    return search(query).order_by("-on_roll", "surname", "forename", "admission_number")
