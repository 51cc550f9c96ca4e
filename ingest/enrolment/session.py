"""Store the templates of measured photos, unless a photo may be under the wrong pupil's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import EnrolmentPhoto, Item, PupilEntry, Template
from consent_gate.decisions.enrolments import flag_for_reexamination
from consent_gate.decisions.lookalikes import record_doubt, update_lookalikes
from consent_gate.decisions.redecide import redecide
from consent_gate.home.home import Home
from consent_gate.register.portraits import PORTRAIT_MODEL, save_portrait
from consent_gate.register.template_vectors import encrypt_vector
from consent_gate.register.templates import can_enrol, destroy_outdated_templates
from ingest.enrolment.date_taken import plausible
from ingest.enrolment.enrolment_report import REASON_MESSAGES
from ingest.enrolment.face_index import EnrolledFaceIndex
from ingest.enrolment.plan import NotEnrolled, PhotoToEnrol
from ingest.faces.enrolment_face import EnrolmentFace
from ingest.scheduling.reexamine import flag_unrecognised
from publish.recall.withdraw import sync_folders

NOT_LIKE_OWN_PHOTOS = (
    "The photo does not look like the pupil's other enrolment photo, which is confirmed. Check who"
    " it shows. If the older photo is the wrong one, remove it on the page Portraits and import the"
    " new one again."
)


@dataclass(frozen=True)
class PictureOrigin:
    """The face of a picture that staff chose as an enrolment photo."""

    item: Item
    face: int
    """Index of the face in the item's evidence."""
    actor: str


@dataclass(frozen=True)
class NewPhoto:
    """A photo that may be enrolled."""

    plan: PhotoToEnrol
    sha256: str
    taken_on: date | None
    """Day in the file's EXIF block."""
    origin: PictureOrigin | None = None
    """None for a portrait file."""
    stated_date: date | None = None
    """Day on which a person says that all photos of the batch were taken."""
    taken_by: str = ""
    """Account name of the person who took it with the webcam; empty for all other photos."""


@dataclass
class EnrolmentSession:
    """One run of enrolments and its results so far. Call ``begin``, ``accept`` and ``finish``."""

    home: Home
    actor: str
    enrolled: dict[str, int] = field(default_factory=dict)
    """By admission number, the number of the pupil's new photos without a known date."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Admission numbers and messages for staff."""
    revoked: set[str] = field(default_factory=set)
    """Pupils enrolled in this run whose templates were removed, as a later photo looks like
    them."""
    lookalikes: set[str] = field(default_factory=set)
    """Pupils whose photo was refused, and the enrolled pupils whom it looks like."""
    in_doubt: set[str] = field(default_factory=set)
    """Pupils whose unconfirmed photos do not look like the same child."""

    def begin(self) -> None:
        """Delete templates of other models, and load all enrolled faces.

        Raises:
            DecryptionError: A template cannot be decrypted.
            ModelUnavailable: The thresholds are for other models than those installed.
        """
        with transaction.atomic():
            destroy_outdated_templates(self.home, self.actor)
        self.faces = EnrolledFaceIndex(self.home)

    def accept(self, photo: NewPhoto, face: EnrolmentFace | str) -> None:
        """Store the templates of a photo, or record why not.

        ``face`` is a message for staff where the photo has no usable face. Consent is checked again
        inside the transaction.
        """
        number = photo.plan.pupil
        if isinstance(face, str):
            self.refused.append((number, face))
            return
        with transaction.atomic():
            entry = can_enrol(self.home.now().date(), number).get(number)
            if entry is None:
                self.refused.append((number, REASON_MESSAGES[NotEnrolled.NO_BIOMETRIC_CONSENT]))
                return
            other = self._looks_like(entry, face)
            if other:
                self._refuse_lookalike(entry, other)
                return
            differs = self._differs_from_own(entry, face)
            if differs and _has_confirmed_photo(number):
                self.refused.append((number, NOT_LIKE_OWN_PHOTOS))
                return
            undated = self._store(entry, photo, face)
            if differs:
                self.in_doubt.add(number)
                EnrolmentPhoto.objects.filter(pupil=entry, confirmed_at=None).update(in_doubt=True)
            subject = audit_log.pupil_subject(self.home, number)
            detail: dict[str, object] = {"models": dict(face.versions)}
            if photo.origin:
                detail |= {"picture": photo.origin.item.pk, "face": photo.origin.face}
            audit_log.record(self.home, "templates.made", subject, detail, self.actor)
        self.faces.add(number, face)
        self.enrolled[number] = self.enrolled.get(number, 0) + undated

    def finish(self) -> tuple[tuple[tuple[str, str], ...], int]:
        """Update lookalikes, re-decide pictures and remove recalled files.

        Returns the pairs of lookalikes and the number of publications recalled.
        """
        changed = {*self.enrolled, *self.revoked, *self.lookalikes}
        with transaction.atomic():
            pairs, changed_pairs = update_lookalikes(self.home)
            recalled = redecide(self.home, changed | changed_pairs, self.actor)
            if self.enrolled:
                flag_unrecognised()
        if changed or changed_pairs:
            sync_folders(self.home)
        return pairs, recalled

    def _looks_like(self, entry: PupilEntry, face: EnrolmentFace) -> str | None:
        """Admission number of another pupil, not a sibling, to whom the gate would match this
        face."""
        found = self.faces.match(face) - {entry.admission_number}
        others = PupilEntry.objects.filter(admission_number__in=found).order_by("admission_number")
        if entry.family_group:
            others = others.exclude(family_group=entry.family_group)
        first = others.first()
        return first.admission_number if first else None

    def _differs_from_own(self, entry: PupilEntry, face: EnrolmentFace) -> bool:
        """Whether the face looks too little like the pupil's templates.

        This is so where it looks more like those of another pupil who is no sibling. False for a
        pupil without templates.
        """
        scores = self.faces.scores(face)
        own_score = scores.get(entry.admission_number)
        if own_score is None:
            return False
        family = {entry.admission_number}
        if entry.family_group:
            siblings = PupilEntry.objects.filter(family_group=entry.family_group)
            family.update(siblings.values_list("admission_number", flat=True))
        others = (score for number, score in scores.items() if number not in family)
        return not self.faces.is_like(own_score) or own_score < max(others, default=-1.0)

    def _refuse_lookalike(self, entry: PupilEntry, other: str) -> None:
        """Refuse the photo, and remove the other pupil's templates if they are from this run."""
        number = entry.admission_number
        self.refused.append((number, _lookalike_message(other)))
        if other not in self.enrolled or _has_confirmed_photo(other):
            record_doubt(other, entry)  # now, as the program may be killed before ``finish``
            self.lookalikes |= {number, other}
            return
        del self.enrolled[other]
        self.revoked.add(other)
        self.refused.append((other, _lookalike_message(number)))
        self.faces.remove(other)
        EnrolmentPhoto.objects.filter(pupil__admission_number=other).delete()
        flag_for_reexamination(self.home, other, self.home.now().date())
        subject = audit_log.pupil_subject(self.home, other)
        audit_log.record(self.home, "templates.destroyed", subject, {}, self.actor)

    def _store(self, entry: PupilEntry, photo: NewPhoto, face: EnrolmentFace) -> bool:
        """Write photo and templates. Returns whether the photo's date is unknown."""
        today = self.home.now().date()
        days = (photo.taken_on, photo.plan.taken_on)
        known = [day for d in days if (day := plausible(d, entry.date_of_birth, today))]
        # The earlier day is the safe one: an older photo clears less.
        row, _ = EnrolmentPhoto.objects.get_or_create(
            pupil=entry, sha256=photo.sha256, defaults={"first_imported_on": today}
        )
        row.taken_on = min(known, default=plausible(photo.stated_date, entry.date_of_birth, today))
        if photo.origin:
            row.item, row.face = photo.origin.item, photo.origin.face
            row.added_by = photo.origin.actor
        elif photo.taken_by:
            row.added_by = photo.taken_by
        row.save()
        row.templates.all().delete()  # a photo that is given again once another model is set
        for model, measured in face.vectors.items():
            template = Template(photo=row, model=model, model_version=face.versions[model])
            vector = np.asarray(measured, dtype="<f4").tobytes()
            encrypt_vector(self.home, entry.admission_number, template, vector)
            template.save()
            if model == PORTRAIT_MODEL:
                save_portrait(self.home, entry.admission_number, template, face.portrait)
        return row.taken_on is None


def _has_confirmed_photo(number: str) -> bool:
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=number, templates__isnull=False)
    return photos.exclude(confirmed_at=None).exists()


def _lookalike_message(other: str) -> str:
    return f"The photo looks like pupil {other}. Check which pupil each of the two photos shows."
