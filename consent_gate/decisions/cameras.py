"""The register of the school's cameras: list them, add one, remove one.

Many schools forbid pictures of pupils on personal cameras or phones. The gate learns of a camera
from the pictures it took. The camera counts as the school's only after a member of staff has
confirmed it (policy rule 6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Camera, Item, ItemState
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.rules.rules_in_force import registered_cameras
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.model import is_camera
from consent_gate.policy import is_registered
from consent_gate.register.repository import load_register

SUBJECT = "cameras"


class CameraUnknown(GateError):
    """The named camera cannot be put on the register, or is not on it."""

    exit_code = 21
    next_step = "'consent-gate cameras list' shows every camera as make|model|serial."


@dataclass(frozen=True)
class SeenCamera:
    """A camera that took pictures in the gate, or is on the register."""

    device: str
    """``make|model|serial``; empty for pictures that name no camera."""
    pictures: int
    last_seen: datetime | None
    registered: bool
    """Whether the register lists the camera, by its serial number or by its model."""


def list_cameras(home: Home) -> list[SeenCamera]:
    """Every camera seen or registered; those with most pictures first."""
    register = registered_cameras(home)
    pictures: Counter[str | None] = Counter()
    last_seen: dict[str | None, datetime] = {}
    for _, device, received_at in _examined():
        pictures[device] += 1
        last_seen[device] = max(received_at, last_seen.get(device, received_at))
    seen = [
        SeenCamera(device or "", count, last_seen[device], is_registered(device, register))
        for device, count in pictures.most_common()
    ]
    unused = sorted(register - pictures.keys())
    return seen + [SeenCamera(entry, 0, None, registered=True) for entry in unused]


def confirm(home: Home, device: str, actor: str) -> int:
    """Put a camera on the register that took one of the school's pictures.

    Returns how many pictures were decided again.

    Raises:
        CameraUnknown: No picture names this camera.
    """
    if not any(camera.device == device and camera.pictures for camera in list_cameras(home)):
        raise CameraUnknown(f"No picture here was taken with '{device}'.")
    return add(home, device, actor)


def add(home: Home, device: str, actor: str) -> int:
    """Put a camera on the register, whether or not a picture names it.

    An empty serial number registers every camera of the model. Returns how many pictures were
    decided again; a picture that could now be published is examined again first.

    Raises:
        CameraUnknown: The text is not of the form ``make|model|serial``.
    """
    device = "|".join(" ".join(part.split()) for part in device.split("|"))
    if not is_camera(device):
        raise CameraUnknown(f"'{device}' is not of the form make|model|serial.")
    with transaction.atomic():
        before = registered_cameras(home)
        _, new = Camera.objects.get_or_create(
            device=device, defaults={"actor": actor, "created_at": home.now()}
        )
        if new:
            audit_log.record(home, "camera.registered", SUBJECT, {"camera": device}, actor)
        return _redecide(home, before, actor)


def remove(home: Home, device: str, actor: str) -> int:
    """Take a camera off the register. Pictures that are already published stay published.

    Returns how many pictures were decided again.

    Raises:
        CameraUnknown: The camera is not on the register, or the settings file names it.
    """
    if device in home.settings.cameras.registered:
        raise CameraUnknown(f"'{device}' is named in consent-gate.toml: take it out there.")
    with transaction.atomic():
        before = registered_cameras(home)
        if not Camera.objects.filter(device=device).delete()[0]:
            raise CameraUnknown(f"'{device}' is not on the register.")
        audit_log.record(home, "camera.removed", SUBJECT, {"camera": device}, actor)
        return _redecide(home, before, actor)


def _redecide(home: Home, before: frozenset[str], actor: str) -> int:
    """Decide again the pictures for which the changed register changes the answer of rule 6."""
    after = registered_cameras(home)
    keys = [
        key for key, device, _ in _examined() if _passes(device, before) != _passes(device, after)
    ]
    ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
    apply_decisions(ctx, (Item.objects.get(pk=key) for key in keys))
    return len(keys)


def _examined() -> Iterator[tuple[str, str | None, datetime]]:
    """Key, camera and arrival of every picture that was examined and is not sealed."""
    items = Item.objects.filter(evidence__has_key="examined").exclude(state=ItemState.SEALED)
    return items.values_list("pk", "evidence__examined__device", "received_at").iterator()


def _passes(device: str | None, register: frozenset[str]) -> bool:
    """Whether rule 6 lets the camera through; an empty register lets every camera through."""
    return not register or is_registered(device, register)
