"""Views of the Cameras page: cameras seen in pictures and the school's register."""

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
    """List every camera that took a picture or is on the register."""
    home = current_home()
    registered = {camera.device: camera for camera in Camera.objects.all()}
    names = display_names(camera.actor for camera in registered.values())
    seen = cameras.list_cameras(home)
    context = {
        "rows": [
            (
                camera,
                _camera_names(camera.device),
                _registered_by(home, camera.device, registered, names),
            )
            for camera in seen
        ],
        "rule": home.settings.cameras.rule.value,
        "is_on": any(camera.registered for camera in seen),
        "may_change": may_open(current_user(request), "camera_change"),
    }
    return render(request, "gate/cameras.html", context)


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Add a camera to the register, or remove it."""
    home, actor = current_home(), current_user(request).username
    action = cameras.remove if request.POST.get("say") == "remove" else cameras.confirm
    try:
        decided = action(home, request.POST.get("camera", ""), actor)
        pictures = counted(decided, "picture was", "pictures were")
        messages.success(request, f"The register of cameras is updated. {pictures} checked again.")
    except GateError as error:
        messages.error(request, str(error))
    return redirect("cameras")


def _camera_names(device: str) -> tuple[str, str]:
    """Model and serial number: ``Canon|Canon EOS 2000D|12`` gives "Canon EOS 2000D", "12"."""
    make, model, serial = (*device.split("|"), "", "", "")[:3]
    name = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    return name.strip() or "Pictures without camera details", serial


def _registered_by(
    home: Home, device: str, registered: dict[str, Camera], names: dict[str, str]
) -> str:
    """Who added the camera to the register; empty when it is not on the register."""
    if device in registered:
        row = registered[device]
        return f"{names.get(row.actor, row.actor)}, {home.local_time(row.created_at):%-d %B %Y}"
    return "the settings" if device in home.settings.cameras.registered else ""
