"""Enrol a pupil by three pictures that the office takes with the webcam of a browser.

The pupil looks straight at the camera, and then a little to each side. The pictures are stored
together or not at all. They are refused unless all of this holds:

- the pupil has consent to face matching at this moment, and nobody objected;
- each picture shows exactly one face, and a good one;
- the head is turned between the pictures, so that they are not one still photo;
- the three faces are those of one person;
- no other pupil of the school is nearer to any of them, and they look like the pupil's portraits.

A picture is opened only where the first holds. What is stored is what a portrait file gives, and it
clears nobody until a person confirms it on the page Portraits (rule 7g of ``consent_gate.policy``).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from django.db import transaction

from consent_gate.db.models import EnrolmentPhoto, PupilEntry
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, fused_scores, gallery_of
from consent_gate.model import MINIMUM_ROLL
from consent_gate.register.templates import can_enrol
from consent_gate.register.thresholds import thresholds_in_force
from ingest.enrolment.date_taken import taken_on
from ingest.enrolment.from_picture import NOT_ALLOWED
from ingest.enrolment.plan import PhotoToEnrol
from ingest.enrolment.session import EnrolmentSession, NewPhoto
from ingest.enrolment.webcam_poses import (
    Pose,
    different_people,
    pose_problems,
    quality_problem,
    refusal_message,
)
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollable
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, result_of
from ingest.workers.face_tasks import enrol_pose

MOST_BYTES = 320 << 10
"""Largest picture in bytes. The page sends at most 960 pixels a side; three are below the largest
request (``web.staff_connections``)."""

MOST_PORTRAITS = 12
"""Photos of one pupil with templates: portraits of three years, and three poses of each."""

INCOMPLETE = "Three pictures are needed."
TOO_LARGE = "The picture is too large. Take it again."
SAME_PICTURE = "This is the same picture as another one. Take it again."
KNOWN = "This picture was saved before. Take it again."
ENOUGH = (
    f"The pupil has {MOST_PORTRAITS} portraits. Remove an old one on the page Portraits before you"
    " take more."
)
NOT_LIKE_PORTRAITS = (
    "This face does not look like the pupil's other portraits. Check who is in front of the camera,"
    " and the pupil's portraits on the page Portraits."
)
BUSY = "The gate is measuring the pictures of another pupil. Wait a moment and save again."

_measuring = threading.BoundedSemaphore(1)


class WebcamRefused(GateError):
    """The pictures are not stored."""

    next_step = ""

    def __init__(self, message: str, problems: Mapping[Pose, str] | None = None) -> None:
        """Keep the message for all pictures, and the messages for single ones."""
        super().__init__(message)
        self.message = message
        self.problems = dict(problems or {})


def enrol_poses(
    home: Home,
    number: str,
    pictures: Mapping[Pose, bytes],
    actor: str,
    open_pool: OpenTaskRunner = AnalysisPool,
) -> None:
    """Store the templates of three webcam pictures of one pupil.

    Args:
        home: The school's home.
        number: Admission number of the pupil.
        pictures: A JPEG for each pose.
        actor: Who took them, for the audit.
        open_pool: Starts the worker, or lends the gate's own.

    Raises:
        WebcamRefused: They are not stored; the messages say why.
        DecryptionError: A template cannot be decrypted.
        ModelUnavailable: The thresholds are for other models than those installed.
    """
    _check_consent(home, number)
    photos = _new_photos(home, number, pictures, actor)
    if not _measuring.acquire(blocking=False):
        raise WebcamRefused(BUSY)
    try:
        faces = _measure(home, pictures, open_pool)
        session = EnrolmentSession(home, actor)
        session.begin()
        _check_poses(faces)
        _check_whose(session, number, faces, photos)
        with transaction.atomic():
            for pose in Pose:
                session.accept(photos[pose], faces[pose])
            if session.refused:
                raise WebcamRefused(session.refused[0][1])
        session.finish()
    finally:
        _measuring.release()


def refusal_reason(home: Home, number: str) -> str:
    """Why no picture of the pupil may be taken now; empty where it may."""
    if not can_enrol(home.now().date(), number):
        return NOT_ALLOWED
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=number, templates__isnull=False)
    return ENOUGH if photos.distinct().count() > MOST_PORTRAITS - len(Pose) else ""


def _check_consent(home: Home, number: str) -> None:
    if reason := refusal_reason(home, number):
        raise WebcamRefused(reason)


def _new_photos(
    home: Home, number: str, pictures: Mapping[Pose, bytes], actor: str
) -> dict[Pose, NewPhoto]:
    """The three photos, if they are three different new files. Opens none."""
    if set(pictures) != set(Pose) or not all(pictures.values()):
        raise WebcamRefused(INCOMPLETE)
    digests = {pose: hashlib.sha256(pictures[pose]).hexdigest() for pose in Pose}
    known = set(
        EnrolmentPhoto.objects.filter(sha256__in=digests.values()).values_list("sha256", flat=True)
    )
    problems: dict[Pose, str] = {}
    seen: set[str] = set()
    for pose, digest in digests.items():
        if len(pictures[pose]) > MOST_BYTES:
            problems[pose] = TOO_LARGE
        elif digest in known:
            problems[pose] = KNOWN
        elif digest in seen:
            problems[pose] = SAME_PICTURE
        seen.add(digest)
    _refuse(problems)
    today = home.now().date()
    return {
        pose: NewPhoto(
            PhotoToEnrol(pose, number, today), digest, taken_on(pictures[pose]), taken_by=actor
        )
        for pose, digest in digests.items()
    }


def _measure(
    home: Home, pictures: Mapping[Pose, bytes], open_pool: OpenTaskRunner
) -> dict[Pose, EnrolmentFace]:
    """Measure the one face of each picture in a worker."""
    analysis = home.settings.analysis.model_copy(update={"workers": 1})
    single = replace(home, settings=home.settings.model_copy(update={"analysis": analysis}))
    with open_pool(single, gallery_of([])) as pool:
        tasks = {pose: pool.submit(enrol_pose, pictures[pose]) for pose in Pose}
        outcomes = {pose: result_of(task) for pose, task in tasks.items()}
    faces, problems = {}, {}
    for pose, outcome in outcomes.items():
        if isinstance(outcome, EnrolmentFace):
            faces[pose] = outcome
        elif isinstance(outcome, NotEnrollable):
            problems[pose] = refusal_message(outcome)
        else:
            problems[pose] = outcome.message
    _refuse(problems)
    return faces


def _check_poses(faces: Mapping[Pose, EnrolmentFace]) -> None:
    """Each face must be good, each pose as asked, and all three must show one person.

    Pictures of one minute must be as alike as a match on the smallest roll.
    """
    _refuse({pose: problem for pose in Pose if (problem := quality_problem(faces[pose]))})
    thresholds = thresholds_in_force()

    def score(first: EnrolmentFace, second: EnrolmentFace) -> float:
        one, other = (
            {model: face.vectors[model][np.newaxis] for model in MODELS} for face in (first, second)
        )
        return float(fused_scores(one, other, thresholds)[0, 0])

    _refuse(different_people(faces, score, thresholds.accept_fused(MINIMUM_ROLL)))
    _refuse(pose_problems(faces))


def _check_whose(
    session: EnrolmentSession,
    number: str,
    faces: Mapping[Pose, EnrolmentFace],
    photos: Mapping[Pose, NewPhoto],
) -> None:
    """The faces must be nearest to the pupil, also among brothers and sisters.

    A pupil without portraits must not be matched to anybody. For a pupil with portraits every pose
    must look like one of them.
    """
    for pose, face in faces.items():
        scores = session.faces.scores(face)
        own = scores.pop(number, None)
        matched = session.faces.match(face) - {number}
        if own is None and matched:
            _refuse_other(session, matched, photos[pose], face)
        if own is None:
            continue
        if not session.faces.is_like(own):
            raise WebcamRefused(NOT_LIKE_PORTRAITS)
        nearest = max(scores, key=scores.__getitem__, default=None)
        if nearest is not None and scores[nearest] >= own:
            raise WebcamRefused(_looks_like(nearest))


def _refuse_other(
    session: EnrolmentSession, matched: set[str], photo: NewPhoto, face: EnrolmentFace
) -> None:
    """Refuse a face that the gate takes for another pupil.

    Where that pupil is no sibling, the session records the doubt: if the right pupil sits there,
    pictures of the one would be cleared as the other. Raises WebcamRefused.
    """
    other = min(matched)
    family = PupilEntry.objects.get(admission_number=photo.plan.pupil).family_group
    siblings = PupilEntry.objects.filter(admission_number__in=matched, family_group=family)
    if not family or siblings.count() < len(matched):
        session.accept(photo, face)
        session.finish()
    raise WebcamRefused(_looks_like(other))


def _looks_like(other: str) -> str:
    return (
        f"This face looks like pupil {other}. Check who is in front of the camera. If it is the"
        " right pupil, check the portraits of both pupils on the page Portraits."
    )


def _refuse(problems: Mapping[Pose, str]) -> None:
    """Raise WebcamRefused if there is a problem with a picture."""
    if problems:
        raise WebcamRefused("", problems)
