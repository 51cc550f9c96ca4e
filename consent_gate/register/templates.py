"""Face templates in the database: who may have one, renumbering and destruction."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import (
    EnrolmentPhoto,
    Lookalike,
    PupilEntry,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.register.portraits import renumber_portraits
from consent_gate.register.repository import lawful_photos, lawful_pupils
from consent_gate.register.template_vectors import decrypt_vector, encrypt_vector
from consent_gate.register.thresholds import thresholds_in_force


def can_enrol(today: date, number: str) -> dict[str, PupilEntry]:
    """Return the pupil with this admission number, keyed by it, if a template is lawful today.

    Returns an empty dictionary for any other pupil.
    """
    entries = lawful_pupils(today).filter(admission_number=number)
    return {entry.admission_number: entry for entry in entries}


def destroy_lost_templates(home: Home, actor: str) -> list[str]:
    """Delete the templates of pupils who left or lost biometric consent. Returns their numbers.

    Protection of Freedoms Act 2012 s.27 requires this as soon as practicable. Call inside a
    transaction.
    """
    lost = EnrolmentPhoto.objects.exclude(pk__in=lawful_photos(home.now().date()).values("pk"))
    numbers = sorted(set(lost.values_list("pupil__admission_number", flat=True)))
    lost.delete()
    events = [
        audit_log.AuditEvent("templates.destroyed", audit_log.pupil_subject(home, number))
        for number in numbers
    ]
    audit_log.record_all(home, events, actor)
    return numbers


def versions_in_use(home: Home) -> list[str]:
    """The versions of the models of which every template has a vector today."""
    model = home.settings.recognition.model
    return [*thresholds_in_force().versions.values(), *([model.version] if model else [])]


def destroy_outdated_templates(home: Home, actor: str) -> None:
    """Delete templates of other models than those in use: they cannot be compared.

    Call inside a transaction.
    """
    versions = versions_in_use(home)
    outdated = Template.objects.exclude(model_version__in=versions)
    count, _ = outdated.delete()
    if count:
        audit_log.record(home, "templates.outdated", "gallery", {"count": count}, actor)


def delete_departed_lookalikes() -> set[str]:
    """Delete the pairs of lookalikes with a pupil who left.

    Returns the admission numbers of both pupils of each pair. Call inside a transaction.
    """
    departed = Lookalike.objects.filter(Q(first__on_roll=False) | Q(second__on_roll=False))
    pairs = list(departed.values_list("first__admission_number", "second__admission_number"))
    departed.delete()
    return {number for pair in pairs for number in pair}


def renumber_templates(home: Home, entry: PupilEntry, new_number: str) -> None:
    """Encrypt a pupil's templates and portraits for a new admission number.

    Call before the entry changes.

    Raises:
        DecryptionError: A stored template or portrait was altered.
    """
    for template in Template.objects.filter(photo__pupil=entry):
        plain = decrypt_vector(home, entry.admission_number, template)
        encrypt_vector(home, new_number, template, plain)
        template.save(update_fields=["ciphertext"])
    renumber_portraits(home, entry, new_number)
