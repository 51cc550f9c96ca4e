"""Enrolment photos become templates, for pupils with biometric consent and nobody else.

The file of any other pupil is not opened. A photo is refused, with the reason, when it shows no
usable face or more than one, when it is given for two pupils, or when it looks like another
enrolled pupil: a photo saved under the wrong name would clear the wrong child. Brothers and
sisters may look alike; they are enrolled and listed as lookalikes instead.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
from django.db import transaction

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.models import EnrolmentPhoto, Lookalike, PupilEntry, Template
from consent_gate.db.register_store import load_gallery, seal_vector
from consent_gate.db.threshold_store import thresholds_in_force
from consent_gate.gallery import MODELS, Probes, lookalikes, match
from consent_gate.model import Ambiguous, Match
from ingest.faces.analyser import EnrolmentFace
from ingest.pool import AnalysisPool, enrolment_of
from publish.rendition import Refused
from sims_import import store
from sims_import.photos import ListedPhoto, NotEnrolled, PhotoToEnrol, plan_enrolment
from sims_import.templates import may_enrol

MAX_BYTES = 50 << 20
"""A portrait larger than this is not a portrait."""

SENTENCES = {
    NotEnrolled.NO_SUCH_PUPIL: "No pupil goes by this file's name.",
    NotEnrolled.LEFT: "The pupil has left; the photo was not opened.",
    NotEnrolled.NO_BIOMETRIC_CONSENT: "No biometric consent; the photo was not opened.",
    NotEnrolled.OBJECTION: "Somebody objected to face matching; the photo was not opened.",
    NotEnrolled.SEVERAL_PUPILS: "The name fits several pupils.",
    NotEnrolled.NOT_A_PHOTO: "This is not a photo.",
}

Progress = Callable[[int, int], None]


class Photos(Protocol):
    """A folder or a ZIP of enrolment photos."""

    def names(self) -> list[str]:
        """All files in it."""
        ...

    def read(self, name: str) -> bytes:
        """One file. Raises OSError."""
        ...


@dataclass(frozen=True)
class FolderOfPhotos:
    """Enrolment photos in a folder."""

    root: Path

    def names(self) -> list[str]:
        return [p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file()]

    def read(self, name: str) -> bytes:
        path = self.root / name
        if path.stat().st_size > MAX_BYTES:
            raise OSError("too large")
        return path.read_bytes()


@dataclass(frozen=True)
class ZipOfPhotos:
    """Enrolment photos in a ZIP."""

    path: Path

    def names(self) -> list[str]:
        with zipfile.ZipFile(self.path) as archive:
            return [info.filename for info in archive.infolist() if not info.is_dir()]

    def read(self, name: str) -> bytes:
        with zipfile.ZipFile(self.path) as archive:
            if archive.getinfo(name).file_size > MAX_BYTES:
                raise OSError("too large")
            try:
                return archive.read(name)
            except (zipfile.BadZipFile, RuntimeError) as error:
                raise OSError("damaged") from error


@dataclass(frozen=True)
class Enrolled:
    """What became of the photos."""

    enrolled: tuple[str, ...]
    """Admission numbers of pupils who got templates."""
    not_enrolled: tuple[tuple[str, str], ...]
    """Pupil, or file name where the pupil isn't known, and the reason in words."""
    undated: int
    """Photos taken without a known date: their age counts from today."""
    lookalikes: tuple[tuple[str, str], ...]
    """Pairs of enrolled pupils whom the models confuse."""


@dataclass(frozen=True, eq=False)
class _Photo:
    plan: PhotoToEnrol
    data: bytes
    sha256: str


def enrol(
    home: Home, photos: Photos, listed: dict[str, ListedPhoto], by: str, progress: Progress
) -> Enrolled:
    """Make templates of every photo that may and can become one. Safe to repeat."""
    today = home.now().date()
    take, leave = plan_enrolment(photos.names(), store.load_snapshot().pupils, listed, today)
    refused = [(left.pupil or left.name, SENTENCES[left.reason]) for left in leave]
    new, unusable = _read_new(photos, take)
    refused += unusable
    enrolled: list[str] = []
    undated = 0
    if new:
        with AnalysisPool(home, load_gallery(home)) as pool:
            for photo, face in _faces(pool, new, progress):
                why_not = _accept(home, photo, face, by)
                if why_not is None:
                    enrolled.append(photo.plan.pupil)
                    undated += photo.plan.taken_on is None
                else:
                    refused.append((photo.plan.pupil, why_not))
    pairs = _note_lookalikes(home)
    return Enrolled(tuple(dict.fromkeys(enrolled)), tuple(refused), undated, pairs)


def _read_new(
    photos: Photos, take: Iterable[PhotoToEnrol]
) -> tuple[list[_Photo], list[tuple[str, str]]]:
    """The photos that are not enrolled yet; none that two pupils would share."""
    known = set(
        EnrolmentPhoto.objects.filter(templates__isnull=False).values_list(
            "pupil__admission_number", "sha256"
        )
    )
    found: list[_Photo] = []
    refused: list[tuple[str, str]] = []
    for plan in take:
        try:
            data = photos.read(plan.name)
        except OSError:
            refused.append((plan.pupil, "The photo cannot be read."))
            continue
        found.append(_Photo(plan, data, hashlib.sha256(data).hexdigest()))
    owners: dict[str, set[str]] = defaultdict(set)
    for pupil, sha256 in [*known, *((p.plan.pupil, p.sha256) for p in found)]:
        owners[sha256].add(pupil)
    shared = [photo for photo in found if len(owners[photo.sha256]) > 1]
    refused += [(p.plan.pupil, "The same photo is given for two pupils.") for p in shared]
    wanted = [photo for photo in found if len(owners[photo.sha256]) == 1]
    return [p for p in wanted if (p.plan.pupil, p.sha256) not in known], refused


def _faces(
    pool: AnalysisPool, photos: list[_Photo], progress: Progress
) -> Iterator[tuple[_Photo, EnrolmentFace | str]]:
    """Each photo with its one face, or the sentence that says why not."""
    running = [(photo, pool.start_enrolling(photo.data)) for photo in photos]
    for number, (photo, future) in enumerate(running, 1):
        outcome = enrolment_of(future)
        progress(number, len(running))
        if isinstance(outcome, EnrolmentFace):
            yield photo, outcome
        else:
            yield photo, outcome.detail if isinstance(outcome, Refused) else outcome.sentence


def _accept(home: Home, photo: _Photo, face: EnrolmentFace | str, by: str) -> str | None:
    """Store the templates; or say why not. Consent is asked for again under the lock."""
    if isinstance(face, str):
        return face
    with transaction.atomic():
        entry = may_enrol(home.now().date()).get(photo.plan.pupil)
        if entry is None:
            return SENTENCES[NotEnrolled.NO_BIOMETRIC_CONSENT]
        other = _looks_like_another(home, entry, face)
        if other:
            return f"The photo looks like pupil {other}. Check whose photo it is."
        _store(home, entry, photo, face)
        subject = trail.pupil_subject(home, entry.admission_number)
        trail.record(home, "templates.made", subject, {"models": dict(face.versions)}, by)
    return None


def _looks_like_another(home: Home, entry: PupilEntry, face: EnrolmentFace) -> str | None:
    """An enrolled pupil, no brother or sister, for whom the gate would take this face."""
    gallery = load_gallery(home)
    probes = Probes({m: face.vectors[m][np.newaxis] for m in MODELS}, face.versions)
    identity = match(gallery, probes, thresholds_in_force())[0]
    found = {identity.pupil} if isinstance(identity, Match) else set()
    found |= set(identity.pupils) if isinstance(identity, Ambiguous) else set()
    others = PupilEntry.objects.filter(admission_number__in=found).exclude(pk=entry.pk)
    if entry.family_group:
        others = others.exclude(family_group=entry.family_group)
    first = others.first()
    return first.admission_number if first else None


def _store(home: Home, entry: PupilEntry, photo: _Photo, face: EnrolmentFace) -> None:
    row, _ = EnrolmentPhoto.objects.get_or_create(
        pupil=entry,
        sha256=photo.sha256,
        defaults={"first_imported_on": home.now().date(), "taken_on": _past(home, photo)},
    )
    for model in MODELS:
        template = Template(photo=row, model=model, model_version=face.versions[model])
        vector = np.asarray(face.vectors[model], dtype="<f4").tobytes()
        seal_vector(home, entry.admission_number, template, vector)
        template.save()


def _past(home: Home, photo: _Photo) -> date | None:
    """The date the photo was taken; one in the future is no date."""
    taken = photo.plan.taken_on
    return taken if taken and taken <= home.now().date() else None


def _note_lookalikes(home: Home) -> tuple[tuple[str, str], ...]:
    """Work out anew which enrolled pupils the models confuse."""
    with transaction.atomic():
        pairs = tuple(lookalikes(load_gallery(home), thresholds_in_force()))
        entries = {entry.admission_number: entry for entry in PupilEntry.objects.all()}
        Lookalike.objects.all().delete()
        Lookalike.objects.bulk_create(
            Lookalike(first=entries[first], second=entries[second]) for first, second in pairs
        )
    return pairs
