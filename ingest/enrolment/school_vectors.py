"""Measure the stored portraits with the school's own face model, when it is set or changed.

No photo has to be given again. A portrait that the model cannot measure is named; until the pupil
has another portrait, or the photo is removed, the model decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import EnrolmentPhoto, Template
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.matching.gallery import SCHOOL, gallery_of
from consent_gate.register.portraits import portrait_of_photo
from consent_gate.register.repository import lawful_photos
from consent_gate.register.school_model import photos_to_measure
from consent_gate.register.template_vectors import encrypt_vector
from consent_gate.register.templates import destroy_outdated_templates
from ingest.faces.enrolment_face import NotEnrollable, SchoolVector
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, TaskRunner, result_of
from ingest.workers.face_tasks import measure_stored_portrait
from publish.renditions.rendition import RenditionRefused

SchoolVectorResult = SchoolVector | NotEnrollable | RenditionRefused


def measure_stored_portraits(
    home: Home,
    actor: str,
    progress: Callable[[int, int], None],
    open_pool: OpenTaskRunner = AnalysisPool,
) -> tuple[str, ...]:
    """Make the missing templates of the school's own model. Safe to repeat.

    Templates of an earlier model, or of the same model with another input form, are destroyed.

    Args:
        home: The school's home; nothing is done where no model is set.
        actor: Who asks for it, for the audit.
        progress: Called with the number of portraits done and the total.
        open_pool: Starts the workers.

    Returns:
        Admission numbers of pupils with a photo that the model could not measure, sorted.

    Raises:
        SchoolModelUnavailable: The file is missing or is another one.
        WorkerPoolUnavailable: No worker can be started, for example because of the model's answers.
    """
    model = home.settings.recognition.model
    photos = list(photos_to_measure(home).select_related("pupil"))
    if model is None or not photos:
        return ()
    with transaction.atomic():
        destroy_outdated_templates(home, actor)
    missing, done = set(), 0
    with open_pool(home, gallery_of([])) as pool:
        for start in range(0, len(photos), 4 * pool.size):  # few portraits are in memory
            some = photos[start : start + 4 * pool.size]
            for photo, outcome in zip(some, _measured(home, pool, some), strict=True):
                if isinstance(outcome, SchoolVector) and outcome.version == model.version:
                    _store(home, photo, outcome)
                else:
                    missing.add(photo.pupil.admission_number)
                done += 1
                progress(done, len(photos))
    with transaction.atomic():
        detail = {"model": model.version, "photos": done, "pupils_missing": len(missing)}
        audit_log.record(home, "school_model.measured", "gallery", detail, actor)
    return tuple(sorted(missing))


def _measured(
    home: Home, pool: TaskRunner, photos: Sequence[EnrolmentPhoto]
) -> list[SchoolVectorResult | None]:
    """What the model says of each photo's portrait; None where there is no portrait."""
    portraits = [_portrait(home, photo) for photo in photos]
    tasks = [pool.submit(measure_stored_portrait, jpeg) if jpeg else None for jpeg in portraits]
    outcomes: list[SchoolVectorResult | None] = []
    for task in tasks:
        if task is None:
            outcomes.append(None)
        else:
            outcome: SchoolVectorResult = result_of(task)
            outcomes.append(outcome)
    return outcomes


def _portrait(home: Home, photo: EnrolmentPhoto) -> bytes | None:
    try:
        return portrait_of_photo(home, photo)
    except DecryptionError:
        return None


def _store(home: Home, photo: EnrolmentPhoto, measured: SchoolVector) -> None:
    """Store a vector, unless the photo may not be compared any more or belongs to another pupil."""
    number = photo.pupil.admission_number
    with transaction.atomic():
        EnrolmentPhoto.objects.select_for_update().filter(pk=photo.pk).first()
        lawful = lawful_photos(home.now().date()).filter(pupil__admission_number=number)
        if not lawful.filter(pk=photo.pk, templates__isnull=False).exists():
            return
        Template.objects.filter(photo=photo, model=SCHOOL).delete()
        template = Template(photo=photo, model=SCHOOL, model_version=measured.version)
        vector = np.asarray(measured.vector, dtype="<f4").tobytes()
        encrypt_vector(home, number, template, vector)
        template.save()
