"""Enrolment photos that are a face of a picture: they live as long as what they rest on.

They rest on the picture and on what staff said of that face. When either goes, so does the photo
with its templates; and whoever was recognised since is looked at again, for the face may have been
another child's.
"""

from __future__ import annotations

from django.db.models import QuerySet

from consent_gate import jobs
from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, Priority


def made_from(item: Item, face: int | None = None) -> QuerySet[EnrolmentPhoto]:
    """Enrolment photos that are faces of this picture, or this face of it."""
    rows = EnrolmentPhoto.objects.filter(item=item)
    return rows if face is None else rows.filter(face=face)


def forget_enrolments(home: Home, item: Item, by: str, face: int | None = None) -> None:
    """Destroy them with their templates. Call inside a transaction."""
    for photo in made_from(item, face).select_related("pupil"):
        number = photo.pupil.admission_number
        since = photo.first_imported_on
        detail: dict[str, object] = {"picture": item.pk}
        photo.delete()
        trail.record(home, "templates.destroyed", trail.pupil_subject(home, number), detail, by)
        shown = Item.objects.filter(shown__admission_number=number, decided_at__date__gte=since)
        for pk in shown.filter(state=ItemState.DECIDED).exclude(pk=item.pk).values_list("pk"):
            _look_again(home, *pk)


def _look_again(home: Home, item_id: str) -> None:
    waits = {"state": ItemState.RECEIVED, "priority": Priority.LIVE}
    Item.objects.filter(pk=item_id).update(**waits)
    jobs.examination_due(home, item_id, Priority.LIVE)
