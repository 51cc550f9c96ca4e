"""Enrolment photos that were taken from a face in a picture, and how they are deleted.

Such a photo depends on the picture and on the tag that staff gave the face. When either goes, the
photo is deleted with its templates. Pictures in which the pupil was recognised since then are
examined again, because the face may have been another child's.
"""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, Priority
from consent_gate.home.home import Home


def enrolments_from(item: Item, face: int | None = None) -> QuerySet[EnrolmentPhoto]:
    """Enrolment photos taken from this picture; ``face`` is the index of one face, None for all."""
    rows = EnrolmentPhoto.objects.filter(item=item)
    return rows if face is None else rows.filter(face=face)


def delete_enrolments(home: Home, item: Item, actor: str, face: int | None = None) -> None:
    """Delete enrolment photos taken from a picture, with their templates.

    Call inside a transaction. ``face`` is the index of one face; None deletes all of them.
    """
    for photo in enrolments_from(item, face).select_related("pupil"):
        number = photo.pupil.admission_number
        since = photo.first_imported_on
        detail: dict[str, object] = {"picture": item.pk}
        photo.delete()
        audit_log.record(
            home, "templates.destroyed", audit_log.pupil_subject(home, number), detail, actor
        )
        flag_for_reexamination(home, number, since, but=item)


def flag_for_reexamination(home: Home, number: str, since: date, but: Item | None = None) -> None:
    """Queue the pupil's pictures that were decided since a day for another examination.

    The photo by which the pupil was recognised may have been another child's. Call inside a
    transaction.

    Args:
        number: admission number.
        since: day from which decisions count.
        but: a picture that is left as it is.
    """
    shown = Item.objects.filter(shown__admission_number=number, decided_at__date__gte=since)
    items = shown.filter(state=ItemState.DECIDED)
    for pk in (items.exclude(pk=but.pk) if but else items).values_list("pk", flat=True):
        queued = {"state": ItemState.RECEIVED, "priority": Priority.LIVE}
        Item.objects.filter(pk=pk).update(**queued)
        jobs.enqueue_examination(home, pk, Priority.LIVE)
