"""The life of face templates in the database: who may have one, moving, destroying."""

from __future__ import annotations

from datetime import date

from django.db import connection

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.models import ConsentAnswer, EnrolmentPhoto, PupilEntry, Template
from consent_gate.db.register_store import lawful_photos, open_vector, seal_vector
from consent_gate.model import BIOMETRIC, Answer


def may_enrol(today: date) -> dict[str, PupilEntry]:
    """Pupils who may have a template today, by admission number."""
    given = ConsentAnswer.objects.filter(purpose=BIOMETRIC, answer=Answer.GIVEN)
    live = given.exclude(expires_on__lt=today).exclude(given_on__gt=today)
    entries = PupilEntry.objects.filter(
        on_roll=True, biometric_objection=False, pk__in=live.values("pupil")
    )
    return {entry.admission_number: entry for entry in entries}


def destroy_lost_templates(home: Home, by: str) -> list[str]:
    """Delete the templates of everybody who may have none any more. Call inside a transaction.

    Protection of Freedoms Act 2012 s.27: as soon as practicable after consent went, or the pupil
    left. Returns their admission numbers.
    """
    lost = EnrolmentPhoto.objects.exclude(pk__in=lawful_photos(home.now().date()).values("pk"))
    numbers = sorted(set(lost.values_list("pupil__admission_number", flat=True)))
    lost.delete()
    facts = [
        trail.Fact("templates.destroyed", trail.pupil_subject(home, number)) for number in numbers
    ]
    trail.record_all(home, facts, by)
    return numbers


def renumber_templates(home: Home, entry: PupilEntry, new_number: str) -> None:
    """Tie a pupil's templates to the new admission number. Call before the entry changes."""
    for template in Template.objects.filter(photo__pupil=entry):
        plain = open_vector(home, entry.admission_number, template)
        seal_vector(home, new_number, template, plain)
        template.save(update_fields=["sealed"])


def forget_deleted_pages() -> None:
    """Empty SQLite's log, which may still hold pages with destroyed templates."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
