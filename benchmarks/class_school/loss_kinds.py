"""Say why a face was not recognised, as far as it can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.class_school.make_school import CLASS_SIZE
from benchmarks.faces.embeddings import no_floors
from consent_gate.matching.gallery import Gallery, fused_by_pupil
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Box, FaceEvidence, FaceKind, NotMatched, Quality, Reason
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.choose_face import around
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.enrolment_face import EnrolmentFace
from ingest.faces.finder import default_finder
from ingest.faces.finder_settings import PORTRAIT

TURNED, SMALL, UNLIKE_MIRROR, BLURRED = 0.25, 64, 0.95, 60.0
"""From these on a face is recognised less often (docs/adr/0004-recognition.md): half the turn of a
head at 45 degrees, height in pixels, agreement with the mirror image (a turned, covered or unevenly
lit face), and variance of the Laplacian."""

JUST_BELOW = 0.05
"""A score that is lower than the line by no more than this is just below it."""

BYSTANDER = "bystander who is not enrolled"
POSSIBLE = "not surely a face"
TOO_UNCLEAR = "too unclear"
ANOTHER_NEAREST = "nearest is somebody else"
LEAD_TOO_SMALL = "lead too small"
REACHES_ROLL_LINE = "reaches the line for a roll of 30 when it is measured again"
NO_PORTRAIT = "no portrait"
PORTRAIT_BAD = "portrait bad"
FACE_TURNED = "turned"
FACE_SMALL = "small"
FACE_BLURRED = "blurred"
FACE_COVERED = "covered or unevenly lit (unlike its mirror image)"
SLIGHTLY_UNLIKE = "clear, just below the line"
UNLIKE = "clear, unlike the portrait (cap, glasses, expression, years)"


@dataclass(frozen=True)
class Loss:
    """Why one face was not recognised."""

    kind: str
    score: float = float("nan")
    """Fused score with the pupil shown; NaN where it was not measured."""
    nearest_other: float = float("nan")
    line: float = float("nan")
    """The score from which the face would match on the roll of a class."""


class LossKinds:
    """Measures lost faces again, and the portraits of the pupils shown."""

    def __init__(self, school: Path, gallery: Gallery, thresholds: Thresholds) -> None:
        """Keep the school's folder, its templates and the thresholds in force."""
        self._school, self._gallery, self._thresholds = school, gallery, thresholds
        self._portraits: dict[str, bool] = {}

    def of(self, file: str, person: str, face: FaceEvidence, *, meant: bool) -> Loss:
        """The first kind that fits a face which holds a photo.

        Args:
            file: The photo, below ``events``.
            person: Admission number of the pupil whose head was pasted there.
            face: The face as the gate found it.
            meant: Whether it is the face of the person meant, and no bystander.
        """
        if not meant:
            return Loss(BYSTANDER)
        if face.kind is FaceKind.POSSIBLE or face.quality is None:
            return Loss(POSSIBLE)
        match face.identity:
            case NotMatched(reason=Reason.LOW_QUALITY_FACE, detail=detail):
                return Loss(f"{TOO_UNCLEAR}: {detail}")
        if person not in self._gallery.pupils:
            return Loss(NO_PORTRAIT)
        scores = self._scores(self._school / "events" / file, face.box)
        if scores is None:
            return Loss(POSSIBLE)
        place = self._gallery.pupils.index(person)
        own, other = float(scores[place]), float(np.delete(scores, place).max(initial=-1.0))
        templates = int(self._gallery.template_counts[place])
        line = self._thresholds.accept_fused(CLASS_SIZE, templates)
        kind = self._kind(person, face.quality, own, other, line)
        return Loss(kind, own, other, line)

    def _kind(self, person: str, quality: Quality, own: float, other: float, line: float) -> str:
        if other >= own:
            return ANOTHER_NEAREST
        if own >= line:
            alone = own - other >= self._thresholds.margin
            return REACHES_ROLL_LINE if alone else LEAD_TOO_SMALL
        if self._has_bad_portrait(person):
            return PORTRAIT_BAD
        kinds = (
            (quality.yaw > TURNED, FACE_TURNED),
            (quality.height_px < SMALL, FACE_SMALL),
            (quality.sharpness < BLURRED, FACE_BLURRED),
            (quality.mirror_agreement < UNLIKE_MIRROR, FACE_COVERED),
            (own >= line - JUST_BELOW, SLIGHTLY_UNLIKE),
        )
        return next((kind for fits, kind in kinds if fits), UNLIKE)

    def _has_bad_portrait(self, person: str) -> bool:
        """Whether the first portrait is turned, or unlike its mirror image."""
        if person not in self._portraits:
            answer = self._measure(self._school / "portraits" / f"{person}.jpg")
            self._portraits[person] = answer is None or (
                answer.quality.yaw > TURNED or answer.quality.mirror_agreement < UNLIKE_MIRROR
            )
        return self._portraits[person]

    def _scores(self, path: Path, box: Box) -> Sequence[float] | None:
        face = self._measure(path, box)
        if face is None:
            return None
        probes = {model: vector[np.newaxis] for model, vector in face.vectors.items()}
        return list(fused_by_pupil(probes, self._gallery, self._thresholds)[0])

    def _measure(self, path: Path, box: Box | None = None) -> EnrolmentFace | None:
        """The face in a box of a picture, or the one of a portrait; None where it is not found."""
        with Image.open(path) as file:
            rgb = np.asarray(file.convert("RGB"), np.uint8)
        if box is None:
            found = self._analyser.enrol(rgb)
        else:
            view = around(rgb, box)
            part = rgb[view.y : view.y + view.height, view.x : view.x + view.width]
            inside = Box(box.x - view.x, box.y - view.y, box.width, box.height)
            found = self._analyser.enrol_selected(np.ascontiguousarray(part), inside)
        return found if isinstance(found, EnrolmentFace) else None

    @cached_property
    def _analyser(self) -> FaceAnalyser:
        finder = default_finder()
        return FaceAnalyser(
            finder.with_settings(PORTRAIT),
            SFaceEmbedder(),
            DlibEmbedder(),
            no_floors(),
            portraits=finder.with_settings(PORTRAIT),
        )
