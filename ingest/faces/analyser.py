"""Find the faces of a picture, measure them and match them to the gallery.

Vectors of faces that are not being enrolled never leave ``FaceAnalyser``. The biometric
data of a stranger are neither stored nor returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import (
    DLIB,
    SFACE,
    Gallery,
    Probes,
    sface_scores,
)
from consent_gate.matching.identify import match, match_by_sface
from consent_gate.matching.nearest import nearest_pupils
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import (
    Box,
    FaceEvidence,
    FaceKind,
    Identity,
    NotMatched,
    Quality,
    Reason,
)
from ingest.faces.align import aligned_crop
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.landmark_refinement import LandmarkRefiner
from ingest.faces.protocols import RGB, Embedder, FaceFinder, FoundFace
from ingest.faces.quality import NO_MIRROR_AGREEMENT, measure, quality_failure
from ingest.faces.thumbnail import face_thumbnail

BYSTANDER_AREA = 0.5
"""A second face in a portrait is a bystander if its box has less than this share of the first box's
area. With a larger second face the portrait is refused, as either person could be meant. Of the
made-up school's 181 portraits that may be enrolled, 7 show bystanders; the largest has 0.49 of the
area and is cut by the picture's edge."""

SAME_FACE_IOU = 0.5
"""Intersection over union above which a face found again is the chosen face. The same pixels give
the same boxes, and the boxes of two people overlap less."""


DRAWN_FACE_IOU = 0.3
"""As ``SAME_FACE_IOU``, for a face that is looked for in a part of the picture, or that a person
drew by hand."""


class NotEnrollableReason(StrEnum):
    """Why no template can be made of a portrait."""

    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    POOR_PICTURE = "poor_picture"


@dataclass(frozen=True)
class NotEnrollable:
    """A portrait of which no template can be made."""

    reason: NotEnrollableReason
    message: str
    """For staff."""


@dataclass(frozen=True, eq=False)
class EnrolmentFace:
    """The face of a portrait, of which a ``gallery.Template`` is made."""

    vectors: Mapping[str, NDArray[np.float32]]
    """By model name, one unit vector each, shape (dimensions,)."""
    versions: Mapping[str, str]
    """Model version by model name."""
    quality: Quality
    portrait: bytes
    """JPEG of the head, square, ``thumbnail.SIDE`` pixels a side."""


@dataclass(frozen=True)
class NearestPupils:
    """The pupils whom one face resembles most. No vector of the face is in it."""

    pupils: tuple[str, ...]
    """Admission numbers, the nearest first."""


class FaceAnalyser:
    """Examines the faces of pictures with the loaded models; each worker process has one."""

    def __init__(
        self,
        finder: FaceFinder,
        sface: SFaceEmbedder,
        dlib: Embedder,
        thresholds: Thresholds,
        portraits: FaceFinder | None = None,
    ) -> None:
        """Keep the models.

        Args:
            finder: Finds the faces of pictures.
            sface: Embeds every face.
            dlib: Embeds the faces that SFace alone leaves open.
            thresholds: Distances and quality thresholds in force.
            portraits: A faster finder that is used first for enrolment photos.
        """
        self._finder = finder
        self._portraits = portraits or finder
        self._sface = sface
        self._dlib = dlib
        self._thresholds = thresholds
        self._landmark_refiner = LandmarkRefiner()
        self._versions = {SFACE: sface.version, DLIB: dlib.version}

    def analyse(self, rgb: RGB, gallery: Gallery) -> tuple[FaceEvidence, ...]:
        """Every face of a picture, with its quality and identity.

        dlib takes 100 ms a face and is used only where SFace alone does not decide.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.
            gallery: The templates of enrolled pupils.
        """
        found = [self._with_refined_landmarks(rgb, face) for face in self._finder.find(rgb)]
        measurements = [self._measure(rgb, face) for face in found]
        judged = [index for index, measured in enumerate(measurements) if measured.refusal is None]
        identities = self._identify(
            rgb,
            [found[index] for index in judged],
            [measurements[index].vector for index in judged],
            gallery,
        )
        by_face = dict(zip(judged, identities, strict=True))
        return tuple(
            FaceEvidence(
                face.box,
                face.score,
                face.kind,
                measured.refusal or by_face[index],
                measured.quality,
            )
            for index, (face, measured) in enumerate(zip(found, measurements, strict=True))
        )

    def measure_in_film(self, rgb: RGB, face: FoundFace) -> MeasuredFace:
        """Measure one face of one frame. ``rgb`` shows at least the face and its surroundings.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.
            face: The face in pixels of ``rgb``.
        """
        return self._measure(rgb, self._with_refined_landmarks(rgb, face))

    def identify_track(
        self,
        sface: NDArray[np.float32],
        samples: Sequence[tuple[RGB, FoundFace]],
        gallery: Gallery,
    ) -> Identity:
        """Compare the average of one track's vectors once.

        Args:
            sface: SFace vectors of frames of the track, shape (frames, 128), unit rows.
            samples: Frames, and the track's face in each, for dlib where SFace does not decide.
            gallery: The templates of enrolled pupils.
        """
        average = sface.mean(axis=0, keepdims=True)
        probes = Probes({SFACE: average}, self._versions)
        (first,) = match_by_sface(gallery, probes, self._thresholds)
        if first is not None:
            return first
        faces = [(rgb, self._with_refined_landmarks(rgb, face)) for rgb, face in samples]
        dlib = np.concatenate([self._dlib.embed(rgb, [face]) for rgb, face in faces])
        both = {SFACE: average, DLIB: dlib.mean(axis=0, keepdims=True)}
        (second,) = match(gallery, Probes(both, self._versions), self._thresholds)
        return second

    def likeness(
        self, first: NDArray[np.float32], second: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """SFace scores between two sets of vectors, each with one row a face."""
        return sface_scores(first, second, self._thresholds)

    def enrol(self, rgb: RGB) -> EnrolmentFace | NotEnrollable:
        """The vectors of the one person of an enrolment portrait, or why there are none.

        Bystanders are ignored if they are much smaller and farther from the middle (``_subject``).
        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB, upright.
        """
        faces = _certain(self._portraits.find(rgb)) or _certain(self._finder.find(rgb))
        if not faces:
            return _not_enrollable(NotEnrollableReason.NO_FACE)
        subject = _subject(rgb, faces)
        if subject is None:
            return _not_enrollable(NotEnrollableReason.TWO_FACES)
        return self._make_enrolment_face(rgb, subject)

    def enrol_selected(self, rgb: RGB, box: Box) -> EnrolmentFace | NotEnrollable:
        """The vectors of one of several people in a picture, or why there are none.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.
            box: The face in pixels, as it was found when the picture was examined.
        """
        matching = [
            face
            for face in _certain(self._finder.find(rgb))
            if _overlap(face.box, box) > SAME_FACE_IOU
        ]
        if not matching:
            return _not_enrollable(NotEnrollableReason.NO_FACE)
        return self._make_enrolment_face(
            rgb, max(matching, key=lambda face: _overlap(face.box, box))
        )

    def nearest_pupils(
        self, rgb: RGB, box: Box, gallery: Gallery, count: int
    ) -> NearestPupils | NotEnrollable:
        """The pupils whom one face resembles most, or why it cannot be compared.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.
            box: The face in pixels, as it was found or drawn.
            gallery: The templates that may be compared.
            count: How many pupils at most.
        """
        around = _around(rgb, box)
        part = rgb[around.y : around.y + around.height, around.x : around.x + around.width]
        inside = Box(box.x - around.x, box.y - around.y, box.width, box.height)
        faces = [
            face
            for face in _certain(self._portraits.find(part))
            if _overlap(face.box, inside) > DRAWN_FACE_IOU
        ]
        if not faces:
            return _not_enrollable(NotEnrollableReason.NO_FACE)
        face = max(faces, key=lambda face: _overlap(face.box, inside))
        measured = self._make_enrolment_face(part, face)
        if isinstance(measured, NotEnrollable):
            return measured
        vectors = {model: vector[np.newaxis] for model, vector in measured.vectors.items()}
        probe = Probes(vectors, measured.versions)
        return NearestPupils(nearest_pupils(gallery, probe, self._thresholds, count))

    def _make_enrolment_face(self, rgb: RGB, subject: FoundFace) -> EnrolmentFace | NotEnrollable:
        subject = self._with_refined_landmarks(rgb, subject)
        measured = self._measure(rgb, subject)
        second = self._dlib.embed(rgb, [subject])[0]
        if measured.refusal or measured.quality is None or not np.isfinite(second).all():
            detail = measured.refusal.detail if measured.refusal else ""
            return _not_enrollable(NotEnrollableReason.POOR_PICTURE, detail)
        vectors = {SFACE: measured.vector, DLIB: second}
        portrait = face_thumbnail(rgb, subject.landmarks)
        return EnrolmentFace(vectors, self._versions, measured.quality, portrait)

    def _with_refined_landmarks(self, rgb: RGB, face: FoundFace) -> FoundFace:
        """The face with refined landmarks; a possible face keeps its own, as it is held anyway."""
        return self._landmark_refiner.refine(rgb, face) if face.kind is FaceKind.FACE else face

    def _measure(self, rgb: RGB, face: FoundFace) -> MeasuredFace:
        """Measure a face, and embed it with SFace unless its quality is already too low."""
        if face.kind is FaceKind.POSSIBLE:
            return MeasuredFace(NotMatched(Reason.POSSIBLE_FACE))
        floors = self._thresholds.floors
        crop = aligned_crop(rgb, face.landmarks)
        quality = measure(face, crop, NO_MIRROR_AGREEMENT)
        if failure := quality_failure(quality, floors, embedded=False):
            return MeasuredFace(NotMatched(Reason.LOW_QUALITY_FACE, failure), quality)
        embedding = self._sface.embed_crop(crop)
        if not np.isfinite(embedding.vector).all():
            return MeasuredFace(NotMatched(Reason.NOT_EXAMINED, "the face could not be measured"))
        quality = measure(face, crop, embedding.mirror_agreement)
        failure = quality_failure(quality, floors)
        refusal = NotMatched(Reason.LOW_QUALITY_FACE, failure) if failure else None
        return MeasuredFace(refusal, quality, embedding.vector)

    def _identify(
        self,
        rgb: RGB,
        faces: Sequence[FoundFace],
        sface: Sequence[NDArray[np.float32]],
        gallery: Gallery,
    ) -> list[Identity]:
        """The identities of the faces; dlib is asked only where SFace alone does not decide."""
        if not faces:
            return []
        rows = np.stack(sface)
        first = match_by_sface(gallery, Probes({SFACE: rows}, self._versions), self._thresholds)
        undecided = [index for index, identity in enumerate(first) if identity is None]
        dlib = self._dlib.embed(rgb, [faces[index] for index in undecided])
        probes = Probes({SFACE: rows[undecided], DLIB: dlib}, self._versions)
        second = iter(match(gallery, probes, self._thresholds))
        return [identity if identity is not None else next(second) for identity in first]


@dataclass(frozen=True, eq=False)
class MeasuredFace:
    """The measurement of one face: a refusal, or its quality and SFace vector."""

    refusal: NotMatched | None
    quality: Quality | None = None
    vector: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))


_MESSAGES = {
    NotEnrollableReason.NO_FACE: "No face was found in the portrait. Use another portrait.",
    NotEnrollableReason.TWO_FACES: (
        "The portrait shows more than one person. Use a portrait of the pupil alone."
    ),
    NotEnrollableReason.POOR_PICTURE: "The quality of the portrait is too low",
}


def _not_enrollable(reason: NotEnrollableReason, detail: str = "") -> NotEnrollable:
    message = _MESSAGES[reason]
    if reason is NotEnrollableReason.POOR_PICTURE:
        message += f": {detail}." if detail else "."
    return NotEnrollable(reason, message)


def _subject(rgb: RGB, faces: Sequence[FoundFace]) -> FoundFace | None:
    """The face of the person whom the portrait shows; None when two people could be meant.

    It is the most central of the large faces, if every other face is a bystander and farther from
    the middle. A box whose centre lies inside the subject's box is the same face found twice.
    """
    largest = max(_area(face) for face in faces)
    large = [face for face in faces if _area(face) >= BYSTANDER_AREA * largest]
    subject = min(large, key=lambda face: _distance_from_centre(rgb, face))
    others = [face for face in faces if face is not subject and not _inside(face, subject)]
    if any(_area(face) >= BYSTANDER_AREA * _area(subject) for face in others):
        return None
    if any(
        _distance_from_centre(rgb, face) <= _distance_from_centre(rgb, subject) for face in others
    ):
        return None
    return subject


def _area(face: FoundFace) -> int:
    return face.box.width * face.box.height


def _centre(face: FoundFace) -> tuple[float, float]:
    return face.box.x + face.box.width / 2, face.box.y + face.box.height / 2


def _inside(face: FoundFace, subject: FoundFace) -> bool:
    x, y = _centre(face)
    box = subject.box
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


def _around(rgb: RGB, box: Box) -> Box:
    """The part of a picture with a face in its middle: the box and as much again on each side."""
    height, width = rgb.shape[:2]
    left, top = max(0, box.x - box.width), max(0, box.y - box.height)
    right = min(width, box.x + 2 * box.width)
    bottom = min(height, box.y + 2 * box.height)
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(across, 0) * max(down, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def _distance_from_centre(rgb: RGB, face: FoundFace) -> float:
    """Pixels between the middle of the box and the middle of the picture."""
    height, width = rgb.shape[:2]
    x, y = _centre(face)
    return float(np.hypot(x - width / 2, y - height / 2))


def _certain(found: Sequence[FoundFace]) -> list[FoundFace]:
    """The faces on which the detectors agree."""
    return [face for face in found if face.kind is FaceKind.FACE]
