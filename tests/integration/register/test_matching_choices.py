"""What staff choose about matching: classes at an event, and thresholds of the school's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, Publication
from consent_gate.decisions.event_classes import name_classes
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.register.thresholds import accept, propose, thresholds_in_force

pytestmark = pytest.mark.dialect

EVENT = "sports-day"


def live(channel: str = "mag") -> int:
    return Publication.objects.filter(channel=channel, state="live").count()


def test_only_the_classes_named_are_cleared_by_machine(demo_school: Home) -> None:
    assert live() == 5
    name_classes(demo_school, EVENT, ["3W"], "teacher")
    judge = Item.objects.get(source__contains="04 judge")
    reasons = {r for d in judge.decisions.all() for r in d.reasons}
    assert "not_at_event" in reasons, "pupil 000102 is in 5B, which was not there"
    assert live() == 3, "pictures of 5B's pupil came back"


def test_naming_no_class_lets_all_be_cleared(demo_school: Home) -> None:
    name_classes(demo_school, EVENT, ["3W", "5B"], "teacher")
    assert live() == 5
    name_classes(demo_school, EVENT, [], "teacher")
    assert live() == 5


def test_a_class_of_an_event_says_nothing_of_another(demo_school: Home) -> None:
    name_classes(demo_school, "open-evening", ["6O"], "teacher")
    assert live() == 5


def test_proposed_thresholds_wait_for_a_person(home: Home) -> None:
    shipped = shipped_thresholds()
    proposal = propose(home, replace(shipped, margin=0.5), "<html>", "office")
    assert thresholds_in_force() == shipped
    accept(home, proposal.pk, "head")
    assert thresholds_in_force().margin == 0.5
    actions = list(AuditEntry.objects.values_list("action", "actor"))
    assert actions == [("thresholds.proposed", "office"), ("thresholds.accepted", "head")]
    assert audit_log.verify(home) == []


def test_accepted_thresholds_of_other_models_do_not_count(home: Home) -> None:
    other = replace(shipped_thresholds(), versions={"sface": "other", "dlib": "other"})
    accept(home, propose(home, other, "", "office").pk, "head")
    assert thresholds_in_force() == shipped_thresholds()


def test_accepting_a_missing_proposal_is_reported(home: Home) -> None:
    with pytest.raises(ItemNotFound):
        accept(home, 7, "head")
