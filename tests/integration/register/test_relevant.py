"""The part of the register that a page loads gives the same verdicts as the whole register."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from django.db import transaction

from consent_gate import policy
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    ConsentAnswer,
    Item,
    Lookalike,
    PupilEntry,
    StaffTag,
    SuspendedPurpose,
)
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import Ambiguous, Identity, TagKind
from consent_gate.register.relevant import pupils_shown, register_for_item
from consent_gate.register.repository import load_register
from tests.support.factories import STRANGER, World, matches

pytestmark = pytest.mark.dialect

PUPILS = [f"{i:06}" for i in range(1, 31)]


def a_school_full_of_special_cases(world: World, chance: random.Random) -> None:
    """Siblings, twins, leavers, old numbers, objections and every kind of answer."""
    entries = []
    for number in PUPILS:
        entry = world.make_pupil(
            number,
            said_no_to=chance.sample(["website", "mag", "biometric"], chance.randrange(3)),
            enrolled=chance.random() < 0.7,
            family_group=chance.choice(["", "f1", "f2", "f3", "f4"]),
            on_roll=chance.random() < 0.9,
            never_publish=chance.random() < 0.1,
            biometric_objection=chance.random() < 0.1,
            former_numbers=[f"9{number[1:]}"] if chance.random() < 0.3 else [],
        )
        entries.append(entry)
    for _ in range(8):
        first, second = chance.sample(entries, 2)
        Lookalike.objects.create(first=first, second=second)
    ConsentAnswer.objects.filter(pupil__in=chance.sample(entries, 5), purpose="mag").delete()


def a_group(chance: random.Random) -> list[Identity]:
    numbers = [*PUPILS, *(f"9{number[1:]}" for number in PUPILS)]
    faces: list[Identity] = [matches(n) for n in chance.sample(numbers, 3)]
    return [*faces, Ambiguous(tuple(chance.sample(numbers, 2))), STRANGER]


def test_one_picture_is_judged_alike_by_a_part_and_by_the_whole_register(world: World) -> None:
    for seed in range(6):
        chance = random.Random(seed)  # noqa: S311  a repeatable school
        PupilEntry.objects.all().delete()
        a_school_full_of_special_cases(world, chance)
        if seed == 5:
            SuspendedPurpose.objects.create(purpose="mag", since=world.home.now())
        for item in [world.make_item(*a_group(chance)) for _ in range(5)]:
            assert_judged_alike(world, item)


def test_whoever_a_face_or_a_tag_names_is_shown(world: World) -> None:
    """A tag that names somebody counts whatever its kind: the policy asks for the person's mark."""
    item = world.make_item(matches("000001"), Ambiguous(("000002", "000003")), STRANGER)
    StaffTag.objects.create(
        item=item,
        face=2,
        kind=TagKind.CANNOT_TELL.value,
        admission_number="000004",
        actor="j.shaw",
        created_at=world.home.now(),
    )
    with transaction.atomic():
        apply_decision(
            DecisionContext(world.home, load_register(world.home.now().date()), world.home.now()),
            item,
        )
    shown = set(item.shown.values_list("admission_number", flat=True))
    assert shown == {"000001", "000002", "000003", "000004"}


def assert_judged_alike(world: World, item: Item) -> None:
    now = world.home.now()
    part, whole = register_for_item(item, now.date()), load_register(now.date())
    asked = pupils_shown(from_json(item.evidence), []) & whole.pupils.keys()
    assert {n: part.pupils[n] for n in asked} == {n: whole.pupils[n] for n in asked}
    assert part == replace(whole, pupils=part.pupils)
    rules = world.home.settings.rules_for_decide()
    evidence, staff = from_json(item.evidence), load_staff_input(item)
    assert policy.decide(evidence, part, rules, now, staff) == policy.decide(
        evidence, whole, rules, now, staff
    )
    for twin in (other for n in asked for other in whole.pupils[n].lookalikes):
        assert part.pupils[twin].consents == whole.pupils[twin].consents
