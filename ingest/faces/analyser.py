"""From pixels to who is in the picture: find, measure, compare.

Vectors of faces that aren't being enrolled never leave ``FaceAnalyser.analyse``: a stranger's
biometric data are neither stored nor returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import DLIB, SFACE, Gallery, Probes, match, match_by_sface
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
from ingest.faces.quality import UNSEEN_AGREEMENT, measure, quality_failure
from ingest.faces.thumbnail import face_thumbnail

BYSTANDER_AREA = 0.5
"""A second face in an enrolment portrait is a bystander when its box has less than this share of
the first one's area; anything larger is a picture of two people, and whose template would it be?
Of the made-up school's 181 portraits that may be enrolled, 7 show bystanders; the
largest has 0.49 of the area, cut by the picture's edge."""


SAME = 0.5
"""Intersection over union from which a face found again is the one meant: the same pixels give the
same boxes, and two people's boxes overlap less."""


class WhyNotEnrollable(StrEnum):
    """Why a portrait can't become a template."""

    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    POOR_PICTURE = "poor_picture"


@dataclass(frozen=True)
class NotEnrollable:
    """A portrait that can't become a template."""

    reason: WhyNotEnrollable
    sentence: str
    """For staff."""


@dataclass(frozen=True, eq=False)
class EnrolmentFace:
    """The one face of a portrait, ready to become a ``gallery.Template``."""

    vectors: Mapping[str, NDArray[np.float32]]
    """By model name, one unit vector each, shape (dimensions,)."""
    versions: Mapping[str, str]
    quality: Quality
    portrait: bytes
    """JPEG of the head, ``face_thumbnail.SIDE`` pixels a side."""


class FaceAnalyser:
    """Judges the faces of pictures. One per worker process: it holds the loaded models."""

    def __init__(
        self,
        finder: FaceFinder,
        sface: SFaceEmbedder,
        dlib: Embedder,
        thresholds: Thresholds,
        portraits: FaceFinder | None = None,
    ) -> None:
        """``portraits`` looks at enrolment photos first, more quickly than ``finder``."""
        self._finder = finder
        self._portraits = portraits or finder
        self._sface = sface
        self._dlib = dlib
        self._thresholds = thresholds
        self._close_look = LandmarkRefiner()
        self._versions = {SFACE: sface.version, DLIB: dlib.version}

    def analyse(self, rgb: RGB, gallery: Gallery) -> tuple[FaceEvidence, ...]:
        """Every face of an upright RGB picture, with its quality and whose it is.

        dlib's 100 ms are spent only on faces on which SFace alone doesn't settle the verdict.
        """
        found = [self._placed(rgb, face) for face in self._finder.find(rgb)]
        looks = [self._measure(rgb, face) for face in found]
        judged = [index for index, measured in enumerate(looks) if measured.refusal is None]
        identities = self._identify(
            rgb,
            [found[index] for index in judged],
            [looks[index].vector for index in judged],
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
            for index, (face, measured) in enumerate(zip(found, looks, strict=True))
        )

    def enrol(self, rgb: RGB) -> EnrolmentFace | NotEnrollable:
        """The vectors of the one person of an enrolment portrait, or why there are none.

        Bystanders are let pass when much smaller and away from the middle (`_subject`).
        """
        faces = _sure(self._portraits.find(rgb)) or _sure(self._finder.find(rgb))
        if not faces:
            return _refused(WhyNotEnrollable.NO_FACE)
        subject = _subject(rgb, faces)
        if subject is None:
            return _refused(WhyNotEnrollable.TWO_FACES)
        return self._enrolled(rgb, subject)

    def enrol_one(self, rgb: RGB, box: Box) -> EnrolmentFace | NotEnrollable:
        """The vectors of one of several people in a picture, or why there are none.

        ``box``: the face as it was found when the picture was examined.
        """
        there = [face for face in _sure(self._finder.find(rgb)) if _overlap(face.box, box) > SAME]
        if not there:
            return _refused(WhyNotEnrollable.NO_FACE)
        return self._enrolled(rgb, max(there, key=lambda face: _overlap(face.box, box)))

    def _enrolled(self, rgb: RGB, subject: FoundFace) -> EnrolmentFace | NotEnrollable:
        subject = self._placed(rgb, subject)
        measured = self._measure(rgb, subject)
        second = self._dlib.embed(rgb, [subject])[0]
        if measured.refusal or measured.quality is None or not np.isfinite(second).all():
            detail = measured.refusal.detail if measured.refusal else ""
            return _refused(WhyNotEnrollable.POOR_PICTURE, detail)
        vectors = {SFACE: measured.vector, DLIB: second}
        seen = face_thumbnail(rgb, subject.landmarks)
        return EnrolmentFace(vectors, self._versions, measured.quality, seen)

    def _placed(self, rgb: RGB, face: FoundFace) -> FoundFace:
        """The face with the best landmarks there are; a possible face is held anyway."""
        return self._close_look.refine(rgb, face) if face.kind is FaceKind.FACE else face

    def _measure(self, rgb: RGB, face: FoundFace) -> _MeasuredFace:
        """Measure a face, and embed it with SFace unless it is already too poor."""
        if face.kind is FaceKind.POSSIBLE:
            return _MeasuredFace(NotMatched(Reason.POSSIBLE_FACE))
        floors = self._thresholds.floors
        crop = aligned_crop(rgb, face.landmarks)
        quality = measure(face, crop, UNSEEN_AGREEMENT)
        if poor := quality_failure(quality, floors, embedded=False):
            return _MeasuredFace(NotMatched(Reason.LOW_QUALITY_FACE, poor), quality)
        embedding = self._sface.embed_crop(crop)
        if not np.isfinite(embedding.vector).all():
            return _MeasuredFace(NotMatched(Reason.NOT_EXAMINED, "the face could not be measured"))
        quality = measure(face, crop, embedding.mirror_agreement)
        poor = quality_failure(quality, floors)
        refusal = NotMatched(Reason.LOW_QUALITY_FACE, poor) if poor else None
        return _MeasuredFace(refusal, quality, embedding.vector)

    def _identify(
        self,
        rgb: RGB,
        faces: Sequence[FoundFace],
        sface: Sequence[NDArray[np.float32]],
        gallery: Gallery,
    ) -> list[Identity]:
        """Whose faces these are; the second opinion only where the first leaves it open."""
        if not faces:
            return []
        rows = np.stack(sface)
        first = match_by_sface(gallery, Probes({SFACE: rows}, self._versions), self._thresholds)
        open_ones = [index for index, answer in enumerate(first) if answer is None]
        dlib = self._dlib.embed(rgb, [faces[index] for index in open_ones])
        probes = Probes({SFACE: rows[open_ones], DLIB: dlib}, self._versions)
        second = iter(match(gallery, probes, self._thresholds))
        return [answer if answer is not None else next(second) for answer in first]


@dataclass(frozen=True, eq=False)
class _MeasuredFace:
    """One face measured: either a refusal, or a quality and a vector."""

    refusal: NotMatched | None
    quality: Quality | None = None
    vector: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))


_SENTENCES = {
    WhyNotEnrollable.NO_FACE: "No face was found in the portrait.",
    WhyNotEnrollable.TWO_FACES: "The portrait shows more than one person.",
    WhyNotEnrollable.POOR_PICTURE: "The portrait is too poor to compare with",
}


def _refused(reason: WhyNotEnrollable, detail: str = "") -> NotEnrollable:
    sentence = _SENTENCES[reason]
    if reason is WhyNotEnrollable.POOR_PICTURE:
        sentence += f": {detail}." if detail else "."
    return NotEnrollable(reason, sentence)


def _subject(rgb: RGB, faces: Sequence[FoundFace]) -> FoundFace | None:
    """The person the portrait is of; None when two could be meant.

    The most central of the large faces, if every other face is a bystander and farther from the
    middle. A box whose middle lies inside the subject's is the same face found twice: two
    people's faces can't be in one place.
    """
    largest = max(_area(face) for face in faces)
    large = [face for face in faces if _area(face) >= BYSTANDER_AREA * largest]
    subject = min(large, key=lambda face: _from_middle(rgb, face))
    others = [face for face in faces if face is not subject and not _inside(face, subject)]
    if any(_area(face) >= BYSTANDER_AREA * _area(subject) for face in others):
        return None
    if any(_from_middle(rgb, face) <= _from_middle(rgb, subject) for face in others):
        return None
    return subject


def _area(face: FoundFace) -> int:
    return face.box.width * face.box.height


def _middle(face: FoundFace) -> tuple[float, float]:
    return face.box.x + face.box.width / 2, face.box.y + face.box.height / 2


def _inside(face: FoundFace, subject: FoundFace) -> bool:
    x, y = _middle(face)
    box = subject.box
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(across, 0) * max(down, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def _from_middle(rgb: RGB, face: FoundFace) -> float:
    """Pixels between the middle of the box and the middle of the picture."""
    height, width = rgb.shape[:2]
    x, y = _middle(face)
    return float(np.hypot(x - width / 2, y - height / 2))


def _sure(found: Sequence[FoundFace]) -> list[FoundFace]:
    """Those on which the detectors agree."""
    return [face for face in found if face.kind is FaceKind.FACE]
