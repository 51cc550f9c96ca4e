"""The demonstration's photos go through the gate, from inbox to approved folders and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import Item, Template
from consent_gate.decisions.item_report import item_as_dict
from consent_gate.home.home import Home
from consent_gate.operations import demo
from publish.integrity.check import find_discrepancies
from publish.verification.verify import verify
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import

pytestmark = pytest.mark.dialect


def verdicts(home: Home) -> dict[str, dict[str, str]]:
    """By photo: what each channel's verdict is."""
    return {
        Path(item.source).name[:2]: {
            name: channel["verdict"] for name, channel in item_as_dict(item)["channels"].items()
        }
        for item in Item.objects.all()
    }


def published(home: Home, channel: str) -> list[Path]:
    return sorted(home.approved(channel).glob("*/*.jpg"))


def listed(home: Home, channel: str) -> list[str]:
    manifest = json.loads((home.approved(channel) / "manifest.json").read_text())
    return [item["file"] for item in manifest["items"]]


def test_from_files_to_folders_and_back(demo_school: Home) -> None:
    home = demo_school
    everywhere = {"website": "released", "mag": "released", "displays": "released"}
    not_on_website = everywhere | {"website": "held"}
    nowhere = dict.fromkeys(everywhere, "held")
    assert verdicts(home) == {
        "01": everywhere,
        "02": everywhere,
        "03": everywhere,
        "04": not_on_website,
        "05": not_on_website,
        "06": nowhere,
        "07": nowhere,
        "08": nowhere,
        "09": nowhere,
        "10": nowhere,
    }
    assert len(published(home, "website")) == 3
    assert len(published(home, "mag")) == 5
    for channel in everywhere:
        names = [
            path.relative_to(home.approved(channel)).as_posix() for path in published(home, channel)
        ]
        assert sorted(listed(home, channel)) == names
        assert all(verify(path.read_bytes()) == [] for path in published(home, channel))
    assert find_discrepancies(home) == []
    assert audit_log.verify(home) == []
    assert Template.objects.count() == 4, "two pupils, two models each"

    next_term = demo.EXPORT.replace("3,T,T,T,T,", "3,F,T,T,T,")
    applied = run_import(home, ExportFile("next.csv", next_term.encode()), (), "office")

    assert applied.recalled == 3
    assert published(home, "website") == []
    assert listed(home, "website") == []
    assert len(published(home, "mag")) == 5
    assert verdicts(home)["01"] == everywhere | {"website": "withdrawn"}
    assert find_discrepancies(home) == []
    assert audit_log.verify(home) == []


def test_nothing_private_reaches_the_approved_folders(demo_school: Home) -> None:
    private = [
        "Robin",
        "Ashdown",
        "Marlowe",
        "Fenwick",
        "A. Teacher",
        "winner",
        "sports-day",
        "Exif",
    ]
    for path in (demo_school.root / "approved").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert [word for word in private if word.encode() in data] == [], path.name
            assert [word for word in private if word in path.as_posix().split("approved")[1]] == []
