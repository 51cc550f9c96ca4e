"""Choose the enrolment photos that are new, and measure the face in each."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from datetime import date
from itertools import islice

from consent_gate.db.models import EnrolmentPhoto
from consent_gate.home.home import Home
from consent_gate.model import Reason
from consent_gate.register.templates import versions_in_use
from ingest.enrolment.date_taken import taken_on
from ingest.enrolment.plan import PhotoToEnrol
from ingest.enrolment.session import NewPhoto
from ingest.enrolment.sources import Photos
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollable
from ingest.workers.analysis_pool import TaskRunner, result_of
from ingest.workers.face_tasks import enrol as enrol_in_worker
from publish.renditions.rendition import RenditionRefused

UNREADABLE = "The photo cannot be read. Copy it again."


SHARED_PHOTO = "The same photo is given for two pupils. Check whose photo it is."


Progress = Callable[[int, int], None]
"""Called with the number of photos done and the total."""


def new_photos(
    home: Home, photos: Photos, accepted: Iterable[PhotoToEnrol], stated_date: date | None
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
    known = _enrolled_photos(home)
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


def _enrolled_photos(home: Home) -> set[tuple[str, str]]:
    """Admission number and SHA-256 of every photo with templates of all models now in use."""
    rows = EnrolmentPhoto.objects.all()
    for version in versions_in_use(home):
        rows = rows.filter(templates__model_version=version)
    return set(rows.values_list("pupil__admission_number", "sha256"))


def measure_faces(
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
