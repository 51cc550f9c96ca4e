"""Who was at an event: named by staff or by a file, and what that clears."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent_gate.db.models import AuditEntry, EventClasses, Item, ItemState, PupilEntry, User
from consent_gate.decisions.event_classes import name_classes, name_roll, proposal_for
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import NearMatch
from consent_gate.register.event_names import NamedRoll
from ingest.inbox.event_lists import ACTOR
from ingest.intake import Intake
from tests.support.factories import STRANGER, World, matches
from tests.support.images import jpeg, scene

EVENT = "sports-day"
LogIn = Callable[[User], Client]


def nearly(number: str, roll_size: int = 60) -> NearMatch:
    """A face like this pupil, not enough for the whole school."""
    return NearMatch(number, 0.56, 0.2, roll_size)


@pytest.fixture
def school(world: World) -> World:
    """Ann, Ben and Cat are in 5B; Dot and Eve in 3W."""
    world.make_import()
    for number, name, group, year in (
        ("000001", "Ann", "5B", "Year 5"),
        ("000002", "Ben", "5B", "Year 5"),
        ("000003", "Cat", "5B", "Year 5"),
        ("000004", "Dot", "3W", "Year 3"),
        ("000005", "Eve", "3W", "Year 3"),
    ):
        world.make_pupil(number, name, "Archer", reg_group=group, year_group=year)
    return world


def reasons(item: Item) -> set[str]:
    return {reason for row in item.decisions.all() for reason in row.reasons}


def is_released(item: Item) -> bool:
    """Released, or waiting for the examination before a release."""
    item.refresh_from_db()
    verdicts = set(item.decisions.values_list("verdict", flat=True))
    return verdicts == {"released"} or item.state == ItemState.RECEIVED


@pytest.mark.dialect
def test_naming_the_classes_decides_the_held_pictures_of_the_event_again(school: World) -> None:
    held = school.make_item(matches("000001"), nearly("000002"))
    elsewhere = school.make_item(nearly("000002"), event="fair")
    assert reasons(held) == {"unknown_face"}
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    assert is_released(held)
    assert not is_released(elsewhere)
    later = school.make_item(nearly("000003"))
    assert is_released(later)


def test_a_face_nearer_to_somebody_who_was_not_there_is_held_and_says_so(school: World) -> None:
    held = school.make_item(nearly("000004"))
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    assert reasons(held) == {"not_at_event"}


def test_removing_the_classes_holds_again_what_only_they_cleared(school: World) -> None:
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    item = school.make_item(nearly("000002"))
    assert is_released(item)
    name_classes(school.home, EVENT, [], "j.shaw")
    assert reasons(item) == {"unknown_face"}


def test_a_roll_stays_as_it_was_named_when_the_classes_move_up(school: World) -> None:
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    PupilEntry.objects.filter(admission_number="000001").update(reg_group="6B")
    PupilEntry.objects.filter(admission_number="000004").update(reg_group="5B")
    assert is_released(school.make_item(matches("000001")))
    assert reasons(school.make_item(matches("000004"))) == {"not_at_event"}


def test_single_pupils_can_be_named(school: World) -> None:
    name_roll(school.home, EVENT, NamedRoll((), ("000004",)), "j.shaw")
    assert is_released(school.make_item(nearly("000004")))
    assert reasons(school.make_item(matches("000005"))) == {"not_at_event"}
    told = AuditEntry.objects.get(action="event.classes_named").detail
    assert "000004" not in str(told), "the trail names pupils by a pseudonym"


@pytest.mark.dialect
def test_a_proposal_changes_nothing(school: World) -> None:
    item = school.make_item(nearly("000004"), event="3W assembly")
    proposal = proposal_for(school.home, "3W assembly")
    assert proposal is not None
    assert proposal.classes == ("3W",)
    assert reasons(item) == {"unknown_face"}
    assert load_staff_input(item).roster is None


def test_classes_are_proposed_from_who_is_in_the_pictures(school: World) -> None:
    school.make_item(matches("000001"), matches("000002"), matches("000004"))
    assert proposal_for(school.home, EVENT) is None
    school.make_item(matches("000003"), STRANGER)
    proposal = proposal_for(school.home, EVENT)
    assert proposal is not None
    assert proposal.classes == ("5B",)
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    assert proposal_for(school.home, EVENT) is None


def test_classes_are_proposed_from_the_timetable_and_change_nothing(school: World) -> None:
    event, timetable = "2026-11-27 museum", school.home.root / "timetable.csv"
    item = school.make_item(nearly("000004"), event=event)
    assert proposal_for(school.home, event) is None
    timetable.write_text("Date,Who\n27/11/2026,3W,Museum\n")
    proposal = proposal_for(school.home, event)
    assert proposal is not None
    assert (proposal.classes, proposal.why) == (("3W",), "from the timetable")
    assert reasons(item) == {"unknown_face"}
    assert load_staff_input(item).roster is None
    timetable.unlink()
    timetable.symlink_to(school.home.root / "consent-gate.toml")
    assert proposal_for(school.home, event) is None


def test_a_pupil_who_is_erased_leaves_every_roll(school: World) -> None:
    name_classes(school.home, EVENT, ["3W"], "j.shaw")
    PupilEntry.objects.get(admission_number="000004").delete()
    item = school.make_item(STRANGER)
    assert load_staff_input(item).roster == frozenset({"000005"})


def look_through(school: World, text: bytes | None = None) -> Intake:
    """One scan of the inbox with this ``classes.txt`` in the event's folder."""
    folder = school.home.inbox / EVENT
    folder.mkdir(exist_ok=True)
    if text is not None:
        (folder / "Classes.txt").write_bytes(text)
    intake = Intake(school.home, patience=0)
    intake.scan()
    return intake


def test_a_file_in_the_folder_names_the_classes(school: World) -> None:
    (school.home.inbox / EVENT).mkdir()
    (school.home.inbox / EVENT / "IMG_1.jpg").write_bytes(jpeg(scene()))
    item = school.make_item(nearly("000004"))
    intake = look_through(school, "\ufeff3W\r\n".encode())
    assert is_released(item)
    assert [file.source for file in intake.pending_files()] == [f"{EVENT}/IMG_1.jpg"]
    assert AuditEntry.objects.get(action="event.classes_named").actor == ACTOR


@pytest.mark.parametrize("text", [b"3W, 9Z", b"everybody", b"\x00\xff" * 40_000])
def test_a_file_with_a_name_that_is_not_on_the_register_holds_the_event(
    school: World, text: bytes
) -> None:
    item = school.make_item(matches("000004"))
    look_through(school, text)
    assert reasons(item) <= {"event_roll_unclear", "not_at_event"}
    new = school.make_item(matches("000004"))
    assert "event_roll_unclear" in reasons(new)
    look_through(school, b"3W")
    assert is_released(new)


@pytest.mark.dialect
def test_an_empty_file_changes_nothing(school: World) -> None:
    item = school.make_item(matches("000004"), nearly("000001"))
    look_through(school, b"\r\n# nobody said\r\n")
    assert reasons(item) == {"unknown_face"}
    assert load_staff_input(item).roster is None


def test_a_file_that_was_read_does_not_undo_what_staff_choose_later(school: World) -> None:
    look_through(school, b"3W")
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    look_through(school)
    assert EventClasses.objects.get().reg_groups == ["5B"]
    name_classes(school.home, EVENT, [], "j.shaw")
    look_through(school)
    assert load_staff_input(school.make_item(STRANGER)).roster is None
    look_through(school, b"3W\n")
    assert EventClasses.objects.get().reg_groups == ["3W"]


def test_one_click_confirms_the_proposed_classes(school: World, logged_in: LogIn) -> None:
    client = logged_in(school.make_user())
    item = school.make_item(nearly("000004"), event="3W assembly")
    page = client.get("/queue/?event=3W%20assembly").content.decode()
    assert "Yes, only 3W" in page
    client.post("/queue/classes/?event=3W%20assembly", {"class": ["3W"]})
    assert is_released(item)
    client.post("/queue/classes/?event=3W%20assembly", {"class": ["3W"], "others": "9Z"})
    assert EventClasses.objects.get().unknown == [], "a wrong name saves nothing"
    client.post("/queue/classes/?event=3W%20assembly", {"others": "000001, Year 3"})
    assert load_staff_input(item).roster == frozenset({"000001", "000004", "000005"})


def test_no_class_of_today_is_proposed_for_an_event_of_an_earlier_school_year(
    school: World,
) -> None:
    year = school.home.now().year
    assert proposal_for(school.home, "3W assembly") is not None
    assert proposal_for(school.home, f"{year - 2}/3W assembly") is None
    assert proposal_for(school.home, f"{year - 2}-06-12 3W assembly") is None


def test_a_year_has_its_pupils_in_a_class_of_several_years(school: World) -> None:
    PupilEntry.objects.filter(admission_number="000001").update(year_group="Year 4")
    proposal = proposal_for(school.home, "Year 4 trip")
    assert proposal is not None
    assert proposal.classes == ("5B",)
    name_classes(school.home, EVENT, ["Year 4 and 3W"], "j.shaw")
    assert load_staff_input(school.make_item(STRANGER)).roster == frozenset(
        {"000001", "000004", "000005"}
    )


def test_a_marked_pupil_who_joins_a_class_that_was_renamed_is_noticed(school: World) -> None:
    name_classes(school.home, EVENT, ["5B"], "j.shaw")
    item = school.make_item(STRANGER)
    PupilEntry.objects.filter(reg_group="5B").update(reg_group="5Birch")
    assert load_staff_input(item).roster == frozenset({"000001", "000002", "000003"})
    assert load_staff_input(item).roll_is_whole is True
    school.make_pupil("000009", "Zoe", "Archer", reg_group="5Birch", never_publish=True)
    assert load_staff_input(item).roll_is_whole is False


def test_a_list_of_pupils_can_be_chosen_on_the_page(school: World, logged_in: LogIn) -> None:
    client = logged_in(school.make_user())
    item, address = school.make_item(nearly("000004")), f"/queue/classes/?event={EVENT}"

    def choose(text: str) -> None:
        client.post(address, {"list": SimpleUploadedFile("list.csv", text.encode())})

    choose("Name,Adno,AM\nDot Archer,000004,/\nNobody,009999,/\n")
    assert not EventClasses.objects.exists()
    choose("Name,Adno,AM\nDot Archer,000004,/\nAnn Archer,000001,N\n")
    assert load_staff_input(item).roster == frozenset({"000001", "000004"})
    assert is_released(item)
