"""The commands ``items`` and ``explain``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from django.db.models import Q

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, format_time, print_json, print_table
from consent_gate.cli.item_text import VERDICTS, channels_line, reason_lines, short_reasons
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, ItemState
from consent_gate.decisions.item_report import item_as_dict
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.messages import reason_message
from consent_gate.model import (
    Ambiguous,
    DeviceRule,
    Examined,
    FaceKind,
    Match,
    NearMatch,
    NotExamined,
    Unknown,
)
from consent_gate.policy import is_registered


@app.command()
def items(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="Only pictures in this state: received, decided or sealed.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Only pictures of this event folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the photos and the decisions about them.

    Example: consent-gate --home /srv/consent-gate items --event sports-day
    """
    home = open_selected_home(context)
    rows = Item.objects.order_by("source", "pk").prefetch_related("decisions", "publications")
    rows = rows.filter(state=state) if state else rows.exclude(state=ItemState.SEALED)
    rows = rows.filter(event=event) if event else rows
    listed = [item_as_dict(item) for item in rows.iterator(chunk_size=500)]
    if as_json:
        for item in listed:
            print_json(item)
        return
    titles = [*home.settings.titles.values()]
    print_table(
        f"{len(listed)} photos",
        ["Photo", *titles, "Why held"],
        [_row(home, item) for item in listed],
    )


def _row(home: Home, item: dict[str, Any]) -> list[str]:
    verdicts = [
        VERDICTS[item["channels"][name]["verdict"]] if name in item["channels"] else "waiting"
        for name in home.settings.channels
    ]
    return [item["source"], *verdicts, short_reasons(home, item)]


@app.command()
def explain(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="Id of the photo, or its path below the inbox.")],
    as_json: AsJson = False,
) -> None:
    """Explain why one photo is held or was released.

    Example: consent-gate --home /srv/consent-gate explain sports-day/IMG_0042.jpg
    """
    home = open_selected_home(context)
    row = Item.objects.filter(Q(pk=item) | Q(source=item) | Q(sightings__source=item)).first()
    if row is None or row.state == ItemState.SEALED:
        raise ItemNotFound(
            f"There is no photo '{item}'. Run 'consent-gate items' to list the photos."
        )
    result = item_as_dict(row)
    if as_json:
        print_json(result | {"why": reason_lines(result), "faces_in_words": _faces(row)})
        return
    echo(f"{row.source} (received {format_time(home, row.received_at)}, id {row.pk})")
    echo(channels_line(home, result) or "Not examined yet.")
    for line in [_camera(home, row), *_crop(row), *_cuts(row), *_faces(row), *reason_lines(result)]:
        echo(f"  {line}")
    for name, channel in result["channels"].items():
        if channel["file"]:
            echo(f"  Released as {home.approved(name) / channel['file']}")


def _camera(home: Home, row: Item) -> str:
    """Line about the camera, and whether it is on the school's register."""
    evidence = from_json(row.evidence) if row.evidence else None
    device = evidence.device if isinstance(evidence, Examined) else None
    name = " ".join((device or "").replace("|", " ").split()) or "no camera details in the file"
    rules = rules_in_force(home)
    if not rules.registered_devices or rules.devices is DeviceRule.OFF:
        return f"Camera: {name}"
    registered = is_registered(device, rules.registered_devices)
    return f"Camera: {name} ({'on' if registered else 'not on'} the school's register)"


def _crop(row: Item) -> list[str]:
    """Line about the crop, in pixels of the upright original; none without a crop."""
    if not row.crop:
        return []
    x, y, width, height = row.crop
    return [f"Cropped by staff to {width} x {height} px at {x}, {y}. Only that part is published."]


def _cuts(row: Item) -> list[str]:
    """Line about the parts of a film that stay; none for a film that was not cut."""
    edit = load_staff_input(row).film_edit
    if edit is None:
        return []
    parts = [f"{span.from_ms / 1000:.1f} to {span.to_ms / 1000:.1f} s" for span in edit.kept]
    return [f"Cut by staff. Only these parts are published: {', '.join(parts)}."]


def _faces(row: Item) -> list[str]:
    """One line for each face, with pupils by admission number."""
    evidence = from_json(row.evidence) if row.evidence else None
    if evidence is None:
        return []
    if isinstance(evidence, NotExamined):
        return [evidence.detail]
    lines = []
    for number, face in enumerate(evidence.faces, 1):
        face_text = f"Face {number} at {face.box.x}, {face.box.y} ({face.box.height} px high)"
        match face.identity:
            case Match(pupil=pupil):
                identity = f"pupil {pupil}"
            case Ambiguous(pupils=pupils):
                identity = f"could be any of {', '.join(pupils)}"
            case NearMatch(pupil=pupil):
                identity = f"perhaps pupil {pupil}"
            case Unknown():
                identity = "not recognised"
            case other:
                identity = other.detail or reason_message(other.reason)
        possible = " (possibly not a face)" if face.kind is FaceKind.POSSIBLE else ""
        lines.append(f"{face_text}{possible}: {identity}")
    return lines
