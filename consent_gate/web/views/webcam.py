"""Views of the page on which the office takes three portraits of a pupil with the webcam."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import PupilEntry
from consent_gate.errors import GateError
from consent_gate.register.display import class_of, display_name
from consent_gate.web.headers import PERMISSIONS_WITH_CAMERA
from consent_gate.web.request_context import current_home, current_user
from ingest.enrolment.webcam import MOST_BYTES, WebcamRefused, enrol_poses, refusal_reason
from ingest.enrolment.webcam_poses import Pose
from ingest.workers.lent_pool import borrow_pool

POSES = {
    Pose.STRAIGHT: "Look straight at the camera",
    Pose.LEFT: "Turn the head a little to the left",
    Pose.RIGHT: "Turn the head a little to the right",
}


@require_safe
def show(request: HttpRequest, number: str) -> HttpResponse:
    """Show the camera page; without consent to face matching the browser may not use the camera.

    The browser applies the permission to a whole document, so htmx must not swap the page into
    another one.
    """
    if "HX-Request" in request.headers:
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": request.path})
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    refusal = refusal_reason(current_home(), number)
    context = {
        "pupil": pupil,
        "name": display_name(pupil),
        "group": class_of(pupil),
        "refusal": refusal,
        "poses": [(pose.value, title) for pose, title in POSES.items()],
        "most_bytes": MOST_BYTES,
    }
    response = render(request, "gate/webcam.html", context)
    if not refusal:
        response.headers["Permissions-Policy"] = PERMISSIONS_WITH_CAMERA
    return response


@require_POST
def save(request: HttpRequest, number: str) -> JsonResponse:
    """Store three pictures, or say for each what is wrong."""
    pupil = get_object_or_404(PupilEntry, admission_number=number)
    posted = {pose: request.FILES.get(pose) for pose in Pose}
    # One byte more than allowed is enough to refuse a larger one.
    pictures = {
        pose: file.read(MOST_BYTES + 1) for pose, file in posted.items() if file is not None
    }
    try:
        enrol_poses(current_home(), number, pictures, current_user(request).username, borrow_pool)
    except WebcamRefused as error:
        return _refusal(error.message, error.problems)
    except GateError as error:
        return _refusal(str(error), {})
    messages.success(
        request,
        f"Three portraits of {display_name(pupil)} are saved. Somebody who knows the pupil confirms"
        " them on this page. Until then they clear nobody.",
    )
    address = f"{reverse('portraits')}?{urlencode({'class': class_of(pupil)})}"
    return JsonResponse({"saved": address})


def _refusal(message: str, problems: dict[Pose, str]) -> JsonResponse:
    return JsonResponse(
        {"message": message, "problems": problems}, status=HTTPStatus.UNPROCESSABLE_ENTITY
    )
