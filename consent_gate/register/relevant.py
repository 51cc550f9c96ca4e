"""Load the part of the register that the decision on one picture needs.

A trust has 25 000 pupils, and reading all of them takes seconds, which is too long for a click. A
missing pupil can only hold the picture (``consent_missing``). A test compares the verdicts with
those of the whole register.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ConsentAnswer, Item, Lookalike, PupilEntry
from consent_gate.model import Ambiguous, Evidence, Examined, Identity, Match, NearMatch, Register
from consent_gate.register import repository


def register_for_item(item: Item, today: date) -> Register:
    """Return a register with everybody whom the machine or staff named in one stored item."""
    tagged = (tag.admission_number for tag in item.tags.all())
    named = _with_numbers(pupils_shown(from_json(item.evidence), tagged))
    pairs = _pairs(named)
    paired = {pk for pair in pairs for pk in (pair.first_id, pair.second_id)}
    entries = list(PupilEntry.objects.filter(pk__in=named | paired))
    keys = {entry.pk for entry in entries}
    families = list(_families(entries))
    relevant = keys | {entry.pk for entry in families}
    return repository.build_register(
        entries,
        families,
        ConsentAnswer.objects.filter(pupil__in=keys),
        repository.lawful_photos(today).filter(pupil__in=relevant),
        pairs,
    )


def pupils_shown(evidence: Evidence, tagged: Iterable[str | None]) -> frozenset[str]:
    """Return the admission numbers that the machine or staff gave any face, with possible matches,
    and those of the pupils whose names can be read.

    ``tagged`` has the pupil of each tag of any kind; None or "" for a tag without a pupil.
    """
    numbers = {number for number in tagged if number}
    for face in evidence.faces if isinstance(evidence, Examined) else ():
        numbers |= pupils_of(face.identity)
    for name in evidence.names if isinstance(evidence, Examined) else ():
        if name.pupil:
            numbers.add(name.pupil)
    return frozenset(numbers)


def pupils_of(identity: Identity) -> frozenset[str]:
    """The admission numbers of the pupils whom the machine takes, or may take, a face for."""
    match identity:
        case Match(pupil=pupil) | NearMatch(pupil=pupil):
            return frozenset({pupil})
        case Ambiguous(pupils=pupils):
            return frozenset(pupils)
    return frozenset()


def _with_numbers(numbers: frozenset[str]) -> set[int]:
    """Primary keys of the pupils who have, or had, one of these admission numbers."""
    now = PupilEntry.objects.filter(admission_number__in=numbers).values_list("pk", flat=True)
    renumbered = PupilEntry.objects.exclude(former_numbers=[]).values_list("pk", "former_numbers")
    return {*now, *(pk for pk, former in renumbered if numbers.intersection(former))}


def _pairs(keys: set[int]) -> list[Lookalike]:
    """The pairs of lookalikes with these pupils, and the pairs one step further."""
    direct = Lookalike.objects.filter(Q(first__in=keys) | Q(second__in=keys))
    reached = {pk for pair in direct.values_list("first", "second") for pk in pair}
    if not reached:
        return []
    reached |= keys
    pairs = Lookalike.objects.filter(Q(first__in=reached) | Q(second__in=reached))
    return list(pairs.select_related(*repository.PAIR_FIELDS))


def _families(entries: list[PupilEntry]) -> QuerySet[PupilEntry]:
    groups = {entry.family_group for entry in entries if entry.family_group}
    return PupilEntry.objects.filter(family_group__in=groups)
