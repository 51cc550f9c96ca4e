"""A list of who was at an event that is wrong, empty or half written."""

from __future__ import annotations

import pytest

from consent_gate.db.models import PupilEntry
from consent_gate.decisions.event_classes import name_classes
from consent_gate.decisions.staff_input import roster_for
from consent_gate.home.home import Home
from ingest.inbox.event_lists import read_event_lists
from ingest.inbox.scanner import scan_inbox
from publish.release import publish_pending
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
)

EVENT = "sports-day"


def write_list(home: Home, text: str) -> None:
    """Somebody saves ``classes.txt`` beside the photos, and the gate reads it."""
    (home.inbox / EVENT).mkdir(parents=True, exist_ok=True)
    (home.inbox / EVENT / "classes.txt").write_text(text)
    read_event_lists(home, scan_inbox(home.inbox).event_lists)


@pytest.mark.parametrize("text", ["3Wx", "3W, 5Bx", "5"])
def test_a_list_with_a_wrong_name_holds_new_pictures_and_recalls_none(
    home: Home, text: str
) -> None:
    world = make_world_with_ann(home)
    world.make_pupil("000009", "Zoe", reg_group="3W")
    PupilEntry.objects.filter(admission_number="000001").update(reg_group="5B")
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer())
    before = published_counts(home)
    write_list(home, text)
    later = make_photo(home, "000001")
    publish_pending(home, FakeRenderer())
    assert published_counts(home) == before
    assert not later.publications.exists()


@pytest.mark.parametrize("text", ["", "\n", "# not known yet\n"])
def test_an_empty_list_does_not_undo_what_staff_named(home: Home, text: str) -> None:
    make_world_with_ann(home).make_pupil("000009", "Zoe", reg_group="3W")
    name_classes(home, EVENT, ["3W"], "j.shaw")
    write_list(home, text)
    assert roster_for(EVENT) is not None
    item = make_photo(home, "000001")
    assert {r for d in item.decisions.all() for r in d.reasons} == {"not_at_event"}


def test_a_list_does_not_replace_what_staff_named(home: Home) -> None:
    world = make_world_with_ann(home)
    world.make_pupil("000009", "Zoe", reg_group="3W")
    PupilEntry.objects.filter(admission_number="000001").update(reg_group="5B")
    name_classes(home, EVENT, ["3W"], "j.shaw")
    write_list(home, "5B")
    item = make_photo(home, "000001")
    assert {r for d in item.decisions.all() for r in d.reasons} == {"not_at_event"}
    name_classes(home, EVENT, [], "j.shaw")
    write_list(home, "5B")
    named = roster_for(EVENT)
    assert named is not None
    assert named.reg_groups == ["5B"]
