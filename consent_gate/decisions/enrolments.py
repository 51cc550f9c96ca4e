"""Enrolment photos that are a face of a picture: they live as long as what they rest on.

They rest on the picture and on what staff said of that face. When either goes, so does the photo
with its templates; and whoever was recognised since is looked at again, for the face may have been
another child's.
"""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, Priority
from consent_gate.home.home import Home


def made_from(item: Item, face: int | None = None) -> QuerySet[EnrolmentPhoto]:
    """Enrolment photos that are faces of this picture, or this face of it."""
    rows = EnrolmentPhoto.objects.filter(item=item)
    return rows if face is None else rows.filter(face=face)


def delete_enrolments(home: Home, item: Item, actor: str, face: int | None = None) -> None:
    """Destroy them with their templates. Call inside a transaction."""
    for photo in made_from(item, face).select_related("pupil"):
        number = photo.pupil.admission_number
        since = photo.first_imported_on
        detail: dict[str, object] = {"picture": item.pk}
        photo.delete()
        audit_log.record(
            home, "templates.destroyed", audit_log.pupil_subject(home, number), detail, actor
        )
        flag_for_reexamination(home, number, since, but=item)


def flag_for_reexamination(home: Home, number: str, since: date, but: Item | None = None) -> None:
    """Have every picture of a pupil examined again that was decided since a day: the photo the
    pupil was known by may have been another child's. Call inside a transaction."""
    shown = Item.objects.filter(shown__admission_number=number, decided_at__date__gte=since)
    items = shown.filter(state=ItemState.DECIDED)
    for pk in (items.exclude(pk=but.pk) if but else items).values_list("pk", flat=True):
        waits = {"state": ItemState.RECEIVED, "priority": Priority.LIVE}
        Item.objects.filter(pk=pk).update(**waits)
        jobs.enqueue_examination(home, pk, Priority.LIVE)
