"""The life of face templates in the database: who may have one, moving, destroying."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ConsentAnswer,
    EnrolmentPhoto,
    Lookalike,
    PupilEntry,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.model import BIOMETRIC, Answer
from consent_gate.register.portraits import renumber_portraits
from consent_gate.register.repository import decrypt_vector, encrypt_vector, lawful_photos
from consent_gate.register.thresholds import thresholds_in_force


def can_enrol(today: date, number: str) -> dict[str, PupilEntry]:
    """The pupil of this admission number, by it, if the pupil may have a template today."""
    given = ConsentAnswer.objects.filter(purpose=BIOMETRIC, answer=Answer.GIVEN)
    live = given.exclude(expires_on__lt=today).exclude(given_on__gt=today)
    entries = PupilEntry.objects.filter(
        admission_number=number,
        on_roll=True,
        biometric_objection=False,
        pk__in=live.values("pupil"),
    )
    return {entry.admission_number: entry for entry in entries}


def destroy_lost_templates(home: Home, actor: str) -> list[str]:
    """Delete the templates of everybody who may have none any more. Call inside a transaction.

    Protection of Freedoms Act 2012 s.27: as soon as practicable after consent went, or the pupil
    left. Returns their admission numbers.
    """
    lost = EnrolmentPhoto.objects.exclude(pk__in=lawful_photos(home.now().date()).values("pk"))
    numbers = sorted(set(lost.values_list("pupil__admission_number", flat=True)))
    lost.delete()
    facts = [
        audit_log.AuditEvent("templates.destroyed", audit_log.pupil_subject(home, number))
        for number in numbers
    ]
    audit_log.record_all(home, facts, actor)
    return numbers


def destroy_outdated_templates(home: Home, actor: str) -> None:
    """Delete templates of other models than today's: they can be compared with nothing.

    Call inside a transaction.
    """
    versions = list(thresholds_in_force().versions.values())
    outdated = Template.objects.exclude(model_version__in=versions)
    count, _ = outdated.delete()
    if count:
        audit_log.record(home, "templates.outdated", "gallery", {"count": count}, actor)


def delete_departed_lookalikes() -> set[str]:
    """Nobody is mistaken for a pupil who has left. Returns everybody of such a pair.

    Call inside a transaction.
    """
    gone = Lookalike.objects.filter(Q(first__on_roll=False) | Q(second__on_roll=False))
    pairs = list(gone.values_list("first__admission_number", "second__admission_number"))
    gone.delete()
    return {number for pair in pairs for number in pair}


def renumber_templates(home: Home, entry: PupilEntry, new_number: str) -> None:
    """Tie a pupil's templates and portraits to the new number. Call before the entry changes."""
    for template in Template.objects.filter(photo__pupil=entry):
        plain = decrypt_vector(home, entry.admission_number, template)
        encrypt_vector(home, new_number, template, plain)
        template.save(update_fields=["ciphertext"])
    renumber_portraits(home, entry, new_number)
