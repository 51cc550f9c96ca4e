"""Store and read portraits of enrolled pupils, which staff compare with a face in a picture.

The row of a portrait refers to the row of a template. Everything that deletes the template (consent
withdrawn, an objection, a leaver, erasure, another model) also deletes the portrait in the same
step. A portrait is encrypted like a template and cannot be decrypted for another pupil.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db.models import QuerySet

from consent_gate.db.models import EnrolmentPhoto, Portrait, PupilEntry, Template
from consent_gate.errors import AwaitingExport
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt
from consent_gate.matching.gallery import SFACE
from consent_gate.register.repository import (
    lawful_photos,
    photos_in_force,
    refuse_unconfirmed_templates,
)

PORTRAIT_MODEL = SFACE
"""A photo has a template for each model; its one portrait refers to the template of this one."""


def save_portrait(home: Home, admission_number: str, template: Template, jpeg: bytes) -> None:
    """Encrypt and store a portrait. Call inside the transaction that stores the template."""
    place = portrait_place(admission_number, template)
    Portrait.objects.create(template=template, ciphertext=encrypt(home.keys.templates, jpeg, place))


def portrait_of(home: Home, admission_number: str) -> bytes | None:
    """Return the newest portrait in force of a pupil as JPEG; None if none may be shown today.

    Raises:
        DecryptionError: The stored portrait was altered, or belongs to another pupil or home.
    """
    try:
        refuse_unconfirmed_templates()
    except AwaitingExport:
        return None
    photos = photos_in_force(home.now().date()).filter(pupil__admission_number=admission_number)
    portraits = Portrait.objects.filter(template__photo__in=photos.order_by().values("pk"))
    row = portraits.select_related("template").order_by("-template__photo__pk").first()
    return _decrypt(home, admission_number, row) if row else None


def portrait_of_photo(home: Home, photo: EnrolmentPhoto) -> bytes | None:
    """Return the portrait of one enrolment photo as JPEG; None if it may not be shown today.

    Raises:
        DecryptionError: The stored portrait was altered, or belongs to another pupil or home.
    """
    try:
        refuse_unconfirmed_templates()
    except AwaitingExport:
        return None
    portraits = _lawful(home.now().date()).filter(template__photo=photo)
    row = portraits.select_related("template").first()
    return _decrypt(home, photo.pupil.admission_number, row) if row else None


def pupils_with_portrait(home: Home, pupils: Collection[PupilEntry]) -> set[int]:
    """Return the primary keys of the given pupils who have a portrait that may be shown today."""
    try:
        refuse_unconfirmed_templates()
    except AwaitingExport:
        return set()
    rows = _lawful(home.now().date()).filter(template__photo__pupil__in=pupils)
    return set(rows.values_list("template__photo__pupil", flat=True))


def renumber_portraits(home: Home, entry: PupilEntry, new_number: str) -> None:
    """Encrypt a pupil's portraits for a new admission number. Call before the entry changes.

    Raises:
        DecryptionError: A stored portrait was altered.
    """
    for row in Portrait.objects.filter(template__photo__pupil=entry).select_related("template"):
        jpeg = _decrypt(home, entry.admission_number, row)
        row.ciphertext = encrypt(
            home.keys.templates, jpeg, portrait_place(new_number, row.template)
        )
        row.save(update_fields=["ciphertext"])


def _lawful(today: date) -> QuerySet[Portrait]:
    return Portrait.objects.filter(template__photo__in=lawful_photos(today).order_by().values("pk"))


def _decrypt(home: Home, admission_number: str, row: Portrait) -> bytes:
    place = portrait_place(admission_number, row.template)
    return decrypt(home.keys.templates, bytes(row.ciphertext), place)


def portrait_place(admission_number: str, template: Template) -> str:
    """Return the associated data of a portrait, which ties it to this pupil and this model."""
    return f"portrait:{admission_number}:{template.model}:{template.model_version}"
