"""Find the faces of a picture, measure them and match them to the gallery.

Vectors of faces that are not being enrolled never leave ``FaceAnalyser``. The biometric
data of a stranger are neither stored nor returned.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import DLIB, SCHOOL, SFACE, Gallery, Probes, sface_scores
from consent_gate.matching.identify import match, match_by_sface
from consent_gate.matching.nearest import nearest_pupils
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Box, FaceEvidence, FaceKind, Identity, NotMatched, Reason
from ingest.faces.align import aligned_crop
from ingest.faces.choose_face import around, at_place, certain
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.enrolment_face import (
    EnrolmentFace,
    NotEnrollable,
    NotEnrollableReason,
    SchoolVector,
    not_enrollable,
)
from ingest.faces.landmark_refinement import LandmarkRefiner
from ingest.faces.measured_face import MeasuredFace
from ingest.faces.portrait_subject import only_face, subject_of
from ingest.faces.protocols import RGB, Embedder, FaceFinder, FoundFace
from ingest.faces.quality import NO_MIRROR_AGREEMENT, measure, quality_failure, turn
from ingest.faces.school_recognition import NOT_MEASURED, SchoolRecognition
from ingest.faces.thumbnail import face_thumbnail

SAME_FACE_IOU = 0.5
"""Intersection over union above which a face found again is the chosen face. The same pixels give
the same boxes, and the boxes of two people overlap less."""

DRAWN_FACE_IOU = 0.3
"""As ``SAME_FACE_IOU``, for a face that is looked for in a part of the picture, or that a person
drew by hand."""


@dataclass(frozen=True)
class NearestPupils:
    """The pupils whom one face resembles most. No vector of the face is in it."""

    pupils: tuple[str, ...]
    """Admission numbers, the nearest first."""


class FaceAnalyser:
    """Examines the faces of pictures with the loaded models; each worker process has one."""

    def __init__(  # noqa: PLR0913, PLR0917  the models of a worker
        self,
        finder: FaceFinder,
        sface: SFaceEmbedder,
        dlib: Embedder,
        thresholds: Thresholds,
        portraits: FaceFinder | None = None,
        school: SchoolRecognition | None = None,
    ) -> None:
        """Keep the models.

        Args:
            finder: Finds the faces of pictures.
            sface: Embeds every face.
            dlib: Embeds the faces that SFace alone leaves open.
            thresholds: Distances and quality thresholds in force.
            portraits: A faster finder that is used first for enrolment photos.
            school: The school's own model, which then decides in place of SFace and dlib.
        """
        self._finder = finder
        self._portraits = portraits or finder
        self._sface = sface
        self._dlib = dlib
        self._thresholds = thresholds
        self._landmark_refiner = LandmarkRefiner()
        self._school = school
        self._versions = {SFACE: sface.version, DLIB: dlib.version}
        if school:
            self._versions[SCHOOL] = school.embedder.version

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
        if self._school:
            refined = [(rgb, self._with_refined_landmarks(rgb, face)) for rgb, face in samples]
            own = self._school.average(refined)
            (decided,) = self._school.identify(average, own, self._versions, gallery)
            return decided
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

        Bystanders are ignored if they are much smaller and farther from the middle.
        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB, upright.
        """
        faces = certain(self._portraits.find(rgb)) or certain(self._finder.find(rgb))
        if not faces:
            return not_enrollable(NotEnrollableReason.NO_FACE)
        subject = subject_of(rgb, faces)
        if subject is None:
            return not_enrollable(NotEnrollableReason.TWO_FACES)
        return self._make_enrolment_face(rgb, subject)

    def enrol_alone(self, rgb: RGB) -> EnrolmentFace | NotEnrollable:
        """As ``enrol``, of a picture in which no second face may be found, however small."""
        faces = certain(self._finder.find(rgb))
        subject = only_face(faces) if faces else None
        if subject is None:
            reason = NotEnrollableReason.TWO_FACES if faces else NotEnrollableReason.NO_FACE
            return not_enrollable(reason)
        return self._make_enrolment_face(rgb, subject)

    def enrol_selected(self, rgb: RGB, box: Box) -> EnrolmentFace | NotEnrollable:
        """The vectors of one of several people in a picture, or why there are none.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.
            box: The face in pixels, as it was found when the picture was examined.
        """
        face = at_place(self._finder.find(rgb), box, SAME_FACE_IOU)
        if face is None:
            return not_enrollable(NotEnrollableReason.NO_FACE)
        return self._make_enrolment_face(rgb, face)

    def nearest_pupils(
        self, rgb: RGB, box: Box, gallery: Gallery, count: int, allowed: Collection[str]
    ) -> NearestPupils | NotEnrollable:
        """The pupils whom one face resembles most, or why it cannot be compared.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.
            box: The face in pixels, as it was found or drawn.
            gallery: The templates in force.
            count: How many pupils at most.
            allowed: Admission numbers of the pupils who may be compared for this face.
        """
        view = around(rgb, box)
        part = rgb[view.y : view.y + view.height, view.x : view.x + view.width]
        inside = Box(box.x - view.x, box.y - view.y, box.width, box.height)
        face = at_place(self._portraits.find(part), inside, DRAWN_FACE_IOU)
        if face is None:
            return not_enrollable(NotEnrollableReason.NO_FACE)
        measured = self._make_enrolment_face(part, face)
        if isinstance(measured, NotEnrollable):
            return measured
        vectors = {model: vector[np.newaxis] for model, vector in measured.vectors.items()}
        probe = Probes(vectors, measured.versions)
        return NearestPupils(nearest_pupils(gallery, probe, self._thresholds, count, allowed))

    def school_vector(self, portrait: RGB) -> SchoolVector | NotEnrollable:
        """The vector of a stored portrait by the school's own model, or why there is none.

        ``portrait`` is a decoded ``thumbnail.face_thumbnail``.
        """
        if self._school is None:
            return not_enrollable(NotEnrollableReason.NO_FACE)
        return self._school.vector_of_portrait(portrait)

    def _make_enrolment_face(self, rgb: RGB, subject: FoundFace) -> EnrolmentFace | NotEnrollable:
        subject = self._with_refined_landmarks(rgb, subject)
        measured = self._measure(rgb, subject)
        second = self._dlib.embed(rgb, [subject])[0]
        if measured.refusal or measured.quality is None or not np.isfinite(second).all():
            detail = measured.refusal.detail if measured.refusal else ""
            return not_enrollable(NotEnrollableReason.POOR_PICTURE, detail)
        vectors = {SFACE: measured.vector, DLIB: second}
        if self._school:
            if (own := self._school.vector_of(rgb, subject)) is None:
                return not_enrollable(NotEnrollableReason.POOR_PICTURE, NOT_MEASURED)
            vectors[SCHOOL] = own
        portrait = face_thumbnail(rgb, subject.landmarks)
        turned = turn(subject.landmarks)
        return EnrolmentFace(vectors, self._versions, measured.quality, portrait, turned)

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
        if self._school:
            own = self._school.embedder.embed(rgb, faces)
            return self._school.identify(rows, own, self._versions, gallery)
        first = match_by_sface(gallery, Probes({SFACE: rows}, self._versions), self._thresholds)
        undecided = [index for index, identity in enumerate(first) if identity is None]
        dlib = self._dlib.embed(rgb, [faces[index] for index in undecided])
        probes = Probes({SFACE: rows[undecided], DLIB: dlib}, self._versions)
        second = iter(match(gallery, probes, self._thresholds))
        return [identity if identity is not None else next(second) for identity in first]
