"""Views of the Portraits page: the contact sheet of each class, and its confirmation."""

from __future__ import annotations

from collections import Counter

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import EnrolmentPhoto
from consent_gate.errors import DecryptionError
from consent_gate.messages import counted, recalled_text
from consent_gate.operations.contact_sheet import sheet_entries, sheet_pages, shown_photos
from consent_gate.operations.recognition.pupil_advice import often_named_by_staff
from consent_gate.register.display import class_of
from consent_gate.register.portraits import portrait_of_photo
from consent_gate.register.repository import without_enrolment_photo
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment.confirmation import confirm_photos, reject_photo


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List the classes with the number of portraits, or show the sheet of one class."""
    home = current_home()
    wanted = request.GET.get("class")
    entries = sheet_entries(home, wanted)
    if wanted is None:
        total = Counter(entry.class_name for entry in entries)
        waiting = Counter(e.class_name for e in entries if e.photo.confirmed_at is None)
        rows = [(name, count, waiting[name]) for name, count in total.items()]
        enrolled = {entry.photo.pupil.admission_number: entry for entry in entries}
        badly = [(enrolled[number], count) for number, count in often_named_by_staff(enrolled)]
        context = {
            "rows": rows,
            "waiting": sum(waiting.values()),
            "missing": without_enrolment_photo(home.now().date()).count(),
            "badly": badly,
            "may_open_pupil": may_open(current_user(request), "pupil"),
        }
        return render(request, "gate/portraits.html", context)
    names = display_names(entry.photo.confirmed_by for entry in entries)
    context = {
        "class_name": wanted,
        "pages": [
            [
                (entry, names.get(entry.photo.confirmed_by, entry.photo.confirmed_by))
                for entry in page
            ]
            for _, page in sheet_pages(entries)
        ],
        "waiting": sum(entry.photo.confirmed_at is None for entry in entries),
    }
    return render(request, "gate/portraits_class.html", context)


@require_safe
def pdf(request: HttpRequest) -> HttpResponse:
    """Send the sheet of one class, or of all classes, as a PDF to print."""
    from consent_gate.operations.contact_sheet_pdf import sheet_pdf  # loads slowly

    home = current_home()
    data = sheet_pdf(home, sheet_entries(home, request.GET.get("class")))
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = 'attachment; filename="portraits.pdf"'
    return response


@require_safe
def picture(_request: HttpRequest, number: int) -> HttpResponse:
    """Serve the portrait of one enrolment photo as JPEG."""
    try:
        jpeg = portrait_of_photo(current_home(), _photo(number))
    except DecryptionError as error:
        raise Http404("The portrait cannot be opened.") from error
    if jpeg is None:
        raise Http404("There is no portrait of this photo.")
    return HttpResponse(jpeg, content_type="image/jpeg")


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the portraits that the page showed, or a single one of them.

    The page names the photos and what stood below them, so that nothing that changed meanwhile is
    confirmed unseen.
    """
    single = request.POST.get("photo", "")
    shown = [single] if single else request.POST.getlist("shown")
    home, actor = current_home(), current_user(request).username
    keys, changed = shown_photos(home, shown)
    if changed:
        messages.warning(
            request,
            f"{counted(changed, 'portrait')} changed since the page was opened. Look at the page"
            " again, and confirm what it shows now.",
        )
    result = confirm_photos(home, keys, actor, one_by_one=bool(single))
    if result.confirmed:
        messages.success(
            request,
            f"{counted(len(result.confirmed), 'pupil is', 'pupils are')} confirmed. Pictures that"
            " waited for this are checked again.",
        )
    if result.left_out:
        messages.warning(
            request,
            f"{counted(len(result.left_out), 'pupil')} not confirmed, because two portraits do not"
            " look like the same child. Remove the wrong one first, then confirm the other.",
        )
    return _back(request.POST.get("class", ""))


@require_POST
def reject(request: HttpRequest, number: int) -> HttpResponse:
    """Destroy the templates of a portrait that shows somebody else."""
    photo = _photo(number)
    name = class_of(photo.pupil)
    recalled = reject_photo(current_home(), photo, current_user(request).username)
    message = "The portrait is removed, and the computer no longer uses it."
    if recalled:
        message += f" {recalled_text(recalled)} Look at each of them again before you approve it."
    messages.success(request, f"{message} Please ask the office for the right portrait.")
    return _back(name)


def _photo(number: int) -> EnrolmentPhoto:
    """Return an enrolment photo with its pupil. Raises Http404."""
    return get_object_or_404(EnrolmentPhoto.objects.select_related("pupil"), pk=number)


def _back(class_name: str) -> HttpResponse:
    return redirect(f"{reverse('portraits')}?{urlencode({'class': class_name})}")
