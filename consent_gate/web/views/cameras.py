"""The school's cameras: those seen so far, confirmed by staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import Camera
from consent_gate.decisions import cameras
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.web.accounts.permissions import may_open
from consent_gate.web.pages.names import display_names
from consent_gate.web.request_context import current_home, current_user


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Every camera that took a picture here or stands on the register."""
    home = current_home()
    entered = {camera.device: camera for camera in Camera.objects.all()}
    names = display_names(camera.actor for camera in entered.values())
    seen = cameras.list_cameras(home)
    context = {
        "rows": [
            (camera, _in_words(camera.device), _whose(home, camera.device, entered, names))
            for camera in seen
        ],
        "rule": home.settings.cameras.rule.value,
        "is_on": any(camera.registered for camera in seen),
        "may_change": may_open(current_user(request), "camera_change"),
    }
    return render(request, "gate/cameras.html", context)


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Confirm that a camera is the school's, or take it off the register."""
    home, by = current_home(), current_user(request).username
    act = cameras.remove if request.POST.get("say") == "remove" else cameras.confirm
    try:
        decided = act(home, request.POST.get("camera", ""), by)
        again = counted(decided, "picture was", "pictures were")
        messages.success(request, f"Noted. {again} decided again.")
    except GateError as error:
        messages.error(request, str(error))
    return redirect("cameras")


def _in_words(device: str) -> tuple[str, str]:
    """Model and serial number: ``Canon|Canon EOS 2000D|12`` is "Canon EOS 2000D", "12"."""
    make, model, serial = (*device.split("|"), "", "", "")[:3]
    name = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    return name.strip() or "Pictures that name no camera", serial


def _whose(home: Home, device: str, entered: dict[str, Camera], names: dict[str, str]) -> str:
    """Who put the camera on the register; empty when nobody did."""
    if device in entered:
        row = entered[device]
        return f"{names.get(row.actor, row.actor)}, {home.local_time(row.created_at):%-d %B %Y}"
    return "the settings" if device in home.settings.cameras.registered else ""
