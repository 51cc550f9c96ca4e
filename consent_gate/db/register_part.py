"""The part of the register that one picture needs.

A trust has 25 000 pupils and a picture shows a few: reading all of them takes seconds, too long for
a click. A pupil who were missing here could only hold the picture (``consent_missing``); a test
compares the answers with those of the whole register.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date

from django.db.models import Q, QuerySet

from consent_gate.db import register_store
from consent_gate.db.models import (
    ConsentAnswer,
    Item,
    Lookalike,
    PupilEntry,
    StaffTag,
    SuspendedPurpose,
)
from consent_gate.evidence_codec import from_json
from consent_gate.model import Ambiguous, Answer, Consent, Examined, Match, Pupil, Register


def register_for(item: Item, today: date) -> Register:
    """What ``policy.decide`` may ask about everybody named in one stored item."""
    named = _with_numbers(named_in(item))
    pairs = _pairs(named)
    entries = PupilEntry.objects.filter(pk__in={*named, *(pk for pair in pairs for pk in pair)})
    by_key = {entry.pk: entry for entry in entries}
    families = _families(by_key)
    enrolled = _enrolled({*by_key, *(entry.pk for entry in families)}, today)
    consents = _consents(by_key)
    guarded = register_store._with_unenrolled_sibling(families, enrolled)
    pupils: dict[str, Pupil] = {}
    for entry in by_key.values():
        others = {b for a, b in pairs if a == entry.pk} | {a for a, b in pairs if b == entry.pk}
        pupil = Pupil(
            admission_number=entry.admission_number,
            consents=consents.get(entry.pk, {}),
            biometric_objection=entry.biometric_objection,
            never_publish=entry.never_publish,
            on_roll=entry.on_roll,
            has_unenrolled_sibling=entry.pk in guarded,
            enrolled_on=enrolled.get(entry.pk),
            lookalikes=tuple(sorted(by_key[pk].admission_number for pk in others if pk in by_key)),
        )
        for former in entry.former_numbers:
            pupils.setdefault(former, replace(pupil, admission_number=former))
        pupils[entry.admission_number] = pupil
    suspended = frozenset(SuspendedPurpose.objects.values_list("purpose", flat=True))
    return Register(pupils, register_store.last_exported_on(), suspended)


def named_in(item: Item) -> frozenset[str]:
    """Admission numbers of all whom machine or staff name for any face, possible matches too."""
    tagged = StaffTag.objects.filter(item=item).values_list("admission_number", flat=True)
    numbers = {number for number in tagged if number}
    evidence = from_json(item.evidence)
    for face in evidence.faces if isinstance(evidence, Examined) else ():
        match face.identity:
            case Match(pupil=pupil):
                numbers.add(pupil)
            case Ambiguous(pupils=pupils):
                numbers.update(pupils)
    return frozenset(numbers)


def _with_numbers(numbers: frozenset[str]) -> set[int]:
    """Keys of the pupils who go, or went, by these admission numbers."""
    now = PupilEntry.objects.filter(admission_number__in=numbers).values_list("pk", flat=True)
    renumbered = PupilEntry.objects.exclude(former_numbers=[]).values_list("pk", "former_numbers")
    return {*now, *(pk for pk, former in renumbered if numbers.intersection(former))}


def _pairs(keys: set[int]) -> list[tuple[int, int]]:
    """Pairs that the models confuse, one of whom is asked about; and the pairs of the other."""
    met, reached = set(keys), Q(first__in=keys) | Q(second__in=keys)
    pairs = list(Lookalike.objects.filter(reached).values_list("first", "second"))
    met.update(pk for pair in pairs for pk in pair)
    wider = Q(first__in=met) | Q(second__in=met)
    return list(Lookalike.objects.filter(wider).values_list("first", "second"))


def _families(entries: dict[int, PupilEntry]) -> QuerySet[PupilEntry]:
    groups = {entry.family_group for entry in entries.values() if entry.family_group}
    return PupilEntry.objects.filter(family_group__in=groups)


def _enrolled(keys: set[int], today: date) -> dict[int, date]:
    """By pupil: date of the newest enrolment photo that has templates."""
    photos = register_store.lawful_photos(today).filter(pupil__in=keys, templates__isnull=False)
    dates: dict[int, date] = {}
    for photo in photos.distinct():
        day = photo.taken_on or photo.first_imported_on
        dates[photo.pupil_id] = max(day, dates.get(photo.pupil_id, day))
    return dates


def _consents(entries: dict[int, PupilEntry]) -> dict[int, dict[str, Consent]]:
    consents: dict[int, dict[str, Consent]] = defaultdict(dict)
    for row in ConsentAnswer.objects.filter(pupil__in=entries):
        answer = Consent(Answer(row.answer), row.given_on, row.expires_on)
        consents[row.pupil_id][row.purpose] = answer
    return consents
