"""Lifting a never-publish mark needs two people in every way it can be tried."""

from __future__ import annotations

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, NeverPublishLift, PupilEntry, Role, User
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.operations.reminders import pending_reminders
from consent_gate.subject_rights.never_publish import (
    LiftRefused,
    ask_to_lift,
    confirm_lift,
    refuse_lift,
)
from sims_import.applying.history import undo_grants
from tests.support.factories import World, matches
from tests.support.imports import consent_csv, import_csv, make_template, run_here, verdict_of

ANN = "007001"
MARKED = {f"_{ANN}": "T,T,T,T,,T"}
GONE = "never-publish-lifted"


def is_marked() -> bool:
    return PupilEntry.objects.get(admission_number=ANN).never_publish


@pytest.fixture
def world(home: Home) -> World:
    """Ann, who must never be shown and has every consent, and three members of staff."""
    import_csv(home, consent_csv(**MARKED))
    world = World(home)
    world.make_user("j.shaw", Role.OFFICE)
    world.make_user("m.reid", Role.SAFEGUARDING_LEAD)
    User.objects.filter(username="m.reid").update(first_name="Mo", last_name="Reid")
    world.make_user("a.cole", Role.REVIEWER)
    return world


@pytest.mark.dialect
def test_an_export_without_the_mark_lifts_nothing_and_the_same_file_again_neither(
    world: World,
) -> None:
    import_csv(world.home, consent_csv())
    assert is_marked()
    done = import_csv(world.home, consent_csv(), GONE)
    assert done.run.status == "applied"
    assert is_marked(), "accepting it only asks"
    assert NeverPublishLift.objects.get().asked_by == "office"
    assert import_csv(world.home, consent_csv()).run.status == "applied", "it asks once"
    assert is_marked()


@pytest.mark.dialect
def test_a_second_person_confirms_and_only_then_the_picture_may_be_looked_at_again(
    world: World,
) -> None:
    home = world.home
    make_template(home, ANN)
    item = world.make_item(matches(ANN))
    assert item.decisions.get(channel="website").reasons == ["never_publish"]
    ask_to_lift(home, ANN, "j.shaw")
    assert is_marked()
    confirm_lift(home, ANN, "m.reid")
    assert not is_marked()
    item.refresh_from_db()
    assert item.state == "received", "examined again before anything goes out"
    assert verdict_of(item) == "held"


@pytest.mark.dialect
def test_both_people_are_in_the_audit_trail(world: World) -> None:
    ask_to_lift(world.home, ANN, "j.shaw")
    confirm_lift(world.home, ANN, "m.reid")
    asked = AuditEntry.objects.get(action="never_publish.lift_asked")
    lifted = AuditEntry.objects.get(action="never_publish.lifted")
    assert (asked.actor, lifted.actor, lifted.detail) == (
        "j.shaw",
        "m.reid",
        {"asked_by": "j.shaw"},
    )
    assert audit_log.verify(world.home) == []


@pytest.mark.dialect
@pytest.mark.parametrize(
    "asker", ["m.reid", "M.REID ", "Mo Reid", "mo  reid"], ids=["log-in", "case", "name", "spaces"]
)
def test_the_person_who_asked_cannot_confirm(world: World, asker: str) -> None:
    ask_to_lift(world.home, ANN, asker)
    with pytest.raises(LiftRefused, match="cannot confirm"):
        confirm_lift(world.home, ANN, "m.reid")
    assert is_marked()


@pytest.mark.dialect
@pytest.mark.parametrize("who", ["a.cole", "nobody", ""], ids=["reviewer", "unknown", "nameless"])
def test_only_people_who_answer_for_safety_or_data_can_confirm(world: World, who: str) -> None:
    ask_to_lift(world.home, ANN, "j.shaw")
    with pytest.raises(LiftRefused, match="Only a person"):
        confirm_lift(world.home, ANN, who)
    assert is_marked()


@pytest.mark.dialect
def test_a_closed_account_confirms_nothing(world: World) -> None:
    ask_to_lift(world.home, ANN, "j.shaw")
    User.objects.filter(username="m.reid").update(is_active=False)
    with pytest.raises(LiftRefused):
        confirm_lift(world.home, ANN, "m.reid")
    assert is_marked()


@pytest.mark.dialect
def test_nobody_confirms_what_nobody_asked_for(world: World) -> None:
    with pytest.raises(LiftRefused, match="Nobody has asked"):
        confirm_lift(world.home, ANN, "m.reid")
    with pytest.raises(LiftRefused, match="no never-publish mark"):
        ask_to_lift(world.home, "007002", "j.shaw")
    with pytest.raises(ItemNotFound):
        ask_to_lift(world.home, "999999", "j.shaw")
    assert is_marked()


@pytest.mark.dialect
def test_a_request_is_over_when_somebody_says_so_or_the_export_marks_again(world: World) -> None:
    ask_to_lift(world.home, ANN, "j.shaw")
    refuse_lift(world.home, ANN, "m.reid")
    assert not NeverPublishLift.objects.exists()
    ask_to_lift(world.home, ANN, "j.shaw")
    import_csv(world.home, consent_csv(**MARKED))
    with pytest.raises(LiftRefused, match="Nobody has asked"):
        confirm_lift(world.home, ANN, "m.reid")
    assert is_marked()


@pytest.mark.dialect
def test_undoing_an_import_takes_back_what_it_asked_for_even_if_it_was_confirmed(
    world: World,
) -> None:
    done = import_csv(world.home, consent_csv(), GONE)
    confirm_lift(world.home, ANN, "m.reid")
    assert undo_grants(world.home, done.run.pk, "j.brown").pupils == (ANN,)
    assert is_marked()
    assert not NeverPublishLift.objects.exists()


@pytest.mark.dialect
def test_staff_are_told_that_a_mark_waits_for_a_second_person(world: World) -> None:
    assert pending_reminders(world.home) == []
    ask_to_lift(world.home, ANN, "j.shaw")
    (told,) = pending_reminders(world.home)
    assert told.code.startswith("mark-lifts:")
    assert ANN not in told.message


def test_on_the_command_line_too_it_takes_two(world: World) -> None:
    def confirm_lift(by: str) -> int:
        return run_here(world.home, "pupil", "confirm-lift", ANN, "--by", by)[0]

    assert run_here(world.home, "pupil", "lift-mark", ANN, "--by", "m.reid")[0] == 0
    assert confirm_lift("m.reid") == LiftRefused.exit_code
    assert is_marked()
    world.make_user("d.moss", Role.DATA_PROTECTION_OFFICER)
    assert confirm_lift("d.moss") == 0
    assert not is_marked()
