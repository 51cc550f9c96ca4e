"""Make face templates of enrolment photos, only for pupils with biometric consent.

The file of any other pupil is not opened. A photo is refused, with the reason, when it shows no
usable face or several, when it is given for two pupils, when it looks like another enrolled pupil,
or when it does not look like the pupil's own confirmed photos. A photo under the wrong name would
clear the wrong child. Where two new photos of two pupils look alike, either may be wrong, so both
are refused. Where two unconfirmed photos of one pupil differ, both are in doubt. Siblings may look
alike; they are enrolled and recorded as lookalikes.

No new photo clears anybody until a person confirms it (``ingest.enrolment.confirmation``).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import EnrolmentPhoto, Item, PupilEntry, Template
from consent_gate.decisions.enrolments import flag_for_reexamination
from consent_gate.decisions.lookalikes import record_doubt, update_lookalikes
from consent_gate.decisions.redecide import redecide
from consent_gate.home.filesystem import printable_name
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, gallery_of
from consent_gate.messages import counted
from consent_gate.model import Reason
from consent_gate.register.portraits import PORTRAIT_MODEL, save_portrait
from consent_gate.register.repository import encrypt_vector
from consent_gate.register.snapshot_loader import load_snapshot
from consent_gate.register.templates import can_enrol, destroy_outdated_templates
from consent_gate.register.thresholds import thresholds_in_force
from ingest.enrolment.date_taken import plausible, taken_on
from ingest.enrolment.face_index import EnrolledFaceIndex
from ingest.enrolment.plan import ListedPhoto, NotEnrolled, PhotoToEnrol, plan_enrolment
from ingest.enrolment.sources import FolderOfPhotos, Photos, ZipOfPhotos
from ingest.faces.analyser import EnrolmentFace, NotEnrollable
from ingest.scheduling.reexamine import flag_unrecognised
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, TaskRunner, result_of
from ingest.workers.worker import enrol as enrol_in_worker
from publish.recall.withdraw import sync_folders
from publish.rendition import RenditionRefused

__all__ = ["EnrolmentReport", "FolderOfPhotos", "Photos", "Progress", "ZipOfPhotos", "enrol"]

REASON_MESSAGES = {
    NotEnrolled.NO_SUCH_PUPIL: (
        "No pupil matches the file's name. Rename the file to the admission number."
    ),
    NotEnrolled.LEFT: "The pupil has left, so the photo was not opened.",
    NotEnrolled.NO_BIOMETRIC_CONSENT: "There is no biometric consent, so the photo was not opened.",
    NotEnrolled.OBJECTION: (
        "The pupil or a parent objects to face matching, so the photo was not opened."
    ),
    NotEnrolled.SEVERAL_PUPILS: (
        "The file's name fits several pupils. Rename the file to the admission number."
    ),
    NotEnrolled.NOT_A_PHOTO: "This is not a photo.",
}
UNREADABLE = "The photo cannot be read. Copy it again."
NOT_LIKE_OWN_PHOTOS = (
    "The photo does not look like the pupil's other enrolment photo, which is confirmed. Check who"
    " it shows. If the older photo is the wrong one, remove it on the page Portraits and import the"
    " new one again."
)
SHARED_PHOTO = "The same photo is given for two pupils. Check whose photo it is."

Progress = Callable[[int, int], None]
"""Called with the number of photos done and the total."""


def no_progress(_done: int, _total: int) -> None:
    """Progress for a caller that shows none."""


@dataclass(frozen=True)
class PhotoBatch:
    """Enrolment photos that came with an export or alone."""

    sources: Sequence[Photos] = ()
    listed: Mapping[str, ListedPhoto] = field(default_factory=dict)
    """By ``photo_key``, the school's own list of which pupil each photo shows."""
    stated_date: date | None = None
    """Day on which a person says that they were taken; used for photos without a date."""


@dataclass(frozen=True)
class EnrolmentReport:
    """The result of enrolling photos."""

    enrolled: tuple[str, ...]
    """Admission numbers of pupils who got templates."""
    not_enrolled: tuple[tuple[str, str], ...]
    """Admission number, or file name where the pupil isn't known, and a message for staff."""
    undated: int
    """The number of enrolled photos without a known date, whose age counts from today."""
    lookalikes: tuple[tuple[str, str], ...]
    """Pairs of pupils whom the models confuse."""
    recalled: int = 0
    """The number of publications recalled, because pupils are now lookalikes."""
    in_doubt: tuple[str, ...] = ()
    """Admission numbers of pupils whose unconfirmed photos do not look like the same child."""


def enrol(  # noqa: PLR0913, PLR0917  the photos, what is known of them, and who gives them
    home: Home,
    photos: Photos,
    listed: dict[str, ListedPhoto],
    actor: str,
    progress: Progress,
    stated_date: date | None = None,
    open_pool: OpenTaskRunner = AnalysisPool,
) -> EnrolmentReport:
    """Make templates of every photo that may and can be enrolled. Safe to repeat.

    Args:
        home: The home whose pupils are enrolled.
        photos: The folder or ZIP of photos.
        listed: By ``photo_key``, the school's own list of which pupil each photo shows.
        actor: Who gave the photos, for the audit.
        progress: Called after each photo.
        stated_date: Day on which a person says that the photos were taken; used for photos without
            a date.
        open_pool: Starts the workers.

    Raises:
        WorkerPoolUnavailable: No worker can be started.
    """
    today = home.now().date()
    accepted, left_out_files = plan_enrolment(photos.names(), load_snapshot().pupils, listed, today)
    new, refused = _new_photos(photos, accepted, stated_date)
    session = EnrolmentSession(home, actor)
    try:
        if new:
            session.begin()
            with open_pool(home, gallery_of([])) as pool:
                for photo, face in _measure_faces(pool, photos, new, progress):
                    session.accept(photo, face)
    finally:  # also for photos enrolled before an interruption
        pairs, recalled = session.finish()
    left_out = [
        (left.pupil or printable_name(left.name), REASON_MESSAGES[left.reason])
        for left in left_out_files
    ]
    return EnrolmentReport(
        tuple(session.enrolled),
        (*left_out, *refused, *session.refused),
        sum(undated for undated in session.enrolled.values()),
        pairs,
        recalled,
        tuple(sorted(session.in_doubt)),
    )


def enrol_all(
    home: Home, photos: PhotoBatch, actor: str, progress: Progress = no_progress
) -> EnrolmentReport:
    """Enrol from every source in turn and combine the results. Raises as ``enrol`` does."""
    listed, stated_date = dict(photos.listed), photos.stated_date
    done = [enrol(home, source, listed, actor, progress, stated_date) for source in photos.sources]
    return EnrolmentReport(
        enrolled=tuple(dict.fromkeys(number for report in done for number in report.enrolled)),
        not_enrolled=tuple(entry for report in done for entry in report.not_enrolled),
        undated=sum(report.undated for report in done),
        lookalikes=done[-1].lookalikes if done else (),
        recalled=sum(report.recalled for report in done),
        in_doubt=tuple(dict.fromkeys(number for report in done for number in report.in_doubt)),
    )


def photos_report(enrolled: EnrolmentReport) -> dict[str, Any]:
    """The result as the JSON keys of the report of an import (``docs/contracts.md``)."""
    left_out = [{"pupil": pupil, "reason": reason} for pupil, reason in enrolled.not_enrolled]
    return {
        "enrolled": list(enrolled.enrolled),
        "not_enrolled": left_out,
        "recalled": enrolled.recalled,
        "warnings": _warnings(enrolled),
    }


def _warnings(enrolled: EnrolmentReport) -> list[dict[str, Any]]:
    messages = [
        f"The face models confuse pupils {first} and {second}. A picture of either is released"
        " without a check by staff only if both may be shown in that use."
        for first, second in enrolled.lookalikes
    ]
    messages += [
        f"The enrolment photos of pupil {number} do not look like the same child. Both wait on the"
        " page Portraits. Remove the wrong one there, then confirm the other."
        for number in enrolled.in_doubt
    ]
    if enrolled.enrolled:
        messages.append(
            f"{counted(len(enrolled.enrolled), 'portrait waits', 'portraits wait')} for"
            " confirmation. Somebody who knows the children must confirm each class on the page"
            " Portraits. Until then these portraits clear nobody."
        )
    if enrolled.undated:
        messages.append(
            f"{enrolled.undated} enrolment photos have no known date. Their age counts from the"
            " day of their first import."
        )
    return [{"row": 0, "column": "", "message": message} for message in messages]


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


def _new_photos(
    photos: Photos, accepted: Iterable[PhotoToEnrol], stated_date: date | None
) -> tuple[list[NewPhoto], list[tuple[str, str]]]:
    """The photos not yet enrolled, and those refused because unreadable or given for two pupils."""
    found: list[NewPhoto] = []
    refused: list[tuple[str, str]] = []
    for plan in accepted:
        try:
            data = photos.read(plan.name)
        except OSError:
            refused.append((plan.pupil, UNREADABLE))
            continue
        digest = hashlib.sha256(data).hexdigest()
        found.append(NewPhoto(plan, digest, taken_on(data), stated_date=stated_date))
    known = _enrolled_photos()
    owners: dict[str, set[str]] = defaultdict(set)
    for pupil, sha256 in [*known, *((p.plan.pupil, p.sha256) for p in found)]:
        owners[sha256].add(pupil)
    refused += [(p.plan.pupil, SHARED_PHOTO) for p in found if len(owners[p.sha256]) > 1]
    wanted = {
        (p.plan.pupil, p.sha256): p
        for p in found
        if len(owners[p.sha256]) == 1 and (p.plan.pupil, p.sha256) not in known
    }
    return list(wanted.values()), refused


def _enrolled_photos() -> set[tuple[str, str]]:
    """Admission number and SHA-256 of every photo with templates of the models now in use."""
    versions = thresholds_in_force().versions.values()
    rows = EnrolmentPhoto.objects.filter(templates__model_version__in=list(versions))
    return set(rows.values_list("pupil__admission_number", "sha256"))


def _measure_faces(
    pool: TaskRunner, photos: Photos, wanted: list[NewPhoto], progress: Progress
) -> Iterator[tuple[NewPhoto, EnrolmentFace | str]]:
    """Each photo with its one face or a message saying why there is none; few are in memory."""
    started = _submit_photos(pool, photos, wanted)
    running = list(islice(started, 3 * pool.size))
    for number in range(1, len(wanted) + 1):
        photo, future = running.pop(0)
        running += islice(started, 1)
        outcome = result_of(future) if future else RenditionRefused(Reason.NOT_EXAMINED, UNREADABLE)
        progress(number, len(wanted))
        if isinstance(outcome, RenditionRefused):
            yield photo, outcome.message
        else:
            yield photo, outcome.message if isinstance(outcome, NotEnrollable) else outcome


def _submit_photos(
    pool: TaskRunner, photos: Photos, wanted: list[NewPhoto]
) -> Iterator[tuple[NewPhoto, Future[EnrolmentFace | NotEnrollable | RenditionRefused] | None]]:
    for photo in wanted:
        try:
            data = photos.read(photo.plan.name)
        except OSError:
            data = b""
        is_unchanged = hashlib.sha256(data).hexdigest() == photo.sha256
        yield photo, pool.submit(enrol_in_worker, data) if is_unchanged else None


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
        row.save()
        for model in MODELS:
            template = Template(photo=row, model=model, model_version=face.versions[model])
            vector = np.asarray(face.vectors[model], dtype="<f4").tobytes()
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
