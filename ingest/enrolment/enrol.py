"""Enrolment photos become templates, for pupils with biometric consent and nobody else.

The file of any other pupil is not opened. A photo is refused, with the reason, when it shows no
usable face or more than one, when it is given for two pupils, or when it looks like another
enrolled pupil: a photo saved under the wrong name would clear the wrong child. Of two new photos
that look alike nobody can say which is wrong, so neither is taken. Brothers and sisters may look
alike; they are enrolled and listed as lookalikes instead.
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
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, gallery_of
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

SENTENCES = {
    NotEnrolled.NO_SUCH_PUPIL: "No pupil goes by this file's name.",
    NotEnrolled.LEFT: "The pupil has left; the photo was not opened.",
    NotEnrolled.NO_BIOMETRIC_CONSENT: "No biometric consent; the photo was not opened.",
    NotEnrolled.OBJECTION: "Somebody objected to face matching; the photo was not opened.",
    NotEnrolled.SEVERAL_PUPILS: "The name fits several pupils.",
    NotEnrolled.NOT_A_PHOTO: "This is not a photo.",
}
UNREADABLE = "The photo cannot be read."
SHARED = "The same photo is given for two pupils."

Progress = Callable[[int, int], None]
"""Called with how many photos are done, and of how many."""


def no_progress(_done: int, _total: int) -> None:
    """For a caller that shows none."""


@dataclass(frozen=True)
class PhotoBatch:
    """Enrolment photos that came with an export, or by themselves."""

    sources: Sequence[Photos] = ()
    listed: Mapping[str, ListedPhoto] = field(default_factory=dict)
    """The school's own list of whose each photo is, by ``photo_key``."""
    said_on: date | None = None
    """When a person says they were taken; counts for photos that do not tell themselves."""


@dataclass(frozen=True)
class EnrolmentReport:
    """What became of the photos."""

    enrolled: tuple[str, ...]
    """Admission numbers of pupils who got templates."""
    not_enrolled: tuple[tuple[str, str], ...]
    """Pupil, or file name where the pupil isn't known, and the reason in words."""
    undated: int
    """Photos taken without a known date: their age counts from today."""
    lookalikes: tuple[tuple[str, str], ...]
    """Pairs of pupils whom the models confuse."""
    recalled: int = 0
    """Pictures taken back, because somebody now looks like somebody else."""


def enrol(  # noqa: PLR0913, PLR0917  where photos come from, and who brings them
    home: Home,
    photos: Photos,
    listed: dict[str, ListedPhoto],
    actor: str,
    progress: Progress,
    said_on: date | None = None,
    open_pool: OpenTaskRunner = AnalysisPool,
) -> EnrolmentReport:
    """Make templates of every photo that may and can become one. Safe to repeat.

    ``said_on``: when a person says all these photos were taken; counts where nothing else tells.
    """
    today = home.now().date()
    take, leave = plan_enrolment(photos.names(), load_snapshot().pupils, listed, today)
    new, refused = _new(photos, take, said_on)
    session = EnrolmentSession(home, actor)
    try:
        if new:
            session.begin()
            with open_pool(home, gallery_of([])) as pool:
                for photo, face in _faces(pool, photos, new, progress):
                    session.accept(photo, face)
    finally:  # also for those enrolled before somebody stopped it
        pairs, recalled = session.finish()
    left_out = [(left.pupil or left.name, SENTENCES[left.reason]) for left in leave]
    return EnrolmentReport(
        tuple(session.enrolled),
        (*left_out, *refused, *session.refused),
        sum(undated for undated in session.enrolled.values()),
        pairs,
        recalled,
    )


def enrol_all(
    home: Home, photos: PhotoBatch, actor: str, progress: Progress = no_progress
) -> EnrolmentReport:
    """Enrol from every source in turn; one result."""
    listed, said_on = dict(photos.listed), photos.said_on
    done = [enrol(home, source, listed, actor, progress, said_on) for source in photos.sources]
    return EnrolmentReport(
        enrolled=tuple(dict.fromkeys(n for one in done for n in one.enrolled)),
        not_enrolled=tuple(left for one in done for left in one.not_enrolled),
        undated=sum(one.undated for one in done),
        lookalikes=done[-1].lookalikes if done else (),
        recalled=sum(one.recalled for one in done),
    )


def photos_report(enrolled: EnrolmentReport) -> dict[str, Any]:
    """What became of the photos, in the contract's form for the report of an import."""
    left_out = [{"pupil": pupil, "reason": reason} for pupil, reason in enrolled.not_enrolled]
    return {
        "enrolled": list(enrolled.enrolled),
        "not_enrolled": left_out,
        "recalled": enrolled.recalled,
        "warnings": _warnings(enrolled),
    }


def _warnings(enrolled: EnrolmentReport) -> list[dict[str, Any]]:
    messages = [
        f"Pupils {first} and {second} look alike to the models: neither is cleared by the machine"
        " unless both are cleared for that use."
        for first, second in enrolled.lookalikes
    ]
    if enrolled.undated:
        messages.append(
            f"{enrolled.undated} enrolment photos have no known date: their age counts from the"
            " day they were first imported."
        )
    return [{"row": 0, "column": "", "message": message} for message in messages]


@dataclass(frozen=True)
class PictureOrigin:
    """A face of a picture that a person wants as an enrolment photo."""

    item: Item
    face: int
    actor: str


@dataclass(frozen=True)
class NewPhoto:
    """A photo that may become a template."""

    plan: PhotoToEnrol
    sha256: str
    taken_on: date | None
    """As the file itself tells."""
    origin: PictureOrigin | None = None
    """None for a portrait."""
    said_on: date | None = None
    """As a person said of all photos that came together."""


def _new(
    photos: Photos, take: Iterable[PhotoToEnrol], said_on: date | None
) -> tuple[list[NewPhoto], list[tuple[str, str]]]:
    """The photos that are not enrolled yet; none that two pupils would share."""
    found: list[NewPhoto] = []
    refused: list[tuple[str, str]] = []
    for plan in take:
        try:
            data = photos.read(plan.name)
        except OSError:
            refused.append((plan.pupil, UNREADABLE))
            continue
        digest = hashlib.sha256(data).hexdigest()
        found.append(NewPhoto(plan, digest, taken_on(data), said_on=said_on))
    known = _known()
    owners: dict[str, set[str]] = defaultdict(set)
    for pupil, sha256 in [*known, *((p.plan.pupil, p.sha256) for p in found)]:
        owners[sha256].add(pupil)
    refused += [(p.plan.pupil, SHARED) for p in found if len(owners[p.sha256]) > 1]
    wanted = {
        (p.plan.pupil, p.sha256): p
        for p in found
        if len(owners[p.sha256]) == 1 and (p.plan.pupil, p.sha256) not in known
    }
    return list(wanted.values()), refused


def _known() -> set[tuple[str, str]]:
    """Pupil and digest of every photo that has templates of today's models."""
    versions = thresholds_in_force().versions.values()
    rows = EnrolmentPhoto.objects.filter(templates__model_version__in=list(versions))
    return set(rows.values_list("pupil__admission_number", "sha256"))


def _faces(
    pool: TaskRunner, photos: Photos, wanted: list[NewPhoto], progress: Progress
) -> Iterator[tuple[NewPhoto, EnrolmentFace | str]]:
    """Each photo with its one face, or the sentence that says why not; few in memory at once."""
    started = _started(pool, photos, wanted)
    running = list(islice(started, 3 * pool.size))
    for number in range(1, len(wanted) + 1):
        photo, future = running.pop(0)
        running += islice(started, 1)
        outcome = result_of(future) if future else RenditionRefused(Reason.NOT_EXAMINED, UNREADABLE)
        progress(number, len(wanted))
        if isinstance(outcome, RenditionRefused):
            yield photo, outcome.message
        else:
            yield photo, outcome.sentence if isinstance(outcome, NotEnrollable) else outcome


def _started(
    pool: TaskRunner, photos: Photos, wanted: list[NewPhoto]
) -> Iterator[tuple[NewPhoto, Future[EnrolmentFace | NotEnrollable | RenditionRefused] | None]]:
    for photo in wanted:
        try:
            data = photos.read(photo.plan.name)
        except OSError:
            data = b""
        same = hashlib.sha256(data).hexdigest() == photo.sha256
        yield photo, pool.submit(enrol_in_worker, data) if same else None


@dataclass
class EnrolmentSession:
    """One run of enrolments: what is known so far, and what came of it."""

    home: Home
    actor: str
    enrolled: dict[str, int] = field(default_factory=dict)
    """By admission number: how many of the pupil's new photos have no known date."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    taken_back: set[str] = field(default_factory=set)
    """Enrolled in this run and found to look like somebody else in it."""
    lookalikes: set[str] = field(default_factory=set)
    """Pupils whose photo was refused, and the enrolled pupils it looks like."""

    def begin(self) -> None:
        with transaction.atomic():
            destroy_outdated_templates(self.home, self.actor)
        self.faces = EnrolledFaceIndex(self.home)

    def accept(self, photo: NewPhoto, face: EnrolmentFace | str) -> None:
        """Store the templates, or note why not. Consent is asked for again under the lock."""
        number = photo.plan.pupil
        if isinstance(face, str):
            self.refused.append((number, face))
            return
        with transaction.atomic():
            entry = can_enrol(self.home.now().date(), number).get(number)
            if entry is None:
                self.refused.append((number, SENTENCES[NotEnrolled.NO_BIOMETRIC_CONSENT]))
                return
            other = self._looks_like(entry, face)
            if other:
                self._doubt(entry, other)
                return
            undated = self._store(entry, photo, face)
            subject = audit_log.pupil_subject(self.home, number)
            detail: dict[str, object] = {"models": dict(face.versions)}
            if photo.origin:
                detail |= {"picture": photo.origin.item.pk, "face": photo.origin.face}
            audit_log.record(self.home, "templates.made", subject, detail, self.actor)
        self.faces.add(number, face)
        self.enrolled[number] = self.enrolled.get(number, 0) + undated

    def finish(self) -> tuple[tuple[tuple[str, str], ...], int]:
        """Who looks like whom now, and how many pictures had to come back."""
        changed = {*self.enrolled, *self.taken_back, *self.lookalikes}
        with transaction.atomic():
            pairs, moved = update_lookalikes(self.home)
            recalled = redecide(self.home, changed | moved, self.actor)
            if self.enrolled:
                flag_unrecognised()
        if changed or moved:
            sync_folders(self.home)
        return pairs, recalled

    def _looks_like(self, entry: PupilEntry, face: EnrolmentFace) -> str | None:
        """Another pupil, no brother or sister, for whom the gate would take this face."""
        found = self.faces.match(face) - {entry.admission_number}
        others = PupilEntry.objects.filter(admission_number__in=found).order_by("admission_number")
        if entry.family_group:
            others = others.exclude(family_group=entry.family_group)
        first = others.first()
        return first.admission_number if first else None

    def _doubt(self, entry: PupilEntry, other: str) -> None:
        """Refuse the photo; and the other one too, if it is no older."""
        number = entry.admission_number
        self.refused.append((number, _looks_like_sentence(other)))
        if other not in self.enrolled:
            record_doubt(other, entry)  # at once: the program may be killed before the end
            self.lookalikes |= {number, other}
            return
        del self.enrolled[other]
        self.taken_back.add(other)
        self.refused.append((other, _looks_like_sentence(number)))
        self.faces.remove(other)
        EnrolmentPhoto.objects.filter(pupil__admission_number=other).delete()
        flag_for_reexamination(self.home, other, self.home.now().date())
        subject = audit_log.pupil_subject(self.home, other)
        audit_log.record(self.home, "templates.destroyed", subject, {}, self.actor)

    def _store(self, entry: PupilEntry, photo: NewPhoto, face: EnrolmentFace) -> bool:
        """Write the rows. Returns whether the photo's date is unknown."""
        today = self.home.now().date()
        days = (photo.taken_on, photo.plan.taken_on)
        known = [day for d in days if (day := plausible(d, entry.date_of_birth, today))]
        # The earlier of the file's and the school's: an old photo held costs a look.
        row, _ = EnrolmentPhoto.objects.get_or_create(
            pupil=entry, sha256=photo.sha256, defaults={"first_imported_on": today}
        )
        row.taken_on = min(known, default=plausible(photo.said_on, entry.date_of_birth, today))
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


def _looks_like_sentence(other: str) -> str:
    return f"The photo looks like pupil {other}. Check whose photo each of the two is."
