"""Looking at what is there: items, one item explained, the state of the gate."""

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
from consent_gate.decisions.rules import rules_in_force
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.messages import sentence
from consent_gate.model import (
    Ambiguous,
    DeviceRule,
    Examined,
    FaceKind,
    Match,
    NotExamined,
    Unknown,
)
from consent_gate.policy import is_registered


@app.command()
def items(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="Only items in this state: received, decided, sealed.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Only items of this event folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the photos that were taken in and what was decided.

    Example: consent-gate --home /srv/consent-gate items --event sports-day
    """
    home = open_selected_home(context)
    rows = Item.objects.order_by("source", "pk").prefetch_related("decisions", "publications")
    rows = rows.filter(state=state) if state else rows.exclude(state=ItemState.SEALED)
    rows = rows.filter(event=event) if event else rows
    found = [item_as_dict(item) for item in rows.iterator(chunk_size=500)]
    if as_json:
        for item in found:
            print_json(item)
        return
    titles = [*home.settings.titles.values()]
    print_table(
        f"{len(found)} photos",
        ["Photo", *titles, "Why held"],
        [_row(home, item) for item in found],
    )


def _row(home: Home, item: dict[str, Any]) -> list[str]:
    words = [
        VERDICTS[item["channels"][name]["verdict"]] if name in item["channels"] else "waiting"
        for name in home.settings.channels
    ]
    return [item["source"], *words, short_reasons(home, item)]


@app.command()
def explain(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="Its id, or its name below the inbox.")],
    as_json: AsJson = False,
) -> None:
    """Say why one photo is held or was released.

    Example: consent-gate --home /srv/consent-gate explain sports-day/IMG_0042.jpg
    """
    home = open_selected_home(context)
    row = Item.objects.filter(Q(pk=item) | Q(source=item) | Q(sightings__source=item)).first()
    if row is None or row.state == ItemState.SEALED:
        raise ItemNotFound(f"There is no photo '{item}'.")
    result = item_as_dict(row)
    if as_json:
        print_json(result | {"why": reason_lines(result), "faces_in_words": _faces(row)})
        return
    echo(f"{row.source} (taken in {format_time(home, row.received_at)}, id {row.pk})")
    echo(channels_line(home, result) or "Not looked at yet.")
    for line in [_camera(home, row), *_crop(row), *_faces(row), *reason_lines(result)]:
        echo(f"  {line}")
    for name, channel in result["channels"].items():
        if channel["file"]:
            echo(f"  Released as {home.approved(name) / channel['file']}")


def _camera(home: Home, row: Item) -> str:
    """Which camera took the picture, and what the register says of it."""
    evidence = from_json(row.evidence) if row.evidence else None
    device = evidence.device if isinstance(evidence, Examined) else None
    name = " ".join((device or "").replace("|", " ").split()) or "not told by the file"
    rules = rules_in_force(home)
    if not rules.registered_devices or rules.devices is DeviceRule.OFF:
        return f"Camera: {name}"
    known = is_registered(device, rules.registered_devices)
    return f"Camera: {name} ({'on' if known else 'not on'} the school's register)"


def _crop(row: Item) -> list[str]:
    """What staff cut away of it."""
    if not row.crop:
        return []
    x, y, width, height = row.crop
    return [f"Cropped by staff to {width} x {height} px from {x}, {y}: only that is published"]


def _faces(row: Item) -> list[str]:
    """Each face in one line; pupils by admission number."""
    evidence = from_json(row.evidence) if row.evidence else None
    if evidence is None:
        return []
    if isinstance(evidence, NotExamined):
        return [evidence.detail]
    lines = []
    for number, face in enumerate(evidence.faces, 1):
        place = f"Face {number} at {face.box.x}, {face.box.y} ({face.box.height} px high)"
        match face.identity:
            case Match(pupil=pupil):
                who = f"pupil {pupil}"
            case Ambiguous(pupils=pupils):
                who = f"could be any of {', '.join(pupils)}"
            case Unknown():
                who = "nobody enrolled"
            case other:
                who = other.detail or sentence(other.reason)
        doubt = " (perhaps not a face)" if face.kind is FaceKind.POSSIBLE else ""
        lines.append(f"{place}{doubt}: {who}")
    return lines
