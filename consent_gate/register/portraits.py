"""Portraits of enrolled pupils: kept with a template, gone with it, shown to compare a face with.

Each is a row that hangs on its template's row, so that whatever destroys the template (consent
withdrawn, an objection, a leaver, erasure, another model) destroys the portrait in the same step.
It is encrypted like the template and opens for no other pupil.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db.models import QuerySet

from consent_gate.db.models import Portrait, PupilEntry, Template
from consent_gate.errors import AwaitingExport
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt
from consent_gate.matching.gallery import SFACE
from consent_gate.register.repository import lawful_photos, refuse_unconfirmed_templates

OF_MODEL = SFACE
"""A photo has a template for each model; its one portrait hangs on this one."""


def save_portrait(home: Home, admission_number: str, template: Template, jpeg: bytes) -> None:
    """Store a portrait beside its template. Call inside the transaction that stores that."""
    place = portrait_place(admission_number, template)
    Portrait.objects.create(template=template, ciphertext=encrypt(home.keys.templates, jpeg, place))


def portrait_of(home: Home, admission_number: str) -> bytes | None:
    """The newest portrait of a pupil, as JPEG; None where there is none, or none to show today.

    Raises Undecryptable.
    """
    try:
        refuse_unconfirmed_templates()
    except AwaitingExport:
        return None
    mine = _lawful(home.now().date()).filter(
        template__photo__pupil__admission_number=admission_number
    )
    row = mine.select_related("template").order_by("-template__photo__pk").first()
    return _open(home, admission_number, row) if row else None


def with_a_portrait(home: Home, pupils: Collection[PupilEntry]) -> set[int]:
    """Keys of those of these pupils who have a portrait to show today."""
    try:
        refuse_unconfirmed_templates()
    except AwaitingExport:
        return set()
    rows = _lawful(home.now().date()).filter(template__photo__pupil__in=pupils)
    return set(rows.values_list("template__photo__pupil", flat=True))


def renumber_portraits(home: Home, entry: PupilEntry, new_number: str) -> None:
    """Tie a pupil's portraits to the new admission number. Call before the entry changes."""
    for row in Portrait.objects.filter(template__photo__pupil=entry).select_related("template"):
        jpeg = _open(home, entry.admission_number, row)
        row.ciphertext = encrypt(
            home.keys.templates, jpeg, portrait_place(new_number, row.template)
        )
        row.save(update_fields=["ciphertext"])


def _lawful(today: date) -> QuerySet[Portrait]:
    return Portrait.objects.filter(template__photo__in=lawful_photos(today).order_by().values("pk"))


def _open(home: Home, admission_number: str, row: Portrait) -> bytes:
    place = portrait_place(admission_number, row.template)
    return decrypt(home.keys.templates, bytes(row.ciphertext), place)


def portrait_place(admission_number: str, template: Template) -> str:
    """Where a portrait belongs: sealed for this pupil and this model alone."""
    return f"portrait:{admission_number}:{template.model}:{template.model_version}"
