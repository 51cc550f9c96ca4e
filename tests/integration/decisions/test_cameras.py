"""Cameras are recorded when seen, and count as the school's once staff confirm them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ItemState, Publication
from consent_gate.decisions import cameras
from consent_gate.decisions.rules.rules_in_force import registered_cameras
from consent_gate.errors import GateError
from consent_gate.home.settings import Cameras
from consent_gate.model import Reason
from tests.support.factories import World, make_evidence, matches
from tests.support.settings_override import with_settings

CANON = "Canon|Canon EOS 2000D|0123456789"

PHONE = "Apple|iPhone 14|"


def a_picture_taken_with(world: World, device: str | None) -> Item:
    return world.make_item(evidence=replace(make_evidence(matches("000001")), device=device))


def website(item: Item) -> tuple[str, list[str]]:
    row = item.decisions.get(channel="website")
    return row.verdict, row.reasons


@pytest.fixture
def school(world: World) -> World:
    world.make_pupil("000001")
    return world


@pytest.mark.dialect
def test_while_no_camera_is_registered_pictures_of_any_camera_pass(school: World) -> None:
    assert website(a_picture_taken_with(school, PHONE)) == ("released", [])


def test_a_phone_is_held_once_the_school_has_named_its_cameras(school: World) -> None:
    cameras.add(school.home, CANON, "office")
    assert website(a_picture_taken_with(school, CANON))[0] == "released"
    for unknown in (PHONE, None, "Canon|Canon EOS 2000D|999", "Canon|Canon EOS 2000D|"):
        held = ("held", [Reason.UNREGISTERED_DEVICE.value])
        assert website(a_picture_taken_with(school, unknown)) == held


def test_an_entry_without_serial_number_stands_for_every_camera_of_the_model(
    school: World,
) -> None:
    cameras.add(school.home, "Canon|Canon EOS 2000D|", "office")
    assert website(a_picture_taken_with(school, CANON))[0] == "released"


def test_a_camera_in_the_settings_and_a_confirmed_one_count_alike(school: World) -> None:
    home = with_settings(school.home, cameras=Cameras(registered=(CANON,)))
    cameras.add(home, "NIKON CORPORATION|NIKON D3500|", "office")
    assert registered_cameras(home) == {CANON, "NIKON CORPORATION|NIKON D3500|"}
    with pytest.raises(GateError, match=r"consent-gate\.toml"):
        cameras.remove(home, CANON, "office")


def test_confirming_a_camera_decides_its_held_pictures_again(school: World) -> None:
    cameras.add(school.home, CANON, "office")
    held = a_picture_taken_with(school, "Nikon|Z50|42")
    assert cameras.confirm(school.home, "Nikon|Z50|42", "office") == 1
    held.refresh_from_db()
    assert held.state == ItemState.RECEIVED, "examined once more, then released"
    assert audit_log.verify(school.home) == []


@pytest.mark.dialect
def test_a_camera_that_took_no_picture_here_cannot_be_confirmed(school: World) -> None:
    with pytest.raises(cameras.CameraUnknown):
        cameras.confirm(school.home, "Nikon|Z50|42", "office")


def test_taking_a_camera_off_recalls_nothing_and_holds_what_is_new(school: World) -> None:
    cameras.add(school.home, CANON, "office")
    cameras.add(school.home, "Nikon|Z50|42", "office")
    a_picture_taken_with(school, CANON)
    Publication.objects.update(state="live", released_at=school.home.now())
    cameras.remove(school.home, CANON, "office")
    assert not Publication.objects.exclude(withdrawn_at=None).exists()
    assert website(a_picture_taken_with(school, CANON))[0] == "held"


def test_the_first_camera_registered_holds_what_waited_from_a_phone(school: World) -> None:
    waiting = a_picture_taken_with(school, PHONE)
    cameras.add(school.home, CANON, "office")
    assert website(waiting) == ("held", [Reason.UNREGISTERED_DEVICE.value])


def test_cameras_seen_are_listed_with_how_many_pictures_they_took(school: World) -> None:
    for device in (CANON, CANON, PHONE, None):
        a_picture_taken_with(school, device)
    cameras.add(school.home, "Nikon|Z50|", "office")
    cameras.add(school.home, "canon|Canon EOS 2000D|", "office")
    listed = {c.device: (c.pictures, c.registered) for c in cameras.list_cameras(school.home)}
    assert listed == {
        CANON: (2, True),
        PHONE: (1, False),
        "": (1, False),
        "Nikon|Z50|": (0, True),
        "canon|Canon EOS 2000D|": (0, True),
    }


@pytest.mark.parametrize("entry", ["Apple", "Apple||", "|iPhone 14|", "", "a|b|c|d"])
def test_a_maker_alone_is_no_camera(school: World, entry: str) -> None:
    with pytest.raises(cameras.CameraUnknown):
        cameras.add(school.home, entry, "office")
    with pytest.raises(ValidationError):
        Cameras(registered=(entry,))


def test_the_office_registers_a_camera_from_the_command_line(school: World) -> None:
    from consent_gate.cli.app import app

    a_picture_taken_with(school, CANON)
    root = str(school.home.root)
    done = CliRunner().invoke(app, ["--home", root, "cameras", "confirm", CANON])
    assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(app, ["--home", root, "cameras", "list", "--json"])
    assert '"registered": true' in listed.output
